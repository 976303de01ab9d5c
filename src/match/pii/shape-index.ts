/**
 * Which of many expressions a text may match, by its shape alone: `AB 12 34` has the shape `AA 99 99`. Most
 * candidates share few shapes, so that of a hundred expressions a handful is tried.
 */
import { buildAutomaton, type Node } from '../regex-program.ts';

/** Shapes remembered. One more, and all are forgotten. */
const SHAPES_MAX = 4_096;

const DIGIT = '9';
const LETTER = 'A';

const isIn = (unit: number, first: string, last: string): boolean =>
  unit >= first.charCodeAt(0) && unit <= last.charCodeAt(0);

const meets = (ranges: readonly number[], first: string, last: string): boolean => {
  for (let index = 0; index < ranges.length; index += 2)
    if (
      (ranges[index] as number) <= last.charCodeAt(0) &&
      (ranges[index + 1] as number) >= first.charCodeAt(0)
    )
      return true;
  return false;
};

/** The digits of a plain text as `9`, its letters as `A`, all else as it is. */
function shapeOf(text: string): string {
  const units: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (isIn(unit, '0', '9')) units.push(DIGIT.charCodeAt(0));
    else if (isIn(unit, 'a', 'z') || isIn(unit, 'A', 'Z')) units.push(LETTER.charCodeAt(0));
    else units.push(unit);
  }
  return String.fromCharCode.apply(undefined, units);
}

/** What an expression accepts, as far as shapes tell. */
class ShapeMatcher {
  private readonly nodes: readonly Node[];
  private readonly first: ReadonlySet<number>;

  constructor(expression: string) {
    const automaton = buildAutomaton(expression);
    if (typeof automaton === 'string') throw new Error(automaton);
    this.nodes = automaton.nodes;
    this.first = this.closed([automaton.start]);
  }

  mayMatch(shape: string): boolean {
    let here = this.first;
    for (const sign of shape) {
      const next: number[] = [];
      for (const index of here) {
        const node = this.nodes[index] as Node;
        if (node.op === 'unit' && this.accepts(node.ranges, sign)) next.push(node.out);
      }
      if (next.length === 0) return false;
      here = this.closed(next);
    }
    for (const index of here) if (this.nodes[index]?.op === 'match') return true;
    return false;
  }

  private accepts(ranges: readonly number[], sign: string): boolean {
    if (sign === DIGIT) return meets(ranges, '0', '9');
    if (sign === LETTER) return meets(ranges, 'A', 'Z') || meets(ranges, 'a', 'z');
    return meets(ranges, sign, sign);
  }

  /** Assertions are taken for granted. */
  private closed(from: readonly number[]): ReadonlySet<number> {
    const seen = new Set(from);
    for (const index of seen) {
      const node = this.nodes[index] as Node;
      if (node.op === 'split') for (const out of node.outs) seen.add(out);
      else if (node.op === 'assert') seen.add(node.out);
    }
    return seen;
  }
}

const matchers = new Map<string, ShapeMatcher>();

function matcherOf(expression: string): ShapeMatcher {
  const known = matchers.get(expression) ?? new ShapeMatcher(expression);
  matchers.set(expression, known);
  return known;
}

export class ShapeIndex<Item> {
  private readonly items: readonly (readonly [ShapeMatcher, Item])[];
  private readonly known = new Map<string, readonly Item[]>();

  /** In the order in which they are given out. */
  constructor(items: readonly (readonly [expression: string, item: Item])[]) {
    this.items = items.map(([expression, item]) => [matcherOf(expression), item]);
  }

  /** Those whose expression may match `text`, and perhaps some that do not. */
  candidates(text: string): readonly Item[] {
    const shape = shapeOf(text);
    const known = this.known.get(shape);
    if (known !== undefined) return known;
    const made = this.items.filter(([one]) => one.mayMatch(shape)).map(([, item]) => item);
    if (this.known.size >= SHAPES_MAX) this.known.clear();
    this.known.set(shape, made);
    return made;
  }
}
