import { type DenyMargins, type DenyQuestion, SessionLane } from './session-lane.ts';
import { type Cohort, denialsWithin, Sessions, type SessionTiming } from './sessions.ts';
import type { DenyEvidence } from './weigh.ts';

/**
 * Requests of a session that count, side by side: 1 has the power on sessions of one request and
 * counts at once; 5 and 20 use what long sessions say, after they closed (docs/adr/0005).
 */
export const SESSION_SPANS: readonly number[] = [1, 5, 20];

export interface DenyRatesOptions extends SessionTiming {
  readonly tickMs: number;
  readonly margins: DenyMargins;
}

/**
 * Deny rates of canary against control by sessions, in three lanes.
 *
 * The lanes are combined by dividing the largest evidence by their number, not by averaging: the
 * lane of first requests learns of a session before the others do, so there is no one order of
 * events in which their average is an e-process, whereas P(any lane ever >= 3/alpha) <= alpha holds
 * by Ville in each lane's own order and a union bound. It costs at most ln 3 against the average.
 */
export class DenyRates implements DenyEvidence {
  readonly margins: DenyMargins;
  readonly #sessions: Sessions;
  readonly #first: SessionLane;
  readonly #later: readonly SessionLane[];
  readonly #lanes: readonly SessionLane[];
  readonly #counts = { control: { count: 0, denied: 0 }, canary: { count: 0, denied: 0 } };

  constructor(options: DenyRatesOptions) {
    this.margins = options.margins;
    this.#sessions = new Sessions(options);
    this.#lanes = SESSION_SPANS.map((m) => new SessionLane(m, options.tickMs, options.margins));
    this.#first = this.#lanes[0]!;
    this.#later = this.#lanes.slice(1);
  }

  /** Exchanges with a session, all of them, also those that the statistics leave out. */
  counts(cohort: Cohort): { readonly count: number; readonly denied: number } {
    return this.#counts[cohort];
  }

  /** Exchanges of sessions that found no room. */
  get leftOut(): number {
    return this.#sessions.leftOut;
  }

  /** `atMs`: ms since the run began, not going back. */
  observe(session: string, cohort: Cohort, denied: boolean, atMs: number): void {
    this.advance(atMs);
    const counts = this.#counts[cohort];
    counts.count += 1;
    if (denied) counts.denied += 1;
    if (this.#sessions.observe(session, cohort, denied, atMs) === 'first') {
      this.#first.add(cohort, 1, denied ? 1 : 0, atMs);
    }
  }

  /** Closes sessions and ticks whose time is over. A look that does only this changes no evidence. */
  advance(atMs: number): void {
    this.#sessions.closeDue(atMs, (session) => {
      for (const lane of this.#later) {
        const requests = Math.min(session.requests, lane.span);
        lane.add(session.cohort, requests, denialsWithin(session, lane.span), session.closedAtMs);
      }
    });
    for (const lane of this.#lanes) lane.advance(atMs);
  }

  /** Grows with every tick of any lane. */
  get ticks(): number {
    let ticks = 0;
    for (const lane of this.#lanes) ticks += lane.ticks;
    return ticks;
  }

  /** ln of the evidence now. -Infinity when the question has no edge. */
  logEvidence(question: DenyQuestion): number {
    return this.#strongest(question, 'logWealth');
  }

  /** ln of the strongest evidence so far; compare with ln(1/alpha). */
  logPeak(question: DenyQuestion): number {
    return this.#strongest(question, 'logPeak');
  }

  #strongest(question: DenyQuestion, which: 'logWealth' | 'logPeak'): number {
    let strongest = -Infinity;
    for (const lane of this.#lanes) {
      const test = lane.evidence(question);
      if (test !== undefined && test[which] > strongest) strongest = test[which];
    }
    return strongest - Math.log(this.#lanes.length);
  }
}
