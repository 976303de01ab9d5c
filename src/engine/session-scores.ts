/**
 * What the sessions of this process have tried, for rules that add scores up over a session. Facts, not verdicts
 * (invariant 7, `factsAreShared`): evidence with its time, keyed by rule and session and never by set, so that
 * blue and green read the same and a rollback forgets nothing; how fast it fades is the asking set's to say.
 * In memory, and of one process: a restart forgets it, and replicas do not share it.
 */

/** Attempts of one session that are kept apart; beyond it the two oldest count as one of the later time. */
export const ATTEMPTS_MAX = 32;

interface Attempt {
  readonly atMs: number;
  readonly evidence: number;
}

/** What an exchange needs of them; `session` is the keyed hash, `nowMs` one clock's. */
export interface SessionScores {
  read(rule: string, session: string, halfLifeMs: number, nowMs: number): number;
  add(rule: string, session: string, evidence: number, nowMs: number): void;
}

export class MemorySessionScores implements SessionScores {
  /** Those that were written or read last come last. */
  private readonly attempts = new Map<string, readonly Attempt[]>();
  private readonly sessionsMax: number;

  /** `sessionsMax`: pairs of rule and session; beyond it the one that was asked for the longest ago is forgotten. */
  constructor(sessionsMax: number) {
    this.sessionsMax = sessionsMax;
  }

  /** Pairs of rule and session that are kept. */
  get size(): number {
    return this.attempts.size;
  }

  read(rule: string, session: string, halfLifeMs: number, nowMs: number): number {
    const key = keyOf(rule, session);
    const attempts = this.attempts.get(key);
    if (attempts === undefined) return 0;
    this.keep(key, attempts);
    return attempts.reduce(
      (sum, { atMs, evidence }) => sum + evidence * 2 ** (Math.min(0, atMs - nowMs) / halfLifeMs),
      0,
    );
  }

  add(rule: string, session: string, evidence: number, nowMs: number): void {
    if (evidence <= 0 || this.sessionsMax <= 0) return;
    const key = keyOf(rule, session);
    const attempts = [...(this.attempts.get(key) ?? []), { atMs: nowMs, evidence }];
    const [first, second] = attempts;
    if (attempts.length > ATTEMPTS_MAX && first && second)
      attempts.splice(0, 2, { atMs: second.atMs, evidence: first.evidence + second.evidence });
    this.keep(key, attempts);
    for (const oldest of this.attempts.keys()) {
      if (this.attempts.size <= this.sessionsMax) return;
      this.attempts.delete(oldest);
    }
  }

  private keep(key: string, attempts: readonly Attempt[]): void {
    this.attempts.delete(key);
    this.attempts.set(key, attempts);
  }
}

const keyOf = (rule: string, session: string): string => `${rule}\u0000${session}`;
