/**
 * One request and its answer on a connection: what may still be sent, what is kept back for the peer's windows, and
 * when nothing of it is left.
 */
import { Buffer } from 'node:buffer';
import type { HeldBytes } from './held-bytes.ts';
import type { RequestHead } from './request-head.ts';

export type StreamEnding =
  | 'ended' /* both sides have said all */
  | 'reset' /* by the peer, or by us for its fault */
  | 'lost'; /* with its connection */

/** Who takes a request. Methods do not throw. */
export interface StreamHandler {
  /** Part of the body: `bytes[start, end)`, a view whose memory nobody writes to again. */
  data(bytes: Buffer, start: number, end: number): void;
  /** The peer has said all. */
  ended(): void;
  /** What was kept back has left. */
  drained(): void;
  /** Told once, last. Nothing can be sent any more. */
  closed(how: StreamEnding): void;
}

/** The connection, as its streams need it. */
export interface StreamConnection {
  headers(stream: Http2Stream, block: Buffer, endStream: boolean): void;
  data(stream: Http2Stream, bytes: Uint8Array, asMessage: boolean, endStream: boolean): void;
  reset(stream: Http2Stream, code: number): void;
  credit(stream: Http2Stream): void;
  readonly inbound: HeldBytes;
}

const NOBODY: StreamHandler = { data() {}, ended() {}, drained() {}, closed() {} };

export class Http2Stream {
  readonly id: number;
  readonly #connection: StreamConnection;
  handler: StreamHandler = NOBODY;
  /** How much the peer takes; below zero after it has lowered its initial window. */
  sendWindow: number;
  /** How much the peer may still send. */
  receiveWindow: number;
  /** Received and not yet given back to the peer's window. */
  uncredited = 0;
  /** Its bytes are given back as they come. */
  reading = true;
  /** Bytes of DATA that content-length still promises; -1: it said nothing. */
  bodyLeft: number;
  /** One whole message has come: a reset is no flood then. */
  carriedMessage = false;
  remoteEnded = false;
  localEnded = false;
  over = false;
  /** What it was counted with in `inbound` when it was opened. */
  readonly openBytes: number;
  /** Kept back, in order; `queueAt` bytes of the first have left. */
  queue: Uint8Array[] | undefined;
  queueAt = 0;
  queuedBytes = 0;
  /** Where small pieces are kept together: the last of `queue` is `keptView`, the beginning of it. */
  keptBlock: Buffer | undefined;
  keptView: Uint8Array | undefined;
  /** To follow what is kept back: a header block, or the bare end. */
  ending: Buffer | undefined;
  /** When something of what is kept back last left, in ms of the connection's clock. */
  progressAtMs = 0;

  constructor(
    id: number,
    connection: StreamConnection,
    sendWindow: number,
    receiveWindow: number,
    contentLength: number,
    openBytes: number,
  ) {
    this.id = id;
    this.#connection = connection;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.bodyLeft = contentLength;
    this.openBytes = openBytes;
  }

  /** Where its connection counts what it holds. */
  get inbound(): HeldBytes {
    return this.#connection.inbound;
  }

  /** A header block of our own making: of the response, or its trailers with `endStream`, which wait for what is kept back. */
  headers(block: Buffer, endStream: boolean): void {
    if (!this.over && !this.localEnded) this.#connection.headers(this, block, endStream);
  }

  /** One gRPC message: its prefix and `bytes`, which must not change afterwards. */
  message(bytes: Uint8Array): void {
    if (!this.over && !this.localEnded) this.#connection.data(this, bytes, true, false);
  }

  /** Bytes of a body that is no gRPC message. */
  bytes(bytes: Uint8Array, endStream: boolean): void {
    if (!this.over && !this.localEnded) this.#connection.data(this, bytes, false, endStream);
  }

  reset(code: number): void {
    if (!this.over) this.#connection.reset(this, code);
  }

  /** The peer may send on as it is read, or no more than its window still holds. */
  read(on: boolean): void {
    if (this.over || this.reading === on) return;
    this.reading = on;
    if (on) this.#connection.credit(this);
  }
}

/** Whoever ends the stream before this returns hears nothing more of it. */
export type OpenStream = (head: RequestHead, stream: Http2Stream) => StreamHandler;

/** `ending` of a stream whose last bytes end it without trailers. */
export const BARE_END: Buffer = Buffer.alloc(0);
