/**
 * One expression as a lazy DFA: a state is all that can have become of one start, so starts in the same state
 * share their future. States are worked out once and kept, up to a limit; beyond it they are worked out
 * each time. Shared by all texts of a rule.
 */
import { NEVER } from './regex-liveness.ts';
import { EDGE, KINDS, kindOf, type Node } from './regex-program.ts';
import { accepts, type RegexSteps } from './regex-steps.ts';
import { type RangeClasses, rangeClasses } from './unit-classes.ts';

export interface DfaState {
  /** Nodes at which its threads are, ascending. */
  readonly nodes: readonly number[];
  /** Kind of the unit before it. */
  readonly before: number;
  /** Bit k: a match ends here if a unit of kind k follows, or for EDGE, nothing. */
  readonly matchKinds: number;
  /** A match ends here whatever follows. */
  readonly sure: boolean;
  /** Units to the nearest match, perhaps 0; and to the nearest that is not right here, or NEVER. */
  readonly fewest: number;
  readonly more: number;
  /** By class of the next unit; undefined: not worked out yet, or not kept. */
  readonly next: (DfaState | undefined)[];
  readonly key: string;
  /** Found again by its nodes, so that there are no two of it. */
  kept: boolean;
  /** The place of the group of starts that has come here, if `turn` is that of the tracker's present step. */
  place: number;
  turn: number;
}

export interface DfaLimits {
  readonly statesMax: number;
  /**
   * One state too many, and all are dropped to begin anew, if for each of them so many steps were worked out
   * since the last time without being kept. Until then new states are not kept.
   */
  readonly missesPerState: number;
}

const ALL_KINDS = (1 << KINDS) - 1;

const newState = (
  nodes: readonly number[],
  before: number,
  key: string,
  measures: Pick<DfaState, 'matchKinds' | 'fewest' | 'more'>,
): DfaState => ({
  nodes,
  before,
  ...measures,
  sure: measures.matchKinds === ALL_KINDS,
  next: [],
  key,
  kept: false,
  place: 0,
  turn: 0,
});

/** Nothing is left of a start. */
export const DEAD: DfaState = newState([], EDGE, '', {
  matchKinds: 0,
  fewest: NEVER,
  more: NEVER,
});
DEAD.kept = true;

/** How many states are kept for so many nodes: most expressions have fewer of them than nodes. */
export const dfaLimitsFor = (nodes: number): DfaLimits =>
  Object.freeze({ statesMax: 64 + 2 * nodes, missesPerState: 8 });

const STATE_BYTES = 400;
const POINTER_BYTES = 8;

export class RegexDfa {
  readonly classes: RangeClasses;
  private readonly steps: RegexSteps;
  private readonly limits: DfaLimits;
  private readonly known = new Map<string, DfaState>();
  /** What begins with a unit, by kind of the unit before it and by class; undefined: not known yet. */
  readonly begins: (DfaState | undefined)[] = [];
  /** By class: whether a match can begin with it somewhere; undefined: not known yet. */
  private readonly starters: (boolean | undefined)[] = [];
  private misses = 0;

  constructor(steps: RegexSteps, nodes: readonly Node[], limits: DfaLimits) {
    this.steps = steps;
    this.limits = limits;
    this.classes = rangeClasses(nodes.flatMap((node) => (node.op === 'unit' ? [node.ranges] : [])));
  }

  /** Most bytes that its states may take together. */
  get bytesMax(): number {
    return this.limits.statesMax * (STATE_BYTES + POINTER_BYTES * this.classes.samples.length);
  }

  get statesKept(): number {
    return this.known.size;
  }

  /** Whether a match can begin with a unit of this class somewhere. */
  mayStart(unitClass: number): boolean {
    return (this.starters[unitClass] ??= this.findsStart(unitClass));
  }

  /** What becomes of a start at a unit of this class, behind one of kind `before`. */
  begin(before: number, unitClass: number): DfaState {
    const key = unitClass * KINDS + before;
    const known = this.begins[key];
    if (known !== undefined) return known;
    const made = this.mayStart(unitClass)
      ? this.workOut([this.steps.start], before, unitClass)
      : DEAD;
    if (made.kept) this.begins[key] = made;
    return made;
  }

  step(state: DfaState, unitClass: number): DfaState {
    const known = state.next[unitClass];
    if (known !== undefined) return known;
    const made = this.workOut(state.nodes, state.before, unitClass);
    if (state.kept && made.kept) state.next[unitClass] = made;
    return made;
  }

  private workOut(nodes: readonly number[], before: number, unitClass: number): DfaState {
    const kind = kindOf(this.classes.samples[unitClass] as number);
    const reached = new Set<number>();
    for (const node of nodes) this.reach(node, before, unitClass, reached);
    if (reached.size === 0) return DEAD;
    const sorted = [...reached].sort((a, b) => a - b);
    return this.intern(sorted, kind);
  }

  private reach(node: number, before: number, unitClass: number, reached: Set<number>): void {
    const { steps } = this;
    const unit = this.classes.samples[unitClass] as number;
    const kind = kindOf(unit);
    for (const next of steps.closure(node, before, kind).units)
      if (accepts(next, unit) && steps.fewest(next.out, kind) !== NEVER) reached.add(next.out);
  }

  private findsStart(unitClass: number): boolean {
    const reached = new Set<number>();
    for (let before = EDGE; before < KINDS; before++)
      this.reach(this.steps.start, before, unitClass, reached);
    return reached.size > 0;
  }

  private intern(nodes: readonly number[], before: number): DfaState {
    const key = `${before},${nodes.join()}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    let matchKinds = 0;
    let fewest = NEVER;
    let more = NEVER;
    for (const node of nodes) {
      for (let after = EDGE; after < KINDS; after++)
        if (this.steps.closure(node, before, after).matches) matchKinds |= 1 << after;
      fewest = Math.min(fewest, this.steps.fewest(node, before));
      more = Math.min(more, this.steps.fewestMore(node, before));
    }
    const state = newState(nodes, before, key, { matchKinds, fewest, more });
    const { statesMax, missesPerState } = this.limits;
    if (this.known.size >= statesMax) {
      if (this.misses++ < missesPerState * statesMax) return state;
      this.flush();
    }
    state.kept = true;
    this.known.set(key, state);
    return state;
  }

  /** Those that texts still hold lose what they know of others, so that they hold nothing else. */
  private flush(): void {
    for (const state of this.known.values()) {
      state.next.length = 0;
      state.kept = false;
    }
    this.known.clear();
    this.begins.length = 0;
    this.misses = 0;
  }
}
