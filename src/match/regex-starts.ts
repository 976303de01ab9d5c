/** Starts of one expression that share a state, ascending, each with the longest end found for it so far. */
import type { DfaState } from './regex-dfa.ts';

/** No end yet. */
export const OPEN = 0;

/** So many starts that are gone may stay in the arrays. */
const SLACK = 64;

export class Starts {
  state: DfaState;
  private starts: number[] = [];
  private ends: number[] = [];
  private head = 0;
  /** Those before this index have the end `reached`, whatever `ends` says. */
  private reachedTo = 0;
  private reached = OPEN;

  constructor(state: DfaState) {
    this.state = state;
  }

  get size(): number {
    return this.starts.length - this.head;
  }

  /** Infinity if there is none. */
  get first(): number {
    return this.starts[this.head] ?? Number.POSITIVE_INFINITY;
  }

  /** OPEN if there is none. */
  get firstEnd(): number {
    return this.endAt(this.head);
  }

  /** Every one of them is a match that ends here. */
  reach(end: number): void {
    this.reached = end;
    this.reachedTo = this.starts.length;
  }

  /** `start` comes after all others. */
  append(start: number, end: number): void {
    this.starts.push(start);
    this.ends.push(end);
  }

  dropFirst(): void {
    this.head++;
    if (this.head === this.starts.length) this.clear();
    else if (this.head > SLACK && 2 * this.head > this.starts.length) this.compact();
  }

  dropBelow(start: number): void {
    while (this.first < start) this.dropFirst();
  }

  /** Leaves the first one only. */
  keepFirst(): void {
    const { first, firstEnd } = this;
    this.clear();
    this.append(first, firstEnd);
  }

  clear(): void {
    if (this.starts.length > 0) this.starts.length = this.ends.length = 0;
    this.head = 0;
    this.reachedTo = 0;
  }

  /** Takes all starts of `other`, which is left with none. Cost: those that are not older than any here. */
  takeAll(other: Starts): number {
    if (other.first < this.first) this.swap(other);
    const { size } = other;
    if ((this.starts[this.starts.length - 1] as number) < other.first)
      for (let at = other.head; at < other.starts.length; at++)
        this.append(other.starts[at] as number, other.endAt(at));
    else this.interleave(other);
    other.clear();
    return size;
  }

  /** Takes those starts of `other` for which a match was found; `other` is left with none. */
  takeEnded(other: Starts): number {
    const ended = new Starts(other.state);
    for (let at = other.head; at < other.starts.length; at++)
      if (other.endAt(at) !== OPEN) ended.append(other.starts[at] as number, other.endAt(at));
    other.clear();
    if (ended.size === 0) return 0;
    return this.size === 0 ? this.adopt(ended) : this.takeAll(ended);
  }

  private adopt(other: Starts): number {
    this.swap(other);
    return this.size;
  }

  private endAt(index: number): number {
    return index < this.reachedTo ? this.reached : (this.ends[index] ?? OPEN);
  }

  private interleave(other: Starts): void {
    const tail: [start: number, end: number][] = [];
    while (this.size > 0 && (this.starts[this.starts.length - 1] as number) > other.first) {
      const last = this.starts.length - 1;
      tail.push([this.starts[last] as number, this.endAt(last)]);
      this.starts.pop();
      this.ends.pop();
    }
    this.reachedTo = Math.min(this.reachedTo, this.starts.length);
    for (let at = other.head; at < other.starts.length; at++)
      tail.push([other.starts[at] as number, other.endAt(at)]);
    tail.sort((a, b) => a[0] - b[0]);
    for (const [start, end] of tail) this.append(start, end);
  }

  private swap(other: Starts): void {
    const { starts, ends, head, reachedTo, reached } = this;
    this.starts = other.starts;
    this.ends = other.ends;
    this.head = other.head;
    this.reachedTo = other.reachedTo;
    this.reached = other.reached;
    other.starts = starts;
    other.ends = ends;
    other.head = head;
    other.reachedTo = reachedTo;
    other.reached = reached;
  }

  private compact(): void {
    const { head } = this;
    this.starts.splice(0, head);
    this.ends.splice(0, head);
    this.reachedTo = Math.max(0, this.reachedTo - head);
    this.head = 0;
  }
}
