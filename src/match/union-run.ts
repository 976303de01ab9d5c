/**
 * The rules of one automaton in one text. The automaton reads every unit; where it finds a match it wakes
 * the rule's own tracker, which reads from the start of the match until nothing of the rule is live, and
 * meanwhile what the automaton says of the rule does not count.
 */
import type { MatchSink, Tracker } from './detector.ts';
import { type History, LOOK_BACK_UNITS, plainText } from './text-history.ts';
import { copyUnits, textOf } from './text-units.ts';
import {
  AWAKE,
  FIELDS,
  FREQUENT_CLASSES,
  NO_STATE,
  type UnionAutomaton,
  type UnionState,
} from './union-automaton.ts';

/** Where a run finds the trackers of its rules, and tells what they find. */
export interface UnionHost {
  /**
   * A new tracker of a rule, by its place in the automaton; asked for once, when it is first needed. `history`
   * is of the text, as far back as the automaton's parts look.
   */
  start(rule: number, history: History): Tracker;
  /** Where that tracker reports. */
  sink(rule: number): MatchSink;
  /** So many units are consumed as of what is reported next. */
  consume(units: number): void;
}

interface Awake {
  readonly rule: number;
  readonly tracker: Tracker;
  readonly sink: MatchSink;
  /** Position behind the unit after which nothing of the rule was live, or Infinity. */
  idleAt: number;
}

/** A tracker that is called again so soon reads on for as long, whether anything of it is live or not. */
const LINGER_UNITS = 32;
/** Units before a start that a tracker must know. */
const CONTEXT_UNITS = 2;
const NOBODY: readonly Awake[] = Object.freeze([]);

/** Of the synchronous `take`: what was kept of the text, then the piece; `scratch`, or what a run has of its own. */
let buffer = new Uint16Array(0);
let scratch = new Uint16Array(2_048);

/**
 * A piece of no more units, unless it is the first, goes to where what was kept of the text stands: for a token, moving
 * that cost more than reading. Texts that come whole, or in larger pieces, need no such place.
 */
const FEW_UNITS = 64;
const NO_UNITS = new Uint16Array(0);

/** Row at which `follow` stopped. */
let reached = 0;

/**
 * Follows the table from `row`, and stops before the first unit for which it says nothing, or at `to`. A
 * function of its own, and of nothing but locals: that is twice as fast.
 */
function follow(
  { table, rareTable, rareWidth, classes: { of: classes } }: UnionAutomaton,
  units: Uint16Array,
  from: number,
  to: number,
  row: number,
): number {
  let at = from;
  let here = row;
  for (; at < to; at++) {
    const unitClass = classes[units[at] as number] as number;
    const next = (
      unitClass < FREQUENT_CLASSES
        ? table[here * FREQUENT_CLASSES + unitClass]
        : rareTable[here * rareWidth + unitClass - FREQUENT_CLASSES]
    ) as number;
    if (next >= NO_STATE) break;
    here = next;
  }
  reached = here;
  return at;
}

export class UnionRun implements History {
  private readonly automaton: UnionAutomaton;
  private readonly host: UnionHost;
  /** Those that have been awake, by rule. Made when the first one is: most texts wake none. */
  private trackers: (Awake | undefined)[] | undefined;
  private state: UnionState;
  private awake: readonly Awake[] = NOBODY;
  /** What was kept of the text: all that is live in the state, and what stands before that as far as it counts. */
  private tail = '';
  /** In place of `tail`, while pieces are small: the last `kept` of the first `stored` units. */
  private store = NO_UNITS;
  private stored = 0;
  private kept = 0;
  /** Position of `buffer[0]`. */
  private origin = 0;

  constructor(automaton: UnionAutomaton, host: UnionHost) {
    this.automaton = automaton;
    this.host = host;
    this.state = automaton.first;
  }

  /** Reads the first `count` of `units`, which begin at position `first`; the live start behind them. */
  take(units: Uint16Array, count: number, first: number): number {
    const from = first > 0 && count <= FEW_UNITS ? this.reopen(count) : this.recall(count);
    const to = from + count;
    copyUnits(units, 0, count, from, buffer);
    this.origin = first - from;
    for (const one of this.awake) this.runAhead(one, from, from, to);
    this.automaton.count(count);
    let at = from;
    this.state = this.automaton.current(this.state);
    while (at < to) {
      at = this.read(at, this.awake.length === 0 ? to : this.nextStop(to), to);
      if (this.awake.length > 0) this.putToSleep(this.origin + at);
    }
    return this.settle(to);
  }

  get units(): Uint16Array {
    return buffer;
  }

  placeOf(at: number): number {
    return at - this.origin;
  }

  before(at: number): string {
    const to = this.placeOf(at);
    return plainText(buffer, Math.max(0, to - LOOK_BACK_UNITS), to);
  }

  /** Rules with something live behind `at` units, each with where its earliest live match begins. */
  live(at: number): ReadonlyMap<number, number> {
    const starts = new Map<number, number>();
    for (const { rule, tracker } of this.awake) starts.set(rule, tracker.liveStart);
    const { threads } = this.state;
    for (let place = 0; place < threads.length; place += FIELDS) {
      const rule = threads[place] as number;
      const age = threads[place + 2] as number;
      if (age !== AWAKE) starts.set(rule, Math.min(at - age, starts.get(rule) ?? at));
    }
    return starts;
  }

  /** The text ends at `at`: every rule of which something is live is decided by its tracker. */
  end(at: number): void {
    const from = this.recall(0);
    this.origin = at - from;
    const asleep = [...this.live(at)].filter(([rule]) => !this.isAwake(rule));
    for (const [rule, start] of asleep) this.wake(rule, start - this.origin, from);
    this.host.consume(at);
    for (const { tracker, sink } of this.awake) tracker.end(at, sink);
    this.awake = NOBODY;
  }

  /** Reads up to `stop`, or up to the first unit that wakes a tracker; `end` is the end of the piece. */
  private read(from: number, stop: number, end: number): number {
    const { automaton } = this;
    const units = buffer;
    let { state } = this;
    let at = from;
    while (at < stop) {
      if (state.row >= 0) {
        const next = follow(automaton, units, at, stop, state.row);
        if (next > at) state = automaton.states[reached] as UnionState;
        at = next;
        if (at === stop) break;
      }
      const { target, calls } = automaton.step(
        state,
        automaton.classes.of[units[at] as number] as number,
      );
      state = target;
      at++;
      if (calls.length === 0) continue;
      for (const { rule, age } of calls) this.wake(rule, at - 1 - age, end, at);
      break;
    }
    this.state = state;
    return at;
  }

  private isAwake(rule: number): boolean {
    return this.awake.some((one) => one.rule === rule);
  }

  /** Lets a tracker read from `from`; whether anything is live counts from `called` on. */
  private wake(rule: number, from: number, end: number, called = end): void {
    this.trackers ??= [];
    const one = (this.trackers[rule] ??= {
      rule,
      tracker: this.host.start(rule, this),
      sink: this.host.sink(rule),
      idleAt: Number.NEGATIVE_INFINITY,
    });
    const { tracker } = one;
    // Where calls are dense, waking costs more than what it reads by itself until the next one.
    const isDense = this.origin + called - one.idleAt < LINGER_UNITS;
    const least = isDense ? Math.min(end, called + LINGER_UNITS) : called;
    one.idleAt = Number.POSITIVE_INFINITY;
    this.awake = [...this.awake, one];
    const before = from > 0 ? (buffer[from - 1] as number) : -1;
    const earlier = from > 1 ? (buffer[from - 2] as number) : -1;
    tracker.resume?.(before, earlier);
    this.runAhead(one, from, least, end);
  }

  /** Reads up to `least`, and on as long as something of the rule is live. */
  private runAhead(one: Awake, from: number, least: number, end: number): void {
    const { tracker, sink } = one;
    const to =
      tracker.readLive?.(buffer, from, least, end, this.origin + from, sink, this.host) ??
      this.stepAhead(one, from, least, end);
    if (tracker.liveStart === Number.POSITIVE_INFINITY) one.idleAt = this.origin + to;
  }

  private stepAhead({ tracker, sink }: Awake, from: number, least: number, end: number): number {
    let at = from;
    while (at < least || (at < end && tracker.liveStart !== Number.POSITIVE_INFINITY)) {
      this.host.consume(this.origin + at + 1);
      tracker.step(buffer[at] as number, this.origin + at, sink);
      at++;
    }
    return at;
  }

  private nextStop(end: number): number {
    let stop = end;
    for (const { idleAt } of this.awake) stop = Math.min(stop, idleAt - this.origin);
    return stop;
  }

  /** Hands rules back to the automaton, from `position` on, with nothing of them live. */
  private putToSleep(position: number): void {
    let asleep = 0;
    for (const { rule, idleAt } of this.awake)
      if (idleAt <= position) {
        this.state = this.automaton.without(this.state, rule);
        asleep++;
      }
    if (asleep === this.awake.length) this.awake = NOBODY;
    else if (asleep > 0) this.awake = this.awake.filter(({ idleAt }) => idleAt > position);
  }

  /** Lays what was kept of the text into the scratch, with room for `count` more units; how many it is. */
  private recall(count: number): number {
    const { tail, store, stored, kept } = this;
    const held = kept + tail.length;
    if (held + count > scratch.length) scratch = new Uint16Array(2 * (held + count));
    buffer = scratch;
    copyUnits(store, stored - kept, stored, 0, buffer);
    for (let at = 0; at < tail.length; at++) buffer[at] = tail.charCodeAt(at);
    return held;
  }

  /** The same in a place of its own, where it stands already if the last piece was small, too. */
  private reopen(count: number): number {
    const { store, tail } = this;
    if (tail !== '' || this.stored + count > store.length) {
      const held = this.recall(count);
      const needed = held + count;
      if (needed > store.length) this.store = new Uint16Array(2 * needed);
      copyUnits(scratch, 0, held, 0, this.store);
      this.stored = held;
      this.tail = '';
    }
    buffer = this.store;
    return this.stored;
  }

  private settle(to: number): number {
    const { oldest } = this.state;
    let live = Number.POSITIVE_INFINITY;
    for (const { tracker } of this.awake) live = Math.min(live, tracker.liveStart);
    if (oldest > 0) live = Math.min(live, this.origin + to - oldest);
    this.keep(to, Math.max(oldest + CONTEXT_UNITS, this.lookBackFrom(live, to)));
    return live;
  }

  /** How many units before `to` trackers may ask for, of which nothing is live before position `live`. */
  private lookBackFrom(live: number, to: number): number {
    const { lookBackUnits } = this.automaton;
    if (lookBackUnits === 0) return 0;
    return Math.min(lookBackUnits, Math.max(0, this.origin + to - live) + LOOK_BACK_UNITS);
  }

  /** Keeps `count` units before `to`, or all that there are. */
  private keep(to: number, count: number): void {
    const kept = Math.min(to, count);
    const inStore = buffer === this.store;
    this.kept = inStore ? kept : 0;
    this.stored = inStore ? to : 0;
    if (!inStore) this.tail = textOf(buffer, to - kept, to);
  }
}
