/**
 * Where starts of one token came by, at every 16th place. One that comes to such a place in the same state as one
 * before it has the same way ahead of it, and may leave out what that one went and found no end on. So a flood of
 * starts whose expression has a loop does not cost its cap for each of them.
 */
import { DEAD, type DfaState } from './regex-dfa.ts';

export const TRAIL_UNITS = 16;
const SHIFT = 4;

export const isOnTrail = (place: number): boolean => (place & (TRAIL_UNITS - 1)) === 0;
/** The next place that is, behind this one. */
export const nextOnTrail = (place: number): number => (place | (TRAIL_UNITS - 1)) + 1;
/** The last one that is, or this one. */
export const lastOnTrail = (place: number): number => place & ~(TRAIL_UNITS - 1);

/** Of a passage: units that the start has taken, seen and not seen, whether the last of them is seen, and the way. */
const FIELDS = 4;
const UNITS = 0;
const SKIPPED = 1;
const FRESH = 2;
const WAY = 3;
const PASSAGES_AT_FIRST = 16;
const NO_FIELDS = new Int32Array(0);

export class Trail {
  /** Where the start that came by may go on instead, once `pass` has said that it may, and as what. */
  place = 0;
  state: DfaState = DEAD;
  units = 0;
  skipped = 0;
  fresh = false;
  /** By passage. What is left of earlier ways is told by their number: emptying costs more than most ways do. */
  private readonly states: DfaState[] = [];
  private fields = NO_FIELDS;
  private way = 1;
  /** From `begin` to `end` the passages are of one way. */
  private begin = 0;
  private end = -1;
  /** The first passage of the start that is followed. */
  private own = 0;
  /** What it counts less than the way that it has come to does. */
  private unitsLess = 0;
  private skippedLess = 0;

  clear(): void {
    this.way = (this.way + 1) | 0;
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
    this.fields.copyWithin(0, count * FIELDS);
    this.states.copyWithin(0, count);
    // What was moved is there twice.
    for (let index = Math.max(0, this.states.length - count); index < this.states.length; index++)
      this.fields[index * FIELDS + WAY] = 0;
    this.begin = Math.max(0, this.begin - count);
    this.end -= count;
    this.own = Math.max(0, this.own - count);
  }

  /** The start that is followed passes `place`, as this. Returns whether it may go on farther on instead. */
  pass(place: number, state: DfaState, units: number, skipped: number, fresh: boolean): boolean {
    const index = place >> SHIFT;
    const { begin, end } = this;
    if (index < begin || index >= end || !this.isSame(index, state, fresh)) {
      this.note(index, state, units + this.unitsLess, skipped + this.skippedLess, fresh);
      if (index >= end) {
        this.begin = this.own;
        this.end = index;
      } else if (index >= begin) this.begin = index + 1;
      return false;
    }
    const { fields } = this;
    const less = (fields[index * FIELDS + UNITS] as number) - units;
    const skippedLess = (fields[index * FIELDS + SKIPPED] as number) - skipped;
    // Its own passages so far become part of that way, and count as it does.
    for (let at = this.own; at < index; at++) {
      fields[at * FIELDS + UNITS]! += less - this.unitsLess;
      fields[at * FIELDS + SKIPPED]! += skippedLess - this.skippedLess;
    }
    this.unitsLess = less;
    this.skippedLess = skippedLess;
    this.begin = this.own;
    this.place = end << SHIFT;
    this.state = this.states[end] as DfaState;
    this.units = (fields[end * FIELDS + UNITS] as number) - less;
    this.skipped = (fields[end * FIELDS + SKIPPED] as number) - skippedLess;
    this.fresh = fields[end * FIELDS + FRESH] === 1;
    return true;
  }

  /** Half of what is not seen may have stood there: then nobody of this way came by. */
  private isSame(index: number, state: DfaState, fresh: boolean): boolean {
    const { fields } = this;
    return (
      this.states[index] === state &&
      fields[index * FIELDS + WAY] === this.way &&
      (fields[index * FIELDS + FRESH] === 1) === fresh
    );
  }

  private note(
    index: number,
    state: DfaState,
    units: number,
    skipped: number,
    fresh: boolean,
  ): void {
    while (index >= this.states.length) this.states.push(DEAD);
    if (index * FIELDS >= this.fields.length) {
      const larger = new Int32Array(FIELDS * Math.max(PASSAGES_AT_FIRST, 2 * (index + 1)));
      larger.set(this.fields);
      this.fields = larger;
    }
    const { fields } = this;
    const first = index * FIELDS;
    this.states[index] = state;
    fields[first + UNITS] = units;
    fields[first + SKIPPED] = skipped;
    fields[first + FRESH] = fresh ? 1 : 0;
    fields[first + WAY] = this.way;
  }
}
