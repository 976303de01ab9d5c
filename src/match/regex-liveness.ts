/**
 * How far every node of an automaton is from a match, in units, given the kinds of its neighbours. Exact with
 * regard to assertions: what `a\b` leaves is infinitely far if only a letter could follow.
 */
import { type Automaton, EDGE, holds, KINDS, type Node } from './regex-program.ts';

export const NEVER = 0x7fffffff;

export interface Distances {
  /** Units to the nearest match from `node`, behind a unit of kind `before`. NEVER if there is none. */
  fewest(node: number, before: number): number;
  /** The same if the unit that follows must be of kind `after` (EDGE: the text ends here). */
  fewestInto(node: number, before: number, after: number): number;
}

function predecessorsOf(nodes: readonly Node[]): readonly number[][] {
  const predecessors: number[][] = nodes.map(() => []);
  for (const [from, node] of nodes.entries()) {
    const outs = node.op === 'split' ? node.outs : 'out' in node ? [node.out] : [];
    for (const out of outs) predecessors[out]?.push(from);
  }
  return predecessors;
}

const CONTEXTS = KINDS * KINDS;

/**
 * Breadth first, backwards from the matches, over (node, kind before, kind after): 36 states a node. A step
 * over a unit costs 1, everything else nothing.
 */
export function distancesOf({ nodes }: Automaton): Distances {
  const predecessors = predecessorsOf(nodes);
  const far = new Int32Array(nodes.length * CONTEXTS).fill(NEVER);
  /** What is in a level already: later ones are no nearer. */
  const inLevel = new Uint8Array(nodes.length * CONTEXTS);
  let level: number[] = [];
  let next: number[] = [];
  for (const [index, node] of nodes.entries()) {
    if (node.op !== 'match') continue;
    for (let context = 0; context < CONTEXTS; context++) level.push(index * CONTEXTS + context);
  }
  for (let units = 0; level.length > 0; units++) {
    // The level grows while it is walked: steps that cost nothing stay in it.
    for (let place = 0; place < level.length; place++) {
      const state = level[place] as number;
      if (far[state] !== NEVER) continue;
      far[state] = units;
      const context = state % CONTEXTS;
      const before = Math.floor(context / KINDS);
      const after = context % KINDS;
      for (const from of predecessors[(state - context) / CONTEXTS] as number[]) {
        const node = nodes[from] as Node;
        if (node.op === 'split' || (node.op === 'assert' && holds(node.mask, before, after)))
          level.push(from * CONTEXTS + context);
        else if (node.op === 'unit' && (node.kinds & (1 << before)) !== 0)
          for (let kind = EDGE; kind < KINDS; kind++) {
            const behind = from * CONTEXTS + kind * KINDS + before;
            if (inLevel[behind] !== 0) continue;
            inLevel[behind] = 1;
            next.push(behind);
          }
      }
    }
    level = next;
    next = [];
  }
  const fewestInto = (node: number, before: number, after: number): number =>
    far[node * CONTEXTS + before * KINDS + after] as number;
  const fewest = (node: number, before: number): number => {
    let least = NEVER;
    for (let after = EDGE; after < KINDS; after++)
      least = Math.min(least, fewestInto(node, before, after));
    return least;
  };
  return { fewest, fewestInto };
}
