/** The evaluator against the reference, on random sets and askers (SEMANTICS §6). */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { compilePolicies } from '../../src/policy/compile.ts';
import { scopeOf } from '../../src/policy/scope.ts';
import type { Facts, PolicySet, Rule } from '../../src/policy/set.ts';
import { sha256 } from './compiling.ts';
import { decided } from './deciding.ts';
import { asked, documentOf, policies } from './random-policies.ts';
import { type PlainPolicy, verdictOf } from './reference.ts';

/** The set, or undefined where the compiler refuses the documents for a conflict. */
function compiled(documents: readonly string[]): PolicySet | undefined {
  const files = documents.map((text, index) => ({ path: `${index}.yaml`, text }));
  const result = compilePolicies(files, { sha256 });
  if (result.ok) return result.set;
  const strange = result.errors.filter(
    ({ code }) => code !== 'rule_shadowed' && code !== 'rules_contradict',
  );
  assert.deepEqual(strange, []);
  return undefined;
}

const shuffled = <Value>(values: readonly Value[]): fc.Arbitrary<Value[]> =>
  fc.shuffledSubarray([...values], { minLength: values.length, maxLength: values.length });

describe('precedence', () => {
  it('is the reference\u2019s for every set and every asker', function () {
    this.timeout(30_000);
    const kinds = new Set<string>();
    fc.assert(
      fc.property(policies, fc.array(asked, { minLength: 4, maxLength: 8 }), (some, askers) => {
        const set = compiled(some.map(documentOf));
        if (set === undefined) return;
        for (const asker of askers) {
          const expected = verdictOf(some, asker);
          kinds.add(expected.split(' ')[0] ?? '');
          assert.equal(decided(set, asker), expected);
        }
      }),
      { numRuns: 400 },
    );
    assert.deepEqual([...kinds].sort(), [
      'allow',
      'block',
      'default_deny',
      'mutate',
      'unavailable',
    ]);
  });

  it('does not change when documents and files are shuffled', function () {
    this.timeout(30_000);
    const cases = fc
      .tuple(policies, asked)
      .chain(([some, asker]) =>
        fc.tuple(
          fc.constant(some),
          fc.constant(asker),
          shuffled<PlainPolicy>(some.map((one) => ({ ...one, rules: [...one.rules].reverse() }))),
        ),
      );
    fc.assert(
      fc.property(cases, ([some, asker, other]) => {
        const set = compiled(some.map(documentOf));
        const again = compiled([other.map(documentOf).join('---\n')]);
        assert.equal(again === undefined, set === undefined);
        if (set === undefined || again === undefined) return;
        assert.equal(decided(again, asker), decided(set, asker));
      }),
      { numRuns: 150 },
    );
  });
});

describe('the scope of an exchange', () => {
  it('is what asking every rule would find', function () {
    this.timeout(30_000);
    fc.assert(
      fc.property(
        policies,
        fc.array(asked, { maxLength: 12 }),
        fc.boolean(),
        (some, askers, known) => {
          const set = compiled(some.map(documentOf));
          if (set === undefined) return;
          for (const one of askers) {
            const facts: Facts = one.facts;
            const wanted: readonly Rule[] = set.rules.filter(({ selector }) =>
              Object.entries(selector).every(([fact, value]) => {
                if (fact === 'model' && !known) return true;
                const found = facts[fact as keyof Facts];
                return (fact === 'consent' ? (found?.split(' ') ?? []) : [found]).includes(value);
              }),
            );
            const { rules } = scopeOf(set, facts, known);
            assert.deepEqual(
              rules.map(({ id }) => id),
              wanted.map(({ id }) => id),
            );
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
