/** A connection of ours without sockets and timers: bytes in, frames out, a clock in the hand. */
import { Buffer } from 'node:buffer';
import { HTTP2_LIMITS_DEFAULT, type Http2Limits } from '../../../src/engine/http2-limits.ts';
import { Http2Connection } from '../../../src/transport/http2/connection.ts';
import type { ConnectionFault } from '../../../src/transport/http2/frames.ts';
import { SharedBytes } from '../../../src/transport/http2/held-bytes.ts';
import type {
  Http2Stream,
  OpenStream,
  StreamEnding,
  StreamHandler,
} from '../../../src/transport/http2/stream.ts';
import { type Frame, GREETING, readFrames } from './raw-peer.ts';

/** What a stream was told, in words. */
export class SeenStream implements StreamHandler {
  readonly stream: Http2Stream;
  readonly path: string;
  readonly bytes: Buffer[] = [];
  halfClosed = false;
  drains = 0;
  how: StreamEnding | undefined;

  constructor(stream: Http2Stream, path: string) {
    this.stream = stream;
    this.path = path;
  }
  data(bytes: Buffer, start: number, end: number): void {
    this.bytes.push(Buffer.from(bytes.subarray(start, end)));
  }
  ended(): void {
    this.halfClosed = true;
  }
  drained(): void {
    this.drains++;
  }
  closed(how: StreamEnding): void {
    this.how = how;
  }
  get body(): Buffer {
    return Buffer.concat(this.bytes);
  }
}

export class ConnectionRig {
  readonly connection: Http2Connection;
  readonly streams: SeenStream[] = [];
  readonly crashes: unknown[] = [];
  readonly streamEnds: { id: number; reset: boolean }[] = [];
  nowMs = 0;
  fault: ConnectionFault | undefined | 'running' = 'running';
  closedSink = false;
  /** The socket takes nothing while false; `take` lets it. */
  taking = true;
  readonly #written: Buffer[] = [];
  #dones: (() => void)[] = [];

  constructor(
    limits: Partial<Http2Limits> = {},
    options: { readonly open?: OpenStream; readonly inbound?: SharedBytes } = {},
  ) {
    this.connection = new Http2Connection({
      limits: { ...HTTP2_LIMITS_DEFAULT, ...limits },
      inbound: options.inbound ?? new SharedBytes(HTTP2_LIMITS_DEFAULT.inboundBytesTotalMax),
      open:
        options.open ??
        ((head, stream) => {
          const seen = new SeenStream(stream, head.path);
          this.streams.push(seen);
          return seen;
        }),
      sink: {
        write: (bytes, done) => {
          // A socket may send later what it was given now: so a copy would hide who writes to it again.
          this.#written.push(...bytes);
          this.#dones.push(done);
          if (this.taking) this.take();
        },
        close: () => {
          this.closedSink = true;
        },
      },
      nowMs: () => this.nowMs,
      onOver: (fault) => {
        this.fault = fault;
      },
      onStreamOver: ({ id }, reset) => this.streamEnds.push({ id, reset }),
      onCrash: (error) => this.crashes.push(error),
    });
  }

  #sent: Buffer[] = [];

  /** The socket takes what it was given. */
  take(): void {
    this.#sent.push(...this.#written.splice(0).map((bytes) => Buffer.from(bytes)));
    for (const done of this.#dones.splice(0)) done();
  }

  send(...parts: readonly Buffer[]): this {
    for (const part of parts) this.connection.receive(part);
    return this;
  }

  greeted(): this {
    return this.send(GREETING);
  }

  /** Frames that have come out since the last call. */
  async frames(): Promise<Frame[]> {
    // What is said outside of `receive` leaves at the end of the turn.
    await Promise.resolve();
    await Promise.resolve();
    if (this.taking) this.take();
    const { frames, rest } = readFrames(Buffer.concat(this.#sent.splice(0)));
    if (rest.length > 0) throw new Error('half a frame came out');
    return frames;
  }

  /** Time passes, and the connection is told so as often as the server does. */
  pass(ms: number): this {
    const end = this.nowMs + ms;
    while (this.nowMs < end) {
      this.nowMs = Math.min(end, this.nowMs + 250);
      this.connection.sweep(this.nowMs);
    }
    return this;
  }

  get stream(): SeenStream {
    const last = this.streams.at(-1);
    if (last === undefined) throw new Error('no stream was opened');
    return last;
  }
}
