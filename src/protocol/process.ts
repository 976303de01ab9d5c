/**
 * The seam between Envoy's ext_proc protocol and the engine: what arrives, and what may be answered.
 * The state machine behind ProcessPort never sends what Envoy would not accept in that phase.
 */
import type { Direction } from '../policy/set.ts';

export type BodyMode =
  | 'NONE'
  | 'STREAMED'
  | 'BUFFERED'
  | 'BUFFERED_PARTIAL'
  | 'FULL_DUPLEX_STREAMED'
  | 'GRPC';

export interface HeaderView {
  /**
   * Value of a lower-case name, decoded as Latin-1-safe UTF-8; several are joined by `, ` (RFC 9110 §5.3), as
   * readers differ in which one they take. Undefined when absent.
   */
  get(name: string): string | undefined;
  entries(): readonly (readonly [name: string, value: string])[];
}

export type StructValue = null | boolean | number | string | readonly StructValue[] | StructObject;
export interface StructObject {
  readonly [key: string]: StructValue;
}

export interface HeaderMutation {
  readonly set?: readonly {
    readonly name: string;
    readonly value: string;
    readonly append?: boolean;
  }[];
  readonly remove?: readonly string[];
  /**
   * Has Envoy pick the route anew, by the headers as they are then. Request headers only; Envoy ignores it where
   * nothing is set or removed (`envoy-verified.md` 13).
   */
  readonly clearRouteCache?: boolean;
}

export interface HeadersEvent {
  readonly kind: 'headers';
  readonly direction: Direction;
  readonly headers: HeaderView;
  /** No body and no trailers follow in this direction. */
  readonly endOfStream: boolean;
  /** Value of a request or response attribute such as `xds.route_name`, once per direction. */
  attribute(name: string): StructValue | undefined;
  /** Dynamic metadata of a forwarded namespace, e.g. `envoy.filters.http.ext_authz`. */
  metadata(namespace: string): StructObject | undefined;
}

export interface BodyEvent {
  readonly kind: 'body';
  readonly direction: Direction;
  /** A view into the message; valid until the next message unless copied. */
  readonly bytes: Uint8Array;
  readonly endOfStream: boolean;
}

export interface TrailersEvent {
  readonly kind: 'trailers';
  readonly direction: Direction;
  readonly headers: HeaderView;
}

export type ProcessEvent = HeadersEvent | BodyEvent | TrailersEvent;

/** Why the stream is over, told once. */
export type StreamEnd =
  | 'half_close' /* Envoy is done with the exchange */
  | 'cancelled' /* reset by Envoy or the connection */
  | 'failed'; /* we ended it with an error status */

/** gRPC statuses we end a stream with. INTERNAL is not retried by the shipped configs; UNAVAILABLE is. */
export type FailureStatus = 'INTERNAL' | 'RESOURCE_EXHAUSTED' | 'UNAVAILABLE' | 'DEADLINE_EXCEEDED';

/**
 * Replies. Every method throws ProtocolViolation instead of sending what Envoy would take as spurious;
 * the owner of the stream then ends it with an error status (fail closed).
 */
export interface ProcessPort {
  /** Mode of a direction, as told by protocol_config of the first message; `undefined` when not told. */
  bodyMode(direction: Direction): BodyMode | undefined;
  /** Replies are ignored by Envoy in this stream: none are sent. */
  readonly observability: boolean;
  /** Value of a gRPC initial-metadata key (per-route identity); undefined when absent. */
  initialMetadata(name: string): string | undefined;
  continueHeaders(direction: Direction, mutation?: HeaderMutation, metadata?: StructObject): void;
  /**
   * Answers body bytes. FULL_DUPLEX: any number of times, the last with `endOfStream`.
   * STREAMED: exactly once per BodyEvent, in order, `bytes` replacing that chunk.
   * BUFFERED and BUFFERED_PARTIAL: once; content-length is set with it when the bytes change.
   * `unchanged` says that `bytes` are what arrived, so that nothing needs re-sending outside FULL_DUPLEX.
   * `metadata` (FULL_DUPLEX) corrects what the headers reply told the access log.
   */
  body(
    direction: Direction,
    bytes: Uint8Array,
    endOfStream: boolean,
    unchanged?: boolean,
    metadata?: StructObject,
  ): void;
  trailers(direction: Direction, mutation?: HeaderMutation): void;
  /** Ends the exchange with our own answer; only before response headers were released. */
  immediate(
    status: number,
    headers: Readonly<Record<string, string>>,
    body: string,
    details: string,
    metadata?: StructObject,
  ): void;
  /** Whether `immediate` is still possible. */
  readonly canRefuse: boolean;
  /** Nothing that Envoy waits for is outstanding. */
  readonly settled: boolean;
  /** Ends the stream with an error status. Idempotent; the only way out besides a settled half-close. */
  fail(status: FailureStatus, reason: string): void;
  /** Work that went on after `event` had returned has thrown: the same as if `event` had. */
  crashed(error: unknown): void;
  /** Enough has arrived for now: no more is read from Envoy until `resume`. What is on its way still comes. */
  pause(): void;
  resume(): void;
}

/** What becomes of an exchange whose server stops. */
export type Stopping =
  | 'ended' /* it has been given its last words, and Envoy ends the stream */
  | 'goes_on' /* it may, as long as the server still waits for it */
  | 'fails'; /* with an error status */

/** One exchange's logic, made by the engine when a stream opens. It may answer an event later. */
export interface ProcessHandler {
  event(event: ProcessEvent): void;
  /** The server stops, and wants the exchange to end; without it, with an error status. */
  stop?(): Stopping;
  end(end: StreamEnd): void;
}

export type OpenProcess = (port: ProcessPort) => ProcessHandler;
