import { Buffer } from 'node:buffer';
import { overlay } from './json-string.ts';

const EMPTY = new ArrayBuffer(0);
const NO_BYTES = new Uint8Array(0);

/**
 * Copies are laid side by side in blocks of this size. Small ones, as one that is held keeps its whole block:
 * in Node's own, which all streams share, it would keep what other streams have long sent.
 */
const BLOCK_BYTES = 1_024;

/**
 * Bytes on their way into frames: appended at one end, taken from the other. Between `append` and `keepFrom` the
 * bytes may be the caller's own; what is kept behind that is copied. Amortised linear.
 */
export class ByteStore {
  #block = EMPTY;
  #used = 0;
  /** The caller's bytes, when there were no others before them; or those of the store, and room for more. */
  #bytes: Uint8Array = NO_BYTES;
  #length = 0;
  #borrowed = false;

  get length(): number {
    return this.#length;
  }

  /** The stored bytes; valid until the next call that changes the store. */
  get view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Takes bytes into an empty store that stay as they are: they are not copied until others follow. */
  lend(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#length = bytes.length;
    this.#borrowed = false;
  }

  append(bytes: Uint8Array): void {
    if (this.#length === 0) {
      this.#bytes = bytes;
      this.#length = bytes.length;
      this.#borrowed = true;
      return;
    }
    if (this.#borrowed) this.keepFrom(0);
    const needed = this.#length + bytes.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.view);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = needed;
  }

  /** `[from,to)`, perhaps as a view of the bytes that were appended last: valid as long as those are. */
  take(from: number, to: number): Uint8Array {
    return this.#borrowed ? overlay(this.#bytes.subarray(from, to)) : this.copy(from, to);
  }

  /** A copy of `[from,to)`; short ones share a block, which is far cheaper than memory of their own. */
  copy(from: number, to: number): Uint8Array {
    const length = to - from;
    if (length > BLOCK_BYTES / 2) {
      // Not `slice`: of a Buffer that is a view, and its memory holds what others have sent.
      const own = Buffer.allocUnsafeSlow(length);
      own.set(this.#bytes.subarray(from, to));
      return own;
    }
    if (this.#used + length > this.#block.byteLength) {
      this.#block = new ArrayBuffer(BLOCK_BYTES);
      this.#used = 0;
    }
    const copy = Buffer.from(this.#block, this.#used, length);
    copy.set(this.#bytes.subarray(from, to));
    this.#used += length;
    return copy;
  }

  /** Gives all of it away, without another copy. */
  takeAll(): Uint8Array {
    if (this.#borrowed) this.keepFrom(0);
    const all = this.view;
    this.#bytes = NO_BYTES;
    this.#length = 0;
    return all;
  }

  /** Forgets the bytes before `start`, and makes the rest the store's own: to be called when a push is over. */
  keepFrom(start: number): void {
    const left = this.#length - start;
    if (left === 0) this.#bytes = NO_BYTES;
    else if (this.#borrowed) this.#bytes = new Uint8Array(this.#bytes.subarray(start));
    else if (start > 0) this.#bytes.copyWithin(0, start, this.#length);
    this.#length = left;
    this.#borrowed = false;
  }
}
