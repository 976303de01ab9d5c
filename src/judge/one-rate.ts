import { logMeanExp } from './log-space.ts';

/** Alternatives as multiples of (or, below a limit, divisions by) the limit. */
export const RATE_MULTIPLES: readonly number[] = [1.25, 1.5, 2, 3, 5, 10, 20, 50];

/** No alternative is more certain than this: one contrary outcome must not ruin it for good. */
const RATE_HIGHEST = 0.98;

/** Beyond this a wealth says nothing new, and the next multiplication could overflow. */
const WEALTH_MAX = 1e250;

/**
 * One factor per alternative for one outcome: `hit` is theta/p0, `miss` is (1-theta)/(1-p0).
 * Alternatives are p0 x RATE_MULTIPLES, none above RATE_HIGHEST.
 */
export function ratesAbove(limit: number): { hit: Float64Array; miss: Float64Array } {
  const rates = RATE_MULTIPLES.map((m) => Math.max(Math.min(RATE_HIGHEST, limit * m), limit));
  return {
    hit: Float64Array.from(rates, (theta) => theta / limit),
    miss: Float64Array.from(rates, (theta) => (1 - theta) / (1 - limit)),
  };
}

/**
 * Evidence that a rate is above `limit` (null: theta <= limit at every exchange), after each outcome.
 *
 *   E = (theta/p0)^x ((1-theta)/(1-p0))^(n-x), mixed over theta and over the exchange it starts at
 *   (see `EProcess` for the second mixture).
 *
 * Kept as plain sums of products: the stake added at every exchange keeps them from vanishing,
 * WEALTH_MAX from overflowing, and there is no logarithm on the path of an exchange (about 20 ns).
 */
export class RateAbove {
  readonly limit: number;
  readonly #hit: Float64Array;
  readonly #miss: Float64Array;
  readonly #stakes: Float64Array;
  #count = 0;
  #hits = 0;
  #wealth = 1;
  #peak = 1;

  /** `limit` in (0, 1). Throws RangeError otherwise. */
  constructor(limit: number) {
    if (!(limit > 0 && limit < 1)) throw new RangeError('a rate limit lies between 0 and 1');
    this.limit = limit;
    const factors = ratesAbove(limit);
    this.#hit = factors.hit;
    this.#miss = factors.miss;
    this.#stakes = new Float64Array(factors.hit.length);
  }

  get count(): number {
    return this.#count;
  }

  get hits(): number {
    return this.#hits;
  }

  get wealth(): number {
    return this.#wealth;
  }

  /** The highest wealth so far; compare with 1/alpha. */
  get peak(): number {
    return this.#peak;
  }

  observe(hit: boolean): void {
    this.#count += 1;
    if (hit) this.#hits += 1;
    const n = this.#count;
    const newStake = 1 / (n * (n + 1));
    const factors = hit ? this.#hit : this.#miss;
    const stakes = this.#stakes;
    let sum = 0;
    for (let k = 0; k < stakes.length; k++) {
      stakes[k] = Math.min(WEALTH_MAX, (stakes[k]! + newStake) * factors[k]!);
      sum += stakes[k]!;
    }
    this.#wealth = sum / stakes.length + 1 / (n + 1);
    if (this.#wealth > this.#peak) this.#peak = this.#wealth;
  }
}

/**
 * Evidence that a rate is below `limit` (null: theta >= limit), from counts alone: the mirror image
 * of `RateAbove`, without late starts, because a proof of safety must rest on the whole run.
 * Alternatives are limit / RATE_MULTIPLES.
 */
export class RateBelow {
  readonly limit: number;
  readonly #logHit: readonly number[];
  readonly #logMiss: readonly number[];
  #count = 0;
  #hits = 0;

  /** `limit` in (0, 1). Throws RangeError otherwise. */
  constructor(limit: number) {
    if (!(limit > 0 && limit < 1)) throw new RangeError('a rate limit lies between 0 and 1');
    this.limit = limit;
    const rates = RATE_MULTIPLES.map((m) => limit / m);
    this.#logHit = rates.map((theta) => Math.log(theta / limit));
    this.#logMiss = rates.map((theta) => Math.log1p(-theta) - Math.log1p(-limit));
  }

  observe(hit: boolean): void {
    this.#count += 1;
    if (hit) this.#hits += 1;
  }

  /** ln of the wealth after all outcomes; 0 before the first. */
  get logWealth(): number {
    const misses = this.#count - this.#hits;
    return logMeanExp(this.#logHit.map((hit, k) => this.#hits * hit + misses * this.#logMiss[k]!));
  }
}
