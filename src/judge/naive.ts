import type { Cohort } from './sessions.ts';

/** The rule as it was asked for: |canary - baseline| / baseline > 20 % over 5 minutes, after 10. */
export interface NaiveRuleOptions {
  readonly changeMax: number;
  readonly windowMs: number;
  readonly quietMs: number;
  readonly pollMs: number;
}

export const NAIVE_DEFAULTS: NaiveRuleOptions = Object.freeze({
  changeMax: 0.2,
  windowMs: 300_000,
  quietMs: 600_000,
  pollMs: 10_000,
});

export interface NaiveFinding {
  readonly observed: number;
  readonly baseline: number;
  /** |observed - baseline| / baseline; Infinity when the baseline is 0 and the canary is not. */
  readonly change: number;
  readonly atMs: number;
}

interface Bucket {
  readonly index: number;
  readonly counts: Record<Cohort, { count: number; denied: number }>;
}

/**
 * Compatibility mode `naive`: a threshold polled on a sliding window. Kept for those who must have
 * it and for the comparison with `RolloutJudge`; on a quiet service it rolls back a healthy canary
 * with near certainty (docs/reference/judge.md). The baseline is the control cohort in the same
 * window, the kindest choice; windows move by whole polls.
 */
export class NaiveRule {
  readonly #options: NaiveRuleOptions;
  readonly #startMs: number;
  readonly #buckets: Bucket[] = [];
  #found: NaiveFinding | undefined;

  constructor(options: NaiveRuleOptions, startMs: number) {
    this.#options = options;
    this.#startMs = startMs;
  }

  /** The first poll at which the rule held; it stays. */
  get found(): NaiveFinding | undefined {
    return this.#found;
  }

  /** Times must not go back. The first exchange of a poll interval polls what came before it. */
  observe(seen: { readonly cohort: Cohort; readonly denied: boolean }, nowMs: number): void {
    const index = Math.floor((nowMs - this.#startMs) / this.#options.pollMs);
    let bucket = this.#buckets.at(-1);
    if (bucket === undefined || bucket.index !== index) {
      this.poll(nowMs);
      bucket = {
        index,
        counts: { control: { count: 0, denied: 0 }, canary: { count: 0, denied: 0 } },
      };
      this.#buckets.push(bucket);
    }
    const counts = bucket.counts[seen.cohort];
    counts.count += 1;
    if (seen.denied) counts.denied += 1;
  }

  /** Evaluates the window that ends with the last whole poll interval before `nowMs`. */
  poll(nowMs: number): NaiveFinding | undefined {
    const { pollMs, windowMs, quietMs, changeMax } = this.#options;
    const end = Math.floor((nowMs - this.#startMs) / pollMs);
    while (this.#buckets[0] !== undefined && this.#buckets[0].index < end - windowMs / pollMs) {
      this.#buckets.shift();
    }
    if (this.#found !== undefined || end * pollMs < quietMs) return this.#found;
    const canary = this.#rate('canary', end);
    const control = this.#rate('control', end);
    if (canary === undefined || control === undefined) return undefined;
    const difference = Math.abs(canary - control);
    const change = difference === 0 ? 0 : difference / control;
    if (change > changeMax) {
      this.#found = { observed: canary, baseline: control, change, atMs: nowMs };
    }
    return this.#found;
  }

  #rate(cohort: Cohort, end: number): number | undefined {
    let count = 0;
    let denied = 0;
    for (const bucket of this.#buckets) {
      if (bucket.index >= end) continue;
      count += bucket.counts[cohort].count;
      denied += bucket.counts[cohort].denied;
    }
    return count === 0 ? undefined : denied / count;
  }
}
