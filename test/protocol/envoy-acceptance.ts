/**
 * What Envoy 1.40.0 accepts, told from Envoy's side and from the notes alone: it shares no code and no
 * state model with the machine. Goes through a log of what arrived and what left; returns complaints.
 */
import type { Message } from './peer.ts';
import type { Dir, Entry, Modes } from './rig.ts';

interface Side {
  /** Kinds that Envoy has sent, and of replies to them, in order. */
  readonly asked: string[];
  readonly answered: string[];
  headersAsked: boolean;
  headersAnswered: boolean;
  headersWereAll: boolean;
  hadContentLength: boolean;
  bodyAsked: boolean;
  trailersAsked: boolean;
  closed: boolean;
  lastBodyEnds: boolean;
}

const side = (): Side => ({
  asked: [],
  answered: [],
  headersAsked: false,
  headersAnswered: false,
  headersWereAll: false,
  hadContentLength: false,
  bodyAsked: false,
  trailersAsked: false,
  closed: false,
  lastBodyEnds: false,
});

const KINDS = { Headers: 'headers', Body: 'body', Trailers: 'trailers' } as const;

export function complaints(
  log: readonly Entry[],
  modes: Modes,
  observability: boolean,
  chunkMax: number,
): string[] {
  const found: string[] = [];
  const sides: Record<Dir, Side> = { request: side(), response: side() };
  let refused = false;
  let over = false;
  let halfClosed = false;
  let gone = false;

  const complain = (what: string): void => {
    found.push(what);
  };

  function ask(dir: Dir, kind: string, eos: boolean): void {
    const it = sides[dir];
    it.asked.push(kind);
    if (kind === 'headers') {
      it.headersAsked = true;
      it.headersWereAll = eos;
    } else if (kind === 'body') {
      it.bodyAsked = true;
      it.lastBodyEnds = eos;
    } else it.trailersAsked = true;
  }

  function answer(out: Message): void {
    if (over) {
      complain('sent after the end');
      return;
    }
    if (gone) {
      complain('sent after a cancel');
      return;
    }
    if (observability) {
      complain('sent while only watching');
      return;
    }
    if (refused) {
      complain('sent after an immediate answer');
      return;
    }
    if (out.immediateResponse !== undefined) {
      refused = true;
      if (responseLeft()) complain('immediate answer after response headers');
      if (!((out.immediateResponse.status?.code ?? 0) >= 200))
        complain('immediate answer without status');
      if (!out.immediateResponse.details) complain('immediate answer without details');
      return;
    }
    const match = /^(request|response)(Headers|Body|Trailers)$/.exec(out.response ?? '');
    if (match === null) {
      complain('a message without a known reply');
      return;
    }
    const dir = match[1] as Dir;
    const kind = KINDS[match[2] as keyof typeof KINDS];
    if (modes[dir] === 'FULL_DUPLEX_STREAMED') duplex(sides[dir], kind, out[out.response]);
    else lockstep(sides[dir], modes[dir], kind, out[out.response]);
    if (kind === 'headers') sides[dir].headersAnswered = true;
  }

  function duplex(it: Side, kind: string, reply: Message): void {
    if (kind === 'headers') {
      if (!it.headersAsked || it.headersAnswered) complain('duplex: headers reply out of place');
      return;
    }
    if (it.headersAsked && !it.headersAnswered) complain('duplex: reply before the headers reply');
    if (it.closed) complain('duplex: reply behind the end');
    if (it.headersWereAll) complain('duplex: body reply where headers were all');
    if (kind === 'trailers') {
      if (!it.trailersAsked) complain('duplex: trailers reply without trailers');
      it.closed = true;
      return;
    }
    if (!it.bodyAsked) complain('duplex: body reply without a body');
    const streamed = reply.response?.bodyMutation?.streamedResponse;
    if (streamed === undefined) {
      complain('duplex: not a streamed reply');
      return;
    }
    const length = streamed.body?.length ?? 0;
    if (length > chunkMax) complain('duplex: chunk too large');
    if (length === 0 && !streamed.endOfStream) complain('duplex: empty chunk');
    if (streamed.endOfStream) it.closed = true;
  }

  function lockstep(it: Side, mode: string, kind: string, reply: Message): void {
    const expected = it.asked[it.answered.length];
    if (expected !== kind)
      complain(`lockstep: ${kind} where ${expected ?? 'nothing'} is waited for`);
    it.answered.push(kind);
    if (kind !== 'body') return;
    const common = reply.response ?? {};
    if (common.bodyMutation?.streamedResponse !== undefined) complain('lockstep: a streamed reply');
    if (mode === 'BUFFERED' && common.bodyMutation !== undefined && it.headersAsked) {
      const sent = (common.headerMutation?.setHeaders ?? []).find(
        (option: Message) => option.header.key === 'content-length',
      );
      const length = common.bodyMutation.body?.length ?? 0;
      const fits = sent !== undefined && Number(String(sent.header.rawValue)) === length;
      if (sent === undefined ? it.hadContentLength : !fits) complain('content-length does not fit');
    }
  }

  function waitedFor(dir: Dir): boolean {
    const it = sides[dir];
    if (modes[dir] !== 'FULL_DUPLEX_STREAMED') return it.answered.length < it.asked.length;
    if (it.headersAsked && !it.headersAnswered) return true;
    return (it.bodyAsked || it.trailersAsked) && !it.closed;
  }

  /** A buffered body keeps its headers back: an immediate answer to it is clean (test/envoy/stance). */
  function responseLeft(): boolean {
    const { headersAnswered, headersWereAll, answered } = sides.response;
    const buffers = modes.response === 'BUFFERED' || modes.response === 'BUFFERED_PARTIAL';
    if (!buffers || headersWereAll) return headersAnswered;
    return answered.includes('body') || answered.includes('trailers');
  }

  function responseOver(): boolean {
    const it = sides.response;
    if (waitedFor('response')) return false;
    return (
      it.closed ||
      (it.headersAsked && it.headersWereAll) ||
      it.trailersAsked ||
      (it.bodyAsked && it.lastBodyEnds)
    );
  }

  for (const entry of log) {
    if ('told' in entry) continue;
    if ('in' in entry) {
      if (entry.in === 'half_close') halfClosed = true;
      else if (entry.in === 'cancel') gone = true;
      else if (entry.in !== 'empty') {
        ask(entry.dir, entry.in, 'eos' in entry && entry.eos === true);
        if (entry.in === 'headers') {
          sides[entry.dir].hadContentLength = entry.headers?.['content-length'] !== undefined;
        }
      }
      continue;
    }
    if (entry.out === 'end') {
      if (over) complain('ended twice');
      over = true;
      if (!halfClosed) complain('a clean end before Envoy closed: a bypass');
      const owing = waitedFor('response') || (waitedFor('request') && !responseOver());
      if (owing && !refused && !observability)
        complain('a clean end while something is waited for: a bypass');
    } else if (entry.out === 'fail') {
      if (over) complain('ended twice');
      over = true;
    } else answer(entry.message);
  }
  if (halfClosed && !over && !gone) complain('Envoy closed and got no status');
  return found;
}
