import { Buffer } from 'node:buffer';

/** Collects a body that must be judged whole. */
export class BodyBuffer {
  bytes = 0;
  private chunks: Uint8Array[] = [];

  /** Copies: the chunk is a view into a message that is reused. */
  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.chunks.push(new Uint8Array(chunk));
    this.bytes += chunk.length;
  }

  take(): Uint8Array {
    return concatBytes(this.takeParts());
  }

  /** The same, with a pause behind so many bytes: to lay out 16 MiB takes many ms. */
  *takeInSlices(sliceBytesMax: number): Generator<undefined, Uint8Array> {
    const { bytes } = this;
    const parts = this.takeParts();
    if (bytes <= sliceBytesMax) return concatBytes(parts);
    // Memory that is not filled with zeros first, and no part of Node's own pool.
    const all = Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    let left = sliceBytesMax;
    for (const part of parts) {
      if (left <= 0) {
        yield;
        left = sliceBytesMax;
      }
      all.set(part, at);
      at += part.length;
      left -= part.length;
    }
    return all;
  }

  private takeParts(): readonly Uint8Array[] {
    const parts = this.chunks;
    this.chunks = [];
    this.bytes = 0;
    return parts;
  }
}

/** The parts one after another; a single part is returned as it is. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
