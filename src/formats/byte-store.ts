import { Buffer } from 'node:buffer';
import { overlay } from './json-string.ts';
import { NONE, withOneMore } from './small-list.ts';

const EMPTY = new ArrayBuffer(0);
const NO_BYTES = new Uint8Array(0);

/**
 * Copies are laid side by side in blocks of this size. Small ones, as one that is held keeps its whole block:
 * in Node's own, which all streams share, it would keep what other streams have long sent.
 */
const BLOCK_BYTES = 1_024;

/** What is kept grows by as much again, and by no more than this. */
const GROWTH_BYTES_MAX = 65_536;

/**
 * Bytes on their way into frames: appended at one end, taken from the other. Between `append` and `keepFrom` the
 * bytes may be the caller's own; what is kept behind that is copied, once, and stays where it was laid: an event that
 * grows to its limit would else be copied as often as it doubles, into memory that V8 has to collect. Linear.
 */
export class ByteStore {
  #block = EMPTY;
  #used = 0;
  /** The store's own bytes, one part after the other, all full but the last. */
  #kept: Uint8Array[] = NONE;
  /** Bytes of the first part that are forgotten. */
  #forgotten = 0;
  /** Bytes of the last part that count. */
  #filled = 0;
  #keptLength = 0;
  /** The caller's bytes behind those. */
  #lent: Uint8Array = NO_BYTES;

  get length(): number {
    return this.#keptLength + this.#lent.length;
  }

  /** Takes bytes into an empty store that stay as they are: they are not copied. */
  lend(bytes: Uint8Array): void {
    this.#forget();
    if (bytes.length === 0) return;
    this.#kept = [bytes];
    this.#filled = bytes.length;
    this.#keptLength = bytes.length;
  }

  append(bytes: Uint8Array): void {
    if (this.#lent.length > 0) this.keepFrom(0);
    this.#lent = bytes;
  }

  /** `[from,to)`, perhaps as a view of the bytes that were appended last: valid as long as those are. */
  take(from: number, to: number): Uint8Array {
    const start = from - this.#keptLength;
    if (start >= 0) return overlay(this.#lent.subarray(start, start + to - from));
    return this.copy(from, to);
  }

  /** A copy of `[from,to)`; short ones share a block, which is far cheaper than memory of their own. */
  copy(from: number, to: number): Uint8Array {
    const length = to - from;
    if (length > BLOCK_BYTES / 2) {
      // Not `slice`: of a Buffer that is a view, and its memory holds what others have sent.
      const own = Buffer.allocUnsafeSlow(length);
      this.#write(own, from, to);
      return own;
    }
    if (this.#used + length > this.#block.byteLength) {
      this.#block = new ArrayBuffer(BLOCK_BYTES);
      this.#used = 0;
    }
    const copy = Buffer.from(this.#block, this.#used, length);
    this.#write(copy, from, to);
    this.#used += length;
    return copy;
  }

  /** `[from,to)` without a copy; of what was appended last it is a view, valid as long as that is. */
  parts(from: number, to: number): readonly Uint8Array[] {
    const parts: Uint8Array[] = [];
    let at = -this.#forgotten;
    const last = this.#kept.length - 1;
    for (const [index, part] of this.#kept.entries()) {
      const length = index === last ? this.#filled : part.length;
      this.#addPart(parts, part, Math.max(from, 0) - at, Math.min(to, at + length) - at);
      at += length;
    }
    this.#addPart(parts, this.#lent, from - at, to - at);
    return parts;
  }

  /** Gives all of it away, without another copy where it lies in one part. */
  takeAll(): Uint8Array {
    this.keepFrom(0);
    const parts = this.parts(0, this.#keptLength);
    const all = parts.length === 1 ? parts[0]! : this.copy(0, this.#keptLength);
    this.#forget();
    return all;
  }

  /** Forgets the bytes before `start`, and makes the rest the store's own: to be called when a push is over. */
  keepFrom(start: number): void {
    const lent = this.#lent;
    const fromLent = start - this.#keptLength;
    this.#lent = NO_BYTES;
    if (fromLent < 0) this.#forgetTo(start);
    else this.#forget();
    this.#keep(fromLent > 0 ? lent.subarray(fromLent) : lent);
  }

  #addPart(parts: Uint8Array[], part: Uint8Array, from: number, to: number): void {
    const start = Math.max(0, from);
    const end = Math.min(part.length, to);
    if (start < end) parts.push(part.subarray(start, end));
  }

  #write(into: Uint8Array, from: number, to: number): void {
    let at = 0;
    for (const part of this.parts(from, to)) {
      into.set(part, at);
      at += part.length;
    }
  }

  #forget(): void {
    this.#kept = NONE;
    this.#forgotten = 0;
    this.#filled = 0;
    this.#keptLength = 0;
  }

  /** `start`: within what is kept. */
  #forgetTo(start: number): void {
    this.#forgotten += start;
    this.#keptLength -= start;
    let whole = 0;
    while (whole < this.#kept.length - 1 && this.#forgotten >= this.#kept[whole]!.length) {
      this.#forgotten -= this.#kept[whole]!.length;
      whole += 1;
    }
    if (whole > 0) this.#kept = this.#kept.slice(whole);
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const last = this.#kept[this.#kept.length - 1];
    const room = last === undefined ? 0 : Math.min(bytes.length, last.length - this.#filled);
    if (room > 0) {
      last!.set(bytes.subarray(0, room), this.#filled);
      this.#filled += room;
    }
    const rest = bytes.length - room;
    if (rest > 0) {
      // The first part has no room to spare: most events are over with the next push.
      const part = new Uint8Array(Math.max(rest, Math.min(this.#keptLength, GROWTH_BYTES_MAX)));
      part.set(bytes.subarray(room));
      this.#kept = withOneMore(this.#kept, part);
      this.#filled = rest;
    }
    this.#keptLength += bytes.length;
  }
}
