import { Buffer } from 'node:buffer';
import type { BodyEvent } from '../protocol/process.ts';

/** A body up to this is kept as it came; what is longer goes into blocks. */
const SHORT_BYTES_MAX = 16_384;
const BLOCK_BYTES = 65_536;
/** 32 MiB that are kept for the next long bodies: two of the longest answers. */
const SPARE_BLOCKS_MAX = 512;

/**
 * Blocks that no body is in. They are used again, as each is memory outside of V8's heap, of which a flood would
 * have it collect garbage all the time. No view of one leaves this file, so that nobody reads another's body in it.
 */
const spare: Uint8Array[] = [];

/** Collects a body that must be judged whole. Whoever gives it up calls `drop`. */
export class BodyBuffer {
  bytes = 0;
  /** Of a short body. */
  private chunks: Uint8Array[] = [];
  /** Of a long one, all full but the last. */
  private blocks: Uint8Array[] = [];

  /** Copies: the chunk is a view into a message that is reused. */
  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.bytes + chunk.length <= SHORT_BYTES_MAX) this.chunks.push(new Uint8Array(chunk));
    else {
      this.intoBlocks();
      this.lay(chunk, this.bytes);
    }
    this.bytes += chunk.length;
  }

  take(): Uint8Array {
    const taking = this.takeInSlices(Number.POSITIVE_INFINITY);
    return taking.next().value as Uint8Array;
  }

  /** The same, with a pause behind so many bytes: to lay out 16 MiB takes many ms. */
  *takeInSlices(sliceBytesMax: number): Generator<undefined, Uint8Array> {
    const { bytes, chunks, blocks } = this;
    this.chunks = [];
    this.blocks = [];
    this.bytes = 0;
    if (blocks.length === 0) return concatBytes(chunks);
    // Memory that is not filled with zeros first, and no part of Node's own pool.
    const all = Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    let left = sliceBytesMax;
    for (const block of blocks) {
      if (left <= 0) {
        yield;
        left = sliceBytesMax;
      }
      all.set(block.subarray(0, bytes - at), at);
      at += BLOCK_BYTES;
      left -= BLOCK_BYTES;
      giveBack(block);
    }
    return all;
  }

  drop(): void {
    for (const block of this.blocks) giveBack(block);
    this.chunks = [];
    this.blocks = [];
    this.bytes = 0;
  }

  private intoBlocks(): void {
    if (this.chunks.length === 0) return;
    let at = 0;
    for (const chunk of this.chunks) {
      this.lay(chunk, at);
      at += chunk.length;
    }
    this.chunks = [];
  }

  private lay(chunk: Uint8Array, from: number): void {
    for (let read = 0; read < chunk.length; ) {
      const at = (from + read) % BLOCK_BYTES;
      if (at === 0) this.blocks.push(spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES));
      const part = chunk.subarray(read, read + BLOCK_BYTES - at);
      this.blocks.at(-1)!.set(part, at);
      read += part.length;
    }
  }
}

function giveBack(block: Uint8Array): void {
  if (spare.length < SPARE_BLOCKS_MAX) spare.push(block);
}

/** The event with a copy of its bytes, for who needs them in later turns: they are a view of a message that is reused. */
export const ownEvent = (event: BodyEvent): BodyEvent => ({
  ...event,
  bytes: new Uint8Array(event.bytes),
});

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
