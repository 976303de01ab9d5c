import { Buffer } from 'node:buffer';

const EMPTY = new ArrayBuffer(0);

/**
 * Copies are laid side by side in blocks of this size. Small ones, as one that is held keeps its whole block:
 * in Node's own, which all streams share, it would keep what other streams have long sent.
 */
const BLOCK_BYTES = 1_024;

/** Bytes on their way into frames: appended at one end, taken from the other. Amortised linear. */
export class ByteStore {
  #block = EMPTY;
  #used = 0;
  #buffer = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The stored bytes; valid until the next call that changes the store. */
  get view(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2, 512));
      grown.set(this.view);
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = needed;
  }

  /** A copy of `[from,to)`; short ones share a block, which is far cheaper than memory of their own. */
  copy(from: number, to: number): Uint8Array {
    const length = to - from;
    if (length > BLOCK_BYTES / 2) return Buffer.from(this.#buffer.slice(from, to).buffer);
    if (this.#used + length > this.#block.byteLength) {
      this.#block = new ArrayBuffer(BLOCK_BYTES);
      this.#used = 0;
    }
    const copy = Buffer.from(this.#block, this.#used, length);
    copy.set(this.#buffer.subarray(from, to));
    this.#used += length;
    return copy;
  }

  /** Gives all of it away, without a copy. */
  take(): Uint8Array {
    const all = this.view;
    this.#buffer = new Uint8Array(0);
    this.#length = 0;
    return all;
  }

  /** Forgets the first `count` bytes. */
  drop(count: number): void {
    this.#buffer.copyWithin(0, count, this.#length);
    this.#length -= count;
  }
}
