/**
 * The open streams of a connection by their ids.
 *
 * No `Map`: when V8 makes room in one it leaves in the table that was a pointer to the table that is, and all entries
 * of that moment. Streams come and go, so room is made every few dozen of them; and once one of those dead tables has
 * grown old, all later ones live until the next full collection, with every stream that they have seen, its call, its
 * exchange and its bytes. Short collections then copy everything, and take ten times as long.
 */
import { randomBytes } from 'node:crypto';
import type { Http2Stream } from './stream.ts';

const SLOTS_MIN = 16;
/** 2³² by the golden ratio: ids in order are spread evenly (Knuth, The Art of Computer Programming, volume 3, 6.4). */
const SPREAD = 0x9e37_79b1;
/**
 * Odd, and nobody's guess: a peer chooses the ids of its streams, and should not choose who stands in whose way. Alone it
 * would put ids in order close together in one process of a hundred, near a fraction of 2³² with a small denominator.
 */
const SECRET = randomBytes(4).readUInt32LE() | 1;
const WORD_BITS = 32;

const emptySlots = (count: number): (Http2Stream | undefined)[] =>
  new Array<Http2Stream | undefined>(count).fill(undefined);

/** Open addressing, linear probing, at most half full: each call costs a step or two. */
export class StreamTable {
  #slots = emptySlots(SLOTS_MIN);
  #shift = WORD_BITS - Math.log2(SLOTS_MIN);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): Http2Stream | undefined {
    return this.#slots[this.#slotOf(id)];
  }

  /** One that is not in it. */
  add(stream: Http2Stream): void {
    if (this.#size * 2 >= this.#slots.length) this.#resize(this.#slots.length * 2);
    this.#slots[this.#slotOf(stream.id)] = stream;
    this.#size++;
  }

  /** One that is in it, or was. */
  delete(stream: Http2Stream): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = this.#slotOf(stream.id);
    if (slots[hole] === undefined) return;
    // Whoever was put off by the one that goes moves up, so that no search ends too early.
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const other = slots[at];
      if (other === undefined) break;
      if (((at - this.#homeOf(other.id)) & mask) >= ((at - hole) & mask)) {
        slots[hole] = other;
        hole = at;
      }
    }
    slots[hole] = undefined;
    this.#size--;
    if (slots.length > SLOTS_MIN && this.#size * 8 < slots.length) this.#resize(slots.length / 2);
  }

  clear(): void {
    this.#slots = emptySlots(SLOTS_MIN);
    this.#shift = WORD_BITS - Math.log2(SLOTS_MIN);
    this.#size = 0;
  }

  /** All of them at this moment, in no order. */
  all(): Http2Stream[] {
    return this.#slots.filter((stream) => stream !== undefined);
  }

  #homeOf(id: number): number {
    const spread = Math.imul(id >>> 1, SPREAD);
    return Math.imul(spread ^ (spread >>> 15), SECRET) >>> this.#shift;
  }

  /** Where it is, or would be put. */
  #slotOf(id: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = this.#homeOf(id);
    for (let stream = slots[at]; stream !== undefined && stream.id !== id; stream = slots[at])
      at = (at + 1) & mask;
    return at;
  }

  #resize(count: number): void {
    const before = this.#slots;
    this.#slots = emptySlots(count);
    this.#shift = WORD_BITS - Math.log2(count);
    for (const stream of before)
      if (stream !== undefined) this.#slots[this.#slotOf(stream.id)] = stream;
  }
}
