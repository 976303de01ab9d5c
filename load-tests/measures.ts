/** From slices to ratios: neighbours in time are compared, so that a noisy machine disturbs both alike. */

/** One slice of one way through, asked with one shape. */
export interface Measured {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
  /** CPU of Envoy and of Switchyard, 0 where there is none. */
  readonly envoyCpuMs: number;
  readonly switchyardCpuMs: number;
  /** Exchanges that this CPU was spent on. */
  readonly exchanges: number;
}

/** The value below which `share` of them lie; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

type Kind = 'p50Ms' | 'p99Ms' | 'perSecond';

/** Median over rounds of `through / alone`. */
export function ratio(
  through: readonly Measured[],
  alone: readonly Measured[],
  kind: Kind,
): number {
  return median(through.map((slice, round) => slice[kind] / (alone[round]?.[kind] ?? Number.NaN)));
}

/** µs of CPU per exchange over all rounds: ticks are too coarse for one of them. */
export function cpuPerExchangeUs(
  slices: readonly Measured[],
  whose: 'envoyCpuMs' | 'switchyardCpuMs',
): number {
  const spent = slices.reduce((sum, slice) => sum + slice[whose], 0);
  return (spent * 1_000) / slices.reduce((sum, slice) => sum + slice.exchanges, 0);
}
