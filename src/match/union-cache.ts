/** One automaton for every list of parts, found again as long as the parts live: texts come by the thousand. */
import { UnionAutomaton } from './union-automaton.ts';
import type { UnionPart } from './union-part.ts';

interface Branch {
  readonly next: WeakMap<UnionPart, Branch>;
  automaton: UnionAutomaton | undefined;
}

const newBranch = (): Branch => ({ next: new WeakMap(), automaton: undefined });
const root = newBranch();

/** Those asked for last, in turn: comparing a list costs less than looking up each of its parts. */
const RECENT = 4;
const recent: WeakRef<UnionAutomaton>[] = [];
let oldest = 0;

const isFor = (automaton: UnionAutomaton, parts: readonly UnionPart[]): boolean =>
  automaton.parts.length === parts.length &&
  parts.every((part, rule) => automaton.parts[rule] === part);

/** Cost: one comparison or look-up for each part, and the classes of units the first time. */
export function automatonFor(parts: readonly UnionPart[]): UnionAutomaton {
  for (const reference of recent) {
    const automaton = reference.deref();
    if (automaton !== undefined && isFor(automaton, parts)) return automaton;
  }
  const automaton = lookUp(parts);
  recent[oldest] = new WeakRef(automaton);
  oldest = (oldest + 1) % RECENT;
  return automaton;
}

function lookUp(parts: readonly UnionPart[]): UnionAutomaton {
  let branch = root;
  for (const part of parts) {
    let next = branch.next.get(part);
    if (next === undefined) {
      next = newBranch();
      branch.next.set(part, next);
    }
    branch = next;
  }
  branch.automaton ??= new UnionAutomaton(parts);
  return branch.automaton;
}
