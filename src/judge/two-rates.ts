import { EProcess } from './e-process.ts';

/** The edge of a null hypothesis about two rates: canary = ratio x control + offset. */
export interface Margin {
  /** Above 0. */
  readonly ratio: number;
  /** As a rate; may be negative. */
  readonly offset: number;
}

/**
 * Which side of the edge the null hypothesis holds.
 * `at_most`: canary <= edge; evidence grows when the canary is above.
 * `at_least`: canary >= edge; evidence grows when it is below.
 */
export type NullSide = 'at_most' | 'at_least';

/**
 * Sessions that closed in one tick, as one cohort saw them: `sessions` sessions with `requests`
 * counted requests each, `denials` of them denied. `requests` is at most the span.
 */
export interface SessionGroup {
  readonly requests: number;
  readonly denials: number;
  readonly sessions: number;
}

/** One tick. Both cohorts must be present for it to say anything. */
export interface Tick {
  /** Requests of a session that count (M). A session's weight is min(m, M)/M. */
  readonly span: number;
  readonly canary: readonly SessionGroup[];
  readonly control: readonly SessionGroup[];
}

const ALTERNATIVE_MULTIPLES: readonly number[] = [1.25, 1.6, 2.2, 3.5, 6, 12];
/** The multiples, then the canary's own past rate, then the control's (nothing changed). */
const ALTERNATIVES = ALTERNATIVE_MULTIPLES.length + 2;
const RATE_LOWEST = 1e-6;
const RATE_HIGHEST = 0.97;
/** An alternative closer to the edge than this has no power and only costs digits. */
const APART = 1e-4;

/**
 * The point (a, b) of the edge a = ratio b + offset that is nearest to (canary, control) in
 * weighted Kullback-Leibler divergence:
 *   argmin weightCanary KL(canary||a) + weightControl KL(control||b).
 * The derivative in b grows monotonically and changes sign between `control` and the b at which
 * a = canary; safeguarded Newton inside that bracket, some six rounds. Returns b.
 * Turner, Ly and Grünwald, arXiv 2106.02693, with an affine margin.
 */
export function projectToEdge(
  canary: number,
  control: number,
  weightCanary: number,
  weightControl: number,
  margin: Margin,
): number {
  const { ratio, offset } = margin;
  const floor = Math.max(0, -offset / ratio);
  const ceiling = Math.min(1, (1 - offset) / ratio);
  const meeting = (canary - offset) / ratio;
  let low = Math.max(floor, Math.min(control, meeting));
  let high = Math.min(ceiling, Math.max(control, meeting));
  let b =
    (weightCanary * meeting * ratio + weightControl * control) /
    (weightCanary * ratio + weightControl);
  if (!(b > low && b < high)) b = (low + high) / 2;
  for (let round = 0; round < 200; round++) {
    const a = ratio * b + offset;
    const slope =
      (weightCanary * ratio * (a - canary)) / (a * (1 - a)) +
      (weightControl * (b - control)) / (b * (1 - b));
    if (slope === 0) return b;
    if (slope < 0) low = b;
    else high = b;
    const bend =
      weightCanary * ratio * ratio * (canary / (a * a) + (1 - canary) / ((1 - a) * (1 - a))) +
      weightControl * (control / (b * b) + (1 - control) / ((1 - b) * (1 - b)));
    let next = b - slope / bend;
    if (!(next > low && next < high)) next = (low + high) / 2;
    if (Math.abs(next - b) <= 1e-15 * b || next === low || next === high) return next;
    b = next;
  }
  return b;
}

function weightOf(groups: readonly SessionGroup[], span: number): number {
  let requests = 0;
  for (const group of groups) requests += group.requests * group.sessions;
  return requests / span;
}

/** Sum of ln f over the sessions, f = 1 + sum over counted requests of (e - 1)/span. */
function logOfSessions(
  groups: readonly SessionGroup[],
  span: number,
  deniedFactor: number,
  passedFactor: number,
): number {
  let sum = 0;
  for (const { requests, denials, sessions } of groups) {
    const gain = denials * (deniedFactor - 1) + (requests - denials) * (passedFactor - 1);
    sum += sessions * Math.log1p(gain / span);
  }
  return sum;
}

/**
 * ln of the tick's factor for one alternative (canary, control): an e-variable for every pair of
 * cohort means on the null side of the edge, provided that the alternative lies on the other.
 *
 * Why: with (a, b) the projection, the expectations of one canary and one control factor are affine
 * in the true rates and 1 at (a, b); by optimality of the projection their mean, weighted by the
 * cohorts, is at most 1 on the null side; and by AM-GM the product over independent sessions is at
 * most e^(weight x (mean - 1)). A session's factor is a mean, so what happens between requests
 * *inside* it does not matter.
 */
export function logTickFactor(tick: Tick, canary: number, control: number, margin: Margin): number {
  const weightCanary = weightOf(tick.canary, tick.span);
  const weightControl = weightOf(tick.control, tick.span);
  if (weightCanary === 0 || weightControl === 0) return 0;
  const b = projectToEdge(canary, control, weightCanary, weightControl, margin);
  const a = margin.ratio * b + margin.offset;
  return (
    logOfSessions(tick.canary, tick.span, canary / a, (1 - canary) / (1 - a)) +
    logOfSessions(tick.control, tick.span, control / b, (1 - control) / (1 - b))
  );
}

/**
 * Evidence against a null hypothesis about two rates, tick by tick. Exact at any sample size, any
 * split of traffic and any drift that both cohorts share; the alternatives decide only about power.
 * About 5 µs a tick.
 */
export class TwoRates {
  readonly nullSide: NullSide;
  readonly margin: Margin;
  readonly #process: EProcess;
  readonly #logFactors = new Float64Array(ALTERNATIVES);

  /** Throws RangeError when `margin.ratio` is not above 0: such an edge does not depend on the control. */
  constructor(nullSide: NullSide, margin: Margin, lateStarts: boolean) {
    if (!(margin.ratio > 0)) throw new RangeError('the ratio of a margin must be above 0');
    this.nullSide = nullSide;
    this.margin = margin;
    this.#process = new EProcess(ALTERNATIVES, lateStarts);
  }

  get logWealth(): number {
    return this.#process.logWealth;
  }

  get logPeak(): number {
    return this.#process.logPeak;
  }

  /** `controlPast` and `canaryPast`: rates of the ticks before this one; never of this one. */
  step(tick: Tick, controlPast: number, canaryPast: number): void {
    const control = clamp(controlPast);
    const edge = this.margin.ratio * control + this.margin.offset;
    for (let k = 0; k < ALTERNATIVES; k++) {
      const canary = this.#alternative(k, edge, control, canaryPast);
      this.#logFactors[k] = this.#isOutside(canary, edge)
        ? logTickFactor(tick, canary, control, this.margin)
        : 0;
    }
    this.#process.step(this.#logFactors);
  }

  #alternative(k: number, edge: number, control: number, canaryPast: number): number {
    const multiple = ALTERNATIVE_MULTIPLES[k];
    if (multiple === undefined) {
      return clamp(k === ALTERNATIVE_MULTIPLES.length ? canaryPast : control);
    }
    return clamp(
      this.nullSide === 'at_most' ? Math.max(edge, RATE_LOWEST) * multiple : edge / multiple,
    );
  }

  #isOutside(canary: number, edge: number): boolean {
    return this.nullSide === 'at_most'
      ? canary > edge + APART * Math.abs(edge)
      : canary < edge - APART * Math.abs(edge);
  }
}

function clamp(rate: number): number {
  return Math.min(RATE_HIGHEST, Math.max(RATE_LOWEST, rate));
}
