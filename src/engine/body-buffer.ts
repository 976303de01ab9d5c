/** Collects a body that must be judged whole. */
export class BodyBuffer {
  bytes = 0;
  private chunks: Uint8Array[] = [];

  /** Copies: the chunk is a view into a message that is reused. */
  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.chunks.push(Uint8Array.from(chunk));
    this.bytes += chunk.length;
  }

  take(): Uint8Array {
    const all = concatBytes(this.chunks);
    this.chunks = [];
    this.bytes = 0;
    return all;
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
