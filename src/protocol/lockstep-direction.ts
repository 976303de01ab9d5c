/**
 * One direction of an exchange in the modes NONE, STREAMED, BUFFERED and BUFFERED_PARTIAL: Envoy sends a
 * message and waits for exactly one reply to it, in order (notes: envoy-verified.md B).
 */
import type { BodyMode } from './process.ts';
import type { ViolationCode } from './violation.ts';

export type LockstepMode = Exclude<BodyMode, 'FULL_DUPLEX_STREAMED' | 'GRPC'>;

/** What arrives in a direction, as far as order matters. */
export type Arrival =
  | { readonly kind: 'headers'; readonly endOfStream: boolean }
  | { readonly kind: 'body'; readonly empty: boolean; readonly endOfStream: boolean }
  | { readonly kind: 'trailers' };

/** Each as one value: there are few, and many arrive. */
const BODY_ARRIVALS = [true, false].map((empty) =>
  [true, false].map((endOfStream): Arrival => ({ kind: 'body', empty, endOfStream })),
) as [[Arrival, Arrival], [Arrival, Arrival]];
export const TRAILERS_ARRIVAL: Arrival = { kind: 'trailers' };
export const bodyArrival = (empty: boolean, endOfStream: boolean): Arrival =>
  BODY_ARRIVALS[empty ? 0 : 1][endOfStream ? 0 : 1];

/** Why a message of the peer cannot be handled; the stream is then failed. */
export type ArrivalProblem = 'unexpected_message' | 'mode_has_no_body';

/** A reply that Envoy waits for. */
export type Owed =
  | { readonly kind: 'headers'; readonly last: boolean }
  /** `ours`: a second, empty end of stream that the handler is not told of; we answer it ourselves. */
  | { readonly kind: 'body'; readonly last: boolean; readonly ours: boolean }
  | { readonly kind: 'trailers' };

export type LockstepState =
  | { readonly at: 'idle' }
  | { readonly at: 'owing'; readonly seen: Seen; readonly owed: readonly [Owed, ...Owed[]] }
  | { readonly at: 'quiet'; readonly seen: Seen }
  | { readonly at: 'ended'; readonly seen: 'end' };

/** How far Envoy has come in this direction. `end`: end of stream or trailers. */
type Seen = 'headers' | 'body' | 'body_end' | 'end';

export const LOCKSTEP_IDLE: LockstepState = { at: 'idle' };

export type LockstepArrival =
  | { readonly ok: true; readonly state: LockstepState; readonly deliver: boolean }
  | { readonly ok: false; readonly problem: ArrivalProblem };

/** The next state; `deliver` says whether the handler is told. */
export function lockstepArrives(
  state: LockstepState,
  mode: LockstepMode,
  arrival: Arrival,
): LockstepArrival {
  const seen = state.at === 'idle' ? undefined : state.seen;
  switch (arrival.kind) {
    case 'headers':
      if (seen !== undefined) return unexpected;
      return arrival.endOfStream ? accept(state, LAST_HEADERS) : accept(state, HEADERS);
    case 'body': {
      if (mode === 'NONE') return { ok: false, problem: 'mode_has_no_body' };
      const again = seen === 'end' || seen === 'body_end';
      if (again || (seen === 'body' && mode !== 'STREAMED')) {
        // A duplicate end of stream (envoy#46237) says nothing new but is waited for like any message.
        if (!arrival.empty || !arrival.endOfStream || seen === 'end') return unexpected;
        return accept(state, DUPLICATE_END);
      }
      return arrival.endOfStream ? accept(state, LAST_BODY) : accept(state, BODY);
    }
    case 'trailers':
      if (seen === 'end' || seen === 'body_end') return unexpected;
      return accept(state, TRAILERS);
  }
}

const unexpected: LockstepArrival = { ok: false, problem: 'unexpected_message' };

/** An arrival by what it leaves owed; `alone` is the state where nothing was owed before, as is nearly always so. */
interface Step {
  readonly seen: Seen;
  readonly owed: Owed;
  readonly deliver: boolean;
  readonly alone: LockstepArrival;
}

function step(seen: Seen, owed: Owed, deliver = true): Step {
  return {
    seen,
    owed,
    deliver,
    alone: { ok: true, deliver, state: { at: 'owing', seen, owed: [owed] } },
  };
}

const HEADERS = step('headers', { kind: 'headers', last: false });
const LAST_HEADERS = step('end', { kind: 'headers', last: true });
const BODY = step('body', { kind: 'body', last: false, ours: false });
const LAST_BODY = step('body_end', { kind: 'body', last: true, ours: false });
const DUPLICATE_END = step('body_end', { kind: 'body', last: true, ours: true }, false);
const TRAILERS = step('end', { kind: 'trailers' });

function accept(state: LockstepState, { seen, owed, deliver, alone }: Step): LockstepArrival {
  if (state.at !== 'owing') return alone;
  return { ok: true, deliver, state: { at: 'owing', seen, owed: [...state.owed, owed] } };
}

export type LockstepReply =
  | {
      readonly ok: true;
      readonly state: LockstepState;
      readonly answered: Owed;
      /** How many of our own answers to duplicate ends follow at once. */
      readonly ours: number;
    }
  | { readonly ok: false; readonly code: ViolationCode };

/** `endOfStream` is looked at for a body reply in STREAMED only. */
export function lockstepReplies(
  state: LockstepState,
  mode: LockstepMode,
  kind: Owed['kind'],
  endOfStream = false,
): LockstepReply {
  if (state.at !== 'owing') return { ok: false, code: NOT_OWED[kind] };
  const { owed, seen } = state;
  const head = owed[0];
  if (head.kind !== kind) return { ok: false, code: outOfOrder(head, kind) };
  // Swallowed bytes can never be sent later in STREAMED, nor can an answer be ended early.
  if (head.kind === 'body' && mode === 'STREAMED' && head.last !== endOfStream) {
    return { ok: false, code: 'end_of_stream_differs' };
  }
  let ours = 0;
  for (let next = owed[1]; next?.kind === 'body' && next.ours; next = owed[ours + 1]) ours++;
  return { ok: true, answered: head, ours, state: settle(seen, owed, ours + 1) };
}

const QUIET: Readonly<Record<Seen, LockstepState>> = {
  headers: { at: 'quiet', seen: 'headers' },
  body: { at: 'quiet', seen: 'body' },
  // A duplicate may still come; nothing else can.
  body_end: { at: 'quiet', seen: 'body_end' },
  end: { at: 'ended', seen: 'end' },
};

/** When so many of what was owed are answered. */
function settle(seen: Seen, owed: readonly Owed[], answered: number): LockstepState {
  if (answered === owed.length) return QUIET[seen];
  return { at: 'owing', seen, owed: owed.slice(answered) as [Owed, ...Owed[]] };
}

const NOT_OWED = {
  headers: 'headers_not_owed',
  body: 'body_not_owed',
  trailers: 'trailers_not_owed',
} as const;

function outOfOrder(head: Owed, kind: Owed['kind']): ViolationCode {
  if (kind === 'headers') return 'headers_not_owed';
  return head.kind === 'headers'
    ? 'headers_reply_first'
    : kind === 'body'
      ? 'body_not_owed'
      : 'body_reply_first';
}

/** Nothing of this direction is waited for. */
export function lockstepSettled(state: LockstepState): boolean {
  return state.at !== 'owing';
}

/** This direction has come to its end and every reply is given. */
export function lockstepEnded(state: LockstepState): boolean {
  return state.at === 'ended' || (state.at === 'quiet' && state.seen === 'body_end');
}
