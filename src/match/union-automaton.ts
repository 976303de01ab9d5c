/**
 * One lazy DFA for the rules of a set. A state is the set of threads that live (rule, place, units since its
 * start) and what stands before the next unit; so how much is held is a property of the state, and where a
 * match must have begun is known when it is found. Steps are worked out once and kept in a table.
 */
import { AT_EDGE, CONTEXTS, contextAfter, type PartSink, type UnionPart } from './union-part.ts';
import { type UnitClasses, unitClasses } from './unit-classes.ts';

/** Fields of a thread in `State.threads`. */
export const FIELDS = 3;
/** The age of a rule's only entry, whatever its place, while its tracker reads for it. */
export const AWAKE = 0x7fffffff;

export interface UnionState {
  /** Rule, place and age of each thread, ascending by rule, then place. */
  readonly threads: Int32Array;
  readonly context: number;
  /** Age of the oldest thread, 0 if there is none. */
  readonly oldest: number;
  /** Its row in the table, or -1: then its steps are worked out every time. */
  readonly row: number;
  readonly generation: number;
  /** The same without a rule, by rule; not worked out yet, or not kept, where it is undefined. */
  readonly without: (UnionState | undefined)[];
}

export interface Call {
  readonly rule: number;
  /** Units from the start of its oldest thread to the unit that led to the call. */
  readonly age: number;
}

export interface Transition {
  readonly target: UnionState;
  /** Rules whose trackers must read from now on; in `target` they are AWAKE. */
  readonly calls: readonly Call[];
}

export interface UnionLimits {
  /** Most states that are kept, no more than `STATES_MAX`, and about how many bytes they may take. */
  readonly statesMax: number;
  readonly bytesMax: number;
  /** So many states are made as they come, and of the others one for every so many units that were read. */
  readonly statesAtOnce: number;
  readonly unitsPerState: number;
}

/** Numbers of states are 16 bits wide, and two of them mean something else. */
export const STATES_MAX = 0xfffe;
export const UNKNOWN = 0xffff;
/** From here on an entry of the table is no state. */
export const NO_STATE = 0xfffe;
const CALLING = 0xfffe;

export const UNION_LIMITS: UnionLimits = Object.freeze({
  statesMax: STATES_MAX,
  bytesMax: 32 * 1024 * 1024,
  statesAtOnce: 24_576,
  unitsPerState: 16,
});

/** Room for a small set, and for each node of a large one: some have a state or two for every node. */
const BYTES_AT_LEAST = 1024 * 1024;
const BYTES_PER_NODE = 768;
const CLASS_BYTES = 2 * 0x10000;

/** Most bytes that the automaton of parts with so many nodes takes, with its classes of units. */
export const unionBytesMax = (nodes: number, limits: UnionLimits = UNION_LIMITS): number =>
  CLASS_BYTES + Math.min(limits.bytesMax, BYTES_AT_LEAST + nodes * BYTES_PER_NODE);

const NO_THREADS = new Int32Array(0);
const NO_CALLS: readonly Call[] = [];
const ENTRY_BYTES = 2;
/** A state without its threads: the object, its key's head, its place in two tables. */
const STATE_BYTES = 240;
/** A field of a thread, in the array and in the key. */
const FIELD_BYTES = 12;
const ROWS_AT_FIRST = 16;
/** So many that two rows are as long as a line of the processor's caches: nine in ten units of prose. */
export const FREQUENT_CLASSES = 16;

/** The threads of one rule while a step is worked out. */
class Gathering implements PartSink {
  called = false;
  readonly places = new Map<number, number>();
  /** Age of the oldest thread that the step began with. */
  readonly oldest: number;
  private age = 1;

  constructor(oldest: number) {
    this.oldest = oldest;
  }

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
  /**
   * The state that follows, by row and class of the unit; UNKNOWN, or CALLING where trackers must run. The first
   * classes have a table of their own: what most units ask for lies close together.
   */
  table: Uint16Array = new Uint16Array(0);
  rareTable: Uint16Array = new Uint16Array(0);
  states: UnionState[] = [];
  readonly classes: UnitClasses;
  /** Of a row of `rareTable`. */
  readonly rareWidth: number;
  /** Times all states were dropped. */
  generation = 0;
  readonly parts: readonly UnionPart[];
  /** Units before the present one that trackers may ask for. */
  readonly lookBackUnits: number;
  private readonly limits: UnionLimits;
  private readonly bytesMax: number;
  private bytes = 0;
  private unitsSinceFlush = 0;
  /** States that were asked for since then, and for which there was no room. */
  private misses = 0;
  private readonly known = new Map<string, UnionState>();
  /** By row and class. */
  private readonly calling = new Map<number, Transition>();
  private readonly begins: (readonly [rule: number, gathering: Gathering][] | undefined)[] = [];

  constructor(parts: readonly UnionPart[], limits: UnionLimits = UNION_LIMITS) {
    this.parts = parts;
    this.classes = unitClasses(
      (function* () {
        for (const part of parts) yield* part.unitSets;
      })(),
    );
    this.rareWidth = Math.max(0, this.classes.samples.length - FREQUENT_CLASSES);
    this.lookBackUnits = Math.max(0, ...parts.map(({ lookBackUnits = 0 }) => lookBackUnits));
    this.limits = limits;
    const nodes = parts.reduce((sum, part) => sum + part.nodes, 0);
    this.bytesMax = unionBytesMax(nodes, limits) - CLASS_BYTES;
  }

  /** What it takes at present, states and all. */
  get bytesTaken(): number {
    return CLASS_BYTES + this.bytes;
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
    const { generation } = this;
    const kept = state.row >= 0 && state.generation === generation;
    const key = state.row * this.classes.samples.length + unitClass;
    if (kept) {
      const entry = this.entries(unitClass)[this.placeOf(state.row, unitClass)] as number;
      if (entry < NO_STATE) return { target: this.states[entry] as UnionState, calls: NO_CALLS };
      if (entry === CALLING) return this.calling.get(key) as Transition;
    }
    const transition = this.workOut(state, unitClass);
    const { target, calls } = transition;
    if (kept && generation === this.generation && target.row >= 0) {
      const entry = calls.length === 0 ? target.row : CALLING;
      this.entries(unitClass)[this.placeOf(state.row, unitClass)] = entry;
      if (calls.length > 0) this.calling.set(key, transition);
    }
    return transition;
  }

  private entries(unitClass: number): Uint16Array {
    return unitClass < FREQUENT_CLASSES ? this.table : this.rareTable;
  }

  private placeOf(row: number, unitClass: number): number {
    return unitClass < FREQUENT_CLASSES
      ? row * FREQUENT_CLASSES + unitClass
      : row * this.rareWidth + unitClass - FREQUENT_CLASSES;
  }

  /** The state without what is of a rule. */
  without(state: UnionState, rule: number): UnionState {
    const known = state.without[rule];
    if (known !== undefined && known.generation === this.generation) return known;
    const { threads } = state;
    const rest: number[] = [];
    for (let at = 0; at < threads.length; at += FIELDS)
      if (threads[at] !== rule)
        rest.push(threads[at] as number, threads[at + 1] as number, threads[at + 2] as number);
    const made =
      rest.length === threads.length ? state : this.intern(Int32Array.from(rest), state.context);
    if (state.row >= 0 && state.generation === this.generation && made.row >= 0)
      state.without[rule] = made;
    return made;
  }

  private workOut(state: UnionState, unitClass: number): Transition {
    const next = contextAfter(state.context, this.classes.samples[unitClass] as number);
    const { gathered, awake } = this.gather(state, unitClass, next);
    const calls: Call[] = [];
    for (const [rule, { called, oldest }] of gathered)
      if (called) calls.push({ rule, age: oldest });
    const target = this.find(flatten(gathered, awake), next, false);
    if (target !== undefined) return { target, calls };
    // There is no room for what lives now, but there is for who is awake: that takes few states.
    for (const [rule, gathering] of gathered) {
      if (!gathering.called) calls.push({ rule, age: gathering.oldest });
      awake.add(rule);
    }
    return { target: this.intern(flatten(new Map(), awake), next), calls };
  }

  /** What the threads of a state become with a unit, by rule, and whose trackers read already. */
  private gather(
    { threads, context }: UnionState,
    unitClass: number,
    next: number,
  ): { gathered: Map<number, Gathering>; awake: Set<number> } {
    const unit = this.classes.samples[unitClass] as number;
    const gathered = new Map<number, Gathering>();
    const awake = new Set<number>();
    for (let at = 0; at < threads.length; ) {
      const rule = threads[at] as number;
      if (threads[at + 2] === AWAKE) {
        awake.add(rule);
        at += FIELDS;
        continue;
      }
      let to = at;
      let oldest = 0;
      for (; to < threads.length && threads[to] === rule; to += FIELDS)
        oldest = Math.max(oldest, threads[to + 2] as number);
      const part = this.parts[rule] as UnionPart;
      const gathering = new Gathering(oldest);
      for (; at < to; at += FIELDS) {
        gathering.from((threads[at + 2] as number) + 1);
        part.step(threads[at + 1] as number, context, unit, gathering);
      }
      for (const [place, age] of gathering.places)
        if (age > part.agedUnitsMax(place, next)) gathering.called = true;
      gathered.set(rule, gathering);
    }
    for (const [rule, begun] of this.beginning(context, unitClass)) {
      const gathering = gathered.get(rule);
      if (awake.has(rule)) continue;
      if (gathering === undefined) {
        gathered.set(rule, begun);
        continue;
      }
      if (begun.called) gathering.called = true;
      gathering.from(1);
      for (const place of begun.places.keys()) gathering.go(place);
    }
    return { gathered, awake };
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
      const gathering = new Gathering(0);
      part.begin(context, unit, gathering);
      if (gathering.called || gathering.places.size > 0) begun.push([rule, gathering]);
    }
    this.begins[key] = begun;
    return begun;
  }

  /** The state, kept or not. */
  private intern(threads: Int32Array, context: number): UnionState {
    return this.find(threads, context, true) ?? this.newState(threads, context, -1);
  }

  /** The state if it is kept, or may be now. `urgent`: also sooner than `unitsPerState` lets others be. */
  private find(threads: Int32Array, context: number, urgent: boolean): UnionState | undefined {
    const key = `${context},${threads.join()}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const bytes =
      STATE_BYTES +
      (FREQUENT_CLASSES + this.rareWidth) * ENTRY_BYTES +
      threads.length * FIELD_BYTES;
    const { statesMax, statesAtOnce, unitsPerState } = this.limits;
    // Each miss costs about what it costs to make a state, and so, by now, making all of them anew does.
    if (!this.hasRoom(bytes) && ++this.misses > this.states.length) this.flush();
    const earned = statesAtOnce + this.unitsSinceFlush / unitsPerState;
    if (!this.hasRoom(bytes) || !(urgent || this.states.length < earned)) return undefined;
    const state = this.newState(threads, context, this.states.length);
    this.bytes += bytes;
    this.states.push(state);
    this.known.set(key, state);
    if (this.states.length * FREQUENT_CLASSES > this.table.length) this.grow(statesMax);
    return state;
  }

  private newState(threads: Int32Array, context: number, row: number): UnionState {
    let oldest = 0;
    for (let at = 2; at < threads.length; at += FIELDS)
      if (threads[at] !== AWAKE) oldest = Math.max(oldest, threads[at] as number);
    return { threads, context, oldest, row, generation: this.generation, without: [] };
  }

  private hasRoom(bytes: number): boolean {
    return this.states.length < this.limits.statesMax && this.bytes + bytes <= this.bytesMax;
  }

  private grow(statesMax: number): void {
    const rows = Math.min(statesMax, Math.max(ROWS_AT_FIRST, Math.ceil(1.5 * this.states.length)));
    this.table = grown(this.table, rows * FREQUENT_CLASSES);
    this.rareTable = grown(this.rareTable, rows * this.rareWidth);
  }

  /**
   * Drops all states; those that live in texts are made again when they are needed. States that texts still
   * hold lose what they know of others, so that they hold nothing else.
   */
  flush(): void {
    this.generation++;
    this.unitsSinceFlush = 0;
    this.misses = 0;
    this.bytes = 0;
    this.known.clear();
    for (const state of this.states) state.without.length = 0;
    this.states = [];
    this.calling.clear();
    this.table = new Uint16Array(0);
    this.rareTable = new Uint16Array(0);
  }
}

function grown(table: Uint16Array, length: number): Uint16Array {
  const larger = new Uint16Array(length).fill(UNKNOWN);
  larger.set(table);
  return larger;
}

/** The threads of a state: one entry for each thread, or for each rule whose tracker reads. */
function flatten(gathered: ReadonlyMap<number, Gathering>, awake: ReadonlySet<number>): Int32Array {
  const flat: number[] = [];
  for (const rule of [...gathered.keys(), ...awake].sort((a, b) => a - b)) {
    const gathering = gathered.get(rule);
    if (gathering === undefined || gathering.called) {
      flat.push(rule, 0, AWAKE);
      continue;
    }
    for (const place of [...gathering.places.keys()].sort((a, b) => a - b))
      flat.push(rule, place, gathering.places.get(place) as number);
  }
  return Int32Array.from(flat);
}
