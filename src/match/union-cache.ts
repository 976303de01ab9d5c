/** One automaton for every list of parts, found again as long as the parts live: texts come by the thousand. */
import { UnionAutomaton } from './union-automaton.ts';
import type { UnionPart } from './union-part.ts';

interface Branch {
  readonly next: WeakMap<UnionPart, Branch>;
  automaton: UnionAutomaton | undefined;
}

const newBranch = (): Branch => ({ next: new WeakMap(), automaton: undefined });
const root = newBranch();

/** Cost: one look-up for each part, and the classes of units the first time. */
export function automatonFor(parts: readonly UnionPart[]): UnionAutomaton {
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
