/**
 * What is asked over the connection under test, by path: real calls of gRPC with little behind them, and for each the model
 * of what it answers to which bytes.
 */
import { Buffer } from 'node:buffer';
import {
  type GrpcStatus,
  plainStatus,
  trailers,
  trailersOnly,
} from '../../../../src/transport/http2/grpc-blocks.ts';
import { type CallLimits, GrpcCall } from '../../../../src/transport/http2/grpc-call.ts';
import type { RequestHead } from '../../../../src/transport/http2/request-head.ts';
import type {
  Http2Stream,
  StreamEnding,
  StreamHandler,
} from '../../../../src/transport/http2/stream.ts';
import { UnaryCall } from '../../../../src/transport/http2/unary-call.ts';
import { message } from '../raw-peer.ts';
import type { Request } from './request-model.ts';

/** `echo` answers each message by itself, `early` ends behind the first, `slow` takes one at each tick, `deaf` none. */
export const PATHS = ['/echo', '/echo', '/early', '/slow', '/unary', '/deaf', '/nowhere'] as const;

const GRPC = 'application/grpc';

export const reversed = (bytes: Buffer): Buffer => Buffer.from(bytes).reverse();

class EchoCall extends GrpcCall {
  readonly #how: string;
  #inHand: Buffer | undefined;
  isOver = 0;

  constructor(head: RequestHead, stream: Http2Stream, limits: CallLimits) {
    super(head, stream, limits);
    this.#how = head.path;
    this.armDeadline();
  }

  tick(): void {
    const bytes = this.#inHand;
    if (bytes === undefined) return;
    this.#inHand = undefined;
    this.send(bytes);
    this.resume();
  }

  protected took(bytes: Buffer, start: number, end: number): void {
    const message = Buffer.from(bytes.subarray(start, end));
    if (this.#how === '/slow') {
      this.#inHand = message;
      this.pause();
      return;
    }
    this.send(message);
    if (this.#how === '/early') this.finish('OK');
  }

  protected halfClosed(): void {
    this.finish('OK');
  }

  protected over(): void {
    this.isOver++;
  }

  protected failing(status: GrpcStatus, reason: string): void {
    this.finish(status, reason);
  }
}

/** What every stream was told in the end: once, or it was not well owned. */
export class Ledger {
  readonly #ends: StreamEnding[][] = [];
  readonly #calls: EchoCall[] = [];
  readonly bodies = new Map<number, Buffer[]>();

  tick(): void {
    for (const call of this.#calls) call.tick();
  }

  /** Of each stream that was opened. */
  get ends(): readonly (readonly StreamEnding[])[] {
    return this.#ends;
  }

  open(head: RequestHead, stream: Http2Stream, limits: CallLimits): StreamHandler {
    const handler = this.#handler(head, stream, limits);
    // An answer that was given at once: nothing more is told of it.
    if (stream.over) return handler;
    const ends: StreamEnding[] = [];
    this.#ends.push(ends);
    const bodies: Buffer[] = [];
    this.bodies.set(stream.id, bodies);
    return {
      data: (bytes, start, end) => {
        bodies.push(Buffer.from(bytes.subarray(start, end)));
        handler.data(bytes, start, end);
      },
      ended: () => handler.ended(),
      drained: () => handler.drained(),
      closed: (how) => {
        ends.push(how);
        handler.closed(how);
      },
    };
  }

  #handler(head: RequestHead, stream: Http2Stream, limits: CallLimits): StreamHandler {
    if (!head.grpc) return answered(stream, plainStatus(415));
    switch (head.path) {
      case '/unary':
        return new UnaryCall(
          ...([head, stream, limits] as const),
          (bytes, start, end) => ({
            kind: 'message',
            bytes: reversed(bytes.subarray(start, end)),
          }),
          0,
          () => {},
        );
      case '/deaf':
        return DEAF;
      case '/echo':
      case '/early':
      case '/slow': {
        const call = new EchoCall(head, stream, limits);
        this.#calls.push(call);
        return call;
      }
      default:
        return answered(stream, trailersOnly(trailers('UNIMPLEMENTED', 'unknown_method')));
    }
  }
}

const DEAF: StreamHandler = { data() {}, ended() {}, drained() {}, closed() {} };

function answered(stream: Http2Stream, block: Buffer): StreamHandler {
  stream.headers(block, true);
  return DEAF;
}

/** The same, slowly: bytes of the request in, what has to be answered out. */
export class CallModel {
  readonly #how: string;
  readonly #messageBytesMax: number;
  #bytes: Buffer = Buffer.alloc(0);
  #halfClosed = false;
  #inHand: Buffer | undefined;
  #first: Buffer | undefined;
  /** What of the body of the answer is due by now. */
  body: Buffer = Buffer.alloc(0);
  /** `grpc-status` and `:status`, once the answer is due to end. */
  end: { readonly status: string; readonly grpcStatus: string | undefined } | undefined;

  constructor(request: Request, messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
    const behind = request.contentType.slice(GRPC.length);
    const grpc =
      request.contentType.startsWith(GRPC) && ['', '+', ';'].includes(behind.slice(0, 1));
    this.#how = grpc ? request.path : '';
    if (!grpc) this.end = { status: '415', grpcStatus: undefined };
    else if (!(PATHS as readonly string[]).includes(request.path) || request.path === '/nowhere')
      this.#finish(12);
  }

  data(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    this.#readOn();
  }

  halfClosed(): void {
    this.#halfClosed = true;
    this.#readOn();
  }

  tick(): void {
    if (this.#inHand === undefined || this.end !== undefined) return;
    this.body = Buffer.concat([this.body, message(this.#inHand)]);
    this.#inHand = undefined;
    this.#readOn();
  }

  #finish(status: number): void {
    this.end ??= { status: '200', grpcStatus: String(status) };
  }

  #readOn(): void {
    if (this.#how === '/deaf') return;
    while (this.end === undefined && this.#inHand === undefined) {
      if (this.#bytes.length > 0 && this.#bytes[0] !== 0) {
        this.#finish(12);
        return;
      }
      const length = this.#bytes.length < 5 ? undefined : this.#bytes.readUInt32BE(1);
      if (length !== undefined && length > this.#messageBytesMax) {
        this.#finish(8);
        return;
      }
      if (length === undefined || this.#bytes.length < 5 + length) {
        if (this.#halfClosed) this.#allCame();
        return;
      }
      const bytes = this.#bytes.subarray(5, 5 + length);
      this.#bytes = this.#bytes.subarray(5 + length);
      this.#took(bytes);
    }
  }

  #allCame(): void {
    if (this.#bytes.length > 0) this.#finish(13);
    else if (this.#how !== '/unary') this.#finish(0);
    else if (this.#first === undefined) this.#finish(12);
    else {
      this.body = message(reversed(this.#first));
      this.#finish(0);
    }
  }

  #took(bytes: Buffer): void {
    if (this.#how === '/unary') {
      if (this.#first !== undefined) this.#finish(12);
      this.#first ??= bytes;
      return;
    }
    if (this.#how === '/slow') {
      this.#inHand = bytes;
      return;
    }
    this.body = Buffer.concat([this.body, message(bytes)]);
    if (this.#how === '/early') this.#finish(0);
  }
}
