import { ErrorRate } from './error-rate.ts';
import type { JudgePlan } from './judge-plan.ts';
import { amount, type Judgement, type JudgementTrigger } from './judgement.ts';
import { isBlind, type Observation } from './rollout-judge.ts';
import { type DenyMargins, type DenyQuestion, denyMargins, SessionLane } from './session-lane.ts';
import { type Cohort, Sessions } from './sessions.ts';
import {
  type DenyEvidence,
  evidenceOf,
  isProvenSafe,
  linesOf,
  type Scales,
  triggerOf,
} from './weigh.ts';

/** Remembered sessions set against each new one: 2,000 of them last for 1,000 new sessions. */
export const HISTORY_PER_SESSION = 2;

/** What the margins are multiplied by: the past is a worse witness than a concurrent control. */
export const HISTORY_MARGIN_FACTOR = 2;

/**
 * Is a set that was activated at once as good as the one before it? There is no concurrent control,
 * so the previous set's recent history stands in for it: the first exchanges of its last sessions,
 * fed in proportion to the new set's sessions until they are used up. Errors are judged as in a
 * rollout.
 *
 * ASSUMPTION: the deny rate of the traffic did not change by itself between that history and now. A
 * concurrent control needs no such thing. Traffic that changes with the hour, an attack that begins or
 * ends in that very moment, or a new tenant looks like the work of the new set; doubled margins
 * forgive some of it. Who cannot live with that rolls out with a canary.
 */
export class WatchJudge {
  readonly #plan: JudgePlan;
  readonly #startMs: number;
  readonly #denies: HistoryDenyRates;
  readonly #scales: Scales;
  #latestMs: number;
  #lastSeenMs: number | undefined;
  #trigger: JudgementTrigger | undefined;
  #ticksWeighed = 0;

  /** `history`: denied or not, the most recent first (`History.newestFirst()`). */
  constructor(plan: JudgePlan, history: readonly boolean[], startMs: number) {
    this.#plan = plan;
    this.#startMs = startMs;
    this.#latestMs = startMs;
    this.#denies = new HistoryDenyRates(plan, history);
    this.#scales = { plan, errors: new ErrorRate(plan), denies: this.#denies };
  }

  /** Why the set failed, once it has: known without the cost of a judgement. */
  get trigger(): JudgementTrigger | undefined {
    return this.#trigger;
  }

  /** An exchange of the new set: its cohort is not looked at. */
  observe(seen: Omit<Observation, 'cohort'>, nowMs: number): void {
    if (seen.session !== undefined) this.settled(seen.session, seen.denied, nowMs);
    this.#latestMs = Math.max(this.#latestMs, nowMs);
    this.#lastSeenMs = this.#latestMs;
    this.#scales.errors.observe(seen.errored);
    this.#weigh();
  }

  /** What came of an exchange whose errors were observed without its session (see `Settling`). */
  settled(session: string, denied: boolean, nowMs: number): void {
    this.#latestMs = Math.max(this.#latestMs, nowMs);
    this.#denies.observe(session, denied, this.#latestMs - this.#startMs);
    this.#weigh();
  }

  judge(nowMs: number): Judgement {
    this.#latestMs = Math.max(this.#latestMs, nowMs);
    this.#denies.advance(this.#latestMs - this.#startMs);
    this.#weigh();
    const blind = isBlind(this.#plan, this.#lastSeenMs, this.#latestMs);
    const lines = linesOf(this.#scales);
    lines.push(
      `history: ${amount(this.#denies.left)} sessions of the previous set left to compare with`,
    );
    const evidence = evidenceOf(this.#scales);
    if (this.#trigger !== undefined) {
      return { state: 'fail', trigger: this.#trigger, blind, evidence, lines };
    }
    const isPass = !blind && isProvenSafe(this.#scales);
    return { state: isPass ? 'pass' : 'inconclusive', blind, evidence, lines };
  }

  /** Looks for a reason to fail only when an error or a tick may have brought one. */
  #weigh(): void {
    if (this.#trigger !== undefined) return;
    if (this.#denies.ticks === this.#ticksWeighed && !this.#scales.errors.crossed) return;
    this.#ticksWeighed = this.#denies.ticks;
    this.#trigger = triggerOf(this.#scales);
  }
}

/** First exchanges of the new set's sessions against those of the history. */
class HistoryDenyRates implements DenyEvidence {
  readonly margins: DenyMargins;
  readonly #history: readonly boolean[];
  readonly #sessions: Sessions;
  readonly #lane: SessionLane;
  readonly #counts = { control: { count: 0, denied: 0 }, canary: { count: 0, denied: 0 } };

  constructor(plan: JudgePlan, history: readonly boolean[]) {
    this.margins = denyMargins(
      HISTORY_MARGIN_FACTOR * plan.denyRateChangeMax,
      Math.min(0.5, HISTORY_MARGIN_FACTOR * plan.denyRateFloor),
    );
    this.#history = history;
    this.#sessions = new Sessions(plan.sessions);
    this.#lane = new SessionLane(1, plan.tickMs, this.margins);
  }

  /** Sessions of the history that were not used yet. */
  get left(): number {
    return this.#history.length - this.#counts.control.count;
  }

  observe(session: string, denied: boolean, atMs: number): void {
    this.advance(atMs);
    if (this.#sessions.observe(session, 'canary', denied, atMs) !== 'first') return;
    if (this.left === 0) return;
    this.#add('canary', denied, atMs);
    for (let i = 0; i < HISTORY_PER_SESSION && this.left > 0; i++) {
      this.#add('control', this.#history[this.#counts.control.count]!, atMs);
    }
  }

  get ticks(): number {
    return this.#lane.ticks;
  }

  advance(atMs: number): void {
    this.#sessions.closeDue(atMs, () => {});
    this.#lane.advance(atMs);
  }

  counts(cohort: Cohort): { readonly count: number; readonly denied: number } {
    return this.#counts[cohort];
  }

  logEvidence(question: DenyQuestion): number {
    return this.#lane.evidence(question)?.logWealth ?? -Infinity;
  }

  logPeak(question: DenyQuestion): number {
    return this.#lane.evidence(question)?.logPeak ?? -Infinity;
  }

  #add(cohort: Cohort, denied: boolean, atMs: number): void {
    const counts = this.#counts[cohort];
    counts.count += 1;
    if (denied) counts.denied += 1;
    this.#lane.add(cohort, 1, denied ? 1 : 0, atMs);
  }
}
