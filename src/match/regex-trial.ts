/**
 * How many states an expression comes to when it is searched for anywhere in a text, tried out on texts of its
 * own making: what a few thousand units of chosen text can make of it, an attacker can, too.
 */
import { NEVER } from './regex-liveness.ts';
import { EDGE, KINDS, kindOf } from './regex-nodes.ts';
import { accepts, type RegexSteps, type UnitNode } from './regex-steps.ts';

/** Units of the first look; most expressions have shown all their states by then, or nearly. */
const FIRST_LOOK_UNITS = 128;
const UNITS_MAX = 16_384;
const SPACE = 0x20;

/** Numerical Recipes' linear congruential generator: the same trial every time. */
function numbers(seed: number): (count: number) => number {
  let state = seed;
  return (count) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // Its low bits repeat soon.
    return Math.floor((state / 2 ** 32) * count);
  };
}

/**
 * The states that were found, no more than `statesMax + 1`. Goes on as long as more than every second unit
 * leads to a state that was not there before. Cost: for most expressions some hundred steps of a few
 * threads, at worst `UNITS_MAX` of them.
 */
export function statesInTrial(steps: RegexSteps, statesMax: number): number {
  const pick = numbers(1);
  const seen = new Set<string>();
  let threads: readonly number[] = [];
  let before = EDGE;
  let lookUnits = FIRST_LOOK_UNITS;
  for (let units = 0, known = 0; units < UNITS_MAX; units++) {
    if (units === lookUnits) {
      if (2 * (seen.size - known) <= lookUnits - (lookUnits >> 1)) break;
      lookUnits *= 2;
    }
    if (2 * units === lookUnits) known = seen.size;
    const unit = nextUnit(steps, threads, before, pick);
    threads = step(steps, threads, before, unit);
    before = kindOf(unit);
    seen.add(threads.join());
    if (seen.size > statesMax) break;
  }
  return seen.size;
}

/**
 * A unit with which one of the threads goes on, or one begins: an end of one of its ranges. Rather one that
 * does not lead to the end of the expression, behind which all begins anew.
 */
function nextUnit(
  steps: RegexSteps,
  threads: readonly number[],
  before: number,
  pick: (count: number) => number,
): number {
  const node = threads[pick(threads.length + 1)] ?? steps.start;
  const ways = new Set<UnitNode>();
  const ends = new Set<UnitNode>();
  for (let after = EDGE + 1; after < KINDS; after++)
    for (const way of steps.closure(node, before, after).units)
      if ((way.kinds & (1 << after)) !== 0)
        (steps.fewestMore(way.out, after) === NEVER ? ends : ways).add(way);
  const choices = [...(ways.size > 0 ? ways : ends)];
  const way = choices[pick(Math.max(1, choices.length))];
  return way === undefined ? SPACE : (way.ranges[pick(way.ranges.length)] as number);
}

function step(
  steps: RegexSteps,
  threads: readonly number[],
  before: number,
  unit: number,
): readonly number[] {
  const kind = kindOf(unit);
  const reached = new Set<number>();
  for (const node of [steps.start, ...threads])
    for (const way of steps.closure(node, before, kind).units)
      if (accepts(way, unit) && steps.fewest(way.out, kind) !== NEVER) reached.add(way.out);
  return [...reached].sort((a, b) => a - b);
}
