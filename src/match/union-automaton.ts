/**
 * One lazy DFA for the rules of a set. A state is the set of threads that live (rule, place, units since its
 * start) and what stands before the next unit; so how much is held is a property of the state, and where a
 * match must have begun is known when it is found. Steps are worked out once and kept in a table.
 */
import { AT_EDGE, CONTEXTS, contextAfter, type PartSink, type UnionPart } from './union-part.ts';
import { type UnitClasses, unitClasses } from './unit-classes.ts';

/** Fields of a thread in `State.threads`. */
const FIELDS = 3;
/** The age of a thread that its part holds no longer to be counted: its tracker runs. */
export const OLD = 0x7fffffff;

export interface UnionState {
  /** Rule, place and age of each thread, ascending by rule, then place. */
  readonly threads: Int32Array;
  readonly context: number;
  /** Age of the oldest thread, 0 if there is none; OLD ones do not count. */
  readonly oldest: number;
  /** Where its steps are in the table, or -1: then they are worked out every time. */
  readonly row: number;
  readonly generation: number;
}

export interface Call {
  readonly rule: number;
  /** Units from the start of its oldest thread to the unit that led to the call. */
  readonly age: number;
}

export interface Transition {
  readonly target: UnionState;
  /** Trackers that must run, unless they do; none of their threads is in `target` if a match was found. */
  readonly calls: readonly Call[];
}

export interface UnionLimits {
  /** Most states that are kept, and about how many bytes they may take together with their steps. */
  readonly statesMax: number;
  readonly bytesMax: number;
  /**
   * One state too many, and all are dropped to begin anew, if at least so many units were read for each of
   * them since the last time. If not, the state is not kept, and its steps are worked out each time.
   */
  readonly unitsPerState: number;
}

export const UNION_LIMITS: UnionLimits = Object.freeze({
  statesMax: 65_536,
  bytesMax: 32 * 1024 * 1024,
  unitsPerState: 8,
});

const NO_THREADS = new Int32Array(0);
const NO_CALLS: readonly Call[] = [];
const UNKNOWN = -1;
const FIRST_CALLING = -2;
const ENTRY_BYTES = 4;
/** A state without its threads: the object, its key's head, its place in two tables. */
const STATE_BYTES = 240;
/** A field of a thread, in the array and in the key. */
const FIELD_BYTES = 12;
const ROWS_AT_FIRST = 16;

/** The threads of one rule while a step is worked out. */
class Gathering implements PartSink {
  called = false;
  readonly places = new Map<number, number>();
  private age = 0;

  from(age: number): void {
    this.age = age;
  }

  go(place: number): void {
    const known = this.places.get(place);
    if (known === undefined || known < this.age) this.places.set(place, this.age);
  }

  call(): void {
    this.called = true;
  }
}

export class UnionAutomaton {
  table: Int32Array;
  states: UnionState[] = [];
  readonly classes: UnitClasses;
  readonly width: number;
  /** Times all states were dropped. */
  generation = 0;
  readonly parts: readonly UnionPart[];
  private readonly limits: UnionLimits;
  private bytes = 0;
  private unitsSinceFlush = 0;
  private known = new Map<string, UnionState>();
  private calling: Transition[] = [];
  private readonly begins: (readonly [rule: number, gathering: Gathering][] | undefined)[] = [];

  constructor(parts: readonly UnionPart[], limits: UnionLimits = UNION_LIMITS) {
    this.parts = parts;
    this.classes = unitClasses(
      (function* () {
        for (const part of parts) yield* part.unitSets;
      })(),
    );
    this.width = this.classes.samples.length;
    this.limits = limits;
    this.table = new Int32Array(0);
  }

  get first(): UnionState {
    return this.intern(NO_THREADS, AT_EDGE);
  }

  /** The same state with a row in the present table, if there is room. */
  current(state: UnionState): UnionState {
    return state.row >= 0 && state.generation === this.generation
      ? state
      : this.intern(state.threads, state.context);
  }

  /** So many units were read: room may be made for new states. */
  count(units: number): void {
    this.unitsSinceFlush += units;
  }

  step(state: UnionState, unitClass: number): Transition {
    const kept = state.row >= 0 && state.generation === this.generation;
    if (kept) {
      const entry = this.table[state.row + unitClass] as number;
      if (entry >= 0)
        return { target: this.states[entry / this.width] as UnionState, calls: NO_CALLS };
      if (entry <= FIRST_CALLING) return this.calling[FIRST_CALLING - entry] as Transition;
    }
    const transition = this.workOut(state, unitClass);
    const { target, calls } = transition;
    if (kept && state.generation === this.generation && target.row >= 0) {
      if (calls.length === 0) this.table[state.row + unitClass] = target.row;
      else this.table[state.row + unitClass] = FIRST_CALLING + 1 - this.calling.push(transition);
    }
    return transition;
  }

  /** The state without the threads of a rule. */
  without(state: UnionState, rule: number): UnionState {
    const { threads } = state;
    const rest: number[] = [];
    for (let at = 0; at < threads.length; at += FIELDS)
      if (threads[at] !== rule)
        rest.push(threads[at] as number, threads[at + 1] as number, threads[at + 2] as number);
    return rest.length === threads.length
      ? state
      : this.intern(Int32Array.from(rest), state.context);
  }

  private workOut(state: UnionState, unitClass: number): Transition {
    const { threads, context } = state;
    const unit = this.classes.samples[unitClass] as number;
    const next = contextAfter(context, unit);
    const gathered = new Map<number, Gathering>();
    const calls: Call[] = [];
    for (let at = 0; at < threads.length; ) {
      const rule = threads[at] as number;
      const part = this.parts[rule] as UnionPart;
      const gathering = new Gathering();
      let oldest = 0;
      let old = false;
      let ages = false;
      for (; at < threads.length && threads[at] === rule; at += FIELDS) {
        const age = threads[at + 2] as number;
        if (age === OLD) old = true;
        else oldest = Math.max(oldest, age);
        gathering.from(age === OLD ? OLD : age + 1);
        part.step(threads[at + 1] as number, context, unit, gathering);
      }
      for (const [place, age] of gathering.places)
        if (age !== OLD && age > part.agedUnitsMax(place, next)) {
          gathering.places.set(place, OLD);
          ages = true;
        }
      // Where one thread is old the tracker runs already.
      if ((gathering.called || ages) && !old) calls.push({ rule, age: oldest });
      gathered.set(rule, gathering);
    }
    for (const [rule, begun] of this.beginning(context, unitClass)) {
      const gathering = gathered.get(rule);
      if (gathering === undefined) {
        if (begun.called) calls.push({ rule, age: 0 });
        gathered.set(rule, begun);
        continue;
      }
      if (begun.called && !gathering.called) {
        gathering.called = true;
        if (!calls.some((call) => call.rule === rule)) {
          const age = this.oldestOf(state, rule);
          if (age !== OLD) calls.push({ rule, age });
        }
      }
      gathering.from(1);
      for (const place of begun.places.keys()) gathering.go(place);
    }
    const flat: number[] = [];
    for (const rule of [...gathered.keys()].sort((a, b) => a - b)) {
      const { called, places } = gathered.get(rule) as Gathering;
      const old = [...places.values()].includes(OLD);
      if (called && !old) continue;
      for (const place of [...places.keys()].sort((a, b) => a - b))
        flat.push(rule, place, places.get(place) as number);
    }
    return { target: this.intern(Int32Array.from(flat), next), calls };
  }

  private oldestOf({ threads }: UnionState, rule: number): number {
    let oldest = 0;
    for (let at = 0; at < threads.length; at += FIELDS)
      if (threads[at] === rule) oldest = Math.max(oldest, threads[at + 2] as number);
    return oldest;
  }

  /** What begins with a unit of the class, by rule. */
  private beginning(
    context: number,
    unitClass: number,
  ): readonly [rule: number, gathering: Gathering][] {
    const key = unitClass * CONTEXTS + context;
    const known = this.begins[key];
    if (known !== undefined) return known;
    const unit = this.classes.samples[unitClass] as number;
    const begun: [number, Gathering][] = [];
    for (const [rule, part] of this.parts.entries()) {
      const gathering = new Gathering();
      gathering.from(1);
      part.begin(context, unit, gathering);
      if (gathering.called || gathering.places.size > 0) begun.push([rule, gathering]);
    }
    this.begins[key] = begun;
    return begun;
  }

  private intern(threads: Int32Array, context: number): UnionState {
    const key = `${context},${threads.join()}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const bytes = STATE_BYTES + this.width * ENTRY_BYTES + threads.length * FIELD_BYTES;
    if (!this.hasRoom(bytes) && this.unitsSinceFlush >= this.unitsToFlush) this.flush();
    const kept = this.hasRoom(bytes);
    let oldest = 0;
    for (let at = 2; at < threads.length; at += FIELDS)
      if (threads[at] !== OLD) oldest = Math.max(oldest, threads[at] as number);
    const state: UnionState = {
      threads,
      context,
      oldest,
      row: kept ? this.states.length * this.width : -1,
      generation: this.generation,
    };
    if (!kept) return state;
    this.bytes += bytes;
    this.states.push(state);
    this.known.set(key, state);
    if (this.states.length * this.width > this.table.length) this.grow();
    return state;
  }

  private hasRoom(bytes: number): boolean {
    const { statesMax, bytesMax } = this.limits;
    return this.states.length < statesMax && this.bytes + bytes <= bytesMax;
  }

  private get unitsToFlush(): number {
    return this.limits.unitsPerState * this.states.length;
  }

  private grow(): void {
    const rows = Math.min(
      this.limits.statesMax,
      Math.max(ROWS_AT_FIRST, Math.ceil(1.5 * this.states.length)),
    );
    const table = new Int32Array(rows * this.width).fill(UNKNOWN);
    table.set(this.table);
    this.table = table;
  }

  private flush(): void {
    this.generation++;
    this.unitsSinceFlush = 0;
    this.bytes = 0;
    this.known.clear();
    this.states = [];
    this.calling = [];
    this.table.fill(UNKNOWN);
  }
}
