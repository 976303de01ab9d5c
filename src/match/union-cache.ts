/**
 * One automaton for every list of parts, found again as long as the parts live: texts come by the thousand.
 * A set has as many lists as there are ways in which its rules apply together, so all of them share one bound.
 */
import { UnionAutomaton } from './union-automaton.ts';
import type { UnionPart } from './union-part.ts';

interface Branch {
  readonly next: WeakMap<UnionPart, Branch>;
  automaton: UnionAutomaton | undefined;
}

/** What all automata of this process take together. */
export interface CacheLimits {
  /** Most that are kept. */
  readonly automataMax: number;
  /** Most bytes: above it those drop their states that were not asked for the longest. */
  readonly bytesMax: number;
}

export const CACHE_LIMITS: CacheLimits = Object.freeze({
  // As many as there are tenants with rules of their own: a new one costs more than many texts do.
  automataMax: 1_024,
  bytesMax: 96 * 1024 * 1024,
});

const newBranch = (): Branch => ({ next: new WeakMap(), automaton: undefined });

/** Look-ups between two counts of the bytes: a count looks at every automaton, and they grow slowly. */
const COUNTED_EVERY = 64;

/** Those that are asked for one text after the other: comparing a list costs less than looking up its parts. */
const RECENT = 4;

const isFor = (automaton: UnionAutomaton, parts: readonly UnionPart[]): boolean =>
  automaton.parts.length === parts.length &&
  parts.every((part, rule) => automaton.parts[rule] === part);

export class UnionCache {
  private readonly limits: CacheLimits;
  private readonly root = newBranch();
  /** Those asked for last come last. A branch dies with its parts, and its automaton with it. */
  private readonly order = new Set<WeakRef<Branch>>();
  private readonly places = new WeakMap<Branch, WeakRef<Branch>>();
  private readonly recent: WeakRef<UnionAutomaton>[] = [];
  private oldest = 0;
  private uncounted = 0;

  constructor(limits: CacheLimits = CACHE_LIMITS) {
    this.limits = limits;
  }

  /** Cost: one comparison or look-up for each part, and the classes of units the first time. */
  automatonFor(parts: readonly UnionPart[]): UnionAutomaton {
    for (const reference of this.recent) {
      const automaton = reference.deref();
      if (automaton !== undefined && isFor(automaton, parts)) return automaton;
    }
    const automaton = this.lookUp(parts);
    this.recent[this.oldest] = new WeakRef(automaton);
    this.oldest = (this.oldest + 1) % RECENT;
    return automaton;
  }

  private lookUp(parts: readonly UnionPart[]): UnionAutomaton {
    let branch = this.root;
    for (const part of parts) {
      let next = branch.next.get(part);
      if (next === undefined) {
        next = newBranch();
        branch.next.set(part, next);
      }
      branch = next;
    }
    const isNew = branch.automaton === undefined;
    branch.automaton ??= new UnionAutomaton(parts);
    const place = this.places.get(branch) ?? new WeakRef(branch);
    this.places.set(branch, place);
    this.order.delete(place);
    this.order.add(place);
    this.uncounted += 1;
    if (isNew || this.uncounted >= COUNTED_EVERY) this.makeRoom(branch);
    return branch.automaton;
  }

  /** For every new list, and now and then: what is kept is larger than the limit by what grew since. */
  private makeRoom(asked: Branch): void {
    this.uncounted = 0;
    let bytes = 0;
    let automata = 0;
    for (const place of this.order) {
      const automaton = place.deref()?.automaton;
      if (automaton === undefined) this.order.delete(place);
      else automata++;
      bytes += automaton?.bytesTaken ?? 0;
    }
    for (const place of this.order) {
      if (bytes <= this.limits.bytesMax && automata <= this.limits.automataMax) return;
      const branch = place.deref();
      if (branch?.automaton === undefined || branch === asked) continue;
      bytes -= branch.automaton.bytesTaken;
      automata--;
      // A text may still read by it: it goes on with no states, and makes those anew that it needs.
      branch.automaton.flush();
      branch.automaton = undefined;
      this.order.delete(place);
    }
  }
}

const cache = new UnionCache();

/** The automaton of these parts in this process. */
export const automatonFor = (parts: readonly UnionPart[]): UnionAutomaton =>
  cache.automatonFor(parts);
