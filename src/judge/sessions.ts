export type Cohort = 'control' | 'canary';

/** The largest span a session can be counted to: denials of the first requests are kept as bits. */
export const SPAN_MAX = 30;

export interface SessionTiming {
  /** A session is counted from its first exchange for this long, fixed when it starts. */
  readonly closeMs: number;
  /** A closed session is remembered until it was quiet for this long, so that it is counted once. */
  readonly forgetMs: number;
  /** Sessions open or remembered at once; beyond it new ones are left out, and counted as such. */
  readonly sessionsMax: number;
}

/** A session whose time is over. */
export interface ClosedSession {
  readonly cohort: Cohort;
  /** Requests seen while open, at most SPAN_MAX. */
  readonly requests: number;
  /** Bit i: the request numbered i was denied. */
  readonly denialBits: number;
  readonly closedAtMs: number;
}

/**
 * What one exchange was to its session: the `first` one, a `later` one inside its time, one after it
 * was `closed`, one in the other cohort than the session's (`crossed`: its share has grown since), or
 * of a session that was `left_out` for want of room.
 */
export type Sighting = 'first' | 'later' | 'closed' | 'crossed' | 'left_out';

interface Session {
  readonly key: string;
  readonly cohort: Cohort;
  readonly startedAtMs: number;
  open: boolean;
  lastSeenMs: number;
  requests: number;
  denialBits: number;
}

/** Denials among the first `span` requests. */
export function denialsWithin(session: ClosedSession, span: number): number {
  let bits = session.denialBits & (2 ** span - 1);
  let count = 0;
  while (bits !== 0) {
    bits &= bits - 1;
    count += 1;
  }
  return count;
}

/**
 * Groups requests into sessions and closes each at a time that was fixed when it started, so that no
 * outcome inside a session can decide when it is counted. One map look-up an exchange; memory is
 * `sessionsMax` entries of about 200 bytes plus the key.
 */
export class Sessions {
  readonly #timing: SessionTiming;
  readonly #byKey = new Map<string, Session>();
  readonly #open = new Queue<Session>();
  readonly #remembered = new Queue<Session>();
  #leftOut = 0;

  constructor(timing: SessionTiming) {
    this.#timing = timing;
  }

  /** Sessions open or remembered now. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Exchanges of sessions that found no room. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** `nowMs` must not go back; call `closeDue` with the same time before. */
  observe(key: string, cohort: Cohort, denied: boolean, nowMs: number): Sighting {
    const known = this.#byKey.get(key);
    if (known !== undefined) return sighting(known, cohort, denied, nowMs);
    if (this.#byKey.size >= this.#timing.sessionsMax) {
      this.#leftOut += 1;
      return 'left_out';
    }
    const session: Session = {
      key,
      cohort,
      startedAtMs: nowMs,
      open: true,
      lastSeenMs: nowMs,
      requests: 1,
      denialBits: denied ? 1 : 0,
    };
    this.#byKey.set(key, session);
    this.#open.push(session);
    return 'first';
  }

  /** Hands over every session whose time is over, in the order of their ends, and forgets quiet ones. */
  closeDue(nowMs: number, onClosed: (session: ClosedSession) => void): void {
    for (let next = this.#open.first; next !== undefined; next = this.#open.first) {
      const closedAtMs = next.startedAtMs + this.#timing.closeMs;
      if (closedAtMs > nowMs) break;
      this.#open.shift();
      next.open = false;
      this.#remembered.push(next);
      onClosed({
        cohort: next.cohort,
        requests: next.requests,
        denialBits: next.denialBits,
        closedAtMs,
      });
    }
    this.#forgetQuiet(nowMs);
  }

  /** One full turn of the remembered at most: a session that spoke since goes to the end of the line. */
  #forgetQuiet(nowMs: number): void {
    const { closeMs, forgetMs } = this.#timing;
    for (let turns = this.#remembered.length; turns > 0; turns--) {
      const oldest = this.#remembered.first;
      if (oldest === undefined || oldest.startedAtMs + closeMs + forgetMs > nowMs) return;
      this.#remembered.shift();
      if (oldest.lastSeenMs + forgetMs > nowMs) this.#remembered.push(oldest);
      else this.#byKey.delete(oldest.key);
    }
  }
}

function sighting(session: Session, cohort: Cohort, denied: boolean, nowMs: number): Sighting {
  session.lastSeenMs = nowMs;
  if (!session.open) return 'closed';
  if (session.cohort !== cohort) return 'crossed';
  if (session.requests < SPAN_MAX) {
    if (denied) session.denialBits |= 1 << session.requests;
    session.requests += 1;
  }
  return 'later';
}

/** First in, first out, without moving what is inside at every step. */
class Queue<T> {
  #items: T[] = [];
  #head = 0;

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): void {
    this.#head += 1;
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }
}
