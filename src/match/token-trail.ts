/**
 * Where starts of one token came by, at every 64th place. One that comes to such a place in the same state as one
 * before it has the same way ahead of it, and may leave out what that one went and found no end on. So a flood of
 * starts whose expression has a loop does not cost its cap for each of them.
 */
import type { DfaState } from './regex-dfa.ts';

export const TRAIL_UNITS = 64;
const SHIFT = 6;

export const isOnTrail = (place: number): boolean => (place & (TRAIL_UNITS - 1)) === 0;
/** The next place that is, behind this one. */
export const nextOnTrail = (place: number): number => (place | (TRAIL_UNITS - 1)) + 1;
/** The last one that is, or this one. */
export const lastOnTrail = (place: number): number => place & ~(TRAIL_UNITS - 1);

export interface Passage {
  readonly state: DfaState;
  /** Units that the start has taken, seen and not seen. */
  readonly units: number;
  readonly skipped: number;
  /** Whether the last of them is seen. */
  readonly fresh: boolean;
}

export class Trail {
  private passages: (Passage | undefined)[] = [];
  /** From `begin` to `end` the passages are of one way. */
  private begin = 0;
  private end = -1;
  /** The first passage of the start that is followed. */
  private own = 0;
  /** What it counts less than the way that it has come to does. */
  private unitsLess = 0;
  private skippedLess = 0;

  clear(): void {
    // V8 takes its slow way to set a length, also to what it is.
    if (this.passages.length > 0) this.passages.length = 0;
    this.begin = 0;
    this.end = -1;
    this.startAt(0);
  }

  /** Another start is followed. */
  startAt(place: number): void {
    this.own = (place + TRAIL_UNITS - 1) >> SHIFT;
    this.unitsLess = 0;
    this.skippedLess = 0;
  }

  /** Nobody may leave out `place`, which the start has come to: who has left nothing here leads nobody past it. */
  restartAt(place: number): void {
    if (this.end < 0) return;
    this.clear();
    this.startAt(place);
  }

  /** Places are less by so many, a multiple of TRAIL_UNITS. */
  shift(places: number): void {
    const count = places >> SHIFT;
    this.passages.splice(0, count);
    this.begin = Math.max(0, this.begin - count);
    this.end -= count;
    this.own = Math.max(0, this.own - count);
  }

  /**
   * The start that is followed passes `place`. Returns where it may go on instead, if that is farther, and as
   * what.
   */
  pass(
    place: number,
    passage: Passage,
  ): { readonly place: number; readonly as: Passage } | undefined {
    const index = place >> SHIFT;
    const known = this.passages[index];
    const { begin, end } = this;
    if (index < begin || index >= end || !isSame(known, passage)) {
      this.passages[index] = moved(passage, this.unitsLess, this.skippedLess);
      if (index >= end) {
        this.begin = this.own;
        this.end = index;
      } else if (index >= begin) this.begin = index + 1;
      return undefined;
    }
    const units = known.units - passage.units;
    const skipped = known.skipped - passage.skipped;
    // Its own passages so far become part of that way, and count as it does.
    for (let at = this.own; at < index; at++) {
      const one = this.passages[at];
      // Half of what is not seen may have stood there.
      if (one === undefined) continue;
      this.passages[at] = moved(one, units - this.unitsLess, skipped - this.skippedLess);
    }
    this.unitsLess = units;
    this.skippedLess = skipped;
    this.begin = this.own;
    return { place: end << SHIFT, as: moved(this.passages[end] as Passage, -units, -skipped) };
  }
}

const isSame = (known: Passage | undefined, { state, fresh }: Passage): known is Passage =>
  known !== undefined && known.state === state && known.fresh === fresh;

const moved = (passage: Passage, units: number, skipped: number): Passage => ({
  state: passage.state,
  units: passage.units + units,
  skipped: passage.skipped + skipped,
  fresh: passage.fresh,
});
