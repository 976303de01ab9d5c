/**
 * What must not stand directly before a candidate. Such heads are read backwards, from the last unit on and all
 * of them at once, by a lazy automaton: most are decided by a unit or two, where an expression would be looked
 * for from every place before the candidate.
 */
import { isHigh, isInvisible, isLow } from './characters.ts';
import { endsTag, isTagLead } from './invisible-pairs.ts';
import { plainUnit } from './plain-units.ts';
import type { Node } from './regex-nodes.ts';
import { automatonOf } from './regex-reader.ts';
import { accepts } from './regex-steps.ts';
import { LOOK_BACK_UNITS } from './text-history.ts';
import { classIn, type RangeClasses, rangeClasses } from './unit-classes.ts';

/** Most heads of one automaton: each is a bit. */
export const HEADS_MAX = 30;

/** States kept. One more, and all are forgotten. */
const STATES_MAX = 4_096;

/** Stands for where what is looked at begins, and for halves of characters: no text has it as a unit that is seen. */
const EDGE_UNIT = 1;
/** Classes of RE2 for a unit that is no letter nor digit of ASCII, or the edge; with and without the underscore. */
export const NOT_ALNUM = '[\\x01-/:-@\\[-`{-\\x{d7ff}\\x{e000}-\\x{ffff}]';
export const NOT_WORD = '[\\x01-/:-@\\[-^`{-\\x{d7ff}\\x{e000}-\\x{ffff}]';

interface State {
  /** Nodes from which what was read leads to the end of a head, ascending. */
  readonly nodes: readonly number[];
  /** Heads that are there whole, as bits, and those that may still be when more is read. */
  readonly whole: number;
  readonly open: number;
  readonly next: (State | undefined)[];
}

export class Heads {
  /** Of all heads, numbered through. */
  private readonly nodes: Node[] = [];
  private readonly starts: number[] = [];
  /** By node: whose it is. */
  private readonly headOf: number[] = [];
  /** Those that lead to a node without a unit, and those that do with one. */
  private readonly freely: number[][] = [];
  private readonly byUnit: number[][] = [];
  private readonly classes: RangeClasses;
  private readonly known = new Map<string, State>();
  private first: State;

  /** How many there are. */
  readonly count: number;

  /** `expressions`: RE2 syntax over plain units, without assertions, HEADS_MAX at most; none matches nothing. */
  constructor(expressions: readonly string[]) {
    if (expressions.length > HEADS_MAX) throw new RangeError('too many heads');
    for (const [head, expression] of expressions.entries()) {
      const { nodes, start } = automatonOf(expression);
      const first = this.nodes.length;
      this.starts.push(first + start);
      for (const node of nodes) {
        if (node.op === 'assert') throw new Error(`${expression}: a head has no assertions`);
        this.nodes.push(node);
        this.headOf.push(head);
        this.freely.push([]);
        this.byUnit.push([]);
      }
      for (const [index, node] of nodes.entries())
        if (node.op === 'split')
          for (const out of node.outs) this.freely[first + out]?.push(first + index);
        else if (node.op === 'unit') this.byUnit[first + node.out]?.push(first + index);
    }
    this.count = expressions.length;
    this.classes = rangeClasses(
      this.nodes.flatMap((node) => (node.op === 'unit' ? [node.ranges] : [])),
    );
    this.first = this.stateOf(
      this.nodes.flatMap((node, index) => (node.op === 'match' ? [index] : [])),
    );
  }

  /** Bit n: head n ends with this unit of ASCII that is seen, whatever stands before that. */
  behind(unit: number): number {
    return this.step(this.first, unit).whole;
  }

  /**
   * Bit n, of those in `asked`: the units before `place`, LOOK_BACK_UNITS at most and those that are not seen left
   * out, end in what head n matches. Cost: a step a unit, as far back as any of them may reach.
   */
  before(units: Uint16Array, place: number, asked: number): number {
    let state = this.first;
    let found = 0;
    const edge = Math.max(0, place - LOOK_BACK_UNITS);
    for (let at = place - 1; at >= edge; at--) {
      let unit = units[at] as number;
      if (unit > 0x7e || unit < 0x20) {
        if (isInvisible(unit)) continue;
        if (endsTag(unit) && at > edge && isTagLead(units[at - 1] as number)) {
          at--;
          continue;
        }
        unit = isHigh(unit) || isLow(unit) ? EDGE_UNIT : plainUnit(unit);
      }
      state = this.step(state, unit);
      found |= state.whole;
      if ((state.open & asked & ~found) === 0) return found & asked;
    }
    return (found | this.step(state, EDGE_UNIT).whole) & asked;
  }

  private step(state: State, unit: number): State {
    const unitClass = classIn(this.classes, unit);
    const known = state.next[unitClass];
    if (known !== undefined) return known;
    const reached: number[] = [];
    for (const index of state.nodes)
      for (const from of this.byUnit[index] as number[]) {
        const node = this.nodes[from] as Node;
        if (node.op === 'unit' && accepts(node, unit)) reached.push(from);
      }
    const made = this.stateOf(reached);
    state.next[unitClass] = made;
    return made;
  }

  private stateOf(from: readonly number[]): State {
    const seen = new Set(from);
    for (const index of seen) for (const before of this.freely[index] as number[]) seen.add(before);
    const key = [...seen].sort((a, b) => a - b).join();
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.known.size >= STATES_MAX) {
      this.known.clear();
      this.first.next.length = 0;
    }
    let whole = 0;
    for (const [head, start] of this.starts.entries()) if (seen.has(start)) whole |= 1 << head;
    // Of a head that is there whole nothing more is asked, and what no unit leads to leads nowhere.
    const nodes = [...seen]
      .filter((index) => (this.byUnit[index] as number[]).length > 0)
      .sort((a, b) => a - b);
    let open = 0;
    for (const index of nodes) open |= 1 << (this.headOf[index] as number);
    const made: State = { nodes, whole, open, next: [] };
    this.known.set(key, made);
    return made;
  }
}
