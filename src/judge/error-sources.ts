/**
 * How many errors each source (a principal's key) may still have counted, so that one who sends
 * only inputs that crash a rule cannot open its breaker. A source gets its errors back after
 * `windowMs`. Bounded: beyond `sourcesMax` the oldest is forgotten, which can only let errors count.
 */
export class ErrorSources {
  readonly #errorsMax: number;
  readonly #sourcesMax: number;
  readonly #windowMs: number;
  readonly #counted = new Map<string, { sinceMs: number; errors: number }>();

  constructor(errorsMax: number, sourcesMax: number, windowMs: number) {
    this.#errorsMax = errorsMax;
    this.#sourcesMax = sourcesMax;
    this.#windowMs = windowMs;
  }

  get size(): number {
    return this.#counted.size;
  }

  /** Whether an error of this source counts now; if so, it is used up. Unknown sources always count. */
  take(source: string | undefined, nowMs: number): boolean {
    if (source === undefined) return true;
    const known = this.#counted.get(source);
    if (known !== undefined && nowMs - known.sinceMs < this.#windowMs) {
      if (known.errors >= this.#errorsMax) return false;
      known.errors += 1;
      return true;
    }
    this.#counted.delete(source);
    this.#counted.set(source, { sinceMs: nowMs, errors: 1 });
    if (this.#counted.size > this.#sourcesMax) {
      for (const oldest of this.#counted.keys()) {
        this.#counted.delete(oldest);
        break;
      }
    }
    return true;
  }
}
