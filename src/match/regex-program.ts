/**
 * From RE2 syntax to an automaton over UTF-16 units. re2js parses and compiles; its instructions (checked
 * one by one, they are not a public interface) are rewritten so that a character outside the basic plane is
 * two units in a row, and half a pair matches only where it really stands alone.
 */
import { RE2JS } from 're2js';
import { isHigh, isLow } from './characters.ts';

/** What stands on one side of a position: nothing (the text's edge), or a unit of one of these kinds. */
export const EDGE = 0;
export const OTHER = 1;
export const WORD = 2;
export const NEWLINE = 3;
export const HIGH = 4;
export const LOW = 5;
export const KINDS = 6;

const HIGHS = 1 << HIGH;
const LOWS = 1 << LOW;

const unitKinds = new Uint8Array(0x10000).fill(OTHER);
for (let unit = 0; unit < unitKinds.length; unit++) {
  const character = String.fromCharCode(unit);
  if (isHigh(unit)) unitKinds[unit] = HIGH;
  else if (isLow(unit)) unitKinds[unit] = LOW;
  else if (character === '\n') unitKinds[unit] = NEWLINE;
  // Word boundaries are ASCII in RE2.
  else if (unit < 0x80 && /\w/.test(character)) unitKinds[unit] = WORD;
}

export const kindOf = (unit: number): number => unitKinds[unit] as number;

/** What an assertion demands; a bit mask, all of which must hold. The first six are re2js's own bits. */
const LINE_START = 1;
const LINE_END = 2;
const TEXT_START = 4;
const TEXT_END = 8;
const BOUNDARY = 16;
const NO_BOUNDARY = 32;
const NOT_BEFORE_LOW = 64;
const NOT_AFTER_HIGH = 128;
const RE2JS_ASSERTIONS = 63;

/** Whether all of `mask` holds between a unit of kind `before` and one of kind `after`. */
export function holds(mask: number, before: number, after: number): boolean {
  const boundary = (before === WORD) !== (after === WORD);
  return !(
    ((mask & LINE_START) !== 0 && before !== EDGE && before !== NEWLINE) ||
    ((mask & LINE_END) !== 0 && after !== EDGE && after !== NEWLINE) ||
    ((mask & TEXT_START) !== 0 && before !== EDGE) ||
    ((mask & TEXT_END) !== 0 && after !== EDGE) ||
    ((mask & BOUNDARY) !== 0 && !boundary) ||
    ((mask & NO_BOUNDARY) !== 0 && boundary) ||
    ((mask & NOT_BEFORE_LOW) !== 0 && after === LOW) ||
    ((mask & NOT_AFTER_HIGH) !== 0 && before === HIGH)
  );
}

export type Node =
  /** Consumes one unit of `ranges` (pairs of first and last, ascending); `kinds` = which kinds those are, as bits. */
  | {
      readonly op: 'unit';
      readonly ranges: readonly number[];
      readonly kinds: number;
      readonly out: number;
    }
  | { readonly op: 'split'; readonly outs: readonly number[] }
  | { readonly op: 'assert'; readonly mask: number; readonly out: number }
  | { readonly op: 'match' }
  | { readonly op: 'fail' };

export interface Automaton {
  readonly nodes: readonly Node[];
  readonly start: number;
}

/** Most nodes of one rule's automaton. */
export const NODES_MAX = 20_000;

/** One instruction of re2js 2.10.0. */
interface Instruction {
  readonly op: number;
  readonly out: number;
  readonly arg: number;
  readonly runes: ArrayLike<number>;
}

/** The instruction numbers of re2js 2.10.0; a test holds the installed version to them. */
export const RE2JS_OPS = Object.freeze({
  alt: 1,
  altMatch: 2,
  capture: 3,
  emptyWidth: 4,
  fail: 5,
  match: 6,
  nop: 7,
  rune: 8,
  rune1: 9,
  runeAny: 10,
  runeAnyNotNewline: 11,
});

const FOLD_CASE = 1;
const ASTRAL = 0x10000;
const LAST_RUNE = 0x10ffff;

/** re2js's compiled form. Throws its RE2JSSyntaxException. */
export function instructionsOf(pattern: string): {
  readonly inst: readonly Instruction[];
  readonly start: number;
  readonly numLb: number;
} {
  return (RE2JS.compile(pattern) as unknown as { re2Input: { prog: never } }).re2Input.prog;
}

type Ranges = number[];

/** All runes that fold together with one: asked of re2js itself, as a class that has one more rune, NUL. */
function orbitOf(rune: number): Ranges {
  const { inst } = instructionsOf(`(?i)[\\x{${rune.toString(16)}}\\x{0}]`);
  const set = inst.find((instruction) => instruction.op === RE2JS_OPS.rune);
  const ranges = Array.from(set?.runes ?? [0, 0, rune, rune]);
  return ranges[1] === 0 ? ranges.slice(2) : [rune, rune];
}

function rangesOf(instruction: Instruction): Ranges {
  if (instruction.op === RE2JS_OPS.runeAny) return [0, LAST_RUNE];
  if (instruction.op === RE2JS_OPS.runeAnyNotNewline) return [0, 9, 11, LAST_RUNE];
  const runes = Array.from(instruction.runes);
  if (runes.length !== 1) return runes;
  const [rune] = runes as [number];
  const folds = (instruction.arg & FOLD_CASE) !== 0 && rune !== 0;
  return folds ? orbitOf(rune) : [rune, rune];
}

function cut(ranges: Ranges, first: number, last: number): Ranges {
  const part: Ranges = [];
  for (let index = 0; index < ranges.length; index += 2) {
    const low = Math.max(first, ranges[index] as number);
    const high = Math.min(last, ranges[index + 1] as number);
    if (low <= high) part.push(low, high);
  }
  return part;
}

/** High units that are followed by the same low units, as [highs, lows]. */
function pairsOf(ranges: Ranges): [Ranges, Ranges][] {
  const byLows = new Map<string, [Ranges, Ranges]>();
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

function kindsIn(ranges: Ranges): number {
  let kinds = 0;
  for (let index = 0; index < ranges.length; index += 2)
    for (let unit = ranges[index] as number; unit <= (ranges[index + 1] as number); unit++)
      kinds |= 1 << kindOf(unit);
  return kinds;
}

/** A set of runes as units, worked out once however often it is used. */
interface UnitSets {
  readonly plain: Ranges;
  readonly plainKinds: number;
  readonly loneHighs: Ranges;
  readonly loneLows: Ranges;
  readonly pairs: readonly [Ranges, Ranges][];
}

function unitSetsOf(ranges: Ranges): UnitSets {
  const plain = [...cut(ranges, 0, 0xd7ff), ...cut(ranges, 0xe000, 0xffff)];
  return {
    plain,
    plainKinds: kindsIn(plain),
    loneHighs: cut(ranges, 0xd800, 0xdbff),
    loneLows: cut(ranges, 0xdc00, 0xdfff),
    pairs: pairsOf(ranges),
  };
}

export type BuildFailure = 'lookBehind' | 'tooLarge' | 'unknownInstruction';

/** Throws what `instructionsOf` throws. Cost: linear in the instructions, plus 1,024 for each different class. */
export function buildAutomaton(pattern: string): Automaton | BuildFailure {
  const program = instructionsOf(pattern);
  if (program.numLb > 0) return 'lookBehind';
  const nodes: Node[] = program.inst.map(() => ({ op: 'fail' }));
  const known = new Map<string, UnitSets>();
  const add = (node: Node): number => nodes.push(node) - 1;
  const consume = (instruction: Instruction): Node => {
    const { out } = instruction;
    const ranges = rangesOf(instruction);
    const key = ranges.join();
    const sets = known.get(key) ?? unitSetsOf(ranges);
    known.set(key, sets);
    const unit = (units: Ranges, kinds: number, next: number): Node => ({
      op: 'unit',
      ranges: units,
      kinds,
      out: next,
    });
    const ways: Node[] = [];
    if (sets.plain.length > 0) ways.push(unit(sets.plain, sets.plainKinds, out));
    if (sets.loneHighs.length > 0) {
      const alone = add({ op: 'assert', mask: NOT_BEFORE_LOW, out });
      ways.push(unit(sets.loneHighs, HIGHS, alone));
    }
    if (sets.loneLows.length > 0) {
      const low = add(unit(sets.loneLows, LOWS, out));
      ways.push({ op: 'assert', mask: NOT_AFTER_HIGH, out: low });
    }
    for (const [highs, lows] of sets.pairs)
      ways.push(unit(highs, HIGHS, add(unit(lows, LOWS, out))));
    if (ways.length === 0) return { op: 'fail' };
    return ways.length === 1 ? (ways[0] as Node) : { op: 'split', outs: ways.map(add) };
  };
  for (const [index, instruction] of program.inst.entries()) {
    if (nodes.length > NODES_MAX) return 'tooLarge';
    const { op, out, arg } = instruction;
    if (op === RE2JS_OPS.alt || op === RE2JS_OPS.altMatch)
      nodes[index] = { op: 'split', outs: [out, arg] };
    else if (op === RE2JS_OPS.capture || op === RE2JS_OPS.nop)
      nodes[index] = { op: 'split', outs: [out] };
    else if (op === RE2JS_OPS.emptyWidth && (arg & ~RE2JS_ASSERTIONS) === 0)
      nodes[index] = { op: 'assert', mask: arg, out };
    else if (op === RE2JS_OPS.match) nodes[index] = { op: 'match' };
    else if (op === RE2JS_OPS.fail) nodes[index] = { op: 'fail' };
    else if (op >= RE2JS_OPS.rune && op <= RE2JS_OPS.runeAnyNotNewline)
      nodes[index] = consume(instruction);
    else return 'unknownInstruction';
  }
  return nodes.length > NODES_MAX ? 'tooLarge' : { nodes, start: program.start };
}
