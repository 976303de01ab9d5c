/** The 65,536 units in classes that no rule of a set tells apart. */
import { isHigh, isLow, isWordUnit } from './characters.ts';
import { endsTag, isTagLead } from './invisible-pairs.ts';
import { kindOf } from './regex-nodes.ts';

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

/** What every automaton tells apart: kinds, parts of words, and halves of what is not seen. */
const base = new Uint16Array(0x10000);
let baseCount = 0;
{
  const known = new Map<number, number>();
  for (let unit = 0; unit < base.length; unit++) {
    const word = !isHigh(unit) && !isLow(unit) && isWordUnit(unit) ? 1 : 0;
    const half = isTagLead(unit) || endsTag(unit) ? 1 : 0;
    const key = kindOf(unit) * 4 + half * 2 + word;
    const found = known.get(key) ?? known.size;
    known.set(key, found);
    base[unit] = found;
  }
  baseCount = known.size;
}

/** Each of them once. Most that hold the same are the same object, and their texts are dear. */
function different(sets: Iterable<readonly number[]>): Iterable<readonly number[]> {
  const seen = new Set(sets);
  return new Map(Array.from(seen, (ranges) => [ranges.join(), ranges])).values();
}

/** What texts are mostly made of, in most languages that are written in Latin letters: their classes come first. */
const FREQUENT = " etaoinsrhldcumfpgwybvkxjqz,.-\n'";

/** Refines by every set in turn. Cost: the units of all different sets, plus 65,536. */
export function unitClasses(sets: Iterable<readonly number[]>): UnitClasses {
  const raw = Uint32Array.from(base);
  let count = baseCount;
  for (const ranges of different(sets)) {
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
  const rename = (unit: number): number => {
    const old = raw[unit] as number;
    if (renamed[old] === -1) renamed[old] = samples.push(unit) - 1;
    return renamed[old] as number;
  };
  for (let at = 0; at < FREQUENT.length; at++) rename(FREQUENT.charCodeAt(at));
  for (let unit = 0; unit < of.length; unit++) of[unit] = rename(unit);
  return { of, samples };
}

/** The same for few sets, by ranges and not by units. */
export interface RangeClasses {
  /** Of each ASCII unit. */
  readonly ascii: Uint16Array;
  /** First unit of each further range, ascending, and its class. */
  readonly firsts: Uint16Array;
  readonly classes: Uint16Array;
  /** One unit of each class. */
  readonly samples: readonly number[];
}

const ASCII_UNITS = 0x80;

/** Where the kind of a unit changes. */
const kindFirsts: number[] = [0, ASCII_UNITS];
for (let unit = 1; unit < 0x10000; unit++)
  if (kindOf(unit) !== kindOf(unit - 1)) kindFirsts.push(unit);

/** Cost: the ranges of all different sets, times those sets. */
export function rangeClasses(sets: readonly (readonly number[])[]): RangeClasses {
  const parting = [...different(sets)];
  const firstsSeen = new Set(kindFirsts);
  for (const ranges of parting)
    for (let index = 0; index < ranges.length; index += 2) {
      firstsSeen.add(ranges[index] as number);
      if ((ranges[index + 1] as number) < 0xffff) firstsSeen.add((ranges[index + 1] as number) + 1);
    }
  const firsts = Uint16Array.from(firstsSeen).sort();
  const place = new Map<number, number>();
  for (const [index, first] of firsts.entries()) place.set(first, index);
  // At first a class for each kind; then every set splits the classes that it cuts through.
  const raw = Array.from(firsts, kindOf);
  let count = Math.max(...raw) + 1;
  for (const ranges of parting) {
    const split = new Map<number, number>();
    for (let index = 0; index < ranges.length; index += 2) {
      const last = ranges[index + 1] as number;
      let at = place.get(ranges[index] as number) as number;
      for (; at < firsts.length && (firsts[at] as number) <= last; at++) {
        const old = raw[at] as number;
        const made = split.get(old) ?? count++;
        split.set(old, made);
        raw[at] = made;
      }
    }
  }
  const samples: number[] = [];
  const renamed = new Map<number, number>();
  const classes = Uint16Array.from(raw, (old, index) => {
    const known = renamed.get(old) ?? samples.push(firsts[index] as number) - 1;
    renamed.set(old, known);
    return known;
  });
  const ascii = new Uint16Array(ASCII_UNITS);
  for (let unit = 0, at = 0; unit < ASCII_UNITS; unit++) {
    while (at + 1 < firsts.length && (firsts[at + 1] as number) <= unit) at++;
    ascii[unit] = classes[at] as number;
  }
  return { ascii, firsts, classes, samples };
}

export function classIn({ ascii, firsts, classes }: RangeClasses, unit: number): number {
  if (unit < ASCII_UNITS) return ascii[unit] as number;
  let low = 0;
  let high = firsts.length;
  // The last range that begins no later than the unit.
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((firsts[middle] as number) <= unit) low = middle;
    else high = middle;
  }
  return classes[low] as number;
}
