/** So many at once, refilled by the second: a token bucket. */
export class Allowance {
  readonly #burst: number;
  readonly #perMs: number;
  #left: number;
  #atMs: number;

  constructor(burst: number, perSecond: number, nowMs: number) {
    this.#burst = burst;
    this.#perMs = perSecond / 1000;
    this.#left = burst;
    this.#atMs = nowMs;
  }

  /** False when nothing is left. `nowMs` is a monotonic clock's. */
  take(nowMs: number): boolean {
    if (nowMs > this.#atMs) {
      this.#left = Math.min(this.#burst, this.#left + (nowMs - this.#atMs) * this.#perMs);
      this.#atMs = nowMs;
    }
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  /** One more, up to the burst: the peer has paid for it otherwise. */
  give(): void {
    if (this.#left < this.#burst) this.#left++;
  }
}
