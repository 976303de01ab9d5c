/** gRPC messages out of DATA: five bytes of prefix and what they announce, however the frames cut them. */
import { Buffer } from 'node:buffer';
import type { HeldBytes } from './held-bytes.ts';

export type MessageProblem = 'compressed' | 'too_large' | 'inbound_total';

export interface MessageTaker {
  /** `bytes[start, end)`, of memory that nobody writes to again; who keeps it keeps all that came with it. */
  message(bytes: Buffer, start: number, end: number): void;
  refuse(problem: MessageProblem): void;
  /** Takes no message now. */
  readonly holding: boolean;
}

const PREFIX_BYTES = 5;
/** Room for the beginning of a message, or of what is held: an announced length is not believed before its bytes come. */
const ROOM_BYTES_FIRST = 256;
const MOST = Number.MAX_SAFE_INTEGER;

export class MessageReader {
  readonly #taker: MessageTaker;
  readonly #bytesMax: number;
  readonly #inbound: HeldBytes;
  #prefixSeen = 0;
  #length = 0;
  #message: Buffer | undefined;
  #filled = 0;
  /** What came while the taker was holding: one piece, however small the frames were. */
  #held: Buffer | undefined;
  #heldAt = 0;
  #heldEnd = 0;
  #resuming = false;
  #counted = 0;
  #over = false;

  constructor(taker: MessageTaker, bytesMax: number, inbound: HeldBytes) {
    this.#taker = taker;
    this.#bytesMax = bytesMax;
    this.#inbound = inbound;
  }

  /** Whether a message has begun that is not whole, or one waits to be taken. */
  get unfinished(): boolean {
    return this.#prefixSeen > 0 || this.#held !== undefined;
  }

  push(bytes: Buffer, start: number, end: number): void {
    if (this.#over) return;
    const at = this.#held === undefined ? this.#take(bytes, start, end) : start;
    if (at < end && !this.#over) this.#hold(bytes, at, end);
  }

  /** Reads on while the taker takes; where it stopped. */
  #take(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && !this.#over && !this.#taker.holding) {
      if (this.#prefixSeen < PREFIX_BYTES) {
        at = this.#prefix(bytes, at, end);
        if (this.#prefixSeen < PREFIX_BYTES || this.#over || this.#length > 0) continue;
        this.#give(EMPTY, 0, 0);
        continue;
      }
      at = this.#body(bytes, at, end);
    }
    return at;
  }

  /** The taker holds no longer. Whether nothing of what was held is left to be taken. */
  resume(): boolean {
    const held = this.#held;
    // Said by the taker about a message out of `held`: the loop goes on by itself.
    if (this.#resuming) return false;
    if (held === undefined) return true;
    this.#resuming = true;
    this.#heldAt = this.#take(held, this.#heldAt, this.#heldEnd);
    this.#resuming = false;
    if (this.#over || this.#heldAt < this.#heldEnd) return false;
    this.#held = undefined;
    this.#heldAt = 0;
    this.#heldEnd = 0;
    this.#count(-held.length);
    return true;
  }

  /** Nothing more is wanted. */
  close(): void {
    this.#over = true;
    this.#count(-this.#counted);
    this.#message = undefined;
    this.#held = undefined;
  }

  #prefix(bytes: Buffer, start: number, end: number): number {
    let at = start;
    for (; at < end && this.#prefixSeen < PREFIX_BYTES; at++) {
      const byte = bytes[at] as number;
      if (this.#prefixSeen++ > 0) {
        this.#length = this.#length * 256 + byte;
      } else if (byte !== 0) {
        this.#refuse('compressed');
        return end;
      }
    }
    if (this.#prefixSeen === PREFIX_BYTES && this.#length > this.#bytesMax)
      this.#refuse('too_large');
    return at;
  }

  #body(bytes: Buffer, start: number, end: number): number {
    if (this.#message === undefined && end - start >= this.#length) {
      const to = start + this.#length;
      this.#give(bytes, start, to);
      return to;
    }
    const to = Math.min(end, start + this.#length - this.#filled);
    const room = this.#message ?? EMPTY;
    const larger = this.#larger(room, 0, this.#filled, to - start, this.#length);
    if (larger === undefined) {
      this.#refuse('inbound_total');
      return end;
    }
    bytes.copy(larger, this.#filled, start, to);
    this.#filled += to - start;
    this.#message = larger;
    if (this.#filled === this.#length) {
      this.#message = undefined;
      this.#filled = 0;
      this.#count(-larger.length);
      this.#give(larger, 0, larger.length);
    }
    return to;
  }

  /**
   * `old[at, end)` with room for `more` bytes behind `end`, at most `most`. Grows as bytes come, doubling: no more than
   * about twice what has come is ever held. Undefined: all connections together hold too much.
   */
  #larger(old: Buffer, at: number, end: number, more: number, most: number): Buffer | undefined {
    if (end + more <= old.length) return old;
    const needed = end - at + more;
    const size = Math.min(most, Math.max(needed, ROOM_BYTES_FIRST, (end - at) * 2));
    if (!this.#count(size - old.length)) return undefined;
    // Not of a pool: a few bytes that stay would keep all of it.
    const larger = Buffer.allocUnsafeSlow(size);
    old.copy(larger, 0, at, end);
    return larger;
  }

  #give(bytes: Buffer, start: number, end: number): void {
    this.#prefixSeen = 0;
    this.#length = 0;
    this.#taker.message(bytes, start, end);
  }

  /** Behind what is held already. Messages may be views of it: what they hold is never written to again. */
  #hold(bytes: Buffer, start: number, end: number): void {
    const held = this.#held ?? EMPTY;
    const larger = this.#larger(held, this.#heldAt, this.#heldEnd, end - start, MOST);
    if (larger === undefined) {
      this.#refuse('inbound_total');
      return;
    }
    if (larger !== held) {
      this.#heldEnd -= this.#heldAt;
      this.#heldAt = 0;
    }
    this.#held = larger;
    bytes.copy(larger, this.#heldEnd, start, end);
    this.#heldEnd += end - start;
  }

  /** False: all connections together hold too much. */
  #count(bytes: number): boolean {
    if (!this.#inbound.take(bytes)) return false;
    this.#counted += bytes;
    return true;
  }

  #refuse(problem: MessageProblem): void {
    this.close();
    this.#taker.refuse(problem);
  }
}

const EMPTY = Buffer.alloc(0);
