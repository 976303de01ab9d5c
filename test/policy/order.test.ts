/** Neither files, nor their order, nor the order of documents in them mean anything (SEMANTICS §6). */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { PolicySet } from '../../src/policy/set.ts';
import { compileFiles, policy } from './compiling.ts';

const action = fc.constantFrom('allow', 'flag', 'block', '{ block: { status: 451 } }');
const rule = fc.record({
  priority: fc.integer({ min: -2, max: 2 }),
  overridable: fc.boolean(),
  enforcement: fc.constantFrom('enforce', 'shadow', 'off'),
  action,
});
const document = fc.record({
  layer: fc.constantFrom('platform', 'tenant', 'app', 'model'),
  rules: fc.array(rule, { minLength: 1, maxLength: 4 }),
});

/** What must be equal: all but the places where rules were written. */
function meaning(set: PolicySet): unknown {
  return {
    ...set,
    policies: set.policies.map(({ file: _file, ...rest }) => rest),
    rules: set.rules.map(({ position: _position, when, inspect, ...rest }) => ({
      ...rest,
      when: when?.source,
      inspect: [...inspect],
    })),
  };
}

const shuffle = <Value>(values: readonly Value[]) =>
  fc.shuffledSubarray([...values], { minLength: values.length, maxLength: values.length });

describe('order', () => {
  it('shuffling documents and files, and cutting them into other files, changes nothing', () => {
    const cases = fc.array(document, { minLength: 1, maxLength: 6 }).chain((documents) => {
      const texts = documents.map(({ layer, rules }, index) =>
        policy(
          rules.map(
            // A condition of its own for each rule, so that no pair is refused as a conflict.
            (one, at) =>
              `{ id: r${at}, priority: ${one.priority}, overridable: ${one.overridable}, enforcement: ${one.enforcement}, when: 'tenant == "${index}-${at}"', then: ${one.action} }`,
          ),
          { name: `p${index}`, layer },
        ),
      );
      return fc.tuple(
        fc.constant(texts),
        shuffle(texts),
        fc.array(fc.integer({ min: 0, max: 2 }), {
          minLength: texts.length,
          maxLength: texts.length,
        }),
      );
    });
    fc.assert(
      fc.property(cases, ([texts, shuffled, homes]) => {
        const together = compileFiles([{ path: 'all.yaml', text: texts.join('---\n') }]);
        const apart = compileFiles(
          ['c.yaml', 'a.yaml', 'b.yaml'].map((path, home) => ({
            path,
            text: shuffled.filter((_, index) => homes[index] === home).join('---\n'),
          })),
        );
        assert.deepEqual(meaning(apart), meaning(together));
      }),
      { numRuns: 60 },
    );
  });
});
