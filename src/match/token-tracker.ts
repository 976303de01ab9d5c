/**
 * One kind of token in one text: an expression whose matches are only candidates, since a validator (check
 * digits, entropy) may refuse them, and inside of which units that are not seen do not count. Of the
 * candidates with the first start that has a valid one, the longest valid one counts.
 *
 * One start is followed at a time, the first that lives. Those behind it only matter when it comes to nothing,
 * and are looked for then, in the units since: following one in a loop of its own costs a fraction of what it
 * costs to bring many one unit further.
 */
import { Buffer } from 'node:buffer';
import { isInvisible } from './characters.ts';
import type { Consumption, MatchSink, Tracker } from './detector.ts';
import { isTagLead, unseenUnits } from './invisible-pairs.ts';
import { isPrintable, plainUnit } from './plain-units.ts';
import { DEAD, type DfaState, type FormStarts, type RegexDfa, type TagSet } from './regex-dfa.ts';
import { NEVER } from './regex-liveness.ts';
import { EDGE, kindOf } from './regex-nodes.ts';
import { type History, RecentUnits } from './text-history.ts';
import { copyUnits } from './text-units.ts';
import { isOnTrail, lastOnTrail, nextOnTrail, TRAIL_UNITS, Trail } from './token-trail.ts';
import { classIn } from './unit-classes.ts';

/** How many invisible units a match may hold. */
export const SKIPPED_MAX = 64;

/** Longest candidate of a kind with a validator: as many ends of one start may have to be asked about. */
export const VALIDATED_UNITS_MAX = 256;

/** Whether a candidate is one, given it without the units that are not seen. A pure function. */
export type Validator = (token: string) => boolean;

/** What stands around a candidate, in plain units and without those that are not seen. */
export interface Surroundings {
  /** Up to `LOOK_BACK_UNITS` before it. */
  readonly before: string;
  /** What it would go on with to be the longest that the expression allows here. */
  readonly after: string;
  /** The text ends where it ends. */
  readonly last: boolean;
}

export interface Candidate extends Surroundings {
  /** Without what is not seen. */
  readonly token: string;
  /** `after` is not empty. */
  readonly goesOn: boolean;
  /** What `find` says of the units before `place`, where the candidate starts; asked once for all its ends. */
  lookBack<Found>(find: (units: Uint16Array, place: number) => Found): Found;
}

/** What a candidate is: its label, or undefined for nothing. A pure function. */
export type Judge = (token: string, around: Surroundings) => string | undefined;

export interface Check {
  readonly validator: Validator;
  /** Asked of what the validator lets pass, if that depends on the whole candidate. */
  readonly judge?: Judge;
  /**
   * How much of a candidate its verdict depends on, from its start: longer and shorter ones that begin with it
   * get the same. `shortest`: as much as the shortest match has, so one question for each start is enough.
   */
  readonly looksAt?: 'shortest' | ((token: string) => number);
  /** What the validator says of `units[from,to)`, all of them seen: for those that read no string. */
  readonly validUnits?: (units: Uint16Array, from: number, to: number) => boolean;
  /** In place of all others, of a token that has forms: the label of what has the forms with these tags, of one token. */
  readonly judgeForms?: (forms: TagSet, candidate: Candidate) => string | undefined;
}

export const looksBack = (check: Check | undefined): boolean =>
  check?.judge !== undefined || check?.judgeForms !== undefined;

export interface TokenKind {
  readonly dfa: RegexDfa;
  /** Candidates of more units that are seen do not exist. */
  readonly unitsCap: number;
  /** The expression itself has none longer. */
  readonly bounded: boolean;
  readonly label: string;
  readonly check: Check | undefined;
  /** Digits, letters, spaces and hyphens of all widths and scripts count as those of ASCII. */
  readonly plain: boolean;
  /** Units after which the verdict on a start is known: 0 without a check, Infinity if it depends on its end. */
  readonly headUnits: number;
  /** Every end has the tags of the forms that end there, and the check is asked what they are. */
  readonly forms: FormStarts | undefined;
}

/** Of most candidates the judge knows without looking back, and of many without their text. */
class Around implements Candidate {
  last = false;
  private readonly plain: boolean;
  private history: History | undefined;
  /** Where the candidate starts, and what stands before it, once that was asked for. */
  private at = -1;
  private known: string | undefined;
  private data: Uint16Array = NO_UNITS;
  private start = 0;
  private farthest = 0;
  /** Up to `farthest`, if it was asked for: all candidates that start here are its beginnings. */
  private whole: string | undefined;
  private end = 0;
  private units = 0;
  private ownToken: string | undefined;
  private ownAfter: string | undefined;
  private hasLooked = false;
  private found: unknown;

  constructor(plain: boolean) {
    this.plain = plain;
  }

  place(history: History, at: number, after: string, last: boolean): void {
    if (at !== this.at) this.known = undefined;
    this.history = history;
    this.at = at;
    this.ownAfter = after;
    this.last = last;
  }

  /** Of a candidate that starts at position `at`, which is `data[start]`; the longest goes on to `farthest`. */
  placeStart(
    history: History | undefined,
    at: number,
    data: Uint16Array,
    start: number,
    farthest: number,
  ): void {
    this.history = history;
    this.at = at;
    this.known = undefined;
    this.hasLooked = false;
    this.data = data;
    this.start = start;
    this.farthest = farthest;
    this.whole = undefined;
  }

  /** Where it ends, and how many units it has that are seen. */
  placeEnd(end: number, units: number, last: boolean): void {
    this.end = end;
    this.units = units;
    this.last = last;
    this.ownToken = undefined;
    this.ownAfter = undefined;
  }

  lookBack<Found>(find: (units: Uint16Array, place: number) => Found): Found {
    const { history } = this;
    if (!this.hasLooked)
      this.found = find(history?.units ?? NO_UNITS, history?.placeOf(this.at) ?? 0);
    this.hasLooked = true;
    return this.found as Found;
  }

  get goesOn(): boolean {
    return this.farthest > this.end;
  }

  get token(): string {
    return (this.ownToken ??= this.all.slice(0, this.units));
  }

  get after(): string {
    return (this.ownAfter ??= this.all.slice(this.units));
  }

  get before(): string {
    this.known ??= this.history?.before(this.at) ?? '';
    return this.known;
  }

  private get all(): string {
    return (this.whole ??= textOf(this.data, this.start, this.farthest, this.plain));
  }
}

const NO_UNITS = new Uint16Array(0);

/** Starts of tokens that are no longer are followed one by one. */
const TRAIL_PAYS_FROM = 8 * TRAIL_UNITS;

const NONE = Number.POSITIVE_INFINITY;

/** So far a start is followed to see whether it is one at all: farther than that, the trail tells sooner. */
const FEW_UNITS = TRAIL_UNITS;

/** A larger store is given back when nothing lives any more. */
const STORE_UNITS_KEPT = 512;
const oneUnit = new Uint16Array(1);

/** Whether a start in this state, with room for so many more units, may have an end that it has not yet. */
const mayEndFurther = (state: DfaState, room: number, fresh: boolean): boolean =>
  state.more <= room || (fresh && !state.sure && state.matchKinds !== 0);

/** Of what is mostly a token: a longer one costs a store of its own. */
const letters = Buffer.alloc(2 * VALIDATED_UNITS_MAX);

/** Without what is not seen; `plain`: units as what they stand for. */
function textOf(data: Uint16Array, from: number, to: number, plain: boolean): string {
  if (to - from > letters.length) return textWithout(data, from, to, plain);
  for (let at = from; at < to; at++) {
    const unit = data[at] as number;
    if (!isPrintable(unit)) return textWithout(data, from, to, plain);
    letters[at - from] = unit;
  }
  return letters.toString('latin1', 0, to - from);
}

function textWithout(data: Uint16Array, from: number, to: number, plain: boolean): string {
  const units: number[] = [];
  for (let at = from; at < to; ) {
    const unseen = unseenUnits(data, at, to);
    if (unseen === 0) {
      const unit = data[at] as number;
      units.push(plain ? plainUnit(unit) : unit);
    }
    at += Math.max(1, unseen);
  }
  // One call: a string that grows unit by unit would have to be put together again to be read.
  return String.fromCharCode.apply(undefined, units);
}

export class TokenTracker implements Tracker {
  liveStart = NONE;
  /** Units that starts took, and units of candidates asked about: the cost, for tests of linearity. */
  work = 0;
  private readonly kind: TokenKind;
  /** Kind of the unit before the next one, while nothing lives. */
  private before = EDGE;

  // The start that lives, at `liveStart`.
  private state: DfaState = DEAD;
  /** Units that it took, seen and not seen. */
  private units = 0;
  private skipped = 0;
  /** The last unit that it took is seen, and what follows may make it an end. */
  private fresh = false;
  /** The verdict on its first `headUnits`, once it has them. */
  private verdict = false;
  /** Where candidates end, ascending, and how many units are seen up to there; only the last if one verdict is for all. */
  private readonly ends: number[] = [];
  private readonly counts: number[] = [];
  private endCount = 0;
  /** Of a token with forms: the tags of each end, and where the farthest is, tags or not, from the start. */
  private readonly tags: TagSet[] = [];
  private farthest = 0;

  /** The units from `liveStart` on, and perhaps some before. */
  private kept = NO_UNITS;
  private keptCount = 0;
  /** Place of the first unit that the start has not taken. */
  private next = 0;
  /** Behind the farthest unit that was needed: what is decided is decided there. */
  private reach = 0;
  /** Where starts came by, if many may live for long. */
  private readonly trail: Trail | undefined;
  /** Units that a start must have taken for it to count: of candidates that are checked most starts are short. */
  private readonly trailFrom: number;

  private readonly history: History | undefined;
  /** The same, where nobody else keeps it: then it reads one unit at a time. */
  private readonly recent: RecentUnits | undefined;
  private readonly around: Around;
  /** What the judge has called the candidate that it was asked about last. */
  private label: string;

  /** `history`: of the text that it reads, if it does not read every unit. */
  constructor(kind: TokenKind, history?: History) {
    this.kind = kind;
    this.label = kind.label;
    this.around = new Around(kind.plain);
    if (history === undefined && looksBack(kind.check))
      this.recent = new RecentUnits(VALIDATED_UNITS_MAX + SKIPPED_MAX + 1);
    this.history = history ?? this.recent;
    const { check, bounded, unitsCap } = kind;
    this.trailFrom = check === undefined ? 0 : TRAIL_UNITS;
    const onlyEndsCount = check === undefined || kind.headUnits === NONE;
    if (onlyEndsCount && !bounded && unitsCap > TRAIL_PAYS_FROM) this.trail = new Trail();
  }

  step(unit: number, at: number, sink: MatchSink): void {
    oneUnit[0] = unit;
    this.readLive(oneUnit, 0, 1, 1, at, sink);
  }

  readLive(
    units: Uint16Array,
    from: number,
    least: number,
    to: number,
    at: number,
    sink: MatchSink,
    told?: Consumption,
  ): number {
    const { recent } = this;
    if (recent === undefined) return this.readUnits(units, from, least, to, at, sink, told);
    let place = from;
    while (place < to) {
      recent.add(units[place] as number);
      const needed = place < least ? place + 1 : place;
      const next = this.readUnits(units, place, needed, place + 1, at + place - from, sink, told);
      const isRead = next > place;
      place = next;
      if (place >= least && (!isRead || this.liveStart === NONE)) break;
    }
    return place;
  }

  private readUnits(
    units: Uint16Array,
    from: number,
    least: number,
    to: number,
    at: number,
    sink: MatchSink,
    told?: Consumption,
  ): number {
    if (this.liveStart === NONE) return this.scan(units, from, least, to, at - from, sink, told);
    const first = this.keptCount;
    this.keep(units, from, to);
    const shift = first - from;
    const { kept, keptCount, next } = this;
    return this.scan(kept, next, least + shift, keptCount, at - first, sink, told) - shift;
  }

  resume(before: number): void {
    this.before = before < 0 ? EDGE : kindOf(this.kind.plain ? plainUnit(before) : before);
  }

  end(at: number, sink: MatchSink): void {
    if (this.liveStart === NONE) return;
    const { kept, keptCount, next } = this;
    this.scan(kept, next, keptCount, keptCount, at - keptCount, sink, undefined, true);
  }

  /**
   * Reads `data[from,least)`, and what follows up to `to` as long as something lives; `data[0]` stands at position
   * `origin`. Returns the place behind what it read. `ended`: the text ends at `to`.
   */
  private scan(
    data: Uint16Array,
    from: number,
    least: number,
    to: number,
    origin: number,
    sink: MatchSink,
    told?: Consumption,
    ended = false,
  ): number {
    // What was kept has its neighbours; of what comes new only `before` knows what stands before it.
    const bare = this.liveStart === NONE ? from : -1;
    if (this.liveStart === NONE) this.trail?.clear();
    let index = from;
    this.reach = from;
    for (;;) {
      if (this.liveStart === NONE) {
        index = this.findStart(data, index, least, to, bare, origin);
        const limit = Math.max(least, this.reach);
        if (index === limit) {
          if (limit > bare) this.before = this.kindAt(data, limit - 1);
          if (this.kept.length > STORE_UNITS_KEPT) this.kept = NO_UNITS;
          return limit;
        }
        this.liveStart = origin + index;
        this.trail?.startAt(index);
      }
      const start = this.liveStart - origin;
      this.reach = Math.max(this.reach, this.follow(data, start, to, ended));
      if (this.state !== DEAD) {
        this.keepFrom(data, start, to);
        return to;
      }
      this.liveStart = NONE;
      index = this.longestValid(data, start, origin, ended ? to : -1);
      if (index === start) {
        index++;
        continue;
      }
      this.trail?.clear();
      told?.consume(origin + this.reach);
      sink({ start: origin + start, end: origin + index, label: this.label });
    }
  }

  /**
   * The first unit of `data[from,to)` that something begins with, of those before `least`, or before what was needed;
   * or where those end. Before that at `bare` stands `before`.
   */
  private findStart(
    data: Uint16Array,
    from: number,
    least: number,
    to: number,
    bare: number,
    origin: number,
  ): number {
    const { dfa, unitsCap, bounded, headUnits, forms } = this.kind;
    for (let index = from; ; index++) {
      const limit = Math.max(least, this.reach);
      index = this.skipTo(data, index, limit, bare, origin);
      if (index >= limit) return limit;
      const unit = data[index] as number;
      if (isInvisible(unit) || isTagLead(unit)) continue;
      const before = index === bare ? this.before : this.kindAt(data, index - 1);
      const unitClass = dfa.classOf(unit);
      let state = dfa.begin(before, unitClass);
      if (state === DEAD || 1 + state.fewest > unitsCap) continue;
      if (forms !== undefined && this.history !== undefined) {
        const place = this.history.placeOf(origin + index);
        const asked = dfa.headsAsked(before, unitClass, forms);
        const refused = forms.heads.before(this.history.units, place, asked);
        if (refused !== 0) {
          state = dfa.beginPast(refused, forms, before, unitClass);
          if (state === DEAD || 1 + state.fewest > unitsCap) continue;
        }
      }
      this.units = 1;
      this.next = index + 1;
      this.endCount = 0;
      if (headUnits === NONE && state.matchKinds === 0) {
        // Most starts come to nothing within a few units, and need not be set up for that.
        const room = bounded ? NEVER : unitsCap - 1;
        const came = dfa.race(state, data, index + 1, Math.min(to, index + FEW_UNITS), room);
        if (dfa.hasDied) {
          this.work += came - index;
          this.reach = Math.max(this.reach, came + 1);
          if (dfa.endsPassed === 0) continue;
        }
        this.takeEnds(data, index, index + 1, 1);
        state = dfa.hasDied ? DEAD : dfa.leapt;
        this.units = came - index;
        this.next = came;
      }
      this.state = state;
      this.skipped = 0;
      this.fresh = true;
      this.verdict = headUnits === 0;
      if (headUnits === 1 && !this.judge(data, index, index + 1)) continue;
      if (state.sure) this.endCandidate(index, this.next, this.units);
      return index;
    }
  }

  /** The ends that a race from `from` on has passed, before which the start had so many units. */
  private takeEnds(data: Uint16Array, start: number, from: number, units: number): void {
    const { dfa } = this.kind;
    for (let index = 0; index < dfa.endsPassed; index++) {
      const place = dfa.passedAt(index);
      const after = this.kindAt(data, place);
      this.endIn(dfa.passedIn(index), start, place, units + place - from, after);
    }
  }

  /** The first of `data[from,to)` that may begin something, as far as the units beside it say. */
  private skipTo(
    data: Uint16Array,
    from: number,
    to: number,
    bare: number,
    origin: number,
  ): number {
    const { dfa, forms } = this.kind;
    const { history } = this;
    if (forms === undefined || history === undefined) return dfa.skipPairs(data, from, to);
    if (from > bare) return dfa.skipHeads(data, from, to, data[from - 1] as number, forms);
    const place = history.placeOf(origin + from);
    const before = place > 0 ? (history.units[place - 1] as number) : -1;
    return dfa.skipHeads(data, from, to, before, forms);
  }

  /**
   * Brings the start on as far as `to`, or until it is decided; then its state is DEAD. Returns the place behind
   * the last unit that was needed.
   */
  private follow(data: Uint16Array, start: number, to: number, ended: boolean): number {
    const { dfa, unitsCap, bounded, headUnits, plain } = this.kind;
    const { trail } = this;
    const { ascii } = dfa.classes;
    let from = this.next;
    let { state, units, fresh } = this;
    let at = from;
    let needed = from;
    while (mayEndFurther(state, unitsCap - units, fresh)) {
      if (trail !== undefined && isOnTrail(at) && units >= this.trailFrom) {
        if (trail.pass(at, state, units, this.skipped, fresh)) {
          from += trail.place - at;
          at = needed = trail.place;
          ({ state, units, fresh } = trail);
          this.skipped = trail.skipped;
          continue;
        }
      }
      if (at === to) {
        if (!ended) {
          this.pause(state, units, fresh, at, from);
          return needed;
        }
        if (fresh && (state.matchKinds & (1 << EDGE)) !== 0)
          this.endIn(state, start, at, units, EDGE);
        break;
      }
      if (state.matchKinds === 0 && headUnits === NONE) {
        const room = bounded ? NEVER : unitsCap - units;
        const stop = trail === undefined ? to : Math.min(to, nextOnTrail(at));
        const came = dfa.race(state, data, at, stop, room);
        if (came > at || dfa.hasDied) {
          this.takeEnds(data, start, at, units);
          state = dfa.leapt;
          fresh = true;
          units += came - at;
          at = needed = came;
          if (dfa.hasDied) {
            needed = at + 1;
            break;
          }
          if (state.sure) this.endCandidate(start, at, units);
          continue;
        }
      } else if (state.matchKinds === 0) {
        // No farther than to the unit after which the verdict is asked for.
        const most = units < headUnits ? headUnits - 1 - units : NEVER;
        const room = bounded ? NEVER : unitsCap - units;
        const stop = trail === undefined ? to : Math.min(to, nextOnTrail(at));
        const leapt = dfa.leap(state, data, at, stop, most, room, SKIPPED_MAX - this.skipped);
        if (leapt > at) {
          state = dfa.leapt;
          units += leapt - at - dfa.skipped;
          this.skipped += dfa.skipped;
          at = needed = leapt;
          continue;
        }
      }
      const raw = data[at] as number;
      const unit = plain ? plainUnit(raw) : raw;
      if (fresh && !state.sure && (state.matchKinds & (1 << kindOf(unit))) !== 0)
        this.endIn(state, start, at, units, kindOf(unit));
      needed = at + 1;
      let unitClass: number;
      if (isPrintable(unit)) unitClass = ascii[unit] as number;
      else {
        if (isTagLead(unit)) {
          fresh = false;
          if (!mayEndFurther(state, unitsCap - units, fresh)) break;
          if (at + 1 < to) needed = at + 2;
          else if (!ended) {
            this.pause(state, units, fresh, at, from);
            return needed;
          }
        }
        const unseen = unseenUnits(data, at, to);
        if (unseen > 0) {
          fresh = false;
          at += unseen;
          this.skipped += unseen;
          if (this.skipped > SKIPPED_MAX) break;
          continue;
        }
        unitClass = classIn(dfa.classes, unit);
      }
      state = dfa.step(state, unitClass);
      units++;
      at++;
      fresh = true;
      if (state.fewest > unitsCap - units) break;
      if (units === headUnits && !this.judge(data, start, at)) break;
      if (state.sure) this.endCandidate(start, at, units);
    }
    this.work += at - from;
    this.state = DEAD;
    return needed;
  }

  /** What comes next must tell. */
  private pause(state: DfaState, units: number, fresh: boolean, next: number, from: number): void {
    this.work += next - from;
    this.state = state;
    this.units = units;
    this.fresh = fresh;
    this.next = next;
  }

  /** A match ends at `at`, in this state, if a unit of kind `after` follows. */
  private endIn(state: DfaState, start: number, at: number, units: number, after: number): void {
    const { forms, dfa } = this.kind;
    if (forms === undefined) {
      this.endCandidate(start, at, units);
      return;
    }
    this.farthest = at - start;
    this.trail?.restartAt(at);
    const tags = dfa.tagsAt(state, after);
    if (tags.tags.length === 0 || this.ends[this.endCount - 1] === at - start) return;
    this.ends[this.endCount] = at - start;
    this.counts[this.endCount] = units;
    this.tags[this.endCount++] = tags;
  }

  private kindAt(data: Uint16Array, place: number): number {
    const unit = data[place] as number;
    return kindOf(this.kind.plain ? plainUnit(unit) : unit);
  }

  private endCandidate(start: number, at: number, units: number): void {
    const last = this.endCount - 1;
    const end = at - start;
    if (this.ends[last] === end) return;
    const place = this.kind.headUnits === NONE ? last + 1 : 0;
    this.ends[place] = end;
    this.counts[place] = units;
    this.endCount = place + 1;
    // Who comes this way has the same end, and the check may have another word for it.
    if (this.kind.headUnits === NONE) this.trail?.restartAt(at);
  }

  /** The start has all that its verdict depends on: `data[start,end)`. */
  private judge(data: Uint16Array, start: number, end: number): boolean {
    const { check, headUnits } = this.kind;
    this.work += headUnits;
    if (check === undefined) this.verdict = true;
    else if (check.validUnits !== undefined && end - start === headUnits)
      this.verdict = check.validUnits(data, start, end);
    else this.verdict = check.validator(textOf(data, start, end, this.kind.plain));
    return this.verdict;
  }

  /** Where the longest valid candidate of the start ends, or `start`. The text ends at `textEnd`, or later. */
  private longestValid(data: Uint16Array, start: number, origin: number, textEnd: number): number {
    const { endCount, ends, counts } = this;
    const { check, headUnits } = this.kind;
    if (endCount === 0) return start;
    if (this.kind.forms !== undefined) return this.longestForm(data, start, origin, textEnd);
    if (headUnits !== NONE || check === undefined)
      return this.verdict ? start + (ends[0] as number) : start;
    const longest = textOf(data, start, start + (ends[endCount - 1] as number), this.kind.plain);
    let refused = NONE;
    for (let index = endCount - 1; index >= 0; index--) {
      const units = counts[index] as number;
      if (units >= refused) continue;
      const token = longest.slice(0, units);
      this.work += units;
      const end = start + (ends[index] as number);
      if (check.validator(token)) {
        const after = longest.slice(units);
        if (this.isJudged(token, origin + start, after, end === textEnd)) return end;
      }
      if (typeof check.looksAt === 'function') refused = check.looksAt(token);
    }
    return start;
  }

  private longestForm(data: Uint16Array, start: number, origin: number, textEnd: number): number {
    const { ends, counts, tags, around } = this;
    around.placeStart(this.history, origin + start, data, start, start + this.farthest);
    for (let index = this.endCount - 1; index >= 0; index--) {
      const units = counts[index] as number;
      this.work += units;
      const end = start + (ends[index] as number);
      around.placeEnd(end, units, end === textEnd);
      const label = this.kind.check?.judgeForms?.(tags[index] as TagSet, around);
      if (label === undefined) continue;
      this.label = label;
      return end;
    }
    return start;
  }

  private isJudged(token: string, at: number, after: string, last: boolean): boolean {
    const judge = this.kind.check?.judge;
    if (judge === undefined || this.history === undefined) return true;
    this.around.place(this.history, at, after, last);
    const label = judge(token, this.around);
    this.label = label ?? this.kind.label;
    return label !== undefined;
  }

  private keep(units: Uint16Array, from: number, to: number): void {
    const count = this.keptCount + to - from;
    if (count > this.kept.length) {
      const larger = new Uint16Array(2 * count);
      larger.set(this.kept.subarray(0, this.keptCount));
      this.kept = larger;
    }
    copyUnits(units, from, to, this.keptCount, this.kept);
    this.keptCount = count;
  }

  /** Keeps what the start has taken, which is all up to `to`, and may be asked about again. */
  private keepFrom(data: Uint16Array, start: number, to: number): void {
    if (data !== this.kept) {
      this.keptCount = 0;
      this.keep(data, start, to);
      this.next -= start;
      this.trail?.clear();
      return;
    }
    const unneeded = lastOnTrail(start);
    if (2 * unneeded <= to) return;
    data.copyWithin(0, unneeded, to);
    this.keptCount = to - unneeded;
    this.next -= unneeded;
    this.trail?.shift(unneeded);
  }
}
