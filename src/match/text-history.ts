/** What stands before a place in a text: for kinds of tokens that are told by the words before them. */
import { Buffer } from 'node:buffer';
import { isInvisible } from './characters.ts';
import { endsTag, isTagLead } from './invisible-pairs.ts';
import { isPrintable, plainUnit } from './plain-units.ts';

/** How far back words are looked for, in units. */
export const LOOK_BACK_UNITS = 96;

export interface History {
  /**
   * Up to `LOOK_BACK_UNITS` units before position `at`, in plain units and without those that are not seen.
   * `at` is no farther back than a candidate is long.
   */
  before(at: number): string;
  /** The same as they are: those before `placeOf(at)`, as many of them as `before` would read. */
  readonly units: Uint16Array;
  placeOf(at: number): number;
}

/** What looks back asks for at most. */
const letters = Buffer.alloc(LOOK_BACK_UNITS);

/** Of `units[from,to)`, `LOOK_BACK_UNITS` at most, in plain units, those that are seen. */
export function plainText(units: Uint16Array, from: number, to: number): string {
  for (let index = from; index < to; index++) {
    const unit = units[index] as number;
    if (!isPrintable(unit)) return plainTextOfAny(units, from, to);
    letters[index - from] = unit;
  }
  return letters.toString('latin1', 0, to - from);
}

function plainTextOfAny(units: Uint16Array, from: number, to: number): string {
  const kept: number[] = [];
  for (let index = from; index < to; index++) {
    const unit = units[index] as number;
    if (isTagLead(unit) && index + 1 < to && endsTag(units[index + 1] as number)) index++;
    else if (!isInvisible(unit)) kept.push(plainUnit(unit));
  }
  return String.fromCharCode.apply(undefined, kept);
}

/** The last units of a text that a tracker reads alone, all of them, one by one. */
export class RecentUnits implements History {
  private readonly unitsMax: number;
  readonly units: Uint16Array;
  private count = 0;
  /** Position behind the last unit. */
  private end = 0;

  /** `unitsMax`: how far back what is asked about may begin, `LOOK_BACK_UNITS` not counted. */
  constructor(unitsMax: number) {
    this.unitsMax = unitsMax + LOOK_BACK_UNITS;
    this.units = new Uint16Array(2 * this.unitsMax);
  }

  add(unit: number): void {
    if (this.count === this.units.length) {
      this.units.copyWithin(0, this.count - this.unitsMax);
      this.count = this.unitsMax;
    }
    this.units[this.count++] = unit;
    this.end++;
  }

  before(at: number): string {
    const to = this.placeOf(at);
    return plainText(this.units, Math.max(0, to - LOOK_BACK_UNITS), to);
  }

  placeOf(at: number): number {
    return Math.max(0, this.count - (this.end - at));
  }
}
