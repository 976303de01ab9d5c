import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WholeOutput } from '../../src/engine/whole-output.ts';

const some = fc.array(fc.uint8Array({ maxLength: 6 }), { maxLength: 4 });

describe('what leaves of a whole body', () => {
  it('is what came, as long as nothing was changed: the same memory', () => {
    fc.assert(
      fc.property(fc.array(some), (steps) => {
        const original = Buffer.concat(steps.flat());
        const output = new WholeOutput(original);
        for (const step of steps) output.add(step, false);
        assert.equal(output.bytes, original);
      }),
    );
  });

  it('is all that was added, from the first change on', () => {
    fc.assert(
      fc.property(fc.array(some), fc.array(some), some, (before, behind, rest) => {
        const original = Buffer.concat([...before.flat(), ...rest]);
        const output = new WholeOutput(original);
        for (const step of before) output.add(step, false);
        for (const step of behind) output.add(step, true);
        const expected = Buffer.concat([...before.flat(), ...behind.flat()]);
        assert.equal(Buffer.compare(output.bytes, expected), 0);
      }),
    );
  });
});
