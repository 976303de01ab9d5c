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
      return accept(state, arrival.endOfStream ? 'end' : 'headers', {
        kind: 'headers',
        last: arrival.endOfStream,
      });
    case 'body': {
      if (mode === 'NONE') return { ok: false, problem: 'mode_has_no_body' };
      const again = seen === 'end' || seen === 'body_end';
      if (again || (seen === 'body' && mode !== 'STREAMED')) {
        // A duplicate end of stream (envoy#46237) says nothing new but is waited for like any message.
        if (!arrival.empty || !arrival.endOfStream || seen === 'end') return unexpected;
        return accept(state, 'body_end', { kind: 'body', last: true, ours: true }, false);
      }
      return accept(state, arrival.endOfStream ? 'body_end' : 'body', {
        kind: 'body',
        last: arrival.endOfStream,
        ours: false,
      });
    }
    case 'trailers':
      if (seen === 'end' || seen === 'body_end') return unexpected;
      return accept(state, 'end', { kind: 'trailers' });
  }
}

const unexpected: LockstepArrival = { ok: false, problem: 'unexpected_message' };

function accept(state: LockstepState, seen: Seen, owed: Owed, deliver = true): LockstepArrival {
  const before = state.at === 'owing' ? state.owed : [];
  return {
    ok: true,
    deliver,
    state: { at: 'owing', seen, owed: [...before, owed] as [Owed, ...Owed[]] },
  };
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
  const [head, ...rest] = state.owed;
  if (head.kind !== kind) return { ok: false, code: outOfOrder(head, kind) };
  // Swallowed bytes can never be sent later in STREAMED, nor can an answer be ended early.
  if (head.kind === 'body' && mode === 'STREAMED' && head.last !== endOfStream) {
    return { ok: false, code: 'end_of_stream_differs' };
  }
  let ours = 0;
  for (let next = rest[0]; next?.kind === 'body' && next.ours; next = rest[0]) {
    rest.shift();
    ours++;
  }
  return { ok: true, answered: head, ours, state: settle(state.seen, rest) };
}

function settle(seen: Seen, owed: readonly Owed[]): LockstepState {
  const [head, ...rest] = owed;
  if (head !== undefined) return { at: 'owing', seen, owed: [head, ...rest] };
  // After `body_end` a duplicate may still come; nothing else can.
  return seen === 'end' ? { at: 'ended', seen } : { at: 'quiet', seen };
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
