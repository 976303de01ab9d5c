import type { ErrorLimits } from './error-rate.ts';
import type { SessionTiming } from './sessions.ts';

/** What a rollout is judged by. Rates are 0..1, alphas are chances of a false alarm per rollout. */
export interface JudgePlan extends ErrorLimits {
  /** Permitted change of the deny rate relative to the control's (SEMANTICS §6). */
  readonly denyRateChangeMax: number;
  /** Added to the permitted change, as a rate: keeps it defined where nothing is denied. */
  readonly denyRateFloor: number;
  /** Split between a rise and a fall. */
  readonly denyAlpha: number;
  /** For each proof of safety; all of them are needed, so it is not split. */
  readonly safeAlpha: number;
  /** A change that the author announced is an alert, not a reason to roll back (SEMANTICS §4). */
  readonly expectDenyRate: 'same' | 'up' | 'down';
  /** An emergency may deny more; the same as expecting `up`. */
  readonly emergency: boolean;
  readonly sessions: SessionTiming;
  /** Shortest time over which deny rates are compared. */
  readonly tickMs: number;
  /** Without a canary exchange for this long there is no judgement. */
  readonly blindAfterMs: number;
}

export const JUDGE_DEFAULTS: JudgePlan = Object.freeze({
  errorRateHard: 0.05,
  errorAlphaHard: 1e-5,
  errorRateMax: 0.01,
  errorAlpha: 2e-4,
  denyRateChangeMax: 0.2,
  denyRateFloor: 0.002,
  denyAlpha: 0.001,
  safeAlpha: 0.01,
  expectDenyRate: 'same',
  emergency: false,
  sessions: Object.freeze({ closeMs: 120_000, forgetMs: 1_800_000, sessionsMax: 100_000 }),
  tickMs: 1_000,
  blindAfterMs: 300_000,
});

/** The defaults with some values changed. Throws RangeError naming the value that is out of bounds. */
export function judgePlan(
  changes: Partial<Omit<JudgePlan, 'sessions'>> & { sessions?: Partial<SessionTiming> } = {},
): JudgePlan {
  const plan: JudgePlan = {
    ...JUDGE_DEFAULTS,
    ...changes,
    sessions: Object.freeze({ ...JUDGE_DEFAULTS.sessions, ...changes.sessions }),
  };
  for (const name of ['errorRateHard', 'errorRateMax', 'errorAlphaHard', 'errorAlpha'] as const) {
    inOpenUnit(name, plan[name]);
  }
  inOpenUnit('denyAlpha', plan.denyAlpha);
  inOpenUnit('safeAlpha', plan.safeAlpha);
  atLeast('denyRateChangeMax', plan.denyRateChangeMax, 0);
  atLeast('denyRateFloor', plan.denyRateFloor, 0);
  if (plan.denyRateFloor >= 1) throw new RangeError('`denyRateFloor` must be below 1');
  atLeast('tickMs', plan.tickMs, 1);
  atLeast('blindAfterMs', plan.blindAfterMs, 1);
  atLeast('sessions.closeMs', plan.sessions.closeMs, 1);
  atLeast('sessions.forgetMs', plan.sessions.forgetMs, 1);
  atLeast('sessions.sessionsMax', plan.sessions.sessionsMax, 1);
  return Object.freeze(plan);
}

function inOpenUnit(name: string, value: number): void {
  if (!(value > 0 && value < 1)) {
    throw new RangeError(`\`${name}\` must lie between 0 and 1, both excluded`);
  }
}

function atLeast(name: string, value: number, least: number): void {
  if (!(value >= least && Number.isFinite(value))) {
    throw new RangeError(`\`${name}\` must be a finite number of at least ${least}`);
  }
}
