/** The longest match of an automaton. */
import { NEVER } from './regex-liveness.ts';
import { type Automaton, KINDS, type Node } from './regex-nodes.ts';

const NOT_YET = -1;

/** The nodes that follow one, by their place; undefined behind the last. */
function outAt(node: Node, place: number): number | undefined {
  if (node.op === 'split') return node.outs[place];
  return place === 0 && (node.op === 'unit' || node.op === 'assert') ? node.out : undefined;
}

/**
 * Units of the longest way from the start to a match, taking every assertion for granted where it can hold
 * at all; undefined if a loop makes it endless. `fewest`: of `distancesOf`. Tarjan's components come out last
 * first, so that one pass over them is enough. Linear.
 */
export function longestMatch({ nodes, start }: Automaton, fewest: Int32Array): number | undefined {
  const alive = new Uint8Array(nodes.length);
  for (let key = 0; key < fewest.length; key++)
    if (fewest[key] !== NEVER) alive[Math.floor(key / KINDS)] = 1;
  if (alive[start] === 0) return 0;
  const order = new Int32Array(nodes.length).fill(NOT_YET);
  const low = new Int32Array(nodes.length);
  const component = new Int32Array(nodes.length).fill(NOT_YET);
  const longest = new Float64Array(nodes.length);
  const open: number[] = [];
  let visited = 0;
  /** The way from the start to here, and how many ways out of each node were tried. */
  const walk: number[] = [];
  const tried = new Int32Array(nodes.length);
  const visit = (node: number): void => {
    order[node] = low[node] = visited++;
    open.push(node);
    walk.push(node);
  };
  visit(start);
  while (walk.length > 0) {
    const node = walk[walk.length - 1] as number;
    const out = outAt(nodes[node] as Node, tried[node] as number);
    if (out !== undefined) {
      if (alive[out] === 1 && order[out] === NOT_YET) {
        visit(out);
        continue;
      }
      if (alive[out] === 1 && component[out] === NOT_YET)
        low[node] = Math.min(low[node] as number, low[out] as number);
      tried[node]!++;
      continue;
    }
    walk.pop();
    if (low[node] !== order[node]) continue;
    const members = open.splice(open.lastIndexOf(node));
    for (const member of members) component[member] = node;
    let units = 0;
    for (const member of members) {
      const own = nodes[member] as Node;
      const weight = own.op === 'unit' ? 1 : 0;
      for (let place = 0; ; place++) {
        const target = outAt(own, place);
        if (target === undefined) break;
        if (alive[target] === 0) continue;
        if (component[target] !== node)
          units = Math.max(units, weight + (longest[target] as number));
        else if (weight > 0) return undefined;
      }
    }
    for (const member of members) longest[member] = units;
  }
  return longest[start] as number;
}
