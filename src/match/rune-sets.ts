/**
 * Sets of runes as sets of units: a character outside the basic plane is two units in a row, and half a pair matches
 * only where it really stands alone.
 */
import {
  FAIL,
  HIGH,
  kindOf,
  LOW,
  NOT_AFTER_HIGH,
  NOT_BEFORE_LOW,
  type Node,
  OTHER,
} from './regex-nodes.ts';

/** Pairs of first and last, ascending, not adjacent. */
export type Ranges = readonly number[];

const HIGHS = 1 << HIGH;
const LOWS = 1 << LOW;
const ASCII_UNITS = 0x80;
const ASTRAL = 0x10000;
export const LAST_RUNE = 0x10ffff;

function cut(ranges: Ranges, first: number, last: number): number[] {
  const part: number[] = [];
  for (let index = 0; index < ranges.length; index += 2) {
    const low = Math.max(first, ranges[index] as number);
    const high = Math.min(last, ranges[index + 1] as number);
    if (low <= high) part.push(low, high);
  }
  return part;
}

/** High units that are followed by the same low units, as [highs, lows]. */
function pairsOf(ranges: Ranges): readonly (readonly [highs: Ranges, lows: Ranges])[] {
  const byLows = new Map<string, [highs: number[], lows: Ranges]>();
  const astral = cut(ranges, ASTRAL, LAST_RUNE);
  if (astral.length === 0) return [];
  for (let high = 0xd800; high <= 0xdbff; high++) {
    const base = ASTRAL + ((high - 0xd800) << 10);
    const lows = cut(astral, base, base + 0x3ff).map((rune) => 0xdc00 + rune - base);
    if (lows.length === 0) continue;
    const key = lows.join();
    const group = byLows.get(key);
    if (group === undefined) byLows.set(key, [[high, high], lows]);
    else if (group[0][group[0].length - 1] === high - 1) group[0][group[0].length - 1] = high;
    else group[0].push(high, high);
  }
  return [...byLows.values()];
}

/** Of units outside of the halves of characters. */
function kindsIn(ranges: Ranges): number {
  let kinds = 0;
  for (let index = 0; index < ranges.length; index += 2) {
    const last = ranges[index + 1] as number;
    // Beyond ASCII they are all of one kind.
    if (last >= ASCII_UNITS) kinds |= 1 << OTHER;
    for (let unit = ranges[index] as number; unit <= last && unit < ASCII_UNITS; unit++)
      kinds |= 1 << kindOf(unit);
  }
  return kinds;
}

export interface RuneSet {
  readonly plain: Ranges;
  readonly plainKinds: number;
  readonly loneHighs: Ranges;
  readonly loneLows: Ranges;
  readonly pairs: readonly (readonly [highs: Ranges, lows: Ranges])[];
}

/**
 * By what they hold: expressions have few different sets, and who compares those of two finds most of them to be the
 * same object. One more, and all are forgotten.
 */
const SETS_MAX = 4_096;
const sets = new Map<string, RuneSet>();

export function runeSet(ranges: Ranges): RuneSet {
  const key = ranges.join();
  const known = sets.get(key);
  if (known !== undefined) return known;
  const plain = [...cut(ranges, 0, 0xd7ff), ...cut(ranges, 0xe000, 0xffff)];
  const made = {
    plain,
    plainKinds: kindsIn(plain),
    loneHighs: cut(ranges, 0xd800, 0xdbff),
    loneLows: cut(ranges, 0xdc00, 0xdfff),
    pairs: pairsOf(ranges),
  };
  if (sets.size >= SETS_MAX) sets.clear();
  sets.set(key, made);
  return made;
}

/** The node that takes one rune of the set and goes on at `out`. `add` gives a number to each that it needs besides. */
export function taking(set: RuneSet, out: number, add: (node: Node) => number): Node {
  const ways: Node[] = [];
  const { plain, plainKinds, loneHighs, loneLows, pairs } = set;
  if (plain.length > 0) ways.push(unit(plain, plainKinds, out));
  if (loneHighs.length > 0)
    ways.push(unit(loneHighs, HIGHS, add({ op: 'assert', mask: NOT_BEFORE_LOW, out })));
  if (loneLows.length > 0)
    ways.push({ op: 'assert', mask: NOT_AFTER_HIGH, out: add(unit(loneLows, LOWS, out)) });
  for (const [highs, lows] of pairs) ways.push(unit(highs, HIGHS, add(unit(lows, LOWS, out))));
  if (ways.length === 0) return FAIL;
  return ways.length === 1 ? (ways[0] as Node) : { op: 'split', outs: ways.map(add) };
}

const unit = (ranges: Ranges, kinds: number, out: number): Node => ({
  op: 'unit',
  ranges,
  kinds,
  out,
});
