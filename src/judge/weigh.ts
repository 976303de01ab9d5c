import type { ErrorRate } from './error-rate.ts';
import type { JudgePlan } from './judge-plan.ts';
import {
  amount,
  evidenceWords,
  type JudgedMetric,
  type Judgement,
  type JudgementTrigger,
  percent,
} from './judgement.ts';
import { finiteExp } from './log-space.ts';
import type { DenyMargins, DenyQuestion } from './session-lane.ts';
import type { Cohort } from './sessions.ts';

/** What is known about the deny rates of both cohorts, however it was gathered. */
export interface DenyEvidence {
  readonly margins: DenyMargins;
  /** Grows whenever evidence changes. */
  readonly ticks: number;
  counts(cohort: Cohort): { readonly count: number; readonly denied: number };
  /** ln of the e-value now; -Infinity for a question without an edge. */
  logEvidence(question: DenyQuestion): number;
  logPeak(question: DenyQuestion): number;
}

/** Everything a judgement weighs. */
export interface Scales {
  readonly plan: JudgePlan;
  readonly errors: ErrorRate;
  readonly denies: DenyEvidence;
}

type Direction = 'up' | 'down';

interface DenySide {
  readonly metric: JudgedMetric;
  readonly title: string;
  readonly harm: DenyQuestion;
  readonly safe: DenyQuestion;
  readonly side: 'above' | 'below';
}

const SIDES: Readonly<Record<Direction, DenySide>> = {
  up: {
    metric: 'deny_rate_up',
    title: 'deny rate, rise',
    harm: 'harm_up',
    safe: 'safe_up',
    side: 'above',
  },
  down: {
    metric: 'deny_rate_down',
    title: 'deny rate, fall',
    harm: 'harm_down',
    safe: 'safe_down',
    side: 'below',
  },
};

const DIRECTIONS: readonly Direction[] = ['up', 'down'];

/** Whether the author announced a change in this direction: then it alerts and does not roll back. */
function isExpected(plan: JudgePlan, direction: Direction): boolean {
  return plan.expectDenyRate === direction || (plan.emergency && direction === 'up');
}

/** e-value that either side needs: the budget is split between a rise and a fall. */
function denyThreshold(plan: JudgePlan): number {
  return 2 / plan.denyAlpha;
}

/** The reason to roll back, if the evidence crossed a threshold at any time; errors first. */
export function triggerOf(scales: Scales): JudgementTrigger | undefined {
  if (scales.errors.crossed) return errorTrigger(scales);
  for (const direction of DIRECTIONS) {
    if (isExpected(scales.plan, direction)) continue;
    const logPeak = scales.denies.logPeak(SIDES[direction].harm);
    if (logPeak >= Math.log(denyThreshold(scales.plan)))
      return denyTrigger(scales, direction, logPeak);
  }
  return undefined;
}

/** Whether every rate that matters is proven to stay within its limit. */
export function isProvenSafe({ plan, errors, denies }: Scales): boolean {
  const logThreshold = -Math.log(plan.safeAlpha);
  if (errors.logSafe < logThreshold) return false;
  return DIRECTIONS.every(
    (direction) =>
      isExpected(plan, direction) ||
      denies.margins[direction] === undefined ||
      denies.logEvidence(SIDES[direction].safe) >= logThreshold,
  );
}

/** ln of the e-value of harm per metric, as it stands. */
export function evidenceOf({ errors, denies }: Scales): Judgement['evidence'] {
  const errorsLogE = errors.count === 0 ? 0 : Math.log(errors.nearest().evidence);
  return [
    { metric: 'error_rate', logE: errorsLogE },
    // A side that the plan does not judge has no evidence.
    ...DIRECTIONS.filter((direction) => denies.margins[direction] !== undefined).map(
      (direction) => ({
        metric: SIDES[direction].metric,
        logE: denies.logEvidence(SIDES[direction].harm),
      }),
    ),
  ];
}

/** One line per metric. */
export function linesOf(scales: Scales): string[] {
  return [errorLine(scales), ...DIRECTIONS.map((direction) => denyLine(scales, direction))];
}

function errorTrigger({ errors, denies }: Scales): JudgementTrigger {
  const nearest = errors.nearest();
  const evidence = Math.min(nearest.peak, finiteExp(Infinity));
  const observed = rateOf({ count: errors.count, denied: errors.errors });
  return {
    metric: 'error_rate',
    observed,
    limit: nearest.limit,
    canaryCount: errors.count,
    controlCount: denies.counts('control').count,
    evidence,
    threshold: nearest.threshold,
    words: `errors: ${evidenceWords({ observed, limit: nearest.limit, side: 'above', evidence, threshold: nearest.threshold })}`,
  };
}

function denyTrigger(scales: Scales, direction: Direction, logPeak: number): JudgementTrigger {
  const seen = denySide(scales, direction);
  const { metric, title, side } = SIDES[direction];
  const evidence = finiteExp(logPeak);
  const threshold = denyThreshold(scales.plan);
  return {
    metric,
    observed: seen.observed,
    baseline: seen.baseline,
    limit: seen.limit,
    canaryCount: scales.denies.counts('canary').count,
    controlCount: scales.denies.counts('control').count,
    evidence,
    threshold,
    words: `${title}: ${evidenceWords({ ...seen, side, evidence, threshold })}`,
  };
}

function errorLine({ plan, errors }: Scales): string {
  if (errors.count === 0) return 'errors: no canary exchange yet';
  const nearest = errors.nearest();
  const observed = rateOf({ count: errors.count, denied: errors.errors });
  const words = evidenceWords({ observed, side: 'above', ...nearest });
  return `errors: ${words}${proofWords(errors.logSafe, plan)}`;
}

function denyLine(scales: Scales, direction: Direction): string {
  const { plan, denies } = scales;
  const { title, harm, safe, side } = SIDES[direction];
  if (denies.margins[direction] === undefined) {
    return `${title}: not judged, a fall of ${percent(plan.denyRateChangeMax)} and more is permitted`;
  }
  if (denies.counts('canary').count === 0 || denies.counts('control').count === 0) {
    return `${title}: no exchange with a session yet on both sides`;
  }
  const seen = denySide(scales, direction);
  const threshold = denyThreshold(plan);
  const evidence = finiteExp(denies.logEvidence(harm));
  const words = `${title}: ${evidenceWords({ ...seen, side, evidence, threshold })}`;
  if (!isExpected(plan, direction)) return words + proofWords(denies.logEvidence(safe), plan);
  return denies.logPeak(harm) >= Math.log(threshold)
    ? `alert: ${words}; expected, so it does not roll back`
    : `${words}; expected, so it would only alert`;
}

/** `; proof of safety 12 of the 100 needed` */
function proofWords(logSafe: number, plan: JudgePlan): string {
  return `; proof of safety ${amount(finiteExp(logSafe))} of the ${amount(1 / plan.safeAlpha)} needed`;
}

function denySide(
  { denies }: Scales,
  direction: Direction,
): { observed: number; baseline: number; limit: number } {
  const baseline = rateOf(denies.counts('control'));
  const margin = denies.margins[direction] ?? { ratio: 0, offset: 0 };
  const limit = Math.min(1, Math.max(0, margin.ratio * baseline + margin.offset));
  return { observed: rateOf(denies.counts('canary')), baseline, limit };
}

function rateOf({ count, denied }: { readonly count: number; readonly denied: number }): number {
  return count === 0 ? 0 : denied / count;
}
