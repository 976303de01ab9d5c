/** One gRPC call: messages both ways, one status at the end, a deadline where the caller set one. */
import type { Buffer } from 'node:buffer';
import {
  type GrpcStatus,
  RESPONSE_HEAD,
  TRAILERS_OK,
  trailers,
  trailersOnly,
} from './grpc-blocks.ts';
import { type MessageProblem, MessageReader, type MessageTaker } from './message-reader.ts';
import type { Listed } from './open-list.ts';
import type { RequestHead } from './request-head.ts';
import type { Http2Stream, StreamEnding, StreamHandler } from './stream.ts';

export interface CallLimits {
  readonly receiveBytesMax: number;
  /** `Http2Limits.outboundBytesPerStream`. */
  readonly outboundBytes: number;
}

const PROBLEM_STATUS: Readonly<Record<MessageProblem, GrpcStatus>> = {
  compressed: 'UNIMPLEMENTED',
  too_large: 'RESOURCE_EXHAUSTED',
  inbound_total: 'RESOURCE_EXHAUSTED',
};

export abstract class GrpcCall implements StreamHandler, MessageTaker, Listed {
  listedAt = -1;
  protected readonly head: RequestHead;
  readonly #stream: Http2Stream;
  readonly #reader: MessageReader;
  readonly #limits: CallLimits;
  #deadline: NodeJS.Timeout | undefined;
  #headSent = false;
  #finished = false;
  /** Two reasons to take no message: the reader of our replies is slow, or the call is busy. */
  #unread = false;
  #busy = false;
  /** The peer has said all, which is told once all of it is taken. */
  #remoteEnded = false;
  #halfCloseTold = false;

  constructor(head: RequestHead, stream: Http2Stream, limits: CallLimits) {
    this.head = head;
    this.#stream = stream;
    this.#limits = limits;
    this.#reader = new MessageReader(this, limits.receiveBytesMax, stream.inbound);
  }

  /** For a call that may wait: one that is answered in the turn in which it is whole needs no timer. */
  protected armDeadline(): void {
    const { timeout } = this.head;
    if (timeout !== undefined) this.#deadline = this.#timer(timeout);
  }

  // ---- what a method is

  /** One message: `bytes[start, end)`. */
  protected abstract took(bytes: Buffer, start: number, end: number): void;
  /** The caller has said all, in whole messages. */
  protected abstract halfClosed(): void;
  /** Told once, last: nothing can be sent any more. `ended`: with a status of ours. */
  protected abstract over(ended: boolean): void;
  /** Deadline, malformed input: the call ends with this status unless the method ends it first. */
  protected abstract failing(status: GrpcStatus, reason: string): void;

  // ---- what it may do

  get finished(): boolean {
    return this.#finished;
  }

  send(bytes: Uint8Array): void {
    if (this.#finished) return;
    if (!this.#headSent) {
      this.#headSent = true;
      this.#stream.headers(RESPONSE_HEAD, false);
    }
    this.#stream.message(bytes);
    // The replies would pile up here if their reader is slow: then nothing more is read either.
    if (this.#stream.queuedBytes > this.#limits.outboundBytes) {
      this.#unread = true;
      this.#stream.read(false);
    }
  }

  /** The status, behind all that was sent. */
  finish(status: GrpcStatus, reason = ''): void {
    if (this.#finished) return;
    this.#finished = true;
    const block = status === 'OK' ? TRAILERS_OK : trailers(status, reason);
    this.#reader.close();
    this.#stream.headers(this.#headSent ? block : trailersOnly(block), true);
  }

  pause(): void {
    this.#busy = true;
    this.#stream.read(false);
  }

  resume(): void {
    this.#busy = false;
    this.#readOn();
  }

  // ---- MessageTaker

  get holding(): boolean {
    return this.#busy || this.#unread;
  }

  message(bytes: Buffer, start: number, end: number): void {
    if (this.#finished) return;
    // Nobody has anything to say in no bytes at all but one who would have his resets counted for nothing.
    if (start < end) this.#stream.carriedMessage = true;
    this.took(bytes, start, end);
  }

  refuse(problem: MessageProblem): void {
    this.failing(PROBLEM_STATUS[problem], problem);
  }

  // ---- StreamHandler

  data(bytes: Buffer, start: number, end: number): void {
    this.#reader.push(bytes, start, end);
  }

  ended(): void {
    this.#remoteEnded = true;
    this.#tellHalfClosed();
  }

  drained(): void {
    this.#unread = false;
    this.#readOn();
  }

  closed(how: StreamEnding): void {
    this.#finished = true;
    this.#reader.close();
    clearTimeout(this.#deadline);
    this.over(how === 'ended');
  }

  #readOn(): void {
    if (this.#finished || this.holding) return;
    this.#stream.read(true);
    // Inside of a message that is being taken, those behind it are still to come.
    if (this.#reader.resume() && this.#remoteEnded) this.#tellHalfClosed();
  }

  #tellHalfClosed(): void {
    // An answer that leaves while it is given asks for more, and there is none.
    if (this.#finished || this.holding || this.#halfCloseTold) return;
    this.#halfCloseTold = true;
    if (this.#reader.unfinished) this.failing('INTERNAL', 'truncated_message');
    else this.halfClosed();
  }

  /** `grpc-timeout`: up to eight digits and a unit. One that cannot be read is none. */
  #timer(timeout: string): NodeJS.Timeout | undefined {
    const parts = /^(\d{1,8})([HMSmun])$/u.exec(timeout);
    if (parts === null) return undefined;
    const ms = Number(parts[1]) * (UNIT_MS[parts[2] as string] as number);
    return setTimeout(
      () => this.failing('DEADLINE_EXCEEDED', 'deadline'),
      Math.min(ms, TIMER_MS_MAX),
    ).unref();
  }
}

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};
/** What a timer can hold: 24 days. */
const TIMER_MS_MAX = 0x7fff_ffff;
