/**
 * Who keeps a place when a listener is full: whoever was ended and lingers goes first, then the oldest that has not
 * yet said who it is, then the one that has been idle for the longest. Only where all others are at work is a newcomer
 * turned away. So peers that hold places and say nothing lock nobody out.
 */

/** One accepted connection, as far as its place goes. */
export interface Visitor {
  /** `half-open` until its preface and SETTINGS; `over`: ended by us, its socket lingers. */
  readonly state: 'half-open' | 'established' | 'over';
  /** Since when it has had no stream; undefined while it has one. Of an established one. */
  readonly idleSinceMs: number | undefined;
  /** Ends it at once. */
  evict(): void;
}

export type Eviction = 'evicted_half_open' | 'evicted_idle';

/** A pool keeps connections for the next moment: only what rests for longer is given up for a newcomer. */
export const EVICTED_IDLE_MS = 1_000;

export class Admission {
  readonly #connectionsMax: number;
  readonly #inside = new Set<Visitor>();
  readonly #lingering = new Set<Visitor>();
  /** Those that had not said who they are when last looked at, in order of arrival. */
  readonly #unproven = new Set<Visitor>();

  constructor(connectionsMax: number) {
    this.#connectionsMax = connectionsMax;
  }

  get size(): number {
    return this.#inside.size;
  }

  /** Whether there is a place, if need be that of another. Cost: a look at each where all have proven themselves. */
  admit(visitor: Visitor, nowMs: number): boolean {
    if (this.#inside.size >= this.#connectionsMax) {
      const [lingering] = this.#lingering;
      const victim = lingering ?? this.#firstUnproven() ?? this.#longestIdle(nowMs);
      if (victim === undefined) return false;
      this.left(victim);
      victim.evict();
    }
    this.#inside.add(visitor);
    this.#unproven.add(visitor);
    return true;
  }

  /** It is over, and its place is free as soon as somebody needs it. */
  lingers(visitor: Visitor): void {
    if (this.#inside.has(visitor)) this.#lingering.add(visitor);
    this.#unproven.delete(visitor);
  }

  /** Nothing of it is left. */
  left(visitor: Visitor): void {
    this.#inside.delete(visitor);
    this.#lingering.delete(visitor);
    this.#unproven.delete(visitor);
  }

  #firstUnproven(): Visitor | undefined {
    for (const visitor of this.#unproven) {
      if (visitor.state === 'half-open') return visitor;
      this.#unproven.delete(visitor);
    }
    return undefined;
  }

  #longestIdle(nowMs: number): Visitor | undefined {
    let found: Visitor | undefined;
    let since = nowMs - EVICTED_IDLE_MS;
    for (const visitor of this.#inside)
      if (visitor.idleSinceMs !== undefined && visitor.idleSinceMs <= since) {
        // Of two that rest as long the older one.
        if (found !== undefined && visitor.idleSinceMs === since) continue;
        found = visitor;
        since = visitor.idleSinceMs;
      }
    return found;
  }
}
