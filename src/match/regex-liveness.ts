/**
 * How far every node of an automaton is from a match, in units, given the kind of the unit before it. Exact with
 * regard to assertions: what `a\b` leaves is infinitely far if only a letter could follow.
 */
import { type Automaton, EDGE, holds, KINDS, type Node } from './regex-nodes.ts';

export const NEVER = 0x7fffffff;

/** A context is the kind before and the kind after. Each is a bit: those of three kinds before, in one number. */
const HALF = KINDS >> 1;
const GROUP = (1 << KINDS) - 1;
const ALL = (1 << (HALF * KINDS)) - 1;

/** Contexts in which all of a mask of assertions hold, by mask: behind the lower kinds, and behind the upper ones. */
const heldLow = new Int32Array(256);
const heldHigh = new Int32Array(256);
for (let mask = 0; mask < heldLow.length; mask++)
  for (let before = EDGE; before < KINDS; before++)
    for (let after = EDGE; after < KINDS; after++) {
      if (!holds(mask, before, after)) continue;
      const held = before < HALF ? heldLow : heldHigh;
      held[mask] = (held[mask] as number) | (1 << ((before % HALF) * KINDS + after));
    }

/** Times a set of kinds: all contexts with one of them after, in either number. */
const COLUMN = (1 << KINDS) * (1 << KINDS) + (1 << KINDS) + 1;

/** Those that lead to `node` are `from[first[node]]` and what follows, up to `first[node + 1]`. */
function predecessorsOf(nodes: readonly Node[]): { first: Int32Array; from: Int32Array } {
  const first = new Int32Array(nodes.length + 2);
  for (const node of nodes)
    if (node.op === 'split') for (const out of node.outs) first[out + 2]!++;
    else if (node.op === 'unit' || node.op === 'assert') first[node.out + 2]!++;
  for (let node = 2; node < first.length; node++) first[node]! += first[node - 1] as number;
  const from = new Int32Array(first[nodes.length + 1] as number);
  // While it is filled, every first place is that of the node before it.
  for (const [index, node] of nodes.entries())
    if (node.op === 'split') for (const out of node.outs) from[first[out + 1]!++] = index;
    else if (node.op === 'unit' || node.op === 'assert') from[first[node.out + 1]!++] = index;
  return { first, from };
}

/**
 * Units from each node to the nearest match, by node and kind before (`node * KINDS + before`), perhaps 0, or
 * NEVER. Breadth first, backwards from the matches, over nodes and contexts, all contexts of a node at once. A
 * step over a unit costs 1, everything else nothing.
 */
export function distancesOf({ nodes }: Automaton): Int32Array {
  const { first, from } = predecessorsOf(nodes);
  const fewest = new Int32Array(nodes.length * KINDS).fill(NEVER);
  const seenLow = new Int32Array(nodes.length);
  const seenHigh = new Int32Array(nodes.length);
  /** Kinds of units with which a node is in a level already: later ones are no nearer. */
  const taken = new Uint8Array(nodes.length);
  /** Node, and contexts in which it is so far from a match. */
  let level: number[] = [];
  let next: number[] = [];
  for (const [index, node] of nodes.entries()) if (node.op === 'match') level.push(index, ALL, ALL);
  for (let units = 0; level.length > 0; units++) {
    // The level grows while it is walked: steps that cost nothing stay in it.
    for (let place = 0; place < level.length; place += 3) {
      const node = level[place] as number;
      const low = (level[place + 1] as number) & ~(seenLow[node] as number);
      const high = (level[place + 2] as number) & ~(seenHigh[node] as number);
      if ((low | high) === 0) continue;
      seenLow[node]! |= low;
      seenHigh[node]! |= high;
      let befores = 0;
      for (let before = EDGE; before < KINDS; before++) {
        const group = before < HALF ? low >> (before * KINDS) : high >> ((before - HALF) * KINDS);
        if ((group & GROUP) === 0) continue;
        befores |= 1 << before;
        const key = node * KINDS + before;
        if (fewest[key] === NEVER) fewest[key] = units;
      }
      for (let at = first[node] as number; at < (first[node + 1] as number); at++) {
        const index = from[at] as number;
        const source = nodes[index] as Node;
        if (source.op === 'split') level.push(index, low, high);
        else if (source.op === 'assert')
          level.push(
            index,
            low & (heldLow[source.mask] as number),
            high & (heldHigh[source.mask] as number),
          );
        else if (source.op === 'unit') {
          const kinds = source.kinds & befores & ~(taken[index] as number);
          if (kinds === 0) continue;
          taken[index]! |= kinds;
          next.push(index, kinds * COLUMN, kinds * COLUMN);
        }
      }
    }
    level = next;
    next = [];
  }
  return fewest;
}
