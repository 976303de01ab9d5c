import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Coat, type Paint, Painter } from '../../src/match/paint.ts';

const coat = (start: number, end: number, order: number): Coat<string> => ({
  start,
  end,
  order,
  value: `${start}-${end}/${order}`,
});

function paintAll(coats: readonly Coat<string>[]): Paint<string>[] {
  const painter = new Painter<string>();
  for (const one of coats) painter.add(one);
  return painter.advance(Number.POSITIVE_INFINITY);
}

/** Unit by unit: who covers it, who wins there, and where a stretch has a seam. */
function naive(coats: readonly Coat<string>[]): Paint<string>[] {
  const paints: Paint<string>[] = [];
  const last = Math.max(0, ...coats.map(({ end }) => end));
  const seam = (at: number): boolean => !coats.some(({ start, end }) => start < at && at < end);
  for (let at = 0; at < last; at++) {
    if (!coats.some(({ start, end }) => start <= at && at < end)) continue;
    let end = at + 1;
    while (!seam(end)) end++;
    const inside = coats.filter(({ start }) => start === at);
    const longest = inside.filter((one) => inside.every((other) => other.end <= one.end));
    const [winner] = longest.sort((a, b) => a.order - b.order);
    paints.push({ start: at, end, winner: (winner as Coat<string>).value });
    at = end - 1;
  }
  return paints;
}

const coats = fc.uniqueArray(
  fc
    .record({ start: fc.nat(20), units: fc.integer({ min: 1, max: 6 }), order: fc.nat(5) })
    .map(({ start, units, order }) => coat(start, start + units, order)),
  { selector: ({ value }) => value, maxLength: 12 },
);

describe('Painter', () => {
  it('lets the first start win, then the longest, then the lowest order', () => {
    const winner = (...given: Coat<string>[]) => paintAll(given)[0]?.winner;
    assert.equal(winner(coat(1, 5, 0), coat(0, 2, 9)), '0-2/9');
    assert.equal(winner(coat(0, 2, 0), coat(0, 3, 9)), '0-3/9');
    assert.equal(winner(coat(0, 3, 2), coat(0, 3, 1)), '0-3/1');
  });

  it('covers what sticks out of the losers, also of losers of losers', () => {
    assert.deepEqual(paintAll([coat(0, 5, 0), coat(4, 8, 0), coat(7, 10, 0)]), [
      { start: 0, end: 10, winner: '0-5/0' },
    ]);
  });

  it('keeps apart what only touches', () => {
    assert.equal(paintAll([coat(0, 5, 0), coat(5, 8, 0)]).length, 2);
  });

  it('waits until nothing can join', () => {
    const painter = new Painter<string>();
    painter.add(coat(2, 6, 0));
    assert.deepEqual([painter.advance(5), painter.pendingStart], [[], 2]);
    painter.add(coat(5, 9, 0));
    assert.deepEqual(painter.advance(8), []);
    assert.deepEqual(painter.advance(9), [{ start: 2, end: 9, winner: '2-6/0' }]);
    assert.deepEqual([painter.pending, painter.pendingStart], [false, Number.POSITIVE_INFINITY]);
  });

  it('refuses what comes too late, or is empty', () => {
    const painter = new Painter<string>();
    painter.advance(4);
    assert.throws(() => painter.add(coat(3, 9, 0)), RangeError);
    assert.throws(() => painter.add(coat(5, 5, 0)), RangeError);
    painter.add(coat(4, 5, 0));
  });

  it('paints the same whatever the order and the steps', () => {
    fc.assert(
      fc.property(coats, fc.integer({ min: 1, max: 7 }), (given, stride) => {
        const expected = naive(given);
        assert.deepEqual(paintAll(given), expected);
        const painter = new Painter<string>();
        const paints: Paint<string>[] = [];
        for (let safe = 0; safe < 40; safe += stride) {
          for (const one of given)
            if (one.start >= safe - stride && one.start < safe) painter.add(one);
          paints.push(...painter.advance(safe));
          for (const { end } of paints) assert.ok(end <= safe);
        }
        assert.deepEqual(paints, expected);
      }),
    );
  });
});
