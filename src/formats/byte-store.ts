import { Buffer } from 'node:buffer';
import { overlay } from './json-string.ts';
import { giveBack, memoryFor } from './spare-memory.ts';

const EMPTY = new ArrayBuffer(0);
const NO_BYTES = new Uint8Array(0);

/**
 * Copies are laid side by side in blocks of this size. Small ones, as one that is held keeps its whole block:
 * in Node's own, which all streams share, it would keep what other streams have long sent.
 */
const BLOCK_BYTES = 1_024;

/** What is kept takes no more memory than so many times its bytes. */
const ROOM_MAX = 8;

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
  /** The memory that `#bytes` is, where it is the store's own and nobody else has a view of it. */
  #memory: Uint8Array | undefined;
  /** Views of it were given out. */
  #viewed = false;
  /** Memory of which views may be in use until the store changes again. */
  #retired: Uint8Array | undefined;

  get length(): number {
    return this.#length;
  }

  /** The stored bytes; valid until the next call that changes the store. */
  get view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Takes bytes into an empty store that stay as they are: they are not copied until others follow. */
  lend(bytes: Uint8Array): void {
    this.drop();
    this.#bytes = bytes;
    this.#length = bytes.length;
    this.#borrowed = false;
  }

  append(bytes: Uint8Array): void {
    this.#retire(undefined);
    if (this.#length === 0) {
      this.#own(undefined);
      this.#bytes = bytes;
      this.#length = bytes.length;
      this.#borrowed = true;
      return;
    }
    if (this.#borrowed) this.keepFrom(0);
    const needed = this.#length + bytes.length;
    if (needed > this.#bytes.length) {
      const grown = memoryFor(Math.max(needed, this.#length * 2));
      grown.set(this.view);
      this.#own(grown);
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = needed;
  }

  /** `[from,to)`, perhaps as a view: valid as long as the bytes that were appended last, and until more are. */
  take(from: number, to: number): Uint8Array {
    const long = to - from > BLOCK_BYTES / 2;
    if (!this.#borrowed && (!long || this.#memory === undefined)) return this.copy(from, to);
    if (!this.#borrowed) this.#viewed = true;
    return overlay(this.#bytes.subarray(from, to));
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
    // Not to be used again.
    this.#memory = undefined;
    this.#viewed = false;
    this.#bytes = NO_BYTES;
    this.#length = 0;
    return all;
  }

  /** Gives everything up. */
  drop(): void {
    this.#own(undefined);
    this.#retire(undefined);
    this.#length = 0;
    this.#borrowed = false;
  }

  /** Forgets the bytes before `start`, and makes the rest the store's own: to be called when a push is over. */
  keepFrom(start: number): void {
    const left = this.#length - start;
    if (left === 0) this.#own(undefined);
    else if (
      this.#borrowed ||
      this.#viewed ||
      (this.#bytes.length > BLOCK_BYTES && left * ROOM_MAX < this.#bytes.length)
    ) {
      const kept = memoryFor(left);
      kept.set(this.#bytes.subarray(start, this.#length));
      this.#own(kept);
    } else if (start > 0) this.#bytes.copyWithin(0, start, this.#length);
    this.#length = left;
    this.#borrowed = false;
  }

  /** The store's own memory from now on. */
  #own(memory: Uint8Array | undefined): void {
    const before = this.#memory;
    this.#memory = memory;
    this.#bytes = memory ?? NO_BYTES;
    if (this.#viewed) this.#retire(before);
    else if (before !== undefined) giveBack(before);
    this.#viewed = false;
  }

  #retire(memory: Uint8Array | undefined): void {
    if (this.#retired !== undefined) giveBack(this.#retired);
    this.#retired = memory;
  }
}
