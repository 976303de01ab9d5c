/** Starts of one expression that share a state, ascending, each with the longest end found for it so far. */
import type { DfaState } from './regex-dfa.ts';

/** No end yet. */
export const OPEN = 0;

/** So many starts that are gone may stay in the arrays. */
const SLACK = 64;

export class Starts {
  state: DfaState;
  // V8 takes its slow way to set the length of an array: these only grow, and `tail` says how far they count.
  private starts: number[] = [];
  private ends: number[] = [];
  private head = 0;
  private tail = 0;
  /** Those before this index have the end `reached`, whatever `ends` says. */
  private reachedTo = 0;
  private reached = OPEN;

  constructor(state: DfaState) {
    this.state = state;
  }

  get size(): number {
    return this.tail - this.head;
  }

  /** Infinity if there is none. */
  get first(): number {
    return this.head < this.tail ? (this.starts[this.head] as number) : Number.POSITIVE_INFINITY;
  }

  /** OPEN if there is none. */
  get firstEnd(): number {
    return this.endAt(this.head);
  }

  /** Every one of them is a match that ends here. */
  reach(end: number): void {
    this.reached = end;
    this.reachedTo = this.tail;
  }

  /** `start` comes after all others. */
  append(start: number, end: number): void {
    this.starts[this.tail] = start;
    this.ends[this.tail] = end;
    this.tail++;
  }

  dropFirst(): void {
    this.head++;
    if (this.head === this.tail) this.clear();
    else if (this.head > SLACK && 2 * this.head > this.tail) this.compact();
  }

  dropBelow(start: number): void {
    while (this.first < start) this.dropFirst();
  }

  /** Leaves the first one only. */
  keepFirst(): void {
    this.tail = this.head + 1;
    this.reachedTo = Math.min(this.reachedTo, this.tail);
  }

  clear(): void {
    this.head = 0;
    this.tail = 0;
    this.reachedTo = 0;
  }

  /** Takes all starts of `other`, which is left with none. Cost: those that are not older than any here. */
  takeAll(other: Starts): number {
    if (other.first < this.first) this.swap(other);
    const { size } = other;
    for (let at = other.head; at < other.tail; at++)
      this.insert(other.starts[at] as number, other.endAt(at));
    other.clear();
    return size;
  }

  /** Takes those starts of `other` for which a match was found; `other` is left with none. */
  takeEnded(other: Starts): number {
    const { size } = other;
    for (let at = other.head; at < other.tail; at++) {
      const end = other.endAt(at);
      if (end !== OPEN) this.insert(other.starts[at] as number, end);
    }
    other.clear();
    return size;
  }

  /** Cost: the starts that come after it. */
  insert(start: number, end: number): void {
    if (this.tail === this.head || (this.starts[this.tail - 1] as number) < start) {
      this.append(start, end);
      return;
    }
    let at = this.tail++;
    for (; at > this.head && (this.starts[at - 1] as number) > start; at--) {
      this.starts[at] = this.starts[at - 1] as number;
      this.ends[at] = this.endAt(at - 1);
    }
    this.reachedTo = Math.min(this.reachedTo, at);
    this.starts[at] = start;
    this.ends[at] = end;
  }

  private endAt(index: number): number {
    if (index < this.reachedTo) return this.reached;
    return index < this.tail ? (this.ends[index] as number) : OPEN;
  }

  private swap(other: Starts): void {
    const { starts, ends, head, tail, reachedTo, reached } = this;
    this.starts = other.starts;
    this.ends = other.ends;
    this.head = other.head;
    this.tail = other.tail;
    this.reachedTo = other.reachedTo;
    this.reached = other.reached;
    other.starts = starts;
    other.ends = ends;
    other.head = head;
    other.tail = tail;
    other.reachedTo = reachedTo;
    other.reached = reached;
  }

  private compact(): void {
    const { head } = this;
    this.starts.copyWithin(0, head, this.tail);
    this.ends.copyWithin(0, head, this.tail);
    this.reachedTo = Math.max(0, this.reachedTo - head);
    this.tail -= head;
    this.head = 0;
  }
}
