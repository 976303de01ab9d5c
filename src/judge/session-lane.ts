import type { Cohort } from './sessions.ts';
import { type Margin, type SessionGroup, TwoRates } from './two-rates.ts';

/** The four questions about deny rates: two that end a rollout, two that let it pass. */
export type DenyQuestion = 'harm_up' | 'harm_down' | 'safe_up' | 'safe_down';

/** Edges of the null hypotheses: `up` a little above the control's rate, `down` a little below. */
export interface DenyMargins {
  readonly up: Margin;
  /** Absent when the permitted fall reaches zero: then nothing can fall too far. */
  readonly down?: Margin;
}

/** A change of 20 % means: up to 1.2 x control + floor, and down to 0.8 x control - floor. */
export function denyMargins(changeMax: number, floor: number): DenyMargins {
  const up = { ratio: 1 + changeMax, offset: floor };
  return changeMax < 1 ? { up, down: { ratio: 1 - changeMax, offset: -floor } } : { up };
}

/** What is believed of a rate before the first tick: 5 %, as firmly as ten exchanges would. */
const PRIOR_DENIED = 0.5;
const PRIOR_COUNTED = 10;

/** Past counts are halved beyond this, so that the believed rate follows the day. Power only. */
const PAST_COUNTED_MAX = 20_000;

/**
 * Evidence about deny rates from sessions that are counted up to their first `span` requests.
 *
 * A tick ends when it is `tickMs` old and holds a session of each cohort; a session that comes later
 * begins the next one. Ticks lie on a grid that begins with the run, so that a look changes nothing.
 */
export class SessionLane {
  readonly span: number;
  readonly #tickMs: number;
  readonly #tests: Readonly<Partial<Record<DenyQuestion, TwoRates>>>;
  readonly #tick: Record<
    Cohort,
    Map<number, { requests: number; denials: number; sessions: number }>
  > = { control: new Map(), canary: new Map() };
  readonly #past: Record<Cohort, { denied: number; counted: number }> = {
    control: { denied: PRIOR_DENIED, counted: PRIOR_COUNTED },
    canary: { denied: PRIOR_DENIED, counted: PRIOR_COUNTED },
  };
  #tickIndex = -1;
  #ticks = 0;

  constructor(span: number, tickMs: number, margins: DenyMargins) {
    this.span = span;
    this.#tickMs = tickMs;
    this.#tests = {
      harm_up: new TwoRates('at_most', margins.up, true),
      safe_up: new TwoRates('at_least', margins.up, false),
      ...(margins.down === undefined
        ? {}
        : {
            harm_down: new TwoRates('at_least', margins.down, true),
            safe_down: new TwoRates('at_most', margins.down, false),
          }),
    };
  }

  /** Absent when the question has no edge. */
  evidence(question: DenyQuestion): TwoRates | undefined {
    return this.#tests[question];
  }

  /** `atMs`: ms since the run began, not going back. */
  add(cohort: Cohort, requests: number, denials: number, atMs: number): void {
    this.advance(atMs);
    if (this.#tickIndex < 0) this.#tickIndex = Math.floor(atMs / this.#tickMs);
    const groups = this.#tick[cohort];
    const key = requests * 64 + denials;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { requests, denials, sessions: 1 });
    else group.sessions += 1;
  }

  /** Ticks that ended so far: evidence is the same as long as this is. */
  get ticks(): number {
    return this.#ticks;
  }

  /** Ends the tick if its time is over and both cohorts are in it. */
  advance(atMs: number): void {
    if (this.#tick.canary.size === 0 || this.#tick.control.size === 0) return;
    if (Math.floor(atMs / this.#tickMs) <= this.#tickIndex) return;
    this.#ticks += 1;
    const canary = [...this.#tick.canary.values()];
    const control = [...this.#tick.control.values()];
    const controlPast = rateOf(this.#past.control);
    const canaryPast = rateOf(this.#past.canary);
    for (const test of Object.values(this.#tests)) {
      test.step({ span: this.span, canary, control }, controlPast, canaryPast);
    }
    remember(this.#past.canary, canary);
    remember(this.#past.control, control);
    this.#tick.canary.clear();
    this.#tick.control.clear();
    this.#tickIndex = -1;
  }
}

function rateOf(past: { denied: number; counted: number }): number {
  return past.denied / past.counted;
}

function remember(
  past: { denied: number; counted: number },
  groups: readonly SessionGroup[],
): void {
  for (const { requests, denials, sessions } of groups) {
    past.denied += denials * sessions;
    past.counted += requests * sessions;
  }
  if (past.counted > PAST_COUNTED_MAX) {
    past.denied /= 2;
    past.counted /= 2;
  }
}
