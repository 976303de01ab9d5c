/** A call of one message and one answer, given in the turn in which the message is whole. */
import type { Buffer } from 'node:buffer';
import type { AnswerUnary } from '../unary-answers.ts';
import type { GrpcStatus } from './grpc-blocks.ts';
import { type CallLimits, GrpcCall } from './grpc-call.ts';
import { metadataValue, type RequestHead } from './request-head.ts';
import type { Http2Stream } from './stream.ts';

export class UnaryCall extends GrpcCall {
  readonly #answer: AnswerUnary;
  #message: Buffer | undefined;

  constructor(head: RequestHead, stream: Http2Stream, limits: CallLimits, answer: AnswerUnary) {
    super(head, stream, limits);
    this.#answer = answer;
  }

  protected took(message: Buffer): void {
    if (this.#message === undefined) this.#message = message;
    else this.finish('UNIMPLEMENTED', 'one_message_expected');
  }

  protected halfClosed(): void {
    if (this.#message === undefined) {
      this.finish('UNIMPLEMENTED', 'one_message_expected');
      return;
    }
    const answer = this.#answer(this.#message, (name) => metadataValue(this.head, name));
    if (answer.kind === 'status') {
      this.finish(answer.status, answer.reason);
      return;
    }
    this.send(answer.bytes);
    this.finish('OK');
  }

  protected over(): void {}

  protected failing(status: GrpcStatus, reason: string): void {
    this.finish(status, reason);
  }
}
