/**
 * Which of many expressions a text may match, by its shape alone: `AB 12 34` has the shape `AA 99 99`. Shapes are
 * read by one lazy DFA of all expressions, so that a text costs a step a unit, whatever its shape, and of a
 * hundred expressions a handful is tried.
 */
import type { Automaton, Node } from '../regex-nodes.ts';
import { automatonOf } from '../regex-reader.ts';
import { classIn, type RangeClasses, rangeClasses } from '../unit-classes.ts';

/** States kept. One more, and all are forgotten. */
const STATES_MAX = 4_096;

const DIGITS: readonly number[] = [0x30, 0x39];
const LETTERS: readonly number[] = [0x41, 0x5a, 0x61, 0x7a];

/** Whether a unit of `some` is one of `others`; both pairs of first and last. */
function meets(some: readonly number[], others: readonly number[]): boolean {
  for (let one = 0; one < some.length; one += 2)
    for (let other = 0; other < others.length; other += 2)
      if (
        (some[one] as number) <= (others[other + 1] as number) &&
        (some[one + 1] as number) >= (others[other] as number)
      )
        return true;
  return false;
}

const automata = new Map<string, Automaton>();

function rememberedAutomatonOf(expression: string): Automaton {
  const automaton = automata.get(expression) ?? automatonOf(expression);
  automata.set(expression, automaton);
  return automaton;
}

interface Numbered {
  readonly node: Node;
  /** The number of its expression's first node: its own numbers begin there. */
  readonly first: number;
  /** Whose expression it is part of. */
  readonly item: number;
}

interface State<Item> {
  /** Nodes that consume a unit, of all expressions, counted through, ascending. */
  readonly nodes: readonly number[];
  /** Those whose expressions end here. */
  readonly items: readonly Item[];
  /** By class of the unit. */
  readonly next: (State<Item> | undefined)[];
}

export class ShapeIndex<Item> {
  private readonly items: readonly Item[];
  /** Of all expressions. */
  private readonly nodes: Numbered[] = [];
  private readonly starts: number[] = [];
  private readonly classes: RangeClasses;
  /** What the units of a class have in common: all digits are one, and all letters. */
  private readonly sets: readonly (readonly number[])[];
  private readonly known = new Map<string, State<Item>>();
  private first: State<Item> | undefined;
  private readonly statesMax: number;

  /** In the order in which they are given out. */
  constructor(
    items: readonly (readonly [expression: string, item: Item])[],
    statesMax = STATES_MAX,
  ) {
    this.statesMax = statesMax;
    this.items = items.map(([, item]) => item);
    for (const [item, [expression]] of items.entries()) {
      const { nodes, start } = rememberedAutomatonOf(expression);
      const first = this.nodes.length;
      this.starts.push(first + start);
      for (const node of nodes) this.nodes.push({ node, first, item });
    }
    this.classes = rangeClasses(
      this.nodes.flatMap(({ node }) => (node.op === 'unit' ? [node.ranges] : [])),
    );
    this.sets = this.classes.samples.map((unit) => {
      const sample = [unit, unit];
      return [DIGITS, LETTERS].find((set) => meets(sample, set)) ?? sample;
    });
  }

  get statesKept(): number {
    return this.known.size;
  }

  /** Those whose expression may match `text`, and perhaps some that do not. */
  candidates(text: string): readonly Item[] {
    let state = (this.first ??= this.stateOf(this.starts));
    for (let at = 0; at < text.length; at++) {
      if (state.nodes.length === 0) return [];
      const unitClass = classIn(this.classes, text.charCodeAt(at));
      state = state.next[unitClass] ?? this.step(state, unitClass);
    }
    return state.items;
  }

  private step(state: State<Item>, unitClass: number): State<Item> {
    const set = this.sets[unitClass] as readonly number[];
    const reached: number[] = [];
    for (const index of state.nodes) {
      const { node, first } = this.nodes[index] as Numbered;
      if (node.op === 'unit' && meets(set, node.ranges)) reached.push(first + node.out);
    }
    const made = this.stateOf(reached);
    state.next[unitClass] = made;
    return made;
  }

  /** Assertions are taken for granted. */
  private stateOf(from: readonly number[]): State<Item> {
    const seen = new Set(from);
    const nodes: number[] = [];
    const ended = new Set<number>();
    for (const index of seen) {
      const { node, first, item } = this.nodes[index] as Numbered;
      if (node.op === 'split') for (const out of node.outs) seen.add(first + out);
      else if (node.op === 'assert') seen.add(first + node.out);
      else if (node.op === 'match') ended.add(item);
      else if (node.op === 'unit') nodes.push(index);
    }
    nodes.sort((a, b) => a - b);
    const ends = [...ended].sort((a, b) => a - b);
    const key = `${nodes.join()};${ends.join()}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.known.size >= this.statesMax) {
      this.known.clear();
      this.first = undefined;
    }
    const items = ends.map((item) => this.items[item] as Item);
    const made: State<Item> = { nodes, items, next: [] };
    this.known.set(key, made);
    return made;
  }
}
