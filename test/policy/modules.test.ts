/** Modules: rules that take their layer and selector from the policies that use them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { bothHold, eitherHolds } from '../../src/policy/compose-conditions.ts';
import { conditionOutcome } from '../../src/policy/evaluate.ts';
import type { Condition, Conditions, PolicySet } from '../../src/policy/set.ts';
import { inRange } from '../../src/policy/version-range.ts';
import { codes, compileText, policy, ruleOf } from './compiling.ts';

const module = (name: string, rules: readonly string[], head = ''): string =>
  [
    'kind: Module',
    `metadata: { name: ${name}, version: 2.1.0 }`,
    'class: security',
    ...(head === '' ? [] : [head]),
    ...(rules.length === 0 ? [] : ['rules:', ...rules.map((rule) => `  - ${rule}`)]),
    '',
  ].join('\n');

const using = (
  name: string,
  use: string,
  { layer = 'tenant', selector = '', head = '' } = {},
): string =>
  [
    'kind: Policy',
    `metadata: { name: ${name}, layer: ${layer}${selector === '' ? '' : `, selector: { ${selector} }`} }`,
    ...(head === '' ? [] : [head]),
    `use: ${use}`,
    '',
  ].join('\n');

const together = (...documents: readonly string[]): string => documents.join('---\n');

const asked = (headers: Record<string, string>): Conditions => ({
  facts: {},
  method: 'POST',
  path: '/',
  authority: 'a',
  route: '',
  headers,
  nowMs: 0,
});

const outcomeOf = (set: PolicySet, id: string, headers: Record<string, string>): string =>
  conditionOutcome(ruleOf(set, id), asked(headers)).kind;

describe('a module', () => {
  it('gives its rules to each policy that uses it, with the layer and selector of that policy', () => {
    const set = compileText(
      together(
        module('pii', ['{ id: mail, priority: 7, then: block }']),
        using('acme', '[pii]', { selector: 'tenant: acme' }),
        using('house', '[pii]', { layer: 'platform' }),
      ),
    );
    assert.deepEqual(
      set.rules.map(({ id, policy: owner, module: from, layer, selector, priority }) => ({
        id,
        owner,
        from,
        layer,
        selector,
        priority,
      })),
      [
        {
          id: 'house/pii/mail',
          owner: 'house',
          from: 'pii',
          layer: 'platform',
          selector: {},
          priority: 7,
        },
        {
          id: 'acme/pii/mail',
          owner: 'acme',
          from: 'pii',
          layer: 'tenant',
          selector: { tenant: 'acme' },
          priority: 7,
        },
      ],
    );
    assert.deepEqual(set.modules, [
      { name: 'pii', version: '2.1.0', file: 'p.yaml', usedBy: ['acme', 'house'] },
    ]);
  });

  it('shares one detector among all who use it', () => {
    const set = compileText(
      together(
        module('words', [
          '{ id: w, inspect: [request], match: { keywords: { words: [x] } }, then: block }',
        ]),
        using('a', '[words]', { selector: 'tenant: a' }),
        using('b', '[words]', { selector: 'tenant: b' }),
      ),
    );
    assert.equal(ruleOf(set, 'a/words/w').detector, ruleOf(set, 'b/words/w').detector);
  });

  it('is asked only when its `when` holds, and then its rules are asked for theirs', () => {
    const set = compileText(
      together(
        module('legal', [
          '{ id: r, when: \'headers.b == "1"\', then: block }',
          '{ id: s, then: flag }',
        ]),
        using('p', '[{ module: legal, when: \'headers.a == "1"\' }]'),
      ),
    );
    assert.equal(outcomeOf(set, 'p/legal/r', { a: '1', b: '1' }), 'holds');
    assert.equal(outcomeOf(set, 'p/legal/r', { a: '1', b: '2' }), 'not');
    assert.equal(outcomeOf(set, 'p/legal/r', { a: '2' }), 'not');
    assert.equal(outcomeOf(set, 'p/legal/r', { b: '1' }), 'error');
    assert.equal(outcomeOf(set, 'p/legal/s', { a: '1' }), 'holds');
    assert.equal(outcomeOf(set, 'p/legal/s', { a: '2' }), 'not');
  });

  it('comes in once, over whichever way holds, and as strong as the strongest way', () => {
    const set = compileText(
      together(
        module('base', ['{ id: r, then: block }']),
        module('more', [], 'use: [{ module: base, when: \'headers.m == "1"\' }]'),
        using('p', '[more, { module: base, when: \'headers.b == "1"\', enforcement: shadow }]'),
        using('q', '[more, base]'),
      ),
    );
    assert.equal(set.rules.length, 2);
    assert.equal(ruleOf(set, 'p/base/r').enforcement, 'enforce');
    assert.equal(outcomeOf(set, 'p/base/r', { m: '1', b: '2' }), 'holds');
    assert.equal(outcomeOf(set, 'p/base/r', { m: '2', b: '1' }), 'holds');
    assert.equal(outcomeOf(set, 'p/base/r', { m: '2', b: '2' }), 'not');
    assert.equal(ruleOf(set, 'q/base/r').when, undefined);
  });

  it('is no stronger than the weakest word about its enforcement', () => {
    const rules = ['{ id: e, then: block }', '{ id: s, then: flag, enforcement: shadow }'];
    const told = (inModule: string, atUse: string, inPolicy: string): string[] =>
      compileText(
        together(
          module('m', rules, `enforcement: ${inModule}`),
          using('p', `[{ module: m, enforcement: ${atUse} }]`, {
            head: `enforcement: ${inPolicy}`,
          }),
        ),
      ).rules.map(({ id, enforcement }) => `${id} ${enforcement}`);
    const inShadow = ['p/m/e shadow', 'p/m/s shadow'];
    assert.deepEqual(told('enforce', 'enforce', 'enforce'), ['p/m/e enforce', 'p/m/s shadow']);
    assert.deepEqual(told('shadow', 'enforce', 'enforce'), inShadow);
    assert.deepEqual(told('enforce', 'shadow', 'enforce'), inShadow);
    assert.deepEqual(told('enforce', 'enforce', 'shadow'), inShadow);
    assert.deepEqual(told('enforce', 'off', 'shadow'), []);
    const own = policy(['{ id: e, then: block }'], { head: 'enforcement: shadow' });
    assert.equal(ruleOf(compileText(own), 'p/e').enforcement, 'shadow');
  });

  it('is checked against the rules that it meets where it is used', () => {
    const shadowing = together(
      module('m', ['{ id: r, then: block }']),
      policy(['{ id: a, priority: 1, then: allow }']),
    );
    assert.deepEqual(codes(together(shadowing, using('q', '[m]'))), []);
    assert.deepEqual(codes(together(shadowing, using('q', '[m]', { layer: 'platform' }))), [
      'rule_shadowed',
    ]);
  });

  it('counts its rules for each use: limit - 1, limit, limit + 1', () => {
    const text = together(
      module('m', ['{ id: r, then: flag }', '{ id: s, then: flag }']),
      using('a', '[m]'),
      using('b', '[m]'),
    );
    assert.deepEqual(codes(text, { rulesMax: 5 }), []);
    assert.deepEqual(codes(text, { rulesMax: 4 }), []);
    assert.deepEqual(codes(text, { rulesMax: 3 }), ['too_many_rules']);
  });

  it('that nobody uses is worth a warning', () => {
    const text = together(
      module('m', ['{ id: r, then: block }']),
      policy(['{ id: r, then: flag }']),
    );
    assert.deepEqual(compileText(text).warnings, [
      'no policy uses the module `m`, so that its rules are never asked',
    ]);
  });

  it('named in `requires` must be there in that version, and both are told', () => {
    const requiring = (range: string): string =>
      together(
        module('pii', ['{ id: r, then: flag }']),
        using('p', '[pii]', { head: `requires: { pii: "${range}" }` }),
      );
    assert.deepEqual(codes(requiring('>=2.1')), []);
    assert.deepEqual(codes(requiring('>=2.2')), ['version_conflict']);
  });
});

describe('ranges of versions', () => {
  const rows: readonly (readonly [string, string, boolean | undefined])[] = [
    ['2.1.0', '>=2.1', true],
    ['2.0.9', '>=2.1', false],
    ['2.1.0', '>2.1', false],
    ['2.1.7', '>2.1', false],
    ['2.2.0', '>2.1', true],
    ['2.1.1', '>2.1.0', true],
    ['2.9.9', '<3', true],
    ['3.0.0-rc.1', '<3', false],
    ['3.0.0-rc.1', '<3.0.0', true],
    ['2.1.9', '<=2.1', true],
    ['2.2.0', '<=2.1', false],
    ['2.9.0', '^2.1', true],
    ['3.0.0', '^2.1', false],
    ['0.2.9', '^0.2.1', true],
    ['0.3.0', '^0.2.1', false],
    ['0.0.4', '^0.0.3', false],
    ['2.1.9', '~2.1.3', true],
    ['2.2.0', '~2.1.3', false],
    ['2.9.0', '~2', true],
    ['2.1.5', '2.1', true],
    ['2.2.0', '2.1', false],
    ['2.1.0', '=2.1.0', true],
    ['2.1.0', '>=2.1 <2.1.1', true],
    ['2.1.1', '>=2.1 <2.1.1', false],
    ['1.0.0-alpha.2', '>=1.0.0-alpha.10', false],
    ['1.0.0-alpha.beta', '>1.0.0-alpha.1', true],
    ['1.0.0+build', '1.0.0', true],
    ['1.0.0', '1.x', undefined],
    ['1.0.0', '', undefined],
    ['1.0.0', '>= 1', undefined],
    ['1.0.0', '1 || 2', undefined],
  ];
  for (const [version, range, expected] of rows)
    it(`${version} in \`${range}\`: ${expected}`, () => {
      assert.equal(inRange(version, range), expected);
    });
});

describe('conditions of several places', () => {
  const giving = (result: boolean | 'fails'): Condition => ({
    source: String(result),
    reads: new Set(),
    holds() {
      if (result === 'fails') throw new Error('it fails');
      return result;
    },
  });
  const told = (condition: Condition | undefined): boolean | 'fails' => {
    try {
      return condition?.holds(asked({})) ?? true;
    } catch {
      return 'fails';
    }
  };
  const values = [true, false, 'fails'] as const;

  it('fail only where the other one does not settle it, as CEL\u2019s operators do', () => {
    for (const a of values)
      for (const b of values) {
        const both =
          a === false || b === false ? false : a === 'fails' || b === 'fails' ? 'fails' : true;
        const either =
          a === true || b === true ? true : a === 'fails' || b === 'fails' ? 'fails' : false;
        assert.equal(told(bothHold(giving(a), giving(b))), both, `${a} && ${b}`);
        assert.equal(told(eitherHolds(giving(a), giving(b))), either, `${a} || ${b}`);
      }
    assert.equal(bothHold(undefined, undefined), undefined);
    assert.equal(eitherHolds(undefined, giving(false)), undefined);
  });
});

describe('docs/reference/layers.md', () => {
  it('has examples that compile', () => {
    const page = readFileSync(new URL('../../docs/reference/layers.md', import.meta.url), 'utf8');
    const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text ?? '');
    assert.equal(examples.length, 1);
    const set = compileText(examples.join('---\n'));
    assert.deepEqual(
      set.rules.map(({ id, enforcement }) => `${id} ${enforcement}`),
      [
        'house/advice enforce',
        'house/project enforce',
        'acme/legal/imprint shadow',
        'acme/may-advise enforce',
        'acme/pii/addresses enforce',
        'acme-agent/office-hours enforce',
      ],
    );
  });
});
