/** A call of one message and one answer, given in the turn in which the message is whole. */
import type { Buffer } from 'node:buffer';
import type { AnswerUnary } from '../unary-answers.ts';
import type { GrpcStatus } from './grpc-blocks.ts';
import { type CallLimits, GrpcCall } from './grpc-call.ts';
import { metadataValue, type RequestHead } from './request-head.ts';
import type { Http2Stream } from './stream.ts';

export class UnaryCall extends GrpcCall {
  readonly #answer: AnswerUnary;
  readonly #closed: (call: UnaryCall) => void;
  readonly openedAtMs: number;
  /** The message is `#bytes[#start, #end)`. */
  #bytes: Buffer | undefined;
  #start = 0;
  #end = 0;

  /** `closed` is called once, when nothing of the call is left. */
  constructor(
    head: RequestHead,
    stream: Http2Stream,
    limits: CallLimits,
    answer: AnswerUnary,
    openedAtMs: number,
    closed: (call: UnaryCall) => void,
  ) {
    super(head, stream, limits);
    this.#answer = answer;
    this.openedAtMs = openedAtMs;
    this.#closed = closed;
  }

  protected took(bytes: Buffer, start: number, end: number): void {
    if (this.#bytes !== undefined) {
      this.finish('UNIMPLEMENTED', 'one_message_expected');
      return;
    }
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  protected halfClosed(): void {
    if (this.#bytes === undefined) {
      this.finish('UNIMPLEMENTED', 'one_message_expected');
      return;
    }
    const answer = this.#answer(this.#bytes, this.#start, this.#end, (name) =>
      metadataValue(this.head, name),
    );
    if (answer.kind === 'status') {
      this.finish(answer.status, answer.reason);
      return;
    }
    this.send(answer.bytes);
    this.finish('OK');
  }

  /** Its message has not come whole in time. */
  late(): void {
    this.finish('DEADLINE_EXCEEDED', 'message_timeout');
  }

  protected over(): void {
    this.#closed(this);
  }

  protected failing(status: GrpcStatus, reason: string): void {
    this.finish(status, reason);
  }
}
