/**
 * Memory for bytes that wait, used again. Each piece of it lies outside of V8's heap, and for every 64 MiB that were
 * made V8 marks its whole heap, which takes the thread that serves some ms: a flood would have it do so all the time.
 * Whoever gives memory back has no view of it left, and neither has anybody else.
 */
import { Buffer } from 'node:buffer';

/** What is shorter is made anew: V8 has it collected with the young objects. */
const SMALLEST_BYTES = 4_096;
/** What is longer is rare. */
const LARGEST_BYTES = 4 << 20;
/** All that is kept for the next who needs some. */
const SPARE_BYTES_MAX = 64 << 20;

const spare = new Map<number, Uint8Array[]>();
let spareBytes = 0;

/** Powers of two, and halfway between them. */
function sizeFor(bytes: number): number {
  const power = 2 ** Math.ceil(Math.log2(bytes));
  return bytes <= power * 0.75 ? power * 0.75 : power;
}

/** At least so many bytes, with anything in them. */
export function memoryFor(bytes: number): Uint8Array {
  if (bytes < SMALLEST_BYTES) return new Uint8Array(bytes);
  const size = sizeFor(bytes);
  const again = spare.get(size)?.pop();
  // Memory that is not filled with zeros first, and no part of Node's own pool.
  if (again === undefined) return new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
  spareBytes -= size;
  return again;
}

/** Nobody reads or writes it any more. Only what `memoryFor` has given may come back. */
export function giveBack(memory: Uint8Array): void {
  const size = memory.length;
  if (size < SMALLEST_BYTES || size > LARGEST_BYTES || spareBytes + size > SPARE_BYTES_MAX) return;
  spareBytes += size;
  const others = spare.get(size);
  if (others === undefined) spare.set(size, [memory]);
  else others.push(memory);
}
