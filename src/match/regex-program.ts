/**
 * From RE2 syntax to an automaton over UTF-16 units. re2js parses and compiles; its instructions (checked
 * one by one, they are not a public interface) are rewritten as nodes.
 */
import { RE2JS } from 're2js';
import { type Automaton, FAIL, NODES_MAX, type Node } from './regex-nodes.ts';
import { LAST_RUNE, type Ranges, runeSet, taking } from './rune-sets.ts';

/** The first six bits of an assertion's mask are re2js's own. */
const RE2JS_ASSERTIONS = 63;

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

/** re2js's compiled form. Throws its RE2JSSyntaxException. */
export function instructionsOf(pattern: string): {
  readonly inst: readonly Instruction[];
  readonly start: number;
  readonly numLb: number;
} {
  return (RE2JS.compile(pattern) as unknown as { re2Input: { prog: never } }).re2Input.prog;
}

/** By rune, as expressions ask for the same few dozen again and again: no more than there are letters. */
const orbits = new Map<number, Ranges>();

/** All runes that fold together with one: asked of re2js itself, as a class that has one more rune, NUL. */
export function orbitOf(rune: number): Ranges {
  const known = orbits.get(rune);
  if (known !== undefined) return known;
  const { inst } = instructionsOf(`(?i)[\\x{${rune.toString(16)}}\\x{0}]`);
  const set = inst.find((instruction) => instruction.op === RE2JS_OPS.rune);
  const ranges = Array.from(set?.runes ?? [0, 0, rune, rune]);
  const orbit = ranges[1] === 0 ? ranges.slice(2) : [rune, rune];
  orbits.set(rune, orbit);
  return orbit;
}

function rangesOf({ op, arg, runes }: Instruction): Ranges {
  if (op === RE2JS_OPS.runeAny) return [0, LAST_RUNE];
  if (op === RE2JS_OPS.runeAnyNotNewline) return [0, 9, 11, LAST_RUNE];
  if (runes.length !== 1) return Array.from(runes);
  const rune = runes[0] as number;
  const folds = (arg & FOLD_CASE) !== 0 && rune !== 0;
  return folds ? orbitOf(rune) : [rune, rune];
}

export type BuildFailure = 'lookBehind' | 'tooLarge' | 'unknownInstruction';

/** Throws what `instructionsOf` throws. Cost: linear in the instructions, plus 1,024 for each different class. */
export function buildAutomaton(pattern: string): Automaton | BuildFailure {
  const program = instructionsOf(pattern);
  if (program.numLb > 0) return 'lookBehind';
  const nodes: Node[] = program.inst.map(() => FAIL);
  const add = (node: Node): number => nodes.push(node) - 1;
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
    else if (op === RE2JS_OPS.fail) nodes[index] = FAIL;
    else if (op >= RE2JS_OPS.rune && op <= RE2JS_OPS.runeAnyNotNewline)
      nodes[index] = taking(runeSet(rangesOf(instruction)), out, add);
    else return 'unknownInstruction';
  }
  return nodes.length > NODES_MAX ? 'tooLarge' : { nodes, start: program.start };
}
