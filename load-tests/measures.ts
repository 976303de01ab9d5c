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

/** One figure of a slice. */
export type Figure = (slice: Measured) => number;

/** Median over rounds of `of` a slice by `to` the slice of the other way in the same round. */
export function ratio(
  through: readonly Measured[],
  alone: readonly Measured[],
  of: Figure,
  to: Figure = of,
): number {
  return median(
    through.flatMap((slice, round) => {
      const other = alone[round];
      return other === undefined ? [] : [of(slice) / to(other)];
    }),
  );
}

/** µs of CPU per exchange; a tick of the kernel is about one part in fifty of a slice. */
export const envoyCpuUs: Figure = (slice) => (slice.envoyCpuMs * 1_000) / slice.exchanges;
export const switchyardCpuUs: Figure = (slice) => (slice.switchyardCpuMs * 1_000) / slice.exchanges;
