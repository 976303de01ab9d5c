import { Buffer } from 'node:buffer';

/** Bytes on their way into frames: appended at one end, taken from the other. Amortised linear. */
export class ByteStore {
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

  /** A copy of `[from,to)`; short ones share memory that Node allots in advance, which is far cheaper. */
  copy(from: number, to: number): Uint8Array {
    return Buffer.from(this.#buffer.subarray(from, to));
  }

  /** Forgets the first `count` bytes. */
  drop(count: number): void {
    this.#buffer.copyWithin(0, count, this.#length);
    this.#length -= count;
  }
}
