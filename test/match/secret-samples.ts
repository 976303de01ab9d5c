/** Made-up secrets: a random way through the automaton of a kind, so that no list of them is kept anywhere. */
import type { Node } from '../../src/match/regex-nodes.ts';
import { buildAutomaton } from '../../src/match/regex-program.ts';
import type { SecretKind } from '../../src/match/secret-kind.ts';

/** Deterministic, uniform in [0, count). */
export type Pick = (count: number) => number;

export function picker(seed: number): Pick {
  let state = seed >>> 0;
  return (count) => {
    // Numerical Recipes' constants; the high bits are the good ones.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(((state >>> 8) / 0x1000000) * count);
  };
}

const FIRST_SEEN = 0x21;
const LAST_SEEN = 0x7e;

function unitOf(ranges: readonly number[], pick: Pick): string {
  const units: number[] = [];
  for (let index = 0; index < ranges.length; index += 2)
    for (let unit = ranges[index] as number; unit <= (ranges[index + 1] as number); unit++)
      if (unit >= FIRST_SEEN && unit <= LAST_SEEN) units.push(unit);
  const own = units.length > 0 ? units : [ranges[0] as number];
  return String.fromCharCode(own[pick(own.length)] as number);
}

/** What the expression may match, unless an assertion forbids it. */
export function candidate({ expression }: SecretKind, pick: Pick): string {
  const automaton = buildAutomaton(expression);
  if (typeof automaton === 'string') throw new Error(automaton);
  let text = '';
  for (let at = automaton.start; ; ) {
    const node = automaton.nodes[at] as Node;
    if (node.op === 'match') return text;
    if (node.op === 'fail') return '';
    if (node.op === 'unit') text += unitOf(node.ranges, pick);
    at = node.op === 'split' ? (node.outs[pick(node.outs.length)] as number) : node.out;
  }
}
