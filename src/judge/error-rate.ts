import { RateAbove, RateBelow } from './one-rate.ts';

export interface ErrorLimits {
  /** Above this rate: harm that nobody waits for. */
  readonly errorRateHard: number;
  readonly errorAlphaHard: number;
  /** Above this rate: harm. Below it, proven: safe. */
  readonly errorRateMax: number;
  readonly errorAlpha: number;
}

/** One limit, and how far the evidence against it has come. */
export interface ErrorEvidence {
  readonly limit: number;
  /** e-values, now and at their highest. */
  readonly evidence: number;
  readonly peak: number;
  /** 1/alpha. */
  readonly threshold: number;
}

/**
 * Errors of the new set against two constant limits, checked at every exchange. Errors of the old
 * set are no excuse and no charge: they are not asked about.
 */
export class ErrorRate {
  readonly #hard: RateAbove;
  readonly #soft: RateAbove;
  readonly #safe: RateBelow;
  readonly #thresholdHard: number;
  readonly #threshold: number;

  constructor(limits: ErrorLimits) {
    this.#hard = new RateAbove(limits.errorRateHard);
    this.#soft = new RateAbove(limits.errorRateMax);
    this.#safe = new RateBelow(limits.errorRateMax);
    this.#thresholdHard = 1 / limits.errorAlphaHard;
    this.#threshold = 1 / limits.errorAlpha;
  }

  get count(): number {
    return this.#hard.count;
  }

  get errors(): number {
    return this.#hard.hits;
  }

  observe(errored: boolean): void {
    this.#hard.observe(errored);
    this.#soft.observe(errored);
    this.#safe.observe(errored);
  }

  /** Of the two limits the one whose evidence is nearer to, or further beyond, what it needs. */
  nearest(): ErrorEvidence {
    const hard = evidenceOf(this.#hard, this.#thresholdHard);
    const soft = evidenceOf(this.#soft, this.#threshold);
    return hard.peak / hard.threshold > soft.peak / soft.threshold ? hard : soft;
  }

  /** ln of the evidence that the rate is below `errorRateMax`. */
  get logSafe(): number {
    return this.#safe.logWealth;
  }

  /** Whether a limit was crossed at any exchange so far. */
  get crossed(): boolean {
    return this.#hard.peak >= this.#thresholdHard || this.#soft.peak >= this.#threshold;
  }
}

function evidenceOf(test: RateAbove, threshold: number): ErrorEvidence {
  return { limit: test.limit, evidence: test.wealth, peak: test.peak, threshold };
}
