import { ByteStore } from './byte-store.ts';

/** Gathers a body that is read as one frame; one longer than `bodyBytesMax` comes out in parts of that size. */
export class WholeBody {
  readonly #bodyBytesMax: number;
  readonly #pending = new ByteStore();
  #oversized = false;

  constructor(bodyBytesMax: number) {
    this.#bodyBytesMax = bodyBytesMax;
  }

  get pendingBytes(): number {
    return this.#pending.length;
  }

  /** The body is longer than its limit: every part of it is unreadable. */
  get oversized(): boolean {
    return this.#oversized;
  }

  /** Parts of a body that is too long; nothing as long as it is not. `own`: the bytes stay as they are. */
  push(bytes: Uint8Array, own = false): readonly Uint8Array[] {
    // What came alone, and stays, is the body as it is.
    if (own && this.#pending.length === 0 && bytes.length <= this.#bodyBytesMax) {
      this.#pending.lend(bytes);
      return [];
    }
    this.#pending.append(bytes);
    const parts: Uint8Array[] = [];
    let start = 0;
    while (this.#pending.length - start > this.#bodyBytesMax) {
      parts.push(this.#pending.copy(start, start + this.#bodyBytesMax));
      start += this.#bodyBytesMax;
      this.#oversized = true;
    }
    this.#pending.keepFrom(start);
    return parts;
  }

  /** The rest, or undefined when there is none. */
  end(): Uint8Array | undefined {
    if (this.#pending.length === 0) return undefined;
    return this.#pending.takeAll();
  }
}
