/** Random ways through the expressions of forms, tried until their checks hold. */
import type { PiiForm } from '../../src/match/pii/pii-kind.ts';
import type { Node } from '../../src/match/regex-nodes.ts';
import { buildAutomaton } from '../../src/match/regex-program.ts';
import type { Pick } from './values.ts';

const TRIES = 4_000;
const FIRST_SEEN = 0x20;
const LAST_SEEN = 0x7e;

function unitOf(ranges: readonly number[], pick: Pick): string {
  const units: number[] = [];
  for (let index = 0; index < ranges.length; index += 2)
    for (let unit = ranges[index] as number; unit <= (ranges[index + 1] as number); unit++)
      if (unit >= FIRST_SEEN && unit <= LAST_SEEN) units.push(unit);
  return String.fromCharCode((units[pick(units.length)] ?? FIRST_SEEN) as number);
}

/** One that the form takes, or undefined when none was met: some checks hold once in a thousand. */
export function candidate({ expression, valid, scoreOf }: PiiForm, pick: Pick): string | undefined {
  const automaton = buildAutomaton(expression);
  if (typeof automaton === 'string') throw new Error(automaton);
  for (let time = 0; time < TRIES; time++) {
    let text = '';
    let at = automaton.start;
    for (;;) {
      const node = automaton.nodes[at] as Node;
      if (node.op === 'match' || node.op === 'fail') break;
      if (node.op === 'unit') text += unitOf(node.ranges, pick);
      at = node.op === 'split' ? (node.outs[pick(node.outs.length)] as number) : node.out;
    }
    if ((valid?.(text) ?? true) && (scoreOf?.(text) ?? 1) > 0) return text;
  }
  return undefined;
}
