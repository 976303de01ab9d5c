/** The 65,536 units in classes that no rule of a set tells apart. */
import { isHigh, isLow, isWordUnit } from './characters.ts';
import { kindOf } from './regex-program.ts';

export interface UnitClasses {
  /** Unit → class. */
  readonly of: Uint16Array;
  /** One unit of each class. */
  readonly samples: readonly number[];
}

/** Pairs of first and last. `units` ascending. */
export function rangesOfUnits(units: readonly number[]): number[] {
  const ranges: number[] = [];
  for (const unit of units) {
    if (ranges.length > 0 && ranges[ranges.length - 1] === unit - 1)
      ranges[ranges.length - 1] = unit;
    else ranges.push(unit, unit);
  }
  return ranges;
}

/** What every automaton tells apart: kinds, and parts of words. */
const base = new Uint16Array(0x10000);
let baseCount = 0;
{
  const known = new Map<number, number>();
  for (let unit = 0; unit < base.length; unit++) {
    const word = !isHigh(unit) && !isLow(unit) && isWordUnit(unit) ? 1 : 0;
    const key = kindOf(unit) * 2 + word;
    const found = known.get(key) ?? known.size;
    known.set(key, found);
    base[unit] = found;
  }
  baseCount = known.size;
}

/** Refines by every set in turn. Cost: the units of all different sets, plus 65,536. */
export function unitClasses(sets: Iterable<readonly number[]>): UnitClasses {
  const raw = Uint32Array.from(base);
  const seen = new Set<string>();
  let count = baseCount;
  for (const ranges of sets) {
    const key = ranges.join();
    if (seen.has(key)) continue;
    seen.add(key);
    const split = new Map<number, number>();
    for (let index = 0; index < ranges.length; index += 2)
      for (let unit = ranges[index] as number; unit <= (ranges[index + 1] as number); unit++) {
        const old = raw[unit] as number;
        let made = split.get(old);
        if (made === undefined) {
          made = count++;
          split.set(old, made);
        }
        raw[unit] = made;
      }
  }
  const renamed = new Int32Array(count).fill(-1);
  const of = new Uint16Array(0x10000);
  const samples: number[] = [];
  for (let unit = 0; unit < of.length; unit++) {
    const old = raw[unit] as number;
    if (renamed[old] === -1) renamed[old] = samples.push(unit) - 1;
    of[unit] = renamed[old] as number;
  }
  return { of, samples };
}
