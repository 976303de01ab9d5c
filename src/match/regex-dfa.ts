/**
 * One expression as a lazy DFA: a state is all that can have become of one start, so starts in the same state
 * share their future. States are worked out once and kept, up to a limit; beyond it they are worked out
 * each time. Shared by all texts of a rule.
 */
import type { Heads } from './heads.ts';
import { unseenUnits } from './invisible-pairs.ts';
import { isPrintable, plainUnits } from './plain-units.ts';
import { NEVER } from './regex-liveness.ts';
import { EDGE, KINDS, kindOf, WORD } from './regex-nodes.ts';
import { accepts, type RegexSteps } from './regex-steps.ts';
import { classIn, type RangeClasses, rangeClasses } from './unit-classes.ts';

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
  readonly key: string;
  /** Found again by its nodes, so that there are no two of it. */
  kept: boolean;
  /** Where its steps stand in the table, or -1 if it has none there. */
  row: number;
  /** The place of the group of starts that has come here, if `turn` is that of the tracker's present step. */
  place: number;
  turn: number;
  /** By kind of the unit that follows: tags of the matches that end here; undefined: not asked yet. */
  tags: (TagSet | undefined)[] | undefined;
}

/** Tags of the matches that end in one place. The same ones are the same object, as long as the automaton is there. */
export interface TagSet {
  /** Counted through, from 0 on. */
  readonly id: number;
  /** Ascending, each once. */
  readonly tags: readonly number[];
}

export interface DfaLimits {
  readonly statesMax: number;
  /**
   * One state too many, and all are dropped to begin anew, if for each of them so many steps were worked out
   * since the last time without being kept. Until then new states are not kept.
   */
  readonly missesPerState: number;
}

export interface DfaOptions {
  /** No match is sure before the unit behind it is known, which says what tags it has. */
  readonly tagged?: boolean;
  /** Units are read as those that they stand for (`plain-units.ts`). */
  readonly plain?: boolean;
}

const ALL_KINDS = (1 << KINDS) - 1;

const newState = (
  nodes: readonly number[],
  before: number,
  key: string,
  measures: Pick<DfaState, 'matchKinds' | 'fewest' | 'more'>,
  tagged: boolean,
): DfaState => ({
  nodes,
  before,
  ...measures,
  sure: !tagged && measures.matchKinds === ALL_KINDS,
  key,
  kept: false,
  row: -1,
  place: 0,
  turn: 0,
  tags: undefined,
});

/** Nothing is left of a start. */
export const DEAD: DfaState = newState(
  [],
  EDGE,
  '',
  { matchKinds: 0, fewest: NEVER, more: NEVER },
  false,
);
DEAD.kept = true;

/** How many states are kept for so many nodes: most expressions have fewer of them than nodes. */
export const dfaLimitsFor = (nodes: number): DfaLimits =>
  Object.freeze({ statesMax: 64 + 2 * nodes, missesPerState: 8 });

const STATE_BYTES = 400;
const ENTRY_BYTES = 2;

/** An entry of the table: the number of a state, with a bit that says that more is to be known of it. */
const NUMBER_BITS = 0x7fff;
const SPECIAL = 0x8000;
const UNKNOWN = 0;
const DEAD_NUMBER = 1;
const ROWS_AT_FIRST = 16;

/** Some of the ways into an automaton, by which a start may come in. */
interface Entry {
  readonly starts: readonly number[];
  /** As `begins`. */
  readonly begins: (DfaState | undefined)[];
}

/** Of a token that is written in many forms: where they may begin. */
export interface FormStarts {
  /** A form behind its head is none, and none begins behind a letter, a digit or an underscore of ASCII. */
  readonly heads: Heads;
  /** Nodes at which those begin whose heads are none of `refused`, which are bits of `heads`. */
  startsPast(refused: number): readonly number[];
}

const NO_ENTRY: Entry = { starts: [], begins: [] };

const UNASKED = 0;
const IS_NONE = 1;
const MAY_BE = 2;

/** No match ends here, but one may further on. */
const isPlain = ({ matchKinds, more }: DfaState): boolean => matchKinds === 0 && more !== NEVER;

/** Number of the state at which `leap` stopped, and what it left out. */
let reached = 0;
let leftOut = 0;

/** A function of its own, and of nothing but locals, as that of the automaton of all rules is. */
function leap(
  table: Uint16Array,
  width: number,
  ascii: Uint16Array,
  units: Uint16Array,
  from: number,
  to: number,
  state: number,
  seenMax: number,
  skippedMax: number,
): number {
  let number = state;
  let skipped = 0;
  let at = from;
  for (let stop = Math.min(to, from + seenMax); at < stop; at++) {
    const unit = units[at] as number;
    if (!isPrintable(unit)) {
      const unseen = unseenUnits(units, at, to);
      if (unseen === 0 || skipped + unseen > skippedMax) break;
      skipped += unseen;
      at += unseen - 1;
      stop = Math.min(to, stop + unseen);
      continue;
    }
    const entry = table[number * width + (ascii[unit] as number)] as number;
    if (entry === UNKNOWN || entry >= SPECIAL) break;
    number = entry;
  }
  reached = number;
  leftOut = skipped;
  return at;
}

/** The same, near to the cap: no farther than to a state that is more units away from a match than are left. */
function crawl(
  table: Uint16Array,
  width: number,
  fewest: Int32Array,
  ascii: Uint16Array,
  units: Uint16Array,
  from: number,
  to: number,
  state: number,
  room: number,
): number {
  let number = state;
  let left = room;
  let at = from;
  while (at < to && (fewest[number] as number) <= left) {
    const unit = units[at] as number;
    if (!isPrintable(unit)) break;
    const entry = table[number * width + (ascii[unit] as number)] as number;
    if (entry === UNKNOWN || entry >= SPECIAL) break;
    number = entry;
    left--;
    at++;
  }
  reached = number;
  leftOut = 0;
  return at;
}

/** Of a state: kinds of units behind it that make it an end, and whether nothing may follow. */
const HAS_NO_MORE = 1 << KINDS;

const ASCII_UNITS = 0x80;
/** Kind of each unit of ASCII, as a bit. */
const asciiKinds = Uint8Array.from({ length: ASCII_UNITS }, (_, unit) => 1 << kindOf(unit));

const WORD_BIT = 1 << WORD;

/** What is not respelled. */
const sameUnits = Uint16Array.from({ length: 0x10000 }, (_, unit) => unit);

/** Ends that `race` found: the place, and the number of the state. */
const ENDS_AT_ONCE = 256;
const endPlaces = new Int32Array(ENDS_AT_ONCE);
const endNumbers = new Int32Array(ENDS_AT_ONCE);
let endCount = 0;
/** Whether `race` stopped before a unit with which nothing goes on. */
let died = false;

/** As `leap`, but past ends, which it notes, and of what units stand for; before `to` the unit behind each is known. */
function race(
  table: Uint16Array,
  width: number,
  marks: Uint8Array,
  ascii: Uint16Array,
  spell: Uint16Array,
  units: Uint16Array,
  from: number,
  to: number,
  state: number,
): number {
  let number = state;
  let at = from;
  let count = 0;
  died = false;
  while (at < to) {
    let unit = units[at] as number;
    if (!isPrintable(unit)) {
      unit = spell[unit] as number;
      if (!isPrintable(unit)) break;
    }
    const entry = table[number * width + (ascii[unit] as number)] as number;
    if (entry < SPECIAL) {
      if (entry === UNKNOWN) break;
      number = entry;
      at++;
      continue;
    }
    if (entry === (SPECIAL | DEAD_NUMBER)) {
      died = true;
      break;
    }
    number = entry & NUMBER_BITS;
    at++;
    const mark = marks[number] as number;
    if (at === to || count === ENDS_AT_ONCE) break;
    const next = spell[units[at] as number] as number;
    if (!isPrintable(next)) break;
    if ((mark & (asciiKinds[next] as number)) !== 0) {
      endPlaces[count] = at;
      endNumbers[count++] = number;
    }
    if ((mark & HAS_NO_MORE) !== 0) break;
  }
  endCount = count;
  reached = number;
  return at;
}

export class RegexDfa {
  readonly classes: RangeClasses;
  private readonly steps: RegexSteps;
  private readonly tagged: boolean;
  private readonly plain: boolean;
  private readonly limits: DfaLimits;
  private readonly known = new Map<string, DfaState>();
  /** What begins with a unit, by kind of the unit before it and by class; undefined: not known yet. */
  readonly begins: (DfaState | undefined)[] = [];
  /** By class: whether a match can begin with it somewhere; undefined: not known yet. */
  private readonly starters: (boolean | undefined)[] = [];
  /** By class and the class of the unit behind it, which is seen: the same; UNASKED, IS_NONE or MAY_BE. */
  private readonly pairs: Uint8Array;
  /** By class and the unit of ASCII before it: the same of a token with forms. */
  private readonly behind: Uint8Array;
  /** By class and the kind before it: what `headsAsked` says. */
  private readonly asked: (number | undefined)[] = [];
  /** By what rules the other ways in out. */
  private readonly entries = new Map<number, Entry>();
  /** The one that was asked for last: a flood asks for the same one again and again. */
  private lastRefused = -1;
  private lastEntry: Entry = NO_ENTRY;
  private readonly tagSets = new Map<string, TagSet>();
  private misses = 0;
  /** What follows, by the row of a state and class. */
  private table = new Uint16Array(0);
  /** By number: what `race` must know of a state. */
  private marks = new Uint8Array(0);
  /** By number: units to the nearest match. */
  private fewest = new Int32Array(0);
  /** By number. */
  private states: DfaState[] = [DEAD, DEAD];
  /** Units that any state is away from a match, at most. */
  private farthest = 0;
  private readonly width: number;
  /** Where the last `leap` came to. */
  leapt: DfaState = DEAD;
  skipped = 0;

  constructor(steps: RegexSteps, limits: DfaLimits, { tagged, plain }: DfaOptions = {}) {
    this.steps = steps;
    this.limits = limits;
    this.tagged = tagged ?? false;
    this.plain = plain ?? false;
    this.classes = rangeClasses(steps.unitSets);
    this.width = this.classes.samples.length;
    this.pairs = new Uint8Array(this.width * this.width);
    this.behind = new Uint8Array(this.width * ASCII_UNITS);
  }

  /** Most bytes that its states may take together. */
  get bytesMax(): number {
    return this.limits.statesMax * (STATE_BYTES + ENTRY_BYTES * this.width);
  }

  get statesKept(): number {
    return this.known.size;
  }

  classOf(unit: number): number {
    const { classes } = this;
    if (unit < ASCII_UNITS) return classes.ascii[unit] as number;
    return classIn(classes, this.plain ? (plainUnits[unit] as number) : unit);
  }

  /** Whether a match can begin with a unit of this class somewhere. */
  private mayStart(unitClass: number): boolean {
    return (this.starters[unitClass] ??= this.findsStart(unitClass));
  }

  /** The first of `units[from,to)` with which a match can begin somewhere, or `to`. */
  skip(units: Uint16Array, from: number, to: number): number {
    const { starters } = this;
    let index = from;
    for (; index < to; index++) {
      const unitClass = this.classOf(units[index] as number);
      if (starters[unitClass] ?? this.mayStart(unitClass)) break;
    }
    return index;
  }

  /**
   * The same, and without those that the unit behind them, if it is ASCII that is seen and stands before `to`,
   * brings to nothing. Of a flood of letters most are such.
   */
  skipPairs(units: Uint16Array, from: number, to: number): number {
    const { width, classes, starters, pairs } = this;
    const { ascii } = classes;
    const last = to - 1;
    let index = from;
    for (; index < to; index++) {
      const unit = units[index] as number;
      const unitClass = unit < ASCII_UNITS ? (ascii[unit] as number) : this.classOf(unit);
      if (!(starters[unitClass] ?? this.mayStart(unitClass))) continue;
      if (index === last) break;
      const next = units[index + 1] as number;
      if (!isPrintable(next)) break;
      const pair = unitClass * width + (ascii[next] as number);
      const known = pairs[pair] as number;
      if ((known === UNASKED ? this.askPair(pair) : known) === MAY_BE) break;
    }
    return index;
  }

  /**
   * The same of a token with forms, which begins behind a letter, digit or underscore never, and behind another unit
   * where the heads leave a form. `before`: the unit before `from`, or -1.
   */
  skipHeads(
    units: Uint16Array,
    from: number,
    to: number,
    before: number,
    forms: FormStarts,
  ): number {
    const { width, classes, starters, pairs, behind } = this;
    const { ascii } = classes;
    const last = to - 1;
    let behindIt = before;
    let index = from;
    for (; index < to; index++) {
      const unit = units[index] as number;
      const previous = behindIt;
      behindIt = unit;
      const isAscii = isPrintable(previous);
      if (isAscii && asciiKinds[previous] === WORD_BIT) continue;
      const unitClass = unit < ASCII_UNITS ? (ascii[unit] as number) : this.classOf(unit);
      if (!(starters[unitClass] ?? this.mayStart(unitClass))) continue;
      if (isAscii) {
        const place = unitClass * ASCII_UNITS + previous;
        const known = behind[place] as number;
        if ((known === UNASKED ? this.askBehind(previous, unitClass, forms) : known) === IS_NONE)
          continue;
      }
      if (index === last) break;
      const next = units[index + 1] as number;
      if (!isPrintable(next)) break;
      const pair = unitClass * width + (ascii[next] as number);
      const known = pairs[pair] as number;
      if ((known === UNASKED ? this.askPair(pair) : known) === MAY_BE) break;
    }
    return index;
  }

  private askBehind(unit: number, unitClass: number, forms: FormStarts): number {
    const starts = forms.startsPast(forms.heads.behind(unit));
    const answer = this.reaches(starts, kindOf(unit), unitClass) ? MAY_BE : IS_NONE;
    this.behind[unitClass * ASCII_UNITS + unit] = answer;
    return answer;
  }

  private askPair(pair: number): number {
    const first = Math.floor(pair / this.width);
    const second = pair % this.width;
    let answer = IS_NONE;
    for (let before = EDGE; before < KINDS; before++) {
      const state = this.begin(before, first);
      if (state === DEAD) continue;
      if (state.matchKinds !== 0 || this.step(state, second) !== DEAD) answer = MAY_BE;
    }
    this.pairs[pair] = answer;
    return answer;
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

  /** Which of the heads may stand before a start with a unit of this class, as bits: the others rule nothing out. */
  headsAsked(before: number, unitClass: number, forms: FormStarts): number {
    const key = unitClass * KINDS + before;
    const known = this.asked[key];
    if (known !== undefined) return known;
    let asked = 0;
    for (let head = 0; head < forms.heads.count; head++) {
      const others = ~(1 << head);
      if (this.reaches(forms.startsPast(others), before, unitClass)) asked |= 1 << head;
    }
    this.asked[key] = asked;
    return asked;
  }

  /** The same by those ways only that `forms.startsPast(refused)` leaves, the same nodes for the same number each time. */
  beginPast(refused: number, forms: FormStarts, before: number, unitClass: number): DfaState {
    const entry = refused === this.lastRefused ? this.lastEntry : this.entryPast(refused, forms);
    const key = unitClass * KINDS + before;
    const known = entry.begins[key];
    if (known !== undefined) return known;
    const made = this.workOut(entry.starts, before, unitClass);
    if (made.kept) entry.begins[key] = made;
    return made;
  }

  private entryPast(refused: number, forms: FormStarts): Entry {
    const entry = this.entries.get(refused) ?? { starts: forms.startsPast(refused), begins: [] };
    this.entries.set(refused, entry);
    this.lastRefused = refused;
    this.lastEntry = entry;
    return entry;
  }

  /** Tags of the matches that end in this state if a unit of kind `after` follows, or for EDGE, nothing. */
  tagsAt(state: DfaState, after: number): TagSet {
    state.tags ??= [];
    return (state.tags[after] ??= this.tagSet(state, after));
  }

  private tagSet({ nodes, before }: DfaState, after: number): TagSet {
    const found = nodes.flatMap((node) => this.steps.closure(node, before, after).tags);
    const tags = [...new Set(found)].sort((a, b) => a - b);
    const key = tags.join();
    const set = this.tagSets.get(key) ?? { id: this.tagSets.size, tags };
    this.tagSets.set(key, set);
    return set;
  }

  step(state: DfaState, unitClass: number): DfaState {
    if (state.row >= 0) {
      const entry = this.table[state.row + unitClass] as number;
      if (entry !== UNKNOWN) return this.states[entry & NUMBER_BITS] as DfaState;
    }
    const made = this.workOut(state.nodes, state.before, unitClass);
    if (state.row >= 0 && (made === DEAD || made.row >= 0))
      this.table[state.row + unitClass] = this.entryOf(made);
    return made;
  }

  /**
   * The index of the first of `units[from,to)` that must be stepped: what comes before it is ASCII that only leads
   * on, `seenMax` units at most, or not seen and left out, `skippedMax` at most. No farther than to a state that is
   * more than what is left of `room` away from a match. `leapt` and `skipped` say what has become of the state.
   */
  leap(
    state: DfaState,
    units: Uint16Array,
    from: number,
    to: number,
    seenMax: number,
    room: number,
    skippedMax: number,
  ): number {
    this.leapt = state;
    this.skipped = 0;
    if (state.row < 0 || seenMax <= 0) return from;
    const { table, width, classes, fewest } = this;
    const { ascii } = classes;
    const number = state.row / width;
    // While all states are within that, none need be looked at.
    const most = Math.min(seenMax, room - this.farthest);
    const at =
      most > 0
        ? leap(table, width, ascii, units, from, to, number, most, skippedMax)
        : crawl(
            table,
            width,
            fewest,
            ascii,
            units,
            from,
            Math.min(to, from + seenMax),
            number,
            room,
          );
    if (reached !== number) this.leapt = this.states[reached] as DfaState;
    this.skipped = leftOut;
    return at;
  }

  /**
   * As `leap`, of a state in which no match ends, past ends as well: `endsPassed` of them, by `passedAt` and
   * `passedIn`. Nothing that is not seen is left out. Where it stops in a state in which a match ends, that may
   * be one of them or not, unless `hasDied`: then it is, and the unit at which it stopped ends everything.
   */
  race(state: DfaState, units: Uint16Array, from: number, to: number, room: number): number {
    this.leapt = state;
    endCount = 0;
    died = false;
    const most = room - this.farthest;
    if (state.row < 0 || most <= 0) return from;
    const { table, width, marks, classes } = this;
    const number = state.row / width;
    const stop = Math.min(to, from + most);
    const spell = this.plain ? plainUnits : sameUnits;
    const at = race(table, width, marks, classes.ascii, spell, units, from, stop, number);
    if (reached !== number) this.leapt = this.states[reached] as DfaState;
    return at;
  }

  get hasDied(): boolean {
    return died;
  }

  get endsPassed(): number {
    return endCount;
  }

  passedAt(index: number): number {
    return endPlaces[index] as number;
  }

  passedIn(index: number): DfaState {
    return this.states[endNumbers[index] as number] as DfaState;
  }

  private entryOf(state: DfaState): number {
    if (state === DEAD) return DEAD_NUMBER | SPECIAL;
    const number = state.row / this.width;
    return isPlain(state) ? number : number | SPECIAL;
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

  /** Whether anything lives that begins at one of `starts`. */
  private reaches(starts: readonly number[], before: number, unitClass: number): boolean {
    const reached = new Set<number>();
    for (const start of starts) this.reach(start, before, unitClass, reached);
    return reached.size > 0;
  }

  private findsStart(unitClass: number): boolean {
    for (let before = EDGE; before < KINDS; before++)
      if (this.reaches([this.steps.start], before, unitClass)) return true;
    return false;
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
    const state = newState(nodes, before, key, { matchKinds, fewest, more }, this.tagged);
    const { statesMax, missesPerState } = this.limits;
    if (this.known.size >= statesMax) {
      if (this.misses++ < missesPerState * statesMax) return state;
      this.flush();
    }
    state.kept = true;
    this.known.set(key, state);
    this.farthest = Math.max(this.farthest, fewest, more === NEVER ? 0 : more);
    this.giveRow(state);
    return state;
  }

  private giveRow(state: DfaState): void {
    if (this.states.length > NUMBER_BITS) return;
    const number = this.states.push(state) - 1;
    state.row = number * this.width;
    if (number >= this.marks.length) {
      const more = new Uint8Array(2 * this.states.length + ROWS_AT_FIRST);
      more.set(this.marks);
      this.marks = more;
      const distances = new Int32Array(more.length);
      distances.set(this.fewest);
      this.fewest = distances;
    }
    this.fewest[number] = state.fewest;
    this.marks[number] = state.matchKinds | (state.more === NEVER ? HAS_NO_MORE : 0);
    if (state.row + this.width <= this.table.length) return;
    const larger = new Uint16Array(this.width * Math.max(ROWS_AT_FIRST, 2 * this.states.length));
    larger.set(this.table);
    this.table = larger;
  }

  /** Those that texts still hold go on without being kept. */
  private flush(): void {
    for (const state of this.known.values()) {
      state.kept = false;
      state.row = -1;
    }
    this.states = [DEAD, DEAD];
    this.table.fill(UNKNOWN);
    this.known.clear();
    this.begins.length = 0;
    for (const { begins } of this.entries.values()) begins.length = 0;
    this.misses = 0;
  }
}
