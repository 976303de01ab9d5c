/** How long after its start an exchange is counted: nearly every answer has ended by then. */
export const SETTLE_MS = 60_000;

/** Exchanges held at once; beyond it they are left out: 1,600 a second. */
export const SETTLING_MAX = 100_000;

/** Exchanges are handed on once a second. */
const SPAN_MS = 1_000;

/**
 * Hands every exchange on at the same age, however long it took. A refusal ends an exchange at once
 * and an answer after half a minute: counted as they end, a set's first half minute would look as if
 * it refused everybody. Two cohorts that begin together share that look; a set and the past of another
 * do not. What is still running at that age is handed on when it ends.
 */
export class Settling<T> {
  readonly #onSettled: (exchange: T, nowMs: number) => void;
  readonly #settleMs: number;
  readonly #settlingMax: number;
  readonly #bySpan = new Map<number, T[]>();
  #size = 0;
  #handedOn = Number.NEGATIVE_INFINITY;

  constructor(
    onSettled: (exchange: T, nowMs: number) => void,
    settleMs: number = SETTLE_MS,
    settlingMax: number = SETTLING_MAX,
  ) {
    this.#onSettled = onSettled;
    this.#settleMs = settleMs;
    this.#settlingMax = settlingMax;
  }

  get size(): number {
    return this.#size;
  }

  /** A finished exchange that began at `startedMs`. */
  add(exchange: T, startedMs: number): void {
    if (this.#size >= this.#settlingMax) return;
    // Rounded up: what is due within a span waits for its end.
    const span = Math.max(Math.ceil((startedMs + this.#settleMs) / SPAN_MS), this.#handedOn + 1);
    const others = this.#bySpan.get(span);
    if (others === undefined) this.#bySpan.set(span, [exchange]);
    else others.push(exchange);
    this.#size += 1;
  }

  /** Hands on what is due by now. One comparison when the second is still the same. */
  advance(nowMs: number): void {
    const span = Math.floor(nowMs / SPAN_MS);
    if (span <= this.#handedOn) return;
    this.#handedOn = span;
    const due = [...this.#bySpan.keys()].filter((key) => key <= span).sort((a, b) => a - b);
    for (const key of due) {
      const settled = this.#bySpan.get(key) ?? [];
      this.#bySpan.delete(key);
      this.#size -= settled.length;
      for (const exchange of settled) this.#onSettled(exchange, nowMs);
    }
  }
}
