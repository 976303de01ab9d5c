import { ratesAbove } from './one-rate.ts';

/**
 * Watches an error rate for ever. Null: the rate is at most `limit`. Per alternative
 * M <- (1 + M) x factor, averaged (Shiryaev-Roberts e-detector; Shin, Ramdas and Rinaldo,
 * arXiv 2203.03532): M minus the number of outcomes cannot grow in expectation under the null, so the
 * mean number of outcomes until it falsely reaches A is at least A.
 *
 * Evidence fades by age: M is multiplied by 2^(-age/halfLife), which only lowers it, so the bound
 * holds and an idle hour creates nothing. About 20 ns an outcome.
 */
export class ShiryaevRoberts {
  readonly #hit: Float64Array;
  readonly #miss: Float64Array;
  readonly #levels: Float64Array;
  readonly #halfLifeMs: number;
  #atMs: number;

  constructor(limit: number, halfLifeMs: number, startMs: number) {
    const factors = ratesAbove(limit);
    this.#hit = factors.hit;
    this.#miss = factors.miss;
    this.#levels = new Float64Array(factors.hit.length);
    this.#halfLifeMs = halfLifeMs;
    this.#atMs = startMs;
  }

  /** The detector's level after this outcome; compare with the mean run length A. */
  observe(isError: boolean, nowMs: number): number {
    const ageMs = nowMs - this.#atMs;
    const kept = ageMs > 0 ? 2 ** (-ageMs / this.#halfLifeMs) : 1;
    if (ageMs > 0) this.#atMs = nowMs;
    const factors = isError ? this.#hit : this.#miss;
    const levels = this.#levels;
    let sum = 0;
    for (let k = 0; k < levels.length; k++) {
      levels[k] = (1 + levels[k]! * kept) * factors[k]!;
      sum += levels[k]!;
    }
    return sum / levels.length;
  }
}
