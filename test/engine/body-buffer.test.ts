/** A body that is collected: the same bytes however it came, and nothing of it in anybody else's. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BodyBuffer } from '../../src/engine/body-buffer.ts';

const LONG_BYTES = 300_000;
const filled = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 31 + seed) & 0xff);

function collected(body: Uint8Array, cuts: readonly number[]): BodyBuffer {
  const buffer = new BodyBuffer();
  let at = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const to = Math.max(at, Math.min(cut, body.length));
    const lent = body.slice(at, to);
    buffer.add(lent);
    // It was a view of a message that is used again.
    lent.fill(0);
    at = to;
  }
  buffer.add(body.slice(at));
  return buffer;
}

/** And how many pauses there were. */
function takenInSlices(buffer: BodyBuffer, sliceBytes: number): [Uint8Array, number] {
  const taking = buffer.takeInSlices(sliceBytes);
  for (let pauses = 0; ; pauses++) {
    const step = taking.next();
    if (step.done) return [step.value, pauses];
  }
}

describe('a body that is collected', () => {
  it('is the body that came, however it was cut', () => {
    const lengths = fc.oneof(
      fc.integer({ min: 0, max: LONG_BYTES }),
      fc.constantFrom(16_384, 16_385, 65_536, 65_537, 131_072),
    );
    fc.assert(
      fc.property(
        lengths,
        fc.array(fc.integer({ min: 0, max: LONG_BYTES }), { maxLength: 12 }),
        (length, cuts) => {
          const body = filled(length, length);
          assert.equal(collected(body, cuts).bytes, length);
          assert.deepEqual(Buffer.compare(collected(body, cuts).take(), body), 0);
          const [inSlices] = takenInSlices(collected(body, cuts), 65_536);
          assert.deepEqual(Buffer.compare(inSlices, body), 0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is laid out with a pause behind so many bytes', () => {
    const body = filled(LONG_BYTES, 1);
    assert.equal(takenInSlices(collected(body, []), 65_536)[1], 4);
    assert.equal(takenInSlices(collected(body, []), 131_072)[1], 2);
    assert.equal(takenInSlices(collected(body, []), LONG_BYTES)[1], 0);
  });

  it('keeps what it gave, whoever collects next', () => {
    const first = collected(filled(LONG_BYTES, 1), []).take();
    const gone = collected(filled(LONG_BYTES, 2), []);
    gone.drop();
    assert.equal(gone.bytes, 0);
    // Of two at a time none is in the other's blocks.
    const second = collected(filled(LONG_BYTES, 3), [100]);
    const third = collected(filled(LONG_BYTES - 1, 4), [200]);
    assert.equal(Buffer.compare(third.take(), filled(LONG_BYTES - 1, 4)), 0);
    assert.equal(Buffer.compare(second.take(), filled(LONG_BYTES, 3)), 0);
    assert.equal(Buffer.compare(first, filled(LONG_BYTES, 1)), 0);
  });

  it('is empty once it was taken or dropped', () => {
    const buffer = collected(filled(LONG_BYTES, 1), []);
    buffer.take();
    buffer.drop();
    assert.equal(buffer.take().length, 0);
    buffer.add(filled(3, 1));
    assert.deepEqual([...buffer.take()], [...filled(3, 1)]);
  });
});
