/**
 * Lines that wait for their write, as bytes. A line is a string of some forty parts: kept as such, each would be
 * copied by every collection until it is written, which costs more than the write.
 */
import { Buffer } from 'node:buffer';

/** UTF-8 has at most so many bytes for a unit of UTF-16. */
const UTF8_BYTES_MAX = 3;

export class WaitingLines {
  readonly #sizeBytes: number;
  #bytes: Buffer;
  #length = 0;

  /** `sizeBytes`: what is kept reserved; more is taken when it is needed, and given back by `clear`. */
  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes;
    this.#bytes = Buffer.allocUnsafeSlow(sizeBytes);
  }

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  /** All of them: a view that the next call may change. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Amortised, one copy of the line. */
  add(lines: string): void {
    const needed = this.#length + lines.length * UTF8_BYTES_MAX;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#length += this.#bytes.write(lines, this.#length, 'utf8');
  }

  /** Drops what was added since there were `length` bytes. */
  takeBack(length: number): void {
    this.#length = length;
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > this.#sizeBytes) this.#bytes = Buffer.allocUnsafeSlow(this.#sizeBytes);
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
