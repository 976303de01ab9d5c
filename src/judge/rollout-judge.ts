import { DenyRates } from './deny-rates.ts';
import { ErrorRate } from './error-rate.ts';
import type { JudgePlan } from './judge-plan.ts';
import { amount, type Judgement, type JudgementTrigger } from './judgement.ts';
import { denyMargins } from './session-lane.ts';
import type { Cohort } from './sessions.ts';
import { evidenceOf, isProvenSafe, linesOf, type Scales, triggerOf } from './weigh.ts';

/** One finished exchange, as the judge sees it. */
export interface Observation {
  readonly cohort: Cohort;
  /** Absent: outside the statistics of deny rates (SEMANTICS §7), counted for errors all the same. */
  readonly session?: string;
  readonly denied: boolean;
  readonly errored: boolean;
}

/**
 * Is green as good as blue? Compares the two cohorts of one rollout through all its stages; the
 * evidence is never reset, and no look at it costs anything (always valid).
 *
 * `observe` costs well under 1 µs amortised; `judge` some tens of µs.
 */
export class RolloutJudge {
  readonly #plan: JudgePlan;
  readonly #startMs: number;
  readonly #denies: DenyRates;
  readonly #scales: Scales;
  #latestMs: number;
  #lastCanaryMs: number | undefined;
  #trigger: JudgementTrigger | undefined;
  #ticksWeighed = 0;

  /** `startMs` and every later time: monotonic ms of one clock. */
  constructor(plan: JudgePlan, startMs: number) {
    this.#plan = plan;
    this.#startMs = startMs;
    this.#latestMs = startMs;
    this.#denies = new DenyRates({
      ...plan.sessions,
      tickMs: plan.tickMs,
      margins: denyMargins(plan.denyRateChangeMax, plan.denyRateFloor),
    });
    this.#scales = { plan, errors: new ErrorRate(plan), denies: this.#denies };
  }

  /** Why the rollout failed, once it has: known without the cost of a judgement. */
  get trigger(): JudgementTrigger | undefined {
    return this.#trigger;
  }

  observe(seen: Observation, nowMs: number): void {
    const atMs = this.#advance(nowMs);
    if (seen.session !== undefined) {
      this.#denies.observe(seen.session, seen.cohort, seen.denied, atMs);
    }
    if (seen.cohort === 'canary') {
      this.#lastCanaryMs = this.#latestMs;
      this.#scales.errors.observe(seen.errored);
    }
    this.#weigh();
  }

  judge(nowMs: number): Judgement {
    this.#denies.advance(this.#advance(nowMs));
    this.#weigh();
    const blind = isBlind(this.#plan, this.#lastCanaryMs, this.#latestMs);
    const lines = linesOf(this.#scales);
    if (blind) lines.push(BLIND_WORDS);
    if (this.#denies.leftOut > 0) lines.push(leftOutWords(this.#denies.leftOut));
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

  /** Time that goes back is taken for standing still. Returns ms since the start. */
  #advance(nowMs: number): number {
    this.#latestMs = Math.max(this.#latestMs, nowMs);
    return this.#latestMs - this.#startMs;
  }
}

const BLIND_WORDS = 'blind: no recent canary exchange, so neither pass nor fail can be said';

/** Whether the last canary exchange is too long ago, or there was none. */
export function isBlind(plan: JudgePlan, lastCanaryMs: number | undefined, nowMs: number): boolean {
  return lastCanaryMs === undefined || nowMs - lastCanaryMs >= plan.blindAfterMs;
}

function leftOutWords(exchanges: number): string {
  return `sessions: ${amount(exchanges)} exchanges left out, more sessions than \`sessionsMax\``;
}
