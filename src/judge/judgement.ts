/** What the judge says, and the words it says it in (SEMANTICS §10). */

export type JudgedMetric = 'error_rate' | 'deny_rate_up' | 'deny_rate_down';

/** Why a rollout failed, as it stood at the exchange that decided it. */
export interface JudgementTrigger {
  readonly metric: JudgedMetric;
  /** Rate of the canary, 0..1. */
  readonly observed: number;
  /** Rate of the control, where the limit depends on it. */
  readonly baseline?: number;
  /** The rate that the canary must not pass. */
  readonly limit: number;
  /** Canary exchanges that this metric counts. */
  readonly canaryCount: number;
  readonly controlCount: number;
  /** How many times likelier the bets made the data than the limit allows (e-value); finite. */
  readonly evidence: number;
  /** 1/alpha. */
  readonly threshold: number;
  readonly words: string;
}

export interface Judgement {
  /** No evidence is neither pass nor fail. `fail` stays. */
  readonly state: 'pass' | 'fail' | 'inconclusive';
  readonly trigger?: JudgementTrigger;
  /** No canary exchange for `blindAfterMs`: never `pass`. */
  readonly blind: boolean;
  /** ln of the e-value of harm per metric, as it stands: for dashboards. */
  readonly evidence: readonly { readonly metric: JudgedMetric; readonly logE: number }[];
  /** One per metric, then what limits the judgement. */
  readonly lines: readonly string[];
}

/** `0.0153` → `1.53 %`; three significant digits. */
export function percent(rate: number): string {
  return `${Number((rate * 100).toPrecision(3))} %`;
}

/** `1234.5` → `1,235`; below ten with one decimal; beyond a billion in powers of ten. */
export function amount(value: number): string {
  if (value >= 1e9) return `10^${Math.floor(Math.log10(value))}`;
  if (value < 10) return String(Number(value.toFixed(1)));
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `observed 1.5 % > limit 1 %; evidence 40 of the 1,000 needed` */
export function evidenceWords(says: {
  readonly observed: number;
  readonly limit: number;
  readonly baseline?: number;
  readonly side: 'above' | 'below';
  readonly evidence: number;
  readonly threshold: number;
}): string {
  const broken = says.side === 'above' ? says.observed > says.limit : says.observed < says.limit;
  const sign = says.side === 'above' ? (broken ? '>' : '<=') : broken ? '<' : '>=';
  const baseline = says.baseline === undefined ? '' : ` (baseline ${percent(says.baseline)})`;
  return `observed ${percent(says.observed)} ${sign} limit ${percent(says.limit)}${baseline}; evidence ${amount(says.evidence)} of the ${amount(says.threshold)} needed`;
}
