import assert from 'node:assert/strict';
import fc from 'fast-check';
import { activate, NO_GUARD } from '../../src/engine/active-rules.ts';
import type { Conditions, Facts, PolicySet } from '../../src/policy/set.ts';
import { compile } from './rig.ts';

const MODELS = ['o3', 'gpt-4o'] as const;
const METHODS = ['GET', 'POST', 'PUT'] as const;

/** Rules that hold together in more ways than are remembered, and more of them than a number names. */
const text = (conditions: number): string => `
kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
  - { id: words, inspect: [request], match: { keywords: { words: [zebra] } }, then: block }
  - { id: grant, models: { deny: [o3] } }
  - { id: boss, priority: 5, when: 'path == "/7"', then: allow }
${Array.from({ length: conditions }, (_, bit) => `  - { id: bit-${bit}, when: 'path.contains("/${bit}/")', then: flag }`).join('\n')}
---
kind: Policy
metadata: { name: q, layer: model, selector: { model: gpt-4o } }
class: operational
rules:
  - { id: post, when: 'method == "POST"', then: flag }
  - { id: fails, when: 'int(path) > 3', then: flag }
`;

function shown(set: PolicySet, facts: Facts, conditions: Conditions, headersOnly: boolean) {
  const active = activate(set, facts, conditions, NO_GUARD, headersOnly);
  const ids = (rules: readonly { readonly id: string }[]): string[] => rules.map(({ id }) => id);
  return {
    content: ids(active.content),
    plain: ids(active.plain),
    allows: ids(active.allows),
    granting: ids(active.granting),
    lifted: active.lifted.map(({ rule, by }) => `${rule.id} ${by.id}`),
    errors: active.errors.map(({ rule, error }) => `${rule.id} ${error}`),
    refusal:
      active.refusal && 'rule' in active.refusal ? active.refusal.rule.id : active.refusal?.code,
  };
}

describe('the rules of an exchange', () => {
  const asked = fc.record({
    model: fc.constantFrom(...MODELS, undefined),
    method: fc.constantFrom(...METHODS),
    path: fc.oneof(
      fc.constantFrom('/7', '3', '4'),
      fc.uniqueArray(fc.nat(29)).map((bits) => `/${bits.map((bit) => `${bit}/`).join('/')}`),
    ),
    headersOnly: fc.boolean(),
  });

  for (const conditions of [6, 30])
    it(`law: with ${conditions} conditions they are those of a set that judged nothing before`, () => {
      const one = compile(text(conditions));
      fc.assert(
        fc.property(fc.array(asked, { minLength: 60, maxLength: 80 }), (exchanges) => {
          for (const { model, method, path, headersOnly } of exchanges) {
            const facts: Facts = model === undefined ? {} : { model };
            const given: Conditions = {
              ...{ facts, method, path, authority: 'a', route: '', headers: {}, nowMs: 0 },
            };
            const alone = { ...one };
            const told = shown(one, facts, given, headersOnly);
            assert.deepEqual(told, shown(alone, facts, given, headersOnly));
            const fails = model === 'gpt-4o' && !/^\d$/.test(path);
            assert.deepEqual(told.errors, fails ? ['q/fails condition_failed'] : []);
          }
        }),
        { numRuns: 10 },
      );
    });
});
