/** gRPC messages out of DATA: five bytes of prefix and what they announce, however the frames cut them. */
import { Buffer } from 'node:buffer';

export type MessageProblem = 'compressed' | 'too_large' | 'inbound_total';

export interface MessageTaker {
  /** A view or a copy; its memory is nobody else's. */
  message(bytes: Buffer): void;
  refuse(problem: MessageProblem): void;
  /** Takes no message now. */
  readonly holding: boolean;
}

/** What all connections together hold of messages that are not taken yet. */
export class InboundBytes {
  readonly max: number;
  held = 0;
  constructor(max: number) {
    this.max = max;
  }
}

const PREFIX_BYTES = 5;
/** An announced length is not believed before its bytes come. */
const MESSAGE_BYTES_FIRST = 32 * 1024;
/** A message that is a smaller part of its chunk is copied: a view would keep the whole chunk alive. */
const VIEW_SHARE = 2;

export class MessageReader {
  readonly #taker: MessageTaker;
  readonly #bytesMax: number;
  readonly #inbound: InboundBytes;
  #prefixSeen = 0;
  #length = 0;
  #message: Buffer | undefined;
  #filled = 0;
  /** What came while the taker was holding. */
  #held: Buffer[] | undefined;
  #counted = 0;
  #over = false;

  constructor(taker: MessageTaker, bytesMax: number, inbound: InboundBytes) {
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
    if (this.#held !== undefined || this.#taker.holding) {
      this.#hold(bytes, start, end);
      return;
    }
    let at = start;
    while (at < end && !this.#over) {
      if (this.#taker.holding) {
        this.#hold(bytes, at, end);
        return;
      }
      if (this.#prefixSeen < PREFIX_BYTES) {
        at = this.#prefix(bytes, at, end);
        if (this.#prefixSeen < PREFIX_BYTES || this.#over || this.#length > 0) continue;
        this.#give(EMPTY);
        continue;
      }
      at = this.#body(bytes, at, end);
    }
  }

  /** The taker holds no longer. */
  resume(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    for (let next = held.shift(); next !== undefined && !this.#over; next = held.shift()) {
      this.#count(-next.length);
      this.push(next, 0, next.length);
      if (this.#taker.holding) break;
    }
    // Held again on the way: what is left stays in its order.
    if (!this.#over && held.length > 0) this.#held = [...this.#heldNow(), ...held];
  }

  #heldNow(): readonly Buffer[] {
    return this.#held ?? [];
  }

  /** Nothing more is wanted. */
  close(): void {
    this.#over = true;
    this.#inbound.held -= this.#counted;
    this.#counted = 0;
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
      this.#give(
        this.#length * VIEW_SHARE >= bytes.buffer.byteLength
          ? bytes.subarray(start, to)
          : copyOf(bytes, start, to),
      );
      return to;
    }
    const to = Math.min(end, start + this.#length - this.#filled);
    if (!this.#room(to - start)) {
      this.#refuse('inbound_total');
      return end;
    }
    bytes.copy(this.#message as Buffer, this.#filled, start, to);
    this.#filled += to - start;
    if (this.#filled === this.#length) {
      const message = this.#message as Buffer;
      this.#message = undefined;
      this.#count(-this.#filled);
      this.#filled = 0;
      this.#give(message.subarray(0, this.#length));
    }
    return to;
  }

  /** Grows as bytes come, doubling: no more than twice what has come is ever held for it. */
  #room(length: number): boolean {
    if (!this.#count(length)) return false;
    const needed = this.#filled + length;
    const old = this.#message;
    if (old !== undefined && needed <= old.length) return true;
    const doubled = Math.max(needed, MESSAGE_BYTES_FIRST, (old?.length ?? 0) * 2);
    const larger = Buffer.allocUnsafe(Math.min(this.#length, doubled));
    old?.copy(larger, 0, 0, this.#filled);
    this.#message = larger;
    return true;
  }

  #give(message: Buffer): void {
    this.#prefixSeen = 0;
    this.#length = 0;
    this.#taker.message(message);
  }

  #hold(bytes: Buffer, start: number, end: number): void {
    if (!this.#count(end - start)) {
      this.#refuse('inbound_total');
      return;
    }
    (this.#held ??= []).push(copyOf(bytes, start, end));
  }

  /** False: all connections together hold too much. */
  #count(bytes: number): boolean {
    if (bytes > 0 && this.#inbound.held + bytes > this.#inbound.max) return false;
    this.#inbound.held += bytes;
    this.#counted += bytes;
    return true;
  }

  #refuse(problem: MessageProblem): void {
    this.close();
    this.#taker.refuse(problem);
  }
}

const EMPTY = Buffer.alloc(0);

function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  bytes.copy(copy, 0, start, end);
  return copy;
}
