/** The longest match of an automaton. */
import { type Distances, NEVER } from './regex-liveness.ts';
import { type Automaton, EDGE, KINDS, type Node } from './regex-program.ts';

function outsOf(node: Node): readonly number[] {
  if (node.op === 'split') return node.outs;
  return 'out' in node ? [node.out] : [];
}

/**
 * Units of the longest way from the start to a match, taking every assertion for granted where it can hold
 * at all; undefined if a loop makes it endless. Tarjan's components come out last first, so that one pass
 * over them is enough. Linear.
 */
export function longestMatch(automaton: Automaton, distances: Distances): number | undefined {
  const { nodes, start } = automaton;
  const alive = nodes.map((_, node) => {
    for (let before = EDGE; before < KINDS; before++)
      if (distances.fewest(node, before) !== NEVER) return true;
    return false;
  });
  const edges = nodes.map((node) => outsOf(node).filter((out) => alive[out]));
  const order = new Int32Array(nodes.length).fill(-1);
  const low = new Int32Array(nodes.length);
  const component = new Int32Array(nodes.length).fill(-1);
  const longest = new Float64Array(nodes.length);
  const open: number[] = [];
  let visited = 0;
  const walk: { node: number; edge: number }[] = [];
  const visit = (node: number): void => {
    order[node] = low[node] = visited++;
    open.push(node);
    walk.push({ node, edge: 0 });
  };
  if (!alive[start]) return 0;
  visit(start);
  while (walk.length > 0) {
    const frame = walk[walk.length - 1] as { node: number; edge: number };
    const { node } = frame;
    const out = edges[node]?.[frame.edge];
    if (out !== undefined) {
      if (order[out] === -1) {
        visit(out);
        continue;
      }
      if (component[out] === -1) low[node] = Math.min(low[node] as number, low[out] as number);
      frame.edge++;
      continue;
    }
    walk.pop();
    if (low[node] !== order[node]) continue;
    const members = open.splice(open.lastIndexOf(node));
    for (const member of members) component[member] = node;
    let units = 0;
    for (const member of members) {
      const weight = nodes[member]?.op === 'unit' ? 1 : 0;
      for (const target of edges[member] as number[]) {
        if (component[target] !== node)
          units = Math.max(units, weight + (longest[target] as number));
        else if (weight > 0) return undefined;
      }
    }
    for (const member of members) longest[member] = units;
  }
  return longest[start] as number;
}
