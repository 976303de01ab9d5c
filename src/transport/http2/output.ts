/**
 * What a connection has to say, joined into as few writes as there are batches: frames are laid out in pooled blocks,
 * large payloads go as they are. Nothing leaves before `flush`.
 */
import { Buffer } from 'node:buffer';
import { FRAME_HEADER_BYTES } from './frames.ts';

/** The socket, as far as output is concerned. `done` is called when the bytes are out, or never will be. */
export interface ByteSink {
  write(bytes: readonly Buffer[], done: () => void): void;
}

const BLOCK_BYTES = 32 * 1024;
/** Larger payloads are cheaper sent as they are than copied. */
const COPIED_BYTES_MAX = 8 * 1024;
/** Blocks kept for the next batch, of all connections: two batches of each of 32. */
const POOLED_BLOCKS_MAX = 64;
const pool: Buffer[] = [];

export class Output {
  readonly #sink: ByteSink;
  /** Sealed, in order; own blocks among them are given back when the write is done. */
  #ready: Buffer[] = [];
  #block: Buffer | undefined;
  /** Where what is not yet sealed of the block begins and ends. */
  #from = 0;
  #at = 0;
  #blocks: Buffer[] = [];
  /** Bytes handed to the sink, not out yet. */
  #inFlight = 0;
  #unflushed = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Bytes that have not left: laid out here, or with the socket. */
  get waiting(): number {
    return this.#inFlight + this.#unflushed;
  }

  get unflushed(): boolean {
    return this.#unflushed > 0;
  }

  /** `bytes` must not change before they are out. Cost: a copy, up to 8 KiB. */
  append(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > COPIED_BYTES_MAX) {
      this.#seal();
      this.#ready.push(Buffer.from(bytes.buffer, bytes.byteOffset + start, length));
      this.#unflushed += length;
      return;
    }
    const at = this.reserve(length);
    const block = this.#block as Buffer;
    // A loop costs less than a call for the few dozen bytes of most answers.
    if (length < 64)
      for (let index = 0; index < length; index++)
        block[at + index] = bytes[start + index] as number;
    else block.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), at);
  }

  frame(length: number, type: number, flags: number, streamId: number): void {
    const at = this.reserve(FRAME_HEADER_BYTES);
    const block = this.#block as Buffer;
    block[at] = length >> 16;
    block[at + 1] = length >> 8;
    block[at + 2] = length;
    block[at + 3] = type;
    block[at + 4] = flags;
    block[at + 5] = streamId >> 24;
    block[at + 6] = streamId >> 16;
    block[at + 7] = streamId >> 8;
    block[at + 8] = streamId;
  }

  uint32(value: number): void {
    const at = this.reserve(4);
    const block = this.#block as Buffer;
    block[at] = value >>> 24;
    block[at + 1] = value >> 16;
    block[at + 2] = value >> 8;
    block[at + 3] = value;
  }

  /** The prefix of a gRPC message that is not compressed. */
  messagePrefix(length: number): void {
    const at = this.reserve(1);
    (this.#block as Buffer)[at] = 0;
    this.uint32(length);
  }

  flush(): void {
    if (this.#unflushed === 0) return;
    this.#seal();
    const bytes = this.#unflushed;
    const ready = this.#ready;
    const blocks = this.#blocks;
    if (this.#block !== undefined) blocks.push(this.#block);
    this.#ready = [];
    this.#blocks = [];
    this.#block = undefined;
    this.#unflushed = 0;
    this.#inFlight += bytes;
    this.#sink.write(ready, () => {
      this.#inFlight -= bytes;
      for (const block of blocks) if (pool.length < POOLED_BLOCKS_MAX) pool.push(block);
    });
  }

  /** Room for `length` bytes in one piece; where it begins in `#block`. */
  reserve(length: number): number {
    if (this.#block === undefined || this.#at + length > BLOCK_BYTES) {
      this.#seal();
      if (this.#block !== undefined) this.#blocks.push(this.#block);
      this.#block = pool.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#from = 0;
      this.#at = 0;
    }
    const at = this.#at;
    this.#at += length;
    this.#unflushed += length;
    return at;
  }

  #seal(): void {
    if (this.#block === undefined || this.#at === this.#from) return;
    this.#ready.push(this.#block.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}
