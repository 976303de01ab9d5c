/** What an automaton does between two units, worked out on demand and kept. Shared by all texts of a rule. */
import { distancesOf, NEVER } from './regex-liveness.ts';
import { type Automaton, EDGE, holds, KINDS, type Node } from './regex-nodes.ts';

/** Where a node leads without consuming anything. */
export interface Closure {
  readonly matches: boolean;
  /** Nodes that consume a unit and from which a match can be reached. */
  readonly units: readonly UnitNode[];
  /** Tags of its matches that have one. */
  readonly tags: readonly number[];
}

export type UnitNode = Extract<Node, { op: 'unit' }>;

const CONTEXTS = KINDS * KINDS;
const UNKNOWN = -1;
const NO_TAGS: readonly number[] = Object.freeze([]);

export function accepts(node: UnitNode, unit: number): boolean {
  const { ranges } = node;
  let low = 0;
  let high = ranges.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[2 * middle + 1] as number) < unit) low = middle + 1;
    else high = middle;
  }
  return low < ranges.length >> 1 && (ranges[2 * low] as number) <= unit;
}

export class RegexSteps {
  readonly start: number;
  readonly nodeCount: number;
  /** The sets of units that its nodes take, each once. */
  readonly unitSets: readonly (readonly number[])[];
  private readonly nodes: readonly Node[];
  private readonly closures = new Map<number, Closure>();
  /** Closures of nodes that reach no assertion, the same in every context. */
  private readonly plain: (Closure | undefined)[] = [];
  /** By node and kind: UNKNOWN until asked. */
  private readonly sure: Int8Array;
  private readonly fewestOf: Int32Array;
  private readonly moreOf: Int32Array;

  constructor(automaton: Automaton) {
    this.start = automaton.start;
    this.nodes = automaton.nodes;
    this.nodeCount = automaton.nodes.length;
    const sets = new Set<readonly number[]>();
    for (const node of automaton.nodes) if (node.op === 'unit') sets.add(node.ranges);
    this.unitSets = [...sets];
    this.fewestOf = distancesOf(automaton);
    this.moreOf = new Int32Array(this.nodeCount * KINDS).fill(UNKNOWN);
    this.sure = new Int8Array(this.nodeCount * KINDS).fill(UNKNOWN);
  }

  /** What `distancesOf` says of its automaton. */
  get distances(): Int32Array {
    return this.fewestOf;
  }

  /** Units to the nearest match, perhaps 0, behind a unit of kind `before`. */
  fewest(node: number, before: number): number {
    return this.fewestOf[node * KINDS + before] as number;
  }

  /** Units to the nearest match that is not right here. */
  fewestMore(node: number, before: number): number {
    const key = node * KINDS + before;
    const known = this.moreOf[key] as number;
    if (known !== UNKNOWN) return known;
    let least = NEVER;
    for (let after = EDGE + 1; after < KINDS; after++)
      for (const { kinds, out } of this.closure(node, before, after).units)
        if ((kinds & (1 << after)) !== 0) least = Math.min(least, 1 + this.fewest(out, after));
    this.moreOf[key] = least;
    return least;
  }

  /** Whether there is a match right here whatever follows. */
  matchesSurely(node: number, before: number): boolean {
    const key = node * KINDS + before;
    const known = this.sure[key] as number;
    if (known !== UNKNOWN) return known === 1;
    let sure = true;
    for (let after = EDGE; sure && after < KINDS; after++)
      sure = this.closure(node, before, after).matches;
    this.sure[key] = sure ? 1 : 0;
    return sure;
  }

  closure(node: number, before: number, after: number): Closure {
    const plain = this.plain[node];
    if (plain !== undefined) return plain;
    const key = node * CONTEXTS + before * KINDS + after;
    const known = this.closures.get(key);
    if (known !== undefined) return known;
    const { closure, asserted } = this.close(node, before, after);
    if (asserted) this.closures.set(key, closure);
    else this.plain[node] = closure;
    return closure;
  }

  private close(
    from: number,
    before: number,
    after: number,
  ): { closure: Closure; asserted: boolean } {
    const seen = new Set([from]);
    const units: UnitNode[] = [];
    let tags: number[] | undefined;
    let matches = false;
    let asserted = false;
    for (const index of seen) {
      const node = this.nodes[index] as Node;
      if (node.op === 'split') for (const out of node.outs) seen.add(out);
      else if (node.op === 'unit') units.push(node);
      else if (node.op === 'match') {
        matches = true;
        if (node.tag !== undefined) (tags ??= []).push(node.tag);
      } else if (node.op === 'assert') {
        asserted = true;
        if (holds(node.mask, before, after)) seen.add(node.out);
      }
    }
    return { closure: { matches, units, tags: tags ?? NO_TAGS }, asserted };
  }
}
