import type { ErrorLimits } from './error-rate.ts';
import { evidenceWords, type Judgement, type JudgementTrigger } from './judgement.ts';
import { ShiryaevRoberts } from './shiryaev-roberts.ts';

/** What is said of the rate is said of the last five minutes. */
export const STANDING_WINDOW_MS = 300_000;

/** Evidence of five minutes ago counts for a 32nd. */
const EVIDENCE_HALF_LIFE_MS = STANDING_WINDOW_MS / 5;

/** Exchanges between two false alarms, on average, at the least: 31 years at 1,000 a second. */
export const STANDING_FALSE_ALARM_EXCHANGES = 1e12;

/** The window moves in steps of a fifth of it. */
const SPANS = 5;
const SPAN_MS = STANDING_WINDOW_MS / SPANS;

interface Span {
  readonly index: number;
  count: number;
  errors: number;
}

/**
 * Does the set that serves everybody fail more often than `errorRateHard`? Asked for as long as it
 * serves (SEMANTICS §10), hence with a detector that has a false-alarm rate per exchange and not per
 * run: of a test that spends one alpha, a set that served well for a year would have nothing left.
 * Deny rates are not asked about: there is nothing concurrent to compare them with.
 */
export class StandingWatch {
  readonly #limit: number;
  readonly #detector: ShiryaevRoberts;
  readonly #spans: Span[] = [];
  #level = 0;
  #trigger: JudgementTrigger | undefined;

  /** `startMs` and every later time: monotonic ms of one clock. */
  constructor(limits: Pick<ErrorLimits, 'errorRateHard'>, startMs: number) {
    this.#limit = limits.errorRateHard;
    this.#detector = new ShiryaevRoberts(this.#limit, EVIDENCE_HALF_LIFE_MS, startMs);
  }

  /** Why the set failed, once it has. */
  get trigger(): JudgementTrigger | undefined {
    return this.#trigger;
  }

  /** About 50 ns. */
  observe(errored: boolean, nowMs: number): void {
    const span = this.#spanAt(nowMs);
    span.count += 1;
    if (errored) span.errors += 1;
    this.#level = this.#detector.observe(errored, nowMs);
    if (this.#level >= STANDING_FALSE_ALARM_EXCHANGES) this.#trigger ??= this.#triggerNow();
  }

  /** Never `pass`: nobody waits for one. */
  judge(nowMs: number): Judgement {
    this.#forget(nowMs);
    const trigger = this.#trigger;
    const { count } = this.#recent();
    const words = count === 0 ? 'no exchange in the last 5 minutes' : this.#words();
    return {
      state: trigger === undefined ? 'inconclusive' : 'fail',
      ...(trigger && { trigger }),
      blind: count === 0,
      evidence: [],
      lines: [`errors after the rollout: ${words}`],
    };
  }

  #triggerNow(): JudgementTrigger {
    const { count, observed } = this.#recent();
    return {
      metric: 'error_rate',
      observed,
      limit: this.#limit,
      canaryCount: count,
      controlCount: 0,
      evidence: this.#level,
      threshold: STANDING_FALSE_ALARM_EXCHANGES,
      words: `errors after the rollout: ${this.#words()}`,
    };
  }

  #words(): string {
    return evidenceWords({
      observed: this.#recent().observed,
      limit: this.#limit,
      side: 'above',
      evidence: this.#level,
      threshold: STANDING_FALSE_ALARM_EXCHANGES,
    });
  }

  #recent(): { readonly count: number; readonly observed: number } {
    const count = this.#spans.reduce((sum, span) => sum + span.count, 0);
    const errors = this.#spans.reduce((sum, span) => sum + span.errors, 0);
    return { count, observed: count === 0 ? 0 : errors / count };
  }

  #spanAt(nowMs: number): Span {
    const index = Math.floor(nowMs / SPAN_MS);
    const latest = this.#spans.at(-1);
    // Time that goes back is taken for standing still.
    if (latest !== undefined && latest.index >= index) return latest;
    const span = { index, count: 0, errors: 0 };
    this.#spans.push(span);
    this.#forget(nowMs);
    return span;
  }

  #forget(nowMs: number): void {
    const oldest = Math.floor(nowMs / SPAN_MS) - SPANS;
    while (this.#spans[0] !== undefined && this.#spans[0].index <= oldest) this.#spans.shift();
  }
}
