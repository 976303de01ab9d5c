/** First exchanges of sessions that are remembered of the serving set. */
export const HISTORY_SESSIONS_MAX = 2_000;

/**
 * The recent past of the serving set: whether the first exchange of each of the last sessions was
 * denied. It stands in for a control cohort when a set is activated at once (`WatchJudge`).
 * One entry per session; a session that returns after its entry fell out is new again.
 */
export class History {
  readonly #sessionsMax: number;
  /** In the order of their first exchanges. */
  readonly #deniedBySession = new Map<string, boolean>();

  constructor(sessionsMax: number = HISTORY_SESSIONS_MAX) {
    this.#sessionsMax = sessionsMax;
  }

  get size(): number {
    return this.#deniedBySession.size;
  }

  record(session: string, denied: boolean): void {
    if (this.#deniedBySession.has(session)) return;
    this.#deniedBySession.set(session, denied);
    if (this.#deniedBySession.size <= this.#sessionsMax) return;
    for (const oldest of this.#deniedBySession.keys()) {
      this.#deniedBySession.delete(oldest);
      break;
    }
  }

  /** Denied or not, the most recent session first. */
  newestFirst(): readonly boolean[] {
    return [...this.#deniedBySession.values()].reverse();
  }
}
