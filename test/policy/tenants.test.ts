/** What one tenant writes never changes what another one gets (MISSION row 20). */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { compilePolicies, ReadingCache } from '../../src/policy/compile.ts';
import { scopeOf } from '../../src/policy/scope.ts';
import type { PolicySet } from '../../src/policy/set.ts';
import { codes, sha256 } from './compiling.ts';
import { decided } from './deciding.ts';
import { documentOf, policies } from './random-policies.ts';
import type { Asked } from './reference.ts';

/** As many as the row says: half a minute of a quiet machine; `TENANT_EDITS` for fewer. */
const EDITS = Number(process.env.TENANT_EDITS ?? 10_000);

const HOUSE = `kind: Policy
metadata: { name: house, layer: platform }
class: security
rules:
  - { id: soft, when: 'double(headers.h0) > 0.0', overridable: true, then: block }
  - { id: hard, when: 'double(headers.h1) > 0.0', then: block }
  - { id: mail, inspect: [response], match: { pii: { entities: [email] } }, then: redact }
---
kind: Module
metadata: { name: common, version: 1.0.0 }
class: operational
rules:
  - { id: note, when: 'double(headers.h2) > 0.0', then: flag }
`;

/** Everything a tenant can say: of its layer, of its apps, with a default, a module and an allow. */
const OTHER = `kind: Policy
metadata: { name: b-main, layer: tenant, selector: { tenant: t1 } }
class: security
default: deny
use: [common]
rules:
  - { id: in, when: 'double(headers.h2) > 0.0', then: allow }
  - { id: zebra, inspect: [request], match: { keywords: { words: [zebra] } }, then: { rewrite: { with: horse } } }
---
kind: Policy
metadata: { name: b-app, layer: app, selector: { tenant: t1, app: x } }
class: security
rules:
  - { id: lift, when: 'double(headers.h0) > 0.0', priority: 1, then: allow }
`;

const headers = (
  [
    ['true', 'true', 'true'],
    ['true', 'false', 'true'],
    ['false', 'false', 'true'],
    ['false', 'false', 'false'],
    ['broken', 'false', 'true'],
    ['false', 'false', 'broken'],
  ] as const
).map(([h0, h1, h2]) => ({ h0, h1, h2 }));
const ASKERS: readonly Asked[] = headers.flatMap((some) => [
  { facts: { tenant: 't1' }, headers: some },
  { facts: { tenant: 't1', app: 'x', model: 'm' }, headers: some },
]);

/** Documents of tenant t0 only: random rules, and what is meant to disturb others. */
const edit = fc.oneof(
  {
    weight: 6,
    arbitrary: policies.map((some) =>
      some
        .slice(0, 2)
        .map((one) =>
          documentOf({
            ...one,
            name: `a-${one.name}`,
            layer: one.layer === 'platform' ? 'tenant' : one.layer,
            selector: { ...one.selector, tenant: 't0' },
            rules: one.rules.slice(0, 2),
          }),
        )
        .join('---\n'),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 200 })
      .map(
        (count) =>
          `kind: Policy\nmetadata: { name: a, layer: tenant, selector: { tenant: t0 } }\nclass: security\nrules:\n  - { id: flood, inspect: [request, response], match: { keywords: { words: [zebra, ${Array.from({ length: count }, (_, at) => `w${at}`).join(', ')}] } }, then: allow }\n`,
      ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'kind: Policy\nmetadata: { name: b-main, layer: tenant, selector: { tenant: t0 } }\ndefault: allow\n',
      'kind: Policy\nmetadata: { name: a, layer: tenant, selector: { tenant: t0 } }\nuse: [common, { module: common }]\n',
      'kind: Module\nmetadata: { name: common, version: 9.9.9 }\nclass: security\nrules: [{ id: all, then: block }]\n',
      'kind: Policy\nmetadata: { name: a, layer: app, selector: { tenant: t0 } }\nclass: security\ndefault: deny\nuse: [common]\nrules: [{ id: all, priority: 9, then: allow }]\n',
      '{{{{',
      '',
    ),
  },
);

describe('a tenant', () => {
  it(`gets the same verdicts after each of ${EDITS} edits of another tenant`, function () {
    this.timeout(600_000);
    const cache = new ReadingCache();
    const compiled = (mine: string) =>
      compilePolicies(
        [
          { path: 'house.yaml', text: HOUSE },
          { path: 'b.yaml', text: OTHER },
          { path: 'a.yaml', text: mine },
        ],
        { sha256, cache, rulesMax: 40, matcherBytesMax: 2_600_000, tenantPercentMax: 50 },
      );
    const rulesOf = (set: PolicySet) =>
      ASKERS.flatMap(({ facts }) => scopeOf(set, facts, true).rules).map((rule) => [
        rule.id,
        rule.detector,
      ]);
    const first = compiled('');
    assert.ok(first.ok);
    const verdicts = ASKERS.map((asker) => decided(first.set, asker));
    assert.deepEqual([...new Set(verdicts.map((verdict) => verdict.split(' ')[0]))].sort(), [
      'block',
      'default_deny',
      'mutate',
      'unavailable',
    ]);
    const before = rulesOf(first.set);
    let served = first.set;
    const outcomes = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(edit, (text) => {
        const result = compiled(text);
        // What does not compile changes nothing: what served keeps serving.
        outcomes[result.ok ? 'taken' : 'refused'] += 1;
        if (!result.ok) return;
        served = result.set;
        for (const [at, asker] of ASKERS.entries())
          assert.equal(decided(served, asker), verdicts[at]);
        const after = rulesOf(served);
        assert.ok(
          after.length === before.length &&
            after.every(
              ([id, detector], at) => id === before[at]?.[0] && detector === before[at]?.[1],
            ),
        );
      }),
      { numRuns: EDITS },
    );
    assert.ok(
      outcomes.taken > EDITS / 2 && outcomes.refused > EDITS / 20,
      JSON.stringify(outcomes),
    );
  });

  const flood = (tenant: string, rules: number): string =>
    `kind: Policy\nmetadata: { name: of-${tenant}, layer: tenant, selector: { tenant: ${tenant} } }\nclass: security\nrules:\n${Array.from({ length: rules }, (_, at) => `  - { id: r${at}, then: flag }\n`).join('')}`;
  const house = 'kind: Policy\nmetadata: { name: h, layer: platform }\ndefault: allow\n';

  it('may take its share of the rules: limit - 1, limit, limit + 1', () => {
    for (const [rules, expected] of [
      [9, []],
      [10, []],
      [11, ['tenant_share']],
    ] as const)
      assert.deepEqual(
        codes([house, flood('a', rules)].join('---\n'), { rulesMax: 40, tenantPercentMax: 25 }),
        expected,
      );
  });

  it('may take its share of the tables and of the expressions, and no other tenant pays for it', () => {
    const words = (tenant: string, match: string): string =>
      `kind: Policy\nmetadata: { name: of-${tenant}, layer: tenant, selector: { tenant: ${tenant} } }\nclass: security\nrules:\n  - { id: w, inspect: [request], match: ${match}, then: block }\n`;
    const long = `{ keywords: { words: [${Array.from({ length: 3_000 }, (_, at) => `word${at}`).join(', ')}] } }`;
    const share = { matcherBytesMax: 8_000_000 };
    assert.deepEqual(codes(words('a', long), { ...share, tenantPercentMax: 100 }), []);
    const refused = codes(
      [words('a', long), words('b', '{ keywords: { words: [x] } }')].join('---\n'),
      share,
    );
    assert.deepEqual(refused, ['tenant_share']);
    const expression = '{ regex: { pattern: "[a-f]{90}x" } }';
    assert.deepEqual(codes(words('a', expression), { regexNodesMax: 300 }), ['tenant_share']);
    assert.deepEqual(codes(words('a', expression), { regexNodesMax: 500 }), []);
  });
});
