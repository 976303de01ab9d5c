/**
 * One ext_proc exchange: bytes of Envoy in, events to the handler, replies out. It is the only way to
 * Envoy, and it sends nothing that Envoy would misread in that phase; whatever else happens, the stream
 * ends with an error status. A clean end before the last owed reply would be a silent bypass of every
 * policy (notes: envoy-verified.md 1a), so `sink.end()` stands in exactly one place.
 */
import type { Direction } from '../policy/set.ts';
import {
  DUPLEX_IDLE,
  type DuplexReply,
  type DuplexState,
  duplexArrives,
  duplexRepliesBody,
  duplexRepliesHeaders,
  duplexRepliesTrailers,
  duplexSettled,
} from './duplex-direction.ts';
import {
  type ProcessingRequestView,
  readBodyEvent,
  readHeadersEvent,
  readProcessingRequest,
  readTrailersEvent,
} from './ext-proc-request.ts';
import {
  headersReply,
  immediateReply,
  replacedBodyReply,
  streamedBodyReply,
  trailersReply,
  unchangedBodyReply,
} from './ext-proc-response.ts';
import {
  type Arrival,
  type ArrivalProblem,
  bodyArrival,
  LOCKSTEP_IDLE,
  type LockstepMode,
  type LockstepState,
  lockstepArrives,
  lockstepEnded,
  lockstepReplies,
  lockstepSettled,
  TRAILERS_ARRIVAL,
} from './lockstep-direction.ts';
import type {
  BodyMode,
  FailureStatus,
  HeaderMutation,
  HeaderView,
  OpenProcess,
  ProcessEvent,
  ProcessHandler,
  ProcessPort,
  StreamEnd,
  StructObject,
} from './process.ts';
import { ProtocolViolation, type ViolationCode } from './violation.ts';
import { MalformedMessage } from './wire.ts';

/** Larger chunks are split: Envoy and every client behind it get even work, and no frame limit is met. */
export const STREAMED_CHUNK_BYTES_MAX = 64 * 1024;

/** The call of an exchange. After `end` or `fail` nothing more is called but `initialMetadata`. */
export interface ExchangeSink {
  initialMetadata(name: string): string | undefined;
  send(bytes: Uint8Array): void;
  /** gRPC status OK. */
  end(): void;
  fail(status: FailureStatus, reason: string): void;
  /** Reads no more messages until `resume`, as far as that is still possible. */
  pause(): void;
  resume(): void;
}

/** Reasons of our own, the only texts the machine itself puts into a status. */
export type FaultCode =
  | 'malformed_message'
  | 'handler_failed'
  | 'protocol_violation'
  | 'modes_unknown'
  | 'mode_not_supported'
  | 'half_closed_unsettled'
  | ArrivalProblem;

/** `error` may quote content: whoever logs it takes its class and stack frames, never its message. */
export interface ExchangeFault {
  readonly code: FaultCode;
  readonly error?: unknown;
}

/** What all exchanges of a server share. */
export interface ExchangeOptions {
  /** Called at the first message of the stream, when modes are known. */
  readonly open: OpenProcess;
  /** For an Envoy that sends no protocol_config (older than 1.36). Absent: such a stream is failed. */
  readonly defaultModes?: Readonly<Record<Direction, BodyMode>> | undefined;
  readonly streamedChunkBytesMax?: number;
  /** A message that says nothing to us, e.g. flow control. */
  readonly onUnknown?: (() => void) | undefined;
  readonly onFault?: ((fault: ExchangeFault) => void) | undefined;
}

/** One direction, by what its mode asks of us. */
type Lane =
  | { readonly kind: 'duplex'; state: DuplexState }
  | { readonly kind: 'lockstep'; readonly mode: LockstepMode; state: LockstepState };

/** What the content-length of a BUFFERED body depends on. */
interface Framing {
  headersSeen: boolean;
  /** Of a BUFFERED direction, until its body is answered. */
  headers: HeaderView | undefined;
  /** The last body message ended the direction, so no trailers follow. */
  bodyEnded: boolean;
}

type Phase =
  | 'unopened'
  | 'open'
  /** Replies are ignored: none is sent and none is owed. */
  | 'watching'
  /** An immediate answer is sent; what still arrives is of no interest. */
  | 'answered'
  | 'over';

/** The handler's place before there is one, and after it was told its end. */
const NOBODY: ProcessHandler = { event() {}, end() {} };

export class ExchangeMachine implements ProcessPort {
  readonly #options: ExchangeOptions;
  readonly #sink: ExchangeSink;
  #phase: Phase = 'unopened';
  /** In every phase but `unopened` and `over`. */
  #handler: ProcessHandler = NOBODY;
  /** In the phase `open`. */
  #request: Lane | undefined = undefined;
  #response: Lane | undefined = undefined;
  #requestMode: BodyMode | undefined = undefined;
  #responseMode: BodyMode | undefined = undefined;
  #config: ProcessingRequestView['modes'] = undefined;
  #observability = false;
  /** Response headers, or a response body without headers, may have gone to the client. */
  #responseReleased = false;
  readonly #requestFraming: Framing = {
    headersSeen: false,
    headers: undefined,
    bodyEnded: false,
  };
  readonly #responseFraming: Framing = {
    headersSeen: false,
    headers: undefined,
    bodyEnded: false,
  };
  #duplicatesToAnswer = 0;
  /** The handler is not told of the end while it is still at work on an event. */
  #dispatching = false;
  #endToTell: { readonly handler: ProcessHandler; readonly end: StreamEnd } | undefined = undefined;

  constructor(options: ExchangeOptions, sink: ExchangeSink) {
    this.#options = options;
    this.#sink = sink;
  }

  // ---- from the transport

  /** One message of Envoy: `bytes[start, end)`. Never throws. */
  receive(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    if (this.#phase === 'over' || this.#phase === 'answered') return;
    try {
      this.#take(readProcessingRequest(bytes, start, end));
    } catch (error) {
      this.#dispatching = false;
      this.#fault(
        error instanceof MalformedMessage
          ? 'malformed_message'
          : error instanceof ProtocolViolation
            ? 'protocol_violation'
            : 'handler_failed',
        error,
      );
    }
    this.#tellEnd();
  }

  /** Envoy says that it is done with the exchange. Never throws. */
  halfClosed(): void {
    if (this.#phase === 'over') return;
    if (!this.neverCloseUnsettled()) {
      // Envoy has given up (client gone, its own timeout): an abandoned exchange, whatever we owed.
      this.#options.onFault?.({ code: 'half_closed_unsettled' });
      this.#finish('cancelled');
      this.#sink.fail('INTERNAL', 'half_closed_unsettled');
      this.#tellEnd();
      return;
    }
    this.#finish('half_close');
    this.#sink.end();
    this.#tellEnd();
  }

  /** The stream is gone; nothing can be sent any more. Never throws. */
  cancelled(): void {
    if (this.#phase === 'over') return;
    this.#finish('cancelled');
    this.#tellEnd();
  }

  // ---- ProcessPort

  bodyMode(direction: Direction): BodyMode | undefined {
    return direction === 'request' ? this.#requestMode : this.#responseMode;
  }

  get observability(): boolean {
    return this.#observability;
  }

  initialMetadata(name: string): string | undefined {
    return this.#sink.initialMetadata(name);
  }

  get canRefuse(): boolean {
    return this.#phase === 'open' && !this.#responseReleased;
  }

  get settled(): boolean {
    const request = this.#lane('request');
    const response = this.#lane('response');
    if (request === undefined || response === undefined) return true;
    // Once the answer has ended, Envoy ends the exchange whatever remains of the request.
    return laneSettled(response) && (laneSettled(request) || laneEnded(response));
  }

  continueHeaders(direction: Direction, mutation?: HeaderMutation, metadata?: StructObject): void {
    const lane = this.#lane(direction);
    if (lane === undefined) return;
    const bytes = this.#encode(() => headersReply(direction, mutation, metadata));
    if (lane.kind === 'duplex') this.#apply(lane, duplexRepliesHeaders(lane.state));
    else this.#reply(lane, 'headers', false);
    if (direction === 'response' && !keepsHeaders(lane)) this.#responseReleased = true;
    this.#sink.send(bytes);
    this.#answerDuplicates(direction);
  }

  body(
    direction: Direction,
    bytes: Uint8Array,
    endOfStream: boolean,
    unchanged = false,
    metadata?: StructObject,
  ): void {
    const lane = this.#lane(direction);
    if (lane === undefined) return;
    if (lane.kind === 'duplex') {
      if (this.#apply(lane, duplexRepliesBody(lane.state, bytes.length === 0, endOfStream))) {
        this.#stream(direction, bytes, endOfStream, metadata);
      }
      return;
    }
    this.#reply(lane, 'body', endOfStream);
    if (direction === 'response') this.#responseReleased = true;
    this.#sink.send(
      unchanged
        ? unchangedBodyReply(direction)
        : replacedBodyReply(direction, bytes, this.#contentLength(lane.mode, direction, bytes)),
    );
    this.#framing(direction).headers = undefined;
    this.#answerDuplicates(direction);
  }

  trailers(direction: Direction, mutation?: HeaderMutation): void {
    const lane = this.#lane(direction);
    if (lane === undefined) return;
    const bytes = this.#encode(() => trailersReply(direction, mutation));
    if (lane.kind === 'duplex') {
      if (!this.#apply(lane, duplexRepliesTrailers(lane.state))) return;
    } else {
      this.#reply(lane, 'trailers', false);
    }
    if (direction === 'response') this.#responseReleased = true;
    this.#sink.send(bytes);
  }

  immediate(
    status: number,
    headers: Readonly<Record<string, string>>,
    body: string,
    details: string,
    metadata?: StructObject,
  ): void {
    if (this.#phase !== 'open') return;
    if (!this.canRefuse) this.#violate('refusal_too_late');
    const bytes = this.#encode(() => immediateReply(status, headers, body, details, metadata));
    this.#phase = 'answered';
    this.#sink.send(bytes);
  }

  fail(status: FailureStatus, reason: string): void {
    if (this.#phase === 'over') return;
    this.#finish('failed');
    this.#sink.fail(status, reason);
    this.#tellEnd();
  }

  /**
   * The server stops: the handler's last words where it has some; else, if the exchange may not go on or this is the `last`
   * time that it is asked, an error status. Never throws.
   */
  stop(reason: string, last: boolean): void {
    if (this.#phase === 'over' || this.#phase === 'answered') return;
    try {
      const becomes = this.#handler.stop?.() ?? 'fails';
      if (becomes === 'ended' || (becomes === 'goes_on' && !last)) {
        this.#tellEnd();
        return;
      }
    } catch (error) {
      this.crashed(error);
      return;
    }
    this.fail('UNAVAILABLE', reason);
  }

  crashed(error: unknown): void {
    this.#fault(
      error instanceof ProtocolViolation ? 'protocol_violation' : 'handler_failed',
      error,
    );
  }

  pause(): void {
    if (this.#phase !== 'over') this.#sink.pause();
  }

  resume(): void {
    if (this.#phase !== 'over') this.#sink.resume();
  }

  // ---- guards

  /** The one question before a clean end (1a): is there nothing that Envoy waits for? */
  neverCloseUnsettled(): boolean {
    return this.settled;
  }

  // ---- arrivals

  #take(view: ProcessingRequestView): void {
    // Modes are told once, on the first message, even if it should say nothing else.
    this.#config ??= view.modes;
    if (view.kind === 'none') {
      this.#options.onUnknown?.();
      return;
    }
    if (this.#phase === 'unopened' && !this.#open(view)) return;
    switch (view.kind) {
      case 'headers': {
        const event = readHeadersEvent(view);
        const framing = this.#framing(view.direction);
        framing.headersSeen = true;
        if (this.bodyMode(view.direction) === 'BUFFERED') framing.headers = event.headers;
        this.#arrive(event, event);
        return;
      }
      case 'body': {
        const event = readBodyEvent(view);
        this.#framing(view.direction).bodyEnded = event.endOfStream;
        this.#noteHeaderlessResponse(view.direction);
        this.#arrive(event, bodyArrival(event.bytes.length === 0, event.endOfStream));
        return;
      }
      case 'trailers':
        this.#arrive(readTrailersEvent(view), TRAILERS_ARRIVAL);
    }
  }

  #framing(direction: Direction): Framing {
    return direction === 'request' ? this.#requestFraming : this.#responseFraming;
  }

  /** Response headers that we are not asked about (mode SKIP) may have left before their body arrives. */
  #noteHeaderlessResponse(direction: Direction): void {
    if (direction === 'response' && !this.#responseFraming.headersSeen) {
      this.#responseReleased = true;
    }
  }

  #arrive(event: ProcessEvent, arrival: Arrival): void {
    if (this.#phase === 'watching') {
      this.#dispatch(event);
      return;
    }
    const lane = this.#lane(event.direction);
    if (lane === undefined) return;
    const step =
      lane.kind === 'duplex'
        ? duplexArrives(lane.state, arrival)
        : lockstepArrives(lane.state, lane.mode, arrival);
    if (!step.ok) {
      this.#fault(step.problem);
      return;
    }
    const answersItself = lane.kind === 'lockstep' && lane.state.at !== 'owing' && !step.deliver;
    lane.state = step.state;
    if (step.deliver) this.#dispatch(event);
    else if (answersItself) this.#answerLoneDuplicate(event.direction);
    else this.#options.onUnknown?.();
  }

  #dispatch(event: ProcessEvent): void {
    this.#dispatching = true;
    this.#handler.event(event);
    this.#dispatching = false;
  }

  /** False: the stream was failed. */
  #open(view: ProcessingRequestView): boolean {
    this.#observability = view.observability;
    const modes = this.#config ?? this.#options.defaultModes;
    this.#requestMode = modes?.request;
    this.#responseMode = modes?.response;
    if (view.observability) return this.#enter('watching');
    // The wrong reply type forwards the original body (2b), so a mode is never guessed.
    if (modes === undefined) return this.#fault('modes_unknown');
    this.#request = laneOf(modes.request);
    this.#response = laneOf(modes.response);
    if (this.#request === undefined || this.#response === undefined)
      return this.#fault('mode_not_supported');
    return this.#enter('open');
  }

  #enter(phase: 'open' | 'watching'): boolean {
    const handler = this.#options.open(this);
    // The handler may have failed the stream while it was made.
    if (this.#phase !== 'unopened') {
      this.#endToTell ??= { handler, end: 'failed' };
      return false;
    }
    this.#handler = handler;
    this.#phase = phase;
    return true;
  }

  // ---- replies

  /** The lane to reply on, or undefined when the stream is past replies: late calls change nothing. */
  #lane(direction: Direction): Lane | undefined {
    if (this.#phase !== 'open') return undefined;
    return direction === 'request' ? this.#request : this.#response;
  }

  /** Whether there is something to send. */
  #apply(lane: Extract<Lane, { kind: 'duplex' }>, reply: DuplexReply): boolean {
    if (!reply.ok) this.#violate(reply.code);
    lane.state = reply.state;
    return reply.send;
  }

  #reply(
    lane: Extract<Lane, { kind: 'lockstep' }>,
    kind: 'headers' | 'body' | 'trailers',
    endOfStream: boolean,
  ): void {
    const reply = lockstepReplies(lane.state, lane.mode, kind, endOfStream);
    if (!reply.ok) this.#violate(reply.code);
    lane.state = reply.state;
    this.#duplicatesToAnswer += reply.ours;
  }

  #answerDuplicates(direction: Direction): void {
    for (; this.#duplicatesToAnswer > 0; this.#duplicatesToAnswer--) {
      this.#sink.send(unchangedBodyReply(direction));
    }
  }

  #answerLoneDuplicate(direction: Direction): void {
    const lane = this.#lane(direction);
    if (lane?.kind !== 'lockstep') return;
    this.#reply(lane, 'body', true);
    this.#sink.send(unchangedBodyReply(direction));
    this.#answerDuplicates(direction);
  }

  #stream(
    direction: Direction,
    bytes: Uint8Array,
    endOfStream: boolean,
    metadata: StructObject | undefined,
  ): void {
    const chunkBytesMax = this.#options.streamedChunkBytesMax ?? STREAMED_CHUNK_BYTES_MAX;
    let at = 0;
    do {
      const next = Math.min(at + chunkBytesMax, bytes.length);
      const last = next === bytes.length;
      this.#sink.send(
        streamedBodyReply(
          direction,
          bytes.subarray(at, next),
          last && endOfStream,
          last ? metadata : undefined,
        ),
      );
      at = next;
    } while (at < bytes.length);
  }

  /**
   * BUFFERED only: the other modes have it removed by Envoy. Without an old one it is set only where no
   * trailers follow, which HTTP/1.1 could not carry behind a content-length.
   */
  #contentLength(mode: LockstepMode, direction: Direction, bytes: Uint8Array): number | undefined {
    const framing = this.#framing(direction);
    if (mode !== 'BUFFERED' || !framing.headersSeen) return undefined;
    const known = framing.bodyEnded || framing.headers?.get('content-length') !== undefined;
    return known ? bytes.length : undefined;
  }

  #encode(write: () => Uint8Array): Uint8Array {
    try {
      return write();
    } catch (error) {
      this.#violate(error instanceof ProtocolViolation ? error.code : 'invalid_header_name', error);
    }
  }

  /** Fails the stream before it throws: a handler that catches, or works later, cannot keep it open. */
  #violate(code: ViolationCode, cause?: unknown): never {
    const violation = cause instanceof ProtocolViolation ? cause : new ProtocolViolation(code);
    this.#fault('protocol_violation', violation);
    throw violation;
  }

  // ---- the end

  #fault(code: FaultCode, error?: unknown): false {
    if (this.#phase === 'over') return false;
    this.#options.onFault?.(error === undefined ? { code } : { code, error });
    this.fail('INTERNAL', code);
    return false;
  }

  #finish(end: StreamEnd): void {
    if (this.#phase !== 'unopened' && this.#phase !== 'over')
      this.#endToTell = { handler: this.#handler, end };
    this.#phase = 'over';
    this.#handler = NOBODY;
  }

  #tellEnd(): void {
    if (this.#dispatching || this.#endToTell === undefined) return;
    const { handler, end } = this.#endToTell;
    this.#endToTell = undefined;
    try {
      handler.end(end);
    } catch (error) {
      // The stream is over already; only the handler's own bookkeeping is in doubt.
      this.#options.onFault?.({ code: 'handler_failed', error });
    }
  }
}

function laneOf(mode: BodyMode | undefined): Lane | undefined {
  switch (mode) {
    case 'FULL_DUPLEX_STREAMED':
      return { kind: 'duplex', state: DUPLEX_IDLE };
    case 'NONE':
    case 'STREAMED':
    case 'BUFFERED':
    case 'BUFFERED_PARTIAL':
      return { kind: 'lockstep', mode, state: LOCKSTEP_IDLE };
    case 'GRPC':
    case undefined:
      return undefined;
  }
}

/** A body that Envoy buffers for us keeps its headers back too, so the answer can still be replaced. */
function keepsHeaders(lane: Lane): boolean {
  return (
    lane.kind === 'lockstep' &&
    (lane.mode === 'BUFFERED' || lane.mode === 'BUFFERED_PARTIAL') &&
    !lockstepEnded(lane.state)
  );
}

function laneSettled(lane: Lane): boolean {
  return lane.kind === 'duplex' ? duplexSettled(lane.state) : lockstepSettled(lane.state);
}

function laneEnded(lane: Lane): boolean {
  return lane.kind === 'duplex' ? lane.state.at === 'ended' : lockstepEnded(lane.state);
}
