import assert from 'node:assert/strict';
import fc from 'fast-check';
import { unitsTarget } from '../../src/match/text-units.ts';

describe('units of a text', () => {
  it('are those of the string, of one byte or two, whole, cut or put together, with halves of characters', () => {
    const { units, fill } = unitsTarget(512);
    const unit = fc.constantFrom('a', '\u00ff', '\u0100', '😀', '\ud83d', '\ude00', '\0', 'xyz');
    const part = fc.string({ unit, minLength: 20, maxLength: 60 });
    fc.assert(
      fc.property(part, part, fc.nat(40), fc.nat(40), (one, other, left, right) => {
        const text = one + other;
        const from = Math.min(left, text.length);
        const to = Math.max(from, text.length - right);
        units.fill(0xabcd);
        fill(text, from, to);
        const expected = Array.from({ length: to - from }, (_, at) => text.charCodeAt(from + at));
        assert.deepEqual([...units.subarray(0, to - from)], expected);
        assert.equal(units[to - from], 0xabcd, 'and nothing behind them');
      }),
      { numRuns: Number(process.env.RUNS ?? 400) },
    );
  });
});
