/** Bytes on their way into frames: the same however they came, and never what lies beside them in the same memory. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { ByteStore } from '../../src/formats/byte-store.ts';

/** A view into larger memory that holds what others have sent, as a message gives it: a Buffer or a plain view. */
function within(bytes: Uint8Array, asBuffer: boolean): Uint8Array {
  const memory = new ArrayBuffer(bytes.length + 200);
  new Uint8Array(memory).fill(0xee);
  const view = asBuffer
    ? Buffer.from(memory, 100, bytes.length)
    : new Uint8Array(memory, 100, bytes.length);
  view.set(bytes);
  return view;
}

const bytesOf = fc
  .integer({ min: 0, max: 20_000 })
  .map((length) => Uint8Array.from({ length }, (_, at) => (at * 7 + length) & 0x7f));

function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(Buffer.compare(actual, expected), 0);
}

describe('a store of bytes', () => {
  it('gives back what was appended, whole or in parts, and nothing else', () => {
    const step = fc.record({
      bytes: bytesOf,
      asBuffer: fc.boolean(),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      to: fc.double({ min: 0, max: 1, noNaN: true }),
      forgets: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        const store = new ByteStore();
        let expected = new Uint8Array(0);
        const kept: { readonly copy: Uint8Array; readonly as: Uint8Array }[] = [];
        for (const { bytes, asBuffer, from: at, to, forgets } of steps) {
          const lent = within(bytes, asBuffer);
          store.append(lent);
          expected = Buffer.concat([expected, bytes]);
          assert.equal(store.length, expected.length);
          assertSame(store.copy(0, store.length), expected);
          const start = Math.floor(at * expected.length);
          const end = start + Math.floor(to * (expected.length - start));
          const as = expected.subarray(start, end);
          assertSame(store.take(start, end), as);
          assertSame(Buffer.concat(store.parts(start, end)), as);
          kept.push({ copy: store.copy(start, end), as });
          // Also from the middle of what was kept before, and with all of it.
          const from = forgets ? end : 0;
          store.keepFrom(from);
          expected = expected.subarray(from);
          // It was a view of a message that is used again.
          lent.fill(0xdd);
        }
        assertSame(store.copy(0, store.length), expected);
        for (const { copy, as } of kept) assertSame(copy, as);
        assertSame(store.takeAll(), expected);
        assert.equal(store.length, 0);
      }),
      { numRuns: 200 },
    );
  });
});
