/**
 * One regular expression in one text. All starts that live are kept, and not only the earliest, because that
 * one may turn out to be too far back for the cap, or to end before the next; but starts in the same state
 * (`regex-dfa.ts`) go on together, so a unit costs one step for each different state.
 */
import type { Consumption, MatchSink, Tracker } from './detector.ts';
import { DEAD, type DfaState, type RegexDfa } from './regex-dfa.ts';
import { NEVER } from './regex-liveness.ts';
import { EDGE, KINDS, kindOf } from './regex-nodes.ts';
import { OPEN, Starts } from './regex-starts.ts';
import { classIn } from './unit-classes.ts';

export const REGEX_LABEL = 'REGEX';
const NONE = Number.POSITIVE_INFINITY;

/** Number of the step that is taken: says which marks on states are of this one. */
let turn = 0;

export class RegexTracker implements Tracker {
  liveStart = NONE;
  /** States stepped and starts moved so far: the cost, for tests of linearity. */
  work = 0;
  private readonly dfa: RegexDfa;
  private readonly unitsCap: number;
  /** The first `count` of them have starts, each a state of its own; the others are there to be used. */
  private readonly groups: Starts[] = [];
  private count = 0;
  /** Starts that live no longer and have a match, which an earlier start may still cover. */
  private readonly ended = new Starts(DEAD);
  private before = EDGE;

  /** Matches longer than `unitsCap` do not exist. */
  constructor(dfa: RegexDfa, unitsCap: number) {
    this.dfa = dfa;
    this.unitsCap = unitsCap;
  }

  step(unit: number, at: number, sink: MatchSink): void {
    const { dfa, before } = this;
    const kind = kindOf(unit);
    const unitClass = classIn(dfa.classes, unit);
    this.before = kind;
    turn++;
    if (this.count > 0) this.advance(kind, unitClass, at);
    const begun = dfa.begins[unitClass * KINDS + before] ?? dfa.begin(before, unitClass);
    if (begun !== DEAD) this.begin(begun, at);
    if (this.count > 0 || this.liveStart !== NONE) this.decide(at + 1, sink);
  }

  readLive(
    units: Uint16Array,
    from: number,
    least: number,
    to: number,
    at: number,
    sink: MatchSink,
    told: Consumption,
  ): number {
    let index = from;
    while (index < least || (index < to && this.liveStart !== NONE)) {
      told.consume(at + index - from + 1);
      this.step(units[index] as number, at + index - from, sink);
      index++;
    }
    return index;
  }

  skip(units: Uint16Array, from: number, to: number): number {
    const index = this.dfa.skip(units, from, to);
    if (index > from) this.before = kindOf(units[index - 1] as number);
    return index;
  }

  resume(before: number): void {
    this.before = before < 0 ? EDGE : kindOf(before);
  }

  end(at: number, sink: MatchSink): void {
    for (let place = 0; place < this.count; place++) {
      const group = this.groups[place] as Starts;
      if ((group.state.matchKinds & (1 << EDGE)) !== 0) group.reach(at);
      this.ended.takeEnded(group);
    }
    this.count = 0;
    this.decide(at, sink);
  }

  /** All groups take the unit, and those that come to the same state become one. */
  private advance(kind: number, unitClass: number, at: number): void {
    const { dfa, groups, count } = this;
    const followed = 1 << kind;
    let kept = 0;
    for (let place = 0; place < count; place++) {
      const group = groups[place] as Starts;
      const { state } = group;
      if ((state.matchKinds & followed) !== 0) group.reach(at);
      const next = dfa.step(state, unitClass);
      if (next === DEAD) {
        this.work += this.ended.takeEnded(group);
        continue;
      }
      const same = this.groupIn(next, kept);
      if (same !== undefined) {
        this.work += same.takeAll(group);
        continue;
      }
      group.state = next;
      next.turn = turn;
      next.place = kept;
      if (kept < place) this.exchange(kept, place);
      kept++;
    }
    this.work += count;
    this.count = kept;
  }

  /** The group, of the first `count`, that is in this state. */
  private groupIn(state: DfaState, count: number): Starts | undefined {
    if (state.turn === turn) return this.groups[state.place];
    // States that are not kept are made anew each time.
    if (state.kept) return undefined;
    for (let place = 0; place < count; place++)
      if (this.groups[place]?.state.key === state.key) return this.groups[place];
    return undefined;
  }

  private begin(state: DfaState, at: number): void {
    const { groups, count } = this;
    let group = this.groupIn(state, count);
    if (group === undefined) {
      group = groups[count] ??= new Starts(state);
      group.state = state;
      this.count++;
    }
    group.append(at, OPEN);
    this.work++;
  }

  /**
   * Drops the starts that are too far back for the cap, notes the matches that are certain, and reports from
   * the front what no start can change any more.
   */
  private decide(end: number, sink: MatchSink): void {
    const { groups, ended, unitsCap } = this;
    for (let place = 0; place < this.count; place++) {
      const group = groups[place] as Starts;
      const { fewest, sure } = group.state;
      if (unitsCap !== NEVER) this.expire(group, end + fewest - unitsCap);
      if (sure) group.reach(end);
    }
    for (;;) {
      let earliest: Starts | undefined;
      let start = ended.first;
      for (let place = 0; place < this.count; place++) {
        const group = groups[place] as Starts;
        if (group.first >= start) continue;
        earliest = group;
        start = group.first;
      }
      this.liveStart = start;
      if (start === NONE) break;
      const found = (earliest ?? ended).firstEnd;
      if (earliest !== undefined && (found !== end || this.canGrow(earliest.state, start, end))) {
        // It will be a match, whatever its end: what started inside of it cannot be one.
        if (found === end) this.keepOnly(earliest);
        break;
      }
      for (let place = 0; place < this.count; place++) (groups[place] as Starts).dropBelow(found);
      ended.dropBelow(found);
      sink({ start, end: found, label: REGEX_LABEL });
    }
    this.dropEmptied();
  }

  /** What started earlier than this cannot be a match within the cap. */
  private expire(group: Starts, first: number): void {
    while (group.first < first) {
      if (group.firstEnd !== OPEN) this.ended.insert(group.first, group.firstEnd);
      group.dropFirst();
      this.work++;
    }
  }

  private dropEmptied(): void {
    let kept = 0;
    for (let place = 0; place < this.count; place++) {
      if ((this.groups[place] as Starts).size === 0) continue;
      if (kept < place) this.exchange(kept, place);
      kept++;
    }
    this.count = kept;
  }

  private exchange(one: number, other: number): void {
    const { groups } = this;
    const group = groups[one] as Starts;
    groups[one] = groups[other] as Starts;
    groups[other] = group;
  }

  /** Drops all starts but the first of this group. */
  private keepOnly(group: Starts): void {
    const { groups } = this;
    group.keepFirst();
    this.ended.clear();
    for (let place = 0; place < this.count; place++)
      if (groups[place] !== group) (groups[place] as Starts).clear();
  }

  /** Whether the match from `start` to `end` may still turn out longer. */
  private canGrow({ more }: DfaState, start: number, end: number): boolean {
    return more !== NEVER && end - start + more <= this.unitsCap;
  }
}
