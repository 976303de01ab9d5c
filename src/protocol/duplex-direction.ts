/**
 * One direction of an exchange in FULL_DUPLEX_STREAMED: replies are a stream of their own, with one end
 * (notes: envoy-verified.md 2a, 5, 7a-7d).
 */
import type { Arrival, ArrivalProblem } from './lockstep-direction.ts';
import type { ViolationCode } from './violation.ts';

/** What has arrived behind the headers; `headers_end`: they were the last of this direction. */
type Behind = 'nothing' | 'headers_end' | 'body' | 'body_end' | 'trailers' | 'only_trailers';

export type DuplexState =
  | { readonly at: 'idle' }
  /** Headers are held; the body may arrive meanwhile. */
  | { readonly at: 'headersOwed'; readonly behind: Behind }
  | { readonly at: 'headersAnswered' }
  | { readonly at: 'bodyOpen'; readonly behind: BodyBehind }
  /** Our end is sent; what Envoy still had on its way is dropped by both. */
  | { readonly at: 'ended'; readonly behind: Behind };

type BodyBehind = Exclude<Behind, 'nothing' | 'headers_end'>;

export const DUPLEX_IDLE: DuplexState = { at: 'idle' };
const HEADERS_ANSWERED: DuplexState = { at: 'headersAnswered' };

/** All states there are, each made once. */
const BODY_BEHINDS: readonly BodyBehind[] = ['body', 'body_end', 'trailers', 'only_trailers'];
const BEHINDS: readonly Behind[] = ['nothing', 'headers_end', ...BODY_BEHINDS];
const HEADERS_OWED = Object.fromEntries(
  BEHINDS.map((behind): [Behind, DuplexState] => [behind, { at: 'headersOwed', behind }]),
) as Record<Behind, DuplexState>;
const BODY_OPEN = Object.fromEntries(
  BODY_BEHINDS.map((behind): [BodyBehind, DuplexState] => [behind, { at: 'bodyOpen', behind }]),
) as Record<BodyBehind, DuplexState>;
const ENDED = Object.fromEntries(
  BEHINDS.map((behind): [Behind, DuplexState] => [behind, { at: 'ended', behind }]),
) as Record<Behind, DuplexState>;

export type DuplexArrival =
  | { readonly ok: true; readonly state: DuplexState; readonly deliver: boolean }
  | { readonly ok: false; readonly problem: ArrivalProblem };

export function duplexArrives(state: DuplexState, arrival: Arrival): DuplexArrival {
  if (arrival.kind === 'headers') {
    if (state.at !== 'idle') return unexpected;
    return accept(HEADERS_OWED[arrival.endOfStream ? 'headers_end' : 'nothing']);
  }
  const before = 'behind' in state ? state.behind : 'nothing';
  const behind = follow(before, arrival);
  if (behind === undefined) return unexpected;
  if (state.at === 'ended') return accept(ENDED[behind], false);
  // An empty chunk that ends nothing, or ends it twice, tells the handler nothing.
  const deliver =
    arrival.kind === 'trailers' || !arrival.empty || (arrival.endOfStream && before !== 'body_end');
  return accept(state.at === 'headersOwed' ? HEADERS_OWED[behind] : BODY_OPEN[behind], deliver);
}

const unexpected: DuplexArrival = { ok: false, problem: 'unexpected_message' };

function accept(state: DuplexState, deliver = true): DuplexArrival {
  return { ok: true, state, deliver };
}

function follow(
  before: Behind,
  arrival: Exclude<Arrival, { kind: 'headers' }>,
): BodyBehind | undefined {
  if (before !== 'nothing' && before !== 'body' && before !== 'body_end') return undefined;
  if (before === 'body_end') {
    return arrival.kind === 'body' && arrival.empty ? 'body_end' : undefined;
  }
  if (arrival.kind === 'trailers') return before === 'body' ? 'trailers' : 'only_trailers';
  return arrival.endOfStream ? 'body_end' : 'body';
}

export type DuplexReply =
  | { readonly ok: true; readonly state: DuplexState; readonly send: boolean }
  | { readonly ok: false; readonly code: ViolationCode };

export function duplexRepliesHeaders(state: DuplexState): DuplexReply {
  if (state.at !== 'headersOwed') return { ok: false, code: 'headers_not_owed' };
  switch (state.behind) {
    case 'headers_end':
      return { ok: true, send: true, state: ENDED[state.behind] };
    case 'nothing':
      return { ok: true, send: true, state: HEADERS_ANSWERED };
    default:
      return { ok: true, send: true, state: BODY_OPEN[state.behind] };
  }
}

/** `send` is false for an empty chunk that ends nothing: it is left out. */
export function duplexRepliesBody(
  state: DuplexState,
  empty: boolean,
  endOfStream: boolean,
): DuplexReply {
  switch (state.at) {
    case 'headersOwed':
      return { ok: false, code: 'headers_reply_first' };
    case 'ended':
      return { ok: false, code: 'body_after_end' };
    case 'idle':
    case 'headersAnswered':
      return { ok: false, code: 'body_not_owed' };
    case 'bodyOpen':
      // Tried on Envoy 1.40.0: where trailers follow the headers at once, any body reply is spurious.
      if (state.behind === 'only_trailers' && (!empty || endOfStream)) {
        return { ok: false, code: 'body_not_owed' };
      }
      return {
        ok: true,
        send: !empty || endOfStream,
        state: endOfStream ? ENDED[state.behind] : state,
      };
  }
}

/** After our own end of stream Envoy drops the trailers and waits for no reply: none is sent. */
export function duplexRepliesTrailers(state: DuplexState): DuplexReply {
  if (state.at === 'ended') return { ok: true, send: false, state };
  if (state.at === 'headersOwed') return { ok: false, code: 'headers_reply_first' };
  if (
    state.at !== 'bodyOpen' ||
    (state.behind !== 'trailers' && state.behind !== 'only_trailers')
  ) {
    return { ok: false, code: 'trailers_not_owed' };
  }
  return { ok: true, send: true, state: ENDED[state.behind] };
}

/** A body that has begun is owed until its end: only the handler knows what of it is still held. */
export function duplexSettled(state: DuplexState): boolean {
  return state.at !== 'headersOwed' && state.at !== 'bodyOpen';
}
