/**
 * The fast transport: our own HTTP/2 and gRPC over sockets (docs/adr/0009). It knows methods, limits and how to stop;
 * what the bytes mean is `protocol/`'s business.
 */
import type { Socket } from 'node:net';
import { HTTP2_LIMITS_DEFAULT, type Http2Limits } from '../../engine/http2-limits.ts';
import { Turns } from '../../engine/turns.ts';
import type { ExchangeOptions } from '../../protocol/exchange-machine.ts';
import { framesOf } from '../error-frames.ts';
import {
  DRAIN_DEADLINE_MS_DEFAULT,
  DRAIN_GRACE_MS_DEFAULT,
  DRAIN_REST_MS_DEFAULT,
  type GrpcServer,
  type GrpcServerOptions,
  LAST_WORDS_MS,
  RECEIVE_BYTES_MAX_DEFAULT,
  type TransportEvent,
} from '../grpc-server.ts';
import { DrainableHealth } from '../health.ts';
import { EXT_AUTHZ_SERVICE, EXT_PROC_SERVICE, HEALTH_SERVICE } from '../services.ts';
import { systemClock } from '../system-clock.ts';
import { type AnswerUnary, checkAnswers, healthAnswers } from '../unary-answers.ts';
import { Http2Connection } from './connection.ts';
import { ENHANCE_YOUR_CALM, NO_ERROR } from './frames.ts';
import { plainStatus, trailers, trailersOnly } from './grpc-blocks.ts';
import type { CallLimits } from './grpc-call.ts';
import { SharedBytes } from './held-bytes.ts';
import { type Listener, listen, type Place } from './listener.ts';
import { OpenList } from './open-list.ts';
import { PacedReader } from './paced-reader.ts';
import { ProcessCall } from './process-call.ts';
import type { RequestHead } from './request-head.ts';
import { socketSink } from './socket-sink.ts';
import type { Http2Stream, OpenStream, StreamHandler } from './stream.ts';
import { UnaryCall } from './unary-call.ts';
import { WatchCall } from './watch-call.ts';

export interface Http2ServerOptions extends GrpcServerOptions {
  readonly http2?: Partial<Http2Limits>;
  /** Requests that are not gRPC; absent: they are told so. For conformance suites, which need bodies in answers. */
  readonly plain?: OpenStream;
}

/** Deadlines of connections are kept to within this. */
const SWEEP_MS = 250;
/** What it costs to greet a connection, in units of `frameUnits`. */
const CONNECTION_UNITS = 40;

/** Rejects with ListenError; what was bound until then is released. */
export async function startHttp2Server(options: Http2ServerOptions): Promise<GrpcServer> {
  const running = new RunningServer(options);
  try {
    await running.listen();
  } catch (error) {
    await running.close();
    throw error;
  }
  return running;
}

type Method = (head: RequestHead, stream: Http2Stream) => StreamHandler;

class RunningServer implements GrpcServer {
  readonly #options: Http2ServerOptions;
  readonly #limits: Http2Limits;
  readonly #callLimits: CallLimits;
  readonly #inbound: SharedBytes;
  readonly #turns: Turns;
  readonly #health: DrainableHealth;
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #exchange: ExchangeOptions;
  readonly #connections = new Set<Http2Connection>();
  readonly #calls = new OpenList<ProcessCall>();
  readonly #unaries = new OpenList<UnaryCall>();
  readonly #watches = new OpenList<WatchCall>();
  readonly #listeners: Listener[] = [];
  #sweeper: NodeJS.Timeout | undefined;
  #draining: Promise<void> | undefined;
  #idle: (() => void) | undefined;
  #hurry = false;
  /** Ends the wait at hand, if there is one. */
  #cut: (() => void) | undefined;
  #emptied: (() => void) | undefined;

  constructor(options: Http2ServerOptions) {
    this.#options = options;
    this.#limits = { ...HTTP2_LIMITS_DEFAULT, ...options.http2 };
    this.#callLimits = {
      receiveBytesMax: options.limits.receiveBytesMax ?? RECEIVE_BYTES_MAX_DEFAULT,
      outboundBytes: this.#limits.outboundBytesPerStream,
    };
    this.#inbound = new SharedBytes(this.#limits.inboundBytesTotalMax);
    this.#turns = new Turns(systemClock, { sliceUnitsMax: this.#limits.turnUnitsMax });
    this.#health = new DrainableHealth(options.health);
    this.#exchange = {
      open: options.openProcess,
      onUnknown: () => this.#tell({ kind: 'unknown_message' }),
      onFault: ({ code, error }) => this.#tell({ kind: 'fault', code, frames: framesOf(error) }),
      ...(options.defaultModes && { defaultModes: options.defaultModes }),
    };
    const check = checkAnswers(options.answerCheck, (event) => this.#tell(event));
    this.#methods = new Map<string, Method>([
      [`/${EXT_PROC_SERVICE}/Process`, (head, stream) => this.#process(head, stream)],
      [`/${EXT_AUTHZ_SERVICE}/Check`, this.#unary(check)],
      [`/${HEALTH_SERVICE}/Check`, this.#unary(healthAnswers(this.#health))],
      [`/${HEALTH_SERVICE}/Watch`, (head, stream) => this.#watch(head, stream)],
    ]);
  }

  get addresses(): readonly string[] {
    return this.#listeners.map(({ address }) => address);
  }

  readonly streams = (): number => this.#calls.size;

  async listen(): Promise<void> {
    for (const address of this.#options.listen)
      this.#listeners.push(
        await listen(address, this.#limits, {
          connected: (socket, place) => this.#arrived(socket, place),
          refused: (reason) => this.#tell({ kind: 'connection_closed', reason }),
        }),
      );
    this.#sweeper = setInterval(() => {
      const now = performance.now();
      for (const connection of this.#connections) connection.sweep(now);
      this.#sweepUnaries(now);
      this.#sweepOutbound();
    }, SWEEP_MS).unref();
  }

  /** One whose message does not come whole would stay for as long as its connection. */
  #sweepUnaries(nowMs: number): void {
    for (const call of this.#unaries.all())
      if (nowMs - call.openedAtMs >= this.#limits.unaryMs) call.late();
  }

  /** All together are held to their limit by ending those that leave most unread. */
  #sweepOutbound(): void {
    let held = 0;
    for (const connection of this.#connections) held += connection.outboundBytes;
    if (held <= this.#limits.outboundBytesTotalMax) return;
    const most = [...this.#connections].sort((a, b) => b.outboundBytes - a.outboundBytes);
    for (const connection of most) {
      if (held <= this.#limits.outboundBytesTotalMax) return;
      held -= connection.outboundBytes;
      connection.fail(ENHANCE_YOUR_CALM, 'outbound_too_large');
    }
  }

  drain(graceMs: number = DRAIN_GRACE_MS_DEFAULT): Promise<void> {
    this.#draining ??= this.#stop(graceMs);
    return this.#draining;
  }

  close(): Promise<void> {
    this.#hurry = true;
    this.#cut?.();
    return this.drain(0);
  }

  async #stop(graceMs: number): Promise<void> {
    this.#health.drain();
    await this.#wait(graceMs);
    for (const listener of this.#listeners) listener.close();
    for (const connection of this.#connections) connection.goaway();
    // Watches never end by themselves and would keep the server from finishing.
    for (const watch of this.#watches.all()) watch.stop('draining');
    await this.#untilEmpty(this.#options.limits.drainDeadlineMs ?? DRAIN_DEADLINE_MS_DEFAULT);
    for (const call of this.#calls.all()) call.stop('draining', false);
    await this.#untilIdle(this.#options.limits.drainRestMs ?? DRAIN_REST_MS_DEFAULT);
    for (const call of this.#calls.all()) call.stop('draining', true);
    this.#hurry = false;
    await this.#untilEmpty(LAST_WORDS_MS);
    for (const connection of [...this.#connections]) connection.fail(NO_ERROR, 'peer_closed');
    clearInterval(this.#sweeper);
    for (const listener of this.#listeners) await listener.remove();
  }

  /** Until every connection has gone, at most `timeoutMs`. */
  #untilEmpty(timeoutMs: number): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    const waited = this.#wait(timeoutMs);
    this.#emptied = this.#cut;
    return waited;
  }

  /** Until no exchange is open, at most `timeoutMs`. */
  #untilIdle(timeoutMs: number): Promise<void> {
    if (this.#calls.size === 0) return Promise.resolve();
    const waited = this.#wait(timeoutMs);
    this.#idle = this.#cut;
    return waited;
  }

  #wait(ms: number): Promise<void> {
    if (this.#hurry || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#cut = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  // ---- connections

  /** Newcomers have their turn like everybody's bytes. */
  #arrived(socket: Socket, place: Place): void {
    if (!this.#turns.othersWait && this.#turns.take(CONNECTION_UNITS)) {
      this.#connected(socket, place);
      return;
    }
    socket.on('error', () => {});
    const begin = (): number => {
      if (!socket.destroyed) this.#connected(socket, place);
      return 0;
    };
    this.#turns.add(begin, { dueAt: 0 }, CONNECTION_UNITS);
  }

  #connected(socket: Socket, place: Place): void {
    let [resets, graceful] = [0, 0];
    const connection = new Http2Connection({
      limits: this.#limits,
      inbound: this.#inbound,
      open: (head, stream) => this.#open(head, stream),
      sink: socketSink(socket),
      nowMs: () => performance.now(),
      onOver: (fault) => {
        this.#connections.delete(connection);
        place.over();
        if (this.#connections.size === 0) this.#emptied?.();
        if (fault !== undefined && fault !== 'peer_closed')
          this.#tell({ kind: 'connection_closed', reason: fault });
      },
      onStreamOver: (stream, reset) => {
        if (!(stream.handler instanceof ProcessCall)) return;
        if (reset) resets++;
        else graceful++;
        this.#tell({ kind: 'stream_closed', reset, resets, graceful });
      },
      onCrash: (error) =>
        this.#tell({ kind: 'fault', code: 'handler_failed', frames: framesOf(error) }),
    });
    place.takenBy(connection);
    this.#connections.add(connection);
    new PacedReader(socket, connection, this.#turns);
    if (this.#draining !== undefined) connection.goaway();
  }

  // ---- calls

  #open(head: RequestHead, stream: Http2Stream): StreamHandler {
    if (!head.grpc) return this.#options.plain?.(head, stream) ?? refused(stream, plainStatus(415));
    if (head.method !== 'POST') return refused(stream, plainStatus(405));
    const method = this.#methods.get(head.path);
    if (method !== undefined) return method(head, stream);
    return refused(stream, trailersOnly(trailers('UNIMPLEMENTED', 'unknown_method')));
  }

  #process(head: RequestHead, stream: Http2Stream): StreamHandler {
    if (this.#calls.size >= this.#options.limits.streamsMax) {
      this.#tell({ kind: 'stream_refused' });
      return refused(stream, trailersOnly(trailers('RESOURCE_EXHAUSTED', 'streams_max')));
    }
    const call = new ProcessCall(head, stream, this.#callLimits, this.#exchange, (over) => {
      this.#calls.delete(over);
      if (this.#calls.size === 0) this.#idle?.();
    });
    this.#calls.add(call);
    this.#tell({ kind: 'stream_opened' });
    return call;
  }

  #unary(answer: AnswerUnary): Method {
    return (head, stream) => {
      const call = new UnaryCall(
        ...([head, stream, this.#callLimits, answer, performance.now()] as const),
        (over) => this.#unaries.delete(over),
      );
      this.#unaries.add(call);
      return call;
    };
  }

  #watch(head: RequestHead, stream: Http2Stream): StreamHandler {
    const call = new WatchCall(head, stream, this.#callLimits, this.#health, (over) =>
      this.#watches.delete(over),
    );
    this.#watches.add(call);
    return call;
  }

  #tell(event: TransportEvent): void {
    this.#options.onTransportEvent?.(event);
  }
}

const REFUSED: StreamHandler = { data() {}, ended() {}, drained() {}, closed() {} };

function refused(stream: Http2Stream, block: Buffer): StreamHandler {
  stream.headers(block, true);
  return REFUSED;
}
