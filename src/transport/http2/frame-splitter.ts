/** The bytes of a connection as frames, however the socket cuts them; the client's preface stands in front. */
import { Buffer } from 'node:buffer';
import {
  CLIENT_PREFACE,
  ConnectionError,
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  FRAME_SIZE_ERROR,
  frameUnits,
  PROTOCOL_ERROR,
} from './frames.ts';

export interface FrameTaker {
  /** The payload is `bytes[start, end)`: a view, whose memory nobody writes to again. */
  frame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
}

const PREFACE = Buffer.from(CLIENT_PREFACE, 'latin1');

/** Keeps at most one frame that has not come whole: 16 KiB and its header. */
export class FrameSplitter {
  readonly #taker: FrameTaker;
  #prefaceSeen = 0;
  /** The beginning of a frame, or of its header; `#partLength` bytes of it are there. */
  #part: Buffer | undefined;
  #partLength = 0;

  constructor(taker: FrameTaker) {
    this.#taker = taker;
  }

  get prefaceSeen(): boolean {
    return this.#prefaceSeen === PREFACE.length;
  }

  /**
   * Whole frames until they have cost so many units; how many of the bytes are done with. Throws ConnectionError, and
   * whatever the taker throws.
   */
  push(chunk: Buffer, units: number = Number.POSITIVE_INFINITY): number {
    let at = this.prefaceSeen ? 0 : this.#preface(chunk);
    let unitsLeft = units;
    while (at < chunk.length && unitsLeft > 0) {
      if (this.#part !== undefined) {
        at = this.#complete(chunk, at);
        unitsLeft--;
        continue;
      }
      const left = chunk.length - at;
      if (left < FRAME_HEADER_BYTES) {
        this.#part = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
        this.#partLength = chunk.copy(this.#part, 0, at);
        return chunk.length;
      }
      const length = payloadLength(chunk, at);
      const end = at + FRAME_HEADER_BYTES + length;
      if (end > chunk.length) {
        this.#part = Buffer.allocUnsafe(FRAME_HEADER_BYTES + length);
        this.#partLength = chunk.copy(this.#part, 0, at);
        return chunk.length;
      }
      unitsLeft -= frameUnits(chunk[at + 3] as number, length);
      this.#give(chunk, at, end);
      at = end;
    }
    return at;
  }

  #preface(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length && this.#prefaceSeen < PREFACE.length) {
      if (chunk[at++] !== PREFACE[this.#prefaceSeen++])
        throw new ConnectionError(PROTOCOL_ERROR, 'malformed');
    }
    return at;
  }

  /** Adds to the frame at hand, and gives it when it is whole; where the chunk goes on. */
  #complete(chunk: Buffer, at: number): number {
    const part = this.#part as Buffer;
    const copied = chunk.copy(part, this.#partLength, at, at + part.length - this.#partLength);
    this.#partLength += copied;
    if (this.#partLength < part.length) return at + copied;
    const whole = FRAME_HEADER_BYTES + payloadLength(part, 0);
    if (whole > part.length) {
      const larger = Buffer.allocUnsafe(whole);
      part.copy(larger);
      this.#part = larger;
    } else {
      this.#part = undefined;
      this.#give(part, 0, whole);
    }
    return at + copied;
  }

  #give(bytes: Buffer, at: number, end: number): void {
    const streamId =
      (((bytes[at + 5] as number) & 0x7f) << 24) |
      ((bytes[at + 6] as number) << 16) |
      ((bytes[at + 7] as number) << 8) |
      (bytes[at + 8] as number);
    this.#taker.frame(
      bytes[at + 3] as number,
      bytes[at + 4] as number,
      streamId,
      bytes,
      at + FRAME_HEADER_BYTES,
      end,
    );
  }
}

/** Any frame that is longer than we allow ends the connection, which RFC 9113 §4.2 lets us do for each type. */
function payloadLength(bytes: Buffer, at: number): number {
  const length =
    ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
  if (length > FRAME_PAYLOAD_BYTES_MAX) throw new ConnectionError(FRAME_SIZE_ERROR, 'malformed');
  return length;
}
