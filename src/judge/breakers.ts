import { Breaker, type BreakerOptions, type BreakerState, type SavedBreaker } from './breaker.ts';

/** Breakers kept at once: only rules that ever failed have one. */
export const BREAKERS_MAX = 10_000;

/** A breaker that is not closed, for `status`, metrics and records. */
export interface BreakerEntry {
  readonly digest: string;
  readonly rule: string;
  readonly state: BreakerState;
}

export interface SavedBreakerEntry extends SavedBreaker {
  readonly digest: string;
  readonly rule: string;
}

interface Slot {
  readonly digest: string;
  readonly rule: string;
  readonly breaker: Breaker;
}

/**
 * The breakers of all sets, by set digest and rule (or, for an external detector, its name under its
 * own digest word): green's faults never open blue's (SEMANTICS §8). A breaker exists from its rule's
 * first error on, so that healthy rules cost one look-up and no memory. When the table is full the
 * oldest closed one makes room; if none is closed, a further rule has no breaker (`refused` counts).
 */
export class Breakers {
  readonly #options: BreakerOptions;
  readonly #random: () => number;
  readonly #breakersMax: number;
  readonly #slots = new Map<string, Slot>();
  #refused = 0;

  constructor(options: BreakerOptions, random: () => number, breakersMax: number = BREAKERS_MAX) {
    this.#options = options;
    this.#random = random;
    this.#breakersMax = breakersMax;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Errors of rules that found no room. */
  get refused(): number {
    return this.#refused;
  }

  allow(digest: string, rule: string, nowMs: number): 'evaluate' | 'skip' {
    return this.#slots.get(keyOf(digest, rule))?.breaker.allow(nowMs) ?? 'evaluate';
  }

  /** 0 for a rule that never failed, which is also the generation its breaker begins with. */
  generation(digest: string, rule: string): number {
    return this.#slots.get(keyOf(digest, rule))?.breaker.generation ?? 0;
  }

  record(
    digest: string,
    rule: string,
    outcome: 'ok' | 'error' | 'abandoned',
    generation: number,
    nowMs: number,
    source?: string,
  ): void {
    const key = keyOf(digest, rule);
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      if (outcome !== 'error') return;
      if (!this.#makeRoom()) {
        this.#refused += 1;
        return;
      }
      slot = { digest, rule, breaker: new Breaker(this.#options, this.#random, nowMs) };
      this.#slots.set(key, slot);
    }
    slot.breaker.record(outcome, generation, nowMs, source);
  }

  /** Every breaker that is open or half open. */
  notClosed(): readonly BreakerEntry[] {
    const entries: BreakerEntry[] = [];
    for (const { digest, rule, breaker } of this.#slots.values()) {
      if (breaker.state.kind !== 'closed') entries.push({ digest, rule, state: breaker.state });
    }
    return entries;
  }

  /** Forgets the breakers of every other set: of one that serves nobody, `open` would be said for ever. */
  keepSets(digests: ReadonlySet<string>): void {
    for (const [key, { digest }] of this.#slots) if (!digests.has(digest)) this.#slots.delete(key);
  }

  /** Those that are not closed; closed ones begin anew after a restart. */
  save(nowMs: number): readonly SavedBreakerEntry[] {
    const saved: SavedBreakerEntry[] = [];
    for (const { digest, rule, breaker } of this.#slots.values()) {
      if (breaker.state.kind !== 'closed') saved.push({ digest, rule, ...breaker.save(nowMs) });
    }
    return saved;
  }

  /** Puts saved breakers back, up to the table's size. */
  restore(saved: readonly SavedBreakerEntry[], nowMs: number): void {
    for (const entry of saved.slice(0, this.#breakersMax)) {
      const { digest, rule } = entry;
      const breaker = Breaker.restore(entry, this.#options, this.#random, nowMs);
      this.#slots.set(keyOf(digest, rule), { digest, rule, breaker });
    }
  }

  #makeRoom(): boolean {
    if (this.#slots.size < this.#breakersMax) return true;
    for (const [key, { breaker }] of this.#slots) {
      if (breaker.state.kind !== 'closed') continue;
      this.#slots.delete(key);
      return true;
    }
    return false;
  }
}

function keyOf(digest: string, rule: string): string {
  return `${digest}\n${rule}`;
}
