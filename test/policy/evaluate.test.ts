import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  conditionOutcome,
  type Decision,
  decide,
  exempts,
  isEnforcing,
} from '../../src/policy/evaluate.ts';
import { reachesStream, ruleReaches, ruleReachesDirection } from '../../src/policy/reach.ts';
import { scopeOf } from '../../src/policy/scope.ts';
import type { Conditions, PolicySet } from '../../src/policy/set.ts';
import { compileText, policy, ruleOf } from './compiling.ts';

const KEYWORD = 'match: { keywords: { words: [x] } }';

function told(decision: Decision): string {
  switch (decision.kind) {
    case 'block':
    case 'unavailable':
      return `${decision.kind} ${decision.rule.id}`;
    case 'mutate':
      return `mutate ${decision.rules.map((rule) => rule.id).join(' ')}`;
    case 'default_deny':
      return `default_deny ${decision.layer}`;
    case 'allow':
      return 'allow';
  }
}

function deciding(set: PolicySet, matched: readonly string[], failed: readonly string[] = []) {
  return decide(scopeOf(set, {}, true).denies, [
    ...matched.map((id) => ({ rule: ruleOf(set, id) })),
    ...failed.map((id) => ({ rule: ruleOf(set, id), failed: true })),
  ]);
}

describe('decide', () => {
  const set = compileText(
    [
      policy(
        [
          '{ id: block, when: "true", then: block }',
          '{ id: soft, overridable: true, then: { block: {} } }',
          `{ id: redact, inspect: [response], match: { pii: { entities: [email] } }, then: redact }`,
          '{ id: flag, then: flag }',
          '{ id: shadow, enforcement: shadow, then: block }',
          '{ id: failing, class: operational, when: "headers.x == tenant", then: block }',
        ],
        { name: 'top' },
      ),
      policy(
        [
          '{ id: high, priority: 2, when: "tenant == \'a\'", then: allow }',
          '{ id: mid, priority: 1, then: block }',
          '{ id: peer, priority: 2, then: block }',
          `{ id: rewrite, priority: 3, inspect: [response], ${KEYWORD}, then: { rewrite: { with: y } } }`,
        ],
        { name: 'low', layer: 'tenant' },
      ),
    ].join('---\n'),
  );
  const all = set.rules.map((rule) => rule.id);

  const cases: readonly (readonly [string, readonly string[], readonly string[], string])[] = [
    ['nothing matched', [], [], 'allow'],
    ['only a flag', ['top/flag'], [], 'allow'],
    ['only a shadow', ['top/shadow'], [], 'allow'],
    ['the highest block', ['low/mid', 'top/block'], [], 'block top/block'],
    ['a lower layer tightens', ['low/mid'], [], 'block low/mid'],
    ['all mutations', ['low/rewrite', 'top/redact'], [], 'mutate top/redact low/rewrite'],
    ['block before mutations', ['top/redact', 'low/mid'], [], 'block low/mid'],
    ['allow lifts lower priority in its layer', ['low/high', 'low/mid'], [], 'allow'],
    ['but not equal priority', ['low/high', 'low/peer'], [], 'block low/peer'],
    ['nor higher', ['low/high', 'low/rewrite'], [], 'mutate low/rewrite'],
    ['nor a layer above', ['low/high', 'top/block'], [], 'block top/block'],
    ['unless that is overridable', ['low/high', 'top/soft'], [], 'allow'],
    ['a failed security rule denies', [], ['top/block'], 'unavailable top/block'],
    ['a failed operational one passes', [], ['top/failing'], 'allow'],
    ['a verdict goes before a failure', ['low/mid'], ['top/block'], 'block low/mid'],
    ['a failed allow lifts nothing', ['low/mid'], ['low/high'], 'block low/mid'],
    ['a failed shadow does nothing', [], ['top/shadow'], 'allow'],
  ];
  for (const [name, matched, failed, expected] of cases) {
    it(name, () => assert.equal(told(deciding(set, matched, failed)), expected));
  }

  it('tells beside the verdict what was flagged, shadowed, lifted and degraded', () => {
    const decision = deciding(
      set,
      ['top/flag', 'top/shadow', 'low/high', 'low/mid'],
      ['top/failing'],
    );
    const ids = (rules: readonly { id: string }[]) => rules.map((rule) => rule.id);
    assert.deepEqual(ids(decision.flagged), ['top/flag']);
    assert.deepEqual(ids(decision.shadowed), ['top/shadow']);
    assert.deepEqual(ids(decision.exempted), ['low/mid']);
    assert.deepEqual(ids(decision.degraded), ['top/failing']);
  });

  it('does not depend on the order or the number of candidates', () => {
    fc.assert(
      fc.property(
        fc
          .subarray(all)
          .chain((ids) =>
            fc.tuple(
              fc.constant(ids),
              fc.shuffledSubarray([...ids, ...ids], { minLength: 2 * ids.length }),
            ),
          ),
        ([ids, shuffled]) => {
          assert.deepEqual(deciding(set, shuffled), deciding(set, ids));
        },
      ),
    );
  });

  it('only tightens when one more rule matches that is no allow', () => {
    const severity = (decision: Decision) =>
      ['allow', 'mutate', 'default_deny', 'unavailable', 'block'].indexOf(decision.kind);
    const others = all.filter((id) => ruleOf(set, id).action.kind !== 'allow');
    fc.assert(
      fc.property(fc.subarray(all), fc.constantFrom(...others), (ids, more) => {
        assert.ok(severity(deciding(set, [...ids, more])) >= severity(deciding(set, ids)));
      }),
    );
  });

  it('never lets a lower layer lift what is not overridable', () => {
    for (const allow of set.rules) {
      for (const other of set.rules) {
        if (exempts(allow, other) && allow.layer !== other.layer) assert.ok(other.overridable);
      }
    }
  });
});

describe('default: deny', () => {
  const set = compileText(
    [
      policy(['{ id: in, when: "tenant == \'a\'", then: allow }', '{ id: note, then: flag }'], {
        name: 'top',
        layer: 'tenant',
        head: 'default: deny',
      }),
      policy(['{ id: in, then: allow }'], { name: 'low', layer: 'app' }),
      policy(['{ id: in, then: allow }'], { name: 'high' }),
    ].join('---\n'),
  );

  it('is lifted by an allow of its layer or above, by nothing else', () => {
    assert.equal(told(deciding(set, [])), 'default_deny tenant');
    assert.equal(told(deciding(set, ['top/note'])), 'default_deny tenant');
    assert.equal(told(deciding(set, ['low/in'])), 'default_deny tenant');
    assert.equal(told(deciding(set, ['top/in'])), 'allow');
    assert.equal(told(deciding(set, ['high/in'])), 'allow');
    assert.equal(told(deciding(set, [], ['high/in'])), 'unavailable high/in');
  });

  it('stands in a set of its own', () => {
    const locked = compileText(
      'kind: Policy\nmetadata: { name: l, layer: platform }\ndefault: deny\n',
    );
    assert.equal(told(deciding(locked, [])), 'default_deny platform');
  });
});

describe('the scope of an exchange', () => {
  const set = compileText(
    [
      'kind: Policy\nmetadata: { name: a, layer: tenant, selector: { tenant: acme, model: m } }\nclass: security\nrules: [{ id: r, then: block }]\n',
      policy(['{ id: r, when: "region == \'eu\'", then: block }'], { name: 'b' }),
    ].join('---\n'),
  );

  it('asks for every key of the selector', () => {
    const ids = (facts: Record<string, string>) =>
      scopeOf(set, facts, true).rules.map((rule) => rule.id);
    assert.deepEqual(ids({}), ['b/r']);
    assert.deepEqual(ids({ tenant: 'acme' }), ['b/r']);
    assert.deepEqual(ids({ tenant: 'acme', model: 'n' }), ['b/r']);
    assert.deepEqual(ids({ tenant: 'acme', model: 'm' }), ['b/r', 'a/r']);
  });
});

describe('conditionOutcome', () => {
  const set = compileText(
    policy([
      '{ id: r, when: \'headers["x-tier"] == "free"\', then: block }',
      '{ id: s, then: flag }',
    ]),
  );
  const conditions = (headers: Record<string, string>): Conditions => ({
    facts: {},
    method: 'POST',
    path: '/',
    authority: 'a',
    route: '',
    headers,
    nowMs: 0,
  });

  it('holds, does not, or fails without a value in the message', () => {
    const rule = ruleOf(set, 'p/r');
    assert.equal(conditionOutcome(rule, conditions({ 'x-tier': 'free' })).kind, 'holds');
    assert.equal(conditionOutcome(rule, conditions({ 'x-tier': 'paid' })).kind, 'not');
    const failed = conditionOutcome(rule, conditions({ other: 'secret' }));
    assert.equal(failed.kind, 'error');
    assert.ok(!JSON.stringify(failed).includes('secret'));
    assert.equal(conditionOutcome(ruleOf(set, 'p/s'), conditions({})).kind, 'holds');
  });
});

describe('reach', () => {
  const inspecting = (words: string) =>
    ruleOf(compileText(policy([`{ id: r, inspect: [${words}], ${KEYWORD}, then: flag }`])), 'p/r');

  it('follows coveredBy', () => {
    assert.ok(ruleReaches(inspecting('request'), 'request', 'user'));
    assert.ok(ruleReaches(inspecting('request'), 'request', 'tool_result'));
    assert.ok(!ruleReaches(inspecting('request'), 'response', 'assistant'));
    assert.ok(ruleReaches(inspecting('tool_call'), 'response', 'tool_call'));
    assert.ok(ruleReaches(inspecting('tool_call'), 'request', 'tool_call'));
    assert.ok(!ruleReaches(inspecting('system'), 'request', 'user'));
    assert.ok(!ruleReachesDirection(inspecting('request'), 'response'));
    assert.ok(ruleReachesDirection(inspecting('tool_call'), 'response'));
  });

  it('knows what streams, and what enforces', () => {
    assert.ok(reachesStream(inspecting('response').inspect));
    assert.ok(reachesStream(inspecting('tool_call').inspect));
    assert.ok(!reachesStream(inspecting('request, tool_result').inspect));
    assert.ok(!isEnforcing(inspecting('request')));
  });
});
