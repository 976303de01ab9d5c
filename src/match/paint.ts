/**
 * Which stretches of a text change, and by whose hand (SEMANTICS §1). Matches that overlap, directly or
 * through others, form a cluster: all of it is covered, and only the winner writes, once, at the start.
 */

export interface Coat<T> {
  readonly start: number;
  readonly end: number;
  /** Lower wins among matches with the same start and end: the rule's rank. */
  readonly order: number;
  readonly value: T;
}

/** Units [start, end) go; what `winner` stands for is written at `start`. */
export interface Paint<T> {
  readonly start: number;
  readonly end: number;
  readonly winner: T;
}

const byPrecedence = <T>(a: Coat<T>, b: Coat<T>): number =>
  a.start - b.start || b.end - a.end || a.order - b.order;

export class Painter<T> {
  private waiting: Coat<T>[] = [];
  private sorted = true;
  private settled = 0;

  /** Throws RangeError for a match that starts in what `advance` was told is settled, or is empty. */
  add(coat: Coat<T>): void {
    if (coat.start < this.settled || coat.end <= coat.start)
      throw new RangeError('a match came too late, or covers nothing');
    this.waiting.push(coat);
    this.sorted = false;
  }

  /** Whether matches wait for their cluster to settle. */
  get pending(): boolean {
    return this.waiting.length > 0;
  }

  /** The first unit of the first cluster that is not settled, or Infinity: nothing from it on may leave. */
  get pendingStart(): number {
    this.sort();
    return this.waiting[0]?.start ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Every match with a start below `safe` was added: hands over the clusters that end there or before, in
   * order. What touches without overlapping is two clusters.
   */
  advance(safe: number): Paint<T>[] {
    this.settled = Math.max(this.settled, safe);
    this.sort();
    const paints: Paint<T>[] = [];
    let done = 0;
    while (done < this.waiting.length) {
      const winner = this.waiting[done] as Coat<T>;
      let end = winner.end;
      let next = done + 1;
      for (; next < this.waiting.length; next++) {
        const coat = this.waiting[next] as Coat<T>;
        if (coat.start >= end) break;
        end = Math.max(end, coat.end);
      }
      if (end > this.settled) break;
      paints.push({ start: winner.start, end, winner: winner.value });
      done = next;
    }
    if (done > 0) this.waiting = this.waiting.slice(done);
    return paints;
  }

  private sort(): void {
    if (this.sorted) return;
    this.waiting.sort(byPrecedence);
    this.sorted = true;
  }
}
