import { concatBytes } from './body-buffer.ts';

/**
 * What leaves of a body that leaves at once. As long as nothing was changed that is what came, of which nothing is
 * kept a second time: a body may be made of millions of frames.
 */
export class WholeOutput {
  private readonly original: Uint8Array;
  /** So many of its first bytes leave as they came. */
  private unchanged = 0;
  private readonly parts: Uint8Array[] = [];

  constructor(original: Uint8Array) {
    this.original = original;
  }

  /** What may leave next. `changed`: something of it, or of what came before, is not as it came. */
  add(output: readonly Uint8Array[], changed: boolean): void {
    if (output.length === 0) return;
    if (changed) this.parts.push(concatBytes(output));
    else for (const { length } of output) this.unchanged += length;
  }

  get bytes(): Uint8Array {
    if (this.parts.length === 0 && this.unchanged === this.original.length) return this.original;
    return concatBytes([this.original.subarray(0, this.unchanged), ...this.parts]);
  }
}
