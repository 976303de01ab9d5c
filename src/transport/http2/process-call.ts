/** An ext_proc call: every way out of it ends with an error status, but for the one the exchange machine allows. */
import type { Buffer } from 'node:buffer';
import {
  ExchangeMachine,
  type ExchangeOptions,
  type ExchangeSink,
} from '../../protocol/exchange-machine.ts';
import type { FailureStatus } from '../../protocol/process.ts';
import type { GrpcStatus } from './grpc-blocks.ts';
import { type CallLimits, GrpcCall } from './grpc-call.ts';
import { metadataValue, type RequestHead } from './request-head.ts';
import type { Http2Stream } from './stream.ts';

export class ProcessCall extends GrpcCall implements ExchangeSink {
  readonly #machine: ExchangeMachine;
  readonly #closed: (call: ProcessCall) => void;

  /** `closed` is called once, when nothing of the call is left. */
  constructor(
    head: RequestHead,
    stream: Http2Stream,
    limits: CallLimits,
    context: ExchangeOptions,
    closed: (call: ProcessCall) => void,
  ) {
    super(head, stream, limits);
    this.#closed = closed;
    this.#machine = new ExchangeMachine(context, this);
    this.armDeadline();
  }

  // ---- ExchangeSink; `send`, `pause` and `resume` are those of every call

  initialMetadata(name: string): string | undefined {
    return metadataValue(this.head, name);
  }

  end(): void {
    this.finish('OK');
  }

  fail(status: FailureStatus, reason: string): void {
    this.finish(status, reason);
  }

  // ---- GrpcCall

  /** The server wants it to end. */
  stop(reason: string, last: boolean): void {
    this.#machine.stop(reason, last);
  }

  protected took(bytes: Buffer, start: number, end: number): void {
    this.#machine.receive(bytes, start, end);
  }

  protected halfClosed(): void {
    this.#machine.halfClosed();
  }

  protected over(): void {
    this.#machine.cancelled();
    this.#closed(this);
  }

  protected failing(status: GrpcStatus, reason: string): void {
    // The machine tells its handler; the status that the caller sees is the transport's.
    this.finish(status, reason);
    this.#machine.cancelled();
  }
}
