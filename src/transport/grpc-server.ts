/** What a gRPC server of ours is told, tells, and can do; the same for both transports. */
import type { Direction } from '../policy/set.ts';
import type { AnswerCheck } from '../protocol/check.ts';
import type { ExchangeFault } from '../protocol/exchange-machine.ts';
import type { BodyMode, OpenProcess } from '../protocol/process.ts';
import type { HealthState } from './health.ts';
import type { ListenAddress } from './listen.ts';

/** Envoy's chunks reach 5 MiB with large buffers and BUFFERED bodies more; grpc-js alone allows 4 MiB. */
export const RECEIVE_BYTES_MAX_DEFAULT = 64 * 1024 * 1024;
/** Time for Envoy's health checks to notice before the listener closes. */
export const DRAIN_GRACE_MS_DEFAULT = 1_000;
/** How long running exchanges may take to finish once the listener is closed. */
export const DRAIN_DEADLINE_MS_DEFAULT = 30_000;
/** How long, after that, those may that are better let go on than ended. */
export const DRAIN_REST_MS_DEFAULT = 60_000;
/** Time for the last statuses to leave before connections are cut. */
export const LAST_WORDS_MS = 250;
/** Our own pings: they find an Envoy that vanished, and cost nothing else. */
export const KEEPALIVE_TIME_MS = 30_000;
export const KEEPALIVE_TIMEOUT_MS = 10_000;

export interface GrpcLimits {
  /** ext_proc streams at once; one more gets RESOURCE_EXHAUSTED. */
  readonly streamsMax: number;
  readonly receiveBytesMax?: number;
  readonly drainDeadlineMs?: number;
  readonly drainRestMs?: number;
}

export type TransportEvent =
  | { readonly kind: 'stream_opened' | 'stream_refused' | 'unknown_message' | 'check_failed' }
  | { readonly kind: 'fault'; readonly code: ExchangeFault['code']; readonly frames: string }
  /** `resets` grows on one connection: Envoy lacks `ext_proc_graceful_grpc_close` (guard `resetTrap`). */
  | {
      readonly kind: 'stream_closed';
      readonly reset: boolean;
      readonly resets: number;
      readonly graceful: number;
    }
  /** By us, for a named limit or a fault of the peer's: a word of ours. */
  | { readonly kind: 'connection_closed'; readonly reason: string };

export interface GrpcServerOptions {
  readonly listen: readonly ListenAddress[];
  readonly openProcess: OpenProcess;
  readonly answerCheck: AnswerCheck;
  readonly health: HealthState;
  readonly limits: GrpcLimits;
  readonly defaultModes?: Readonly<Record<Direction, BodyMode>>;
  readonly onTransportEvent?: (event: TransportEvent) => void;
}

export interface GrpcServer {
  /** `host:port` or `unix:path`, with the port that was bound. In the order of `listen`. */
  readonly addresses: readonly string[];
  /** ext_proc streams open now. */
  readonly streams: () => number;
  /**
   * NOT_SERVING, wait, close the listener, let exchanges finish until the deadline, ask the others to end, let those
   * that may go on do so for `drainRestMs`, and fail the rest with UNAVAILABLE. Resolves when nothing is left. Idempotent.
   */
  drain(graceMs?: number): Promise<void>;
  /** The same without waiting. */
  close(): Promise<void>;
}
