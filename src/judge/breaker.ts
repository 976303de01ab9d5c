import { ErrorSources } from './error-sources.ts';
import { ShiryaevRoberts } from './shiryaev-roberts.ts';

export interface BreakerOptions {
  /** Error rate a healthy rule may have. */
  readonly errorRateMax: number;
  /** Evaluations between two false openings, on average, at the least. */
  readonly falseAlarmEvaluations: number;
  /** This many counted errors with no success between them open at once. */
  readonly errorsInARow: number;
  /** Errors of one source that count within one half-life. */
  readonly errorsPerSourceMax: number;
  readonly sourcesMax: number;
  readonly evidenceHalfLifeMs: number;
  /** First open time; doubles with each opening in a row, up to `openMaxMs`. */
  readonly openMs: number;
  readonly openMaxMs: number;
  /** Share by which an open time is varied, up or down, 0..1. */
  readonly openJitter: number;
  /** Evaluations let through when half open; all of them must succeed. */
  readonly probes: number;
  /** Probes that did not answer for so long have failed. */
  readonly probeTimeoutMs: number;
}

export const BREAKER_DEFAULTS: BreakerOptions = Object.freeze({
  errorRateMax: 0.01,
  falseAlarmEvaluations: 1e10,
  errorsInARow: 5,
  errorsPerSourceMax: 2,
  sourcesMax: 256,
  evidenceHalfLifeMs: 600_000,
  openMs: 5_000,
  openMaxMs: 300_000,
  openJitter: 0.2,
  probes: 3,
  probeTimeoutMs: 10_000,
});

/**
 * A generation ends with every change of state. Results carry the generation they were allowed in,
 * so that one of an older generation changes nothing.
 */
export type BreakerState =
  | { readonly kind: 'closed'; readonly generation: number }
  | { readonly kind: 'open'; readonly generation: number; readonly untilMs: number }
  | {
      readonly kind: 'half-open';
      readonly generation: number;
      /** Probes that may still be let through. */
      readonly probesLeft: number;
      readonly successes: number;
      readonly deadlineMs: number;
    };

/** What of a breaker survives a restart: relative times, because monotonic clocks do not. */
export interface SavedBreaker {
  readonly open: boolean;
  readonly remainingMs: number;
  readonly openings: number;
}

/**
 * Circuit breaker of one rule of one set, or of one external detector. It only says whether to
 * evaluate; what skipping means is the class's stance (SEMANTICS §8). Times are monotonic ms.
 *
 * closed -> open: by an e-detector on the error rate, or `errorsInARow`. open -> half-open: by the
 * first `allow` after the open time. half-open -> closed: every probe succeeded; -> open: one failed,
 * or did not answer.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #random: () => number;
  readonly #sources: ErrorSources;
  #detector: ShiryaevRoberts;
  #row = 0;
  #openings = 0;
  #closedSinceMs: number;
  #state: BreakerState = { kind: 'closed', generation: 0 };

  /** `random`: uniform in [0, 1), for the jitter of open times. */
  constructor(options: BreakerOptions, random: () => number, nowMs: number) {
    this.#options = options;
    this.#random = random;
    this.#closedSinceMs = nowMs;
    this.#sources = new ErrorSources(
      options.errorsPerSourceMax,
      options.sourcesMax,
      options.evidenceHalfLifeMs,
    );
    this.#detector = this.#newDetector(nowMs);
  }

  /** A breaker that was not closed comes back open, for what was left of its time. */
  static restore(
    saved: SavedBreaker,
    options: BreakerOptions,
    random: () => number,
    nowMs: number,
  ): Breaker {
    const breaker = new Breaker(options, random, nowMs);
    const remainingMs = Number.isFinite(saved.remainingMs) ? saved.remainingMs : options.openMaxMs;
    breaker.#openings = Math.max(0, Math.floor(saved.openings) || 0);
    if (saved.open) {
      breaker.#state = {
        kind: 'open',
        generation: 1,
        untilMs: nowMs + Math.min(options.openMaxMs, Math.max(0, remainingMs)),
      };
    }
    return breaker;
  }

  save(nowMs: number): SavedBreaker {
    const state = this.#state;
    return {
      open: state.kind !== 'closed',
      remainingMs: state.kind === 'open' ? Math.max(0, state.untilMs - nowMs) : 0,
      openings: this.#openings,
    };
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** To be handed back to `record` with the result of an evaluation that `allow` let through. */
  get generation(): number {
    return this.#state.generation;
  }

  /** Whether to evaluate now. A `skip` costs one comparison. */
  allow(nowMs: number): 'evaluate' | 'skip' {
    const state = this.#state;
    switch (state.kind) {
      case 'closed':
        return 'evaluate';
      case 'open':
        if (nowMs < state.untilMs) return 'skip';
        this.#state = {
          kind: 'half-open',
          generation: state.generation + 1,
          probesLeft: this.#options.probes - 1,
          successes: 0,
          deadlineMs: nowMs + this.#options.probeTimeoutMs,
        };
        return 'evaluate';
      case 'half-open':
        if (nowMs >= state.deadlineMs) {
          this.#open(nowMs);
          return 'skip';
        }
        if (state.probesLeft === 0) return 'skip';
        this.#state = { ...state, probesLeft: state.probesLeft - 1 };
        return 'evaluate';
    }
  }

  /**
   * The result of an evaluation. `abandoned`: it ended for reasons that are not the rule's (a client
   * that went away); a probe is then given back. `source`: key of the principal who sent the input.
   */
  record(
    outcome: 'ok' | 'error' | 'abandoned',
    generation: number,
    nowMs: number,
    source?: string,
  ): void {
    const state = this.#state;
    if (generation !== state.generation || state.kind === 'open') return;
    const counts = outcome !== 'error' || this.#sources.take(source, nowMs);
    if (state.kind === 'closed') {
      if (outcome !== 'abandoned' && counts) this.#recordClosed(outcome === 'error', nowMs);
      return;
    }
    if (outcome === 'abandoned' || !counts) {
      this.#state = { ...state, probesLeft: state.probesLeft + 1 };
    } else if (outcome === 'error') {
      this.#open(nowMs);
    } else if (state.successes + 1 >= this.#options.probes) {
      this.#close(nowMs);
    } else {
      this.#state = { ...state, successes: state.successes + 1 };
    }
  }

  #recordClosed(isError: boolean, nowMs: number): void {
    this.#row = isError ? this.#row + 1 : 0;
    const level = this.#detector.observe(isError, nowMs);
    if (this.#row >= this.#options.errorsInARow || level >= this.#options.falseAlarmEvaluations) {
      if (nowMs - this.#closedSinceMs >= this.#options.openMaxMs) this.#openings = 0;
      this.#open(nowMs);
    }
  }

  #open(nowMs: number): void {
    const { openMs, openMaxMs, openJitter } = this.#options;
    const grown = Math.min(openMaxMs, openMs * 2 ** Math.min(this.#openings, 40));
    const varied = grown * (1 + openJitter * (2 * this.#random() - 1));
    this.#openings += 1;
    this.#state = {
      kind: 'open',
      generation: this.#state.generation + 1,
      untilMs: nowMs + Math.min(openMaxMs, varied),
    };
  }

  #close(nowMs: number): void {
    this.#state = { kind: 'closed', generation: this.#state.generation + 1 };
    this.#closedSinceMs = nowMs;
    this.#row = 0;
    this.#detector = this.#newDetector(nowMs);
  }

  #newDetector(nowMs: number): ShiryaevRoberts {
    const { errorRateMax, evidenceHalfLifeMs } = this.#options;
    return new ShiryaevRoberts(errorRateMax, evidenceHalfLifeMs, nowMs);
  }
}
