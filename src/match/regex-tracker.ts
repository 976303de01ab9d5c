/**
 * One regular expression in one text. All starts that live are kept, and not only the earliest, because that
 * one may turn out to be too far back for the cap, or to end before the next; but starts in the same state
 * (`regex-dfa.ts`) go on together, so a unit costs one step for each different state.
 */
import type { MatchSink, Tracker } from './detector.ts';
import { DEAD, type DfaState, type RegexDfa } from './regex-dfa.ts';
import { NEVER } from './regex-liveness.ts';
import { EDGE, kindOf } from './regex-program.ts';
import { OPEN, Starts } from './regex-starts.ts';
import { classIn } from './unit-classes.ts';

const LABEL = 'REGEX';
const NONE = Number.POSITIVE_INFINITY;

export class RegexTracker implements Tracker {
  liveStart = NONE;
  /** States stepped and starts moved so far: the cost, for tests of linearity. */
  work = 0;
  private readonly dfa: RegexDfa;
  private readonly unitsCap: number;
  private readonly groups: Starts[] = [];
  /** Starts that live no longer and have a match, which an earlier start may still cover. */
  private readonly ended = new Starts(DEAD);
  /** Groups without starts, to be used again. */
  private readonly spare: Starts[] = [];
  private before = EDGE;

  /** Matches longer than `unitsCap` do not exist. */
  constructor(dfa: RegexDfa, unitsCap: number) {
    this.dfa = dfa;
    this.unitsCap = unitsCap;
  }

  step(unit: number, at: number, sink: MatchSink): void {
    const { dfa, before, groups } = this;
    const kind = kindOf(unit);
    const unitClass = classIn(dfa.classes, unit);
    this.before = kind;
    if (groups.length > 0) this.advance(kind, unitClass, at);
    const begun = dfa.begin(before, unitClass);
    if (begun !== DEAD) this.begin(begun, at);
    for (const group of groups) group.state.mark = -1;
    if (groups.length > 0 || this.liveStart !== NONE) this.settle(at + 1, sink);
  }

  skip(units: Uint16Array, from: number, to: number): number {
    const { dfa } = this;
    let index = from;
    while (index < to && !dfa.mayStart(classIn(dfa.classes, units[index] as number))) index++;
    if (index > from) this.before = kindOf(units[index - 1] as number);
    return index;
  }

  resume(before: number): void {
    this.before = before < 0 ? EDGE : kindOf(before);
  }

  end(at: number, sink: MatchSink): void {
    for (const group of this.groups) {
      if ((group.state.matchKinds & (1 << EDGE)) !== 0) group.reach(at);
      this.ended.takeEnded(group);
    }
    this.groups.length = 0;
    this.decide(at, sink);
  }

  /** All groups take the unit, and those that come to the same state become one. */
  private advance(kind: number, unitClass: number, at: number): void {
    const { dfa, groups } = this;
    const followed = 1 << kind;
    let kept = 0;
    for (const group of groups) {
      const { state } = group;
      if ((state.matchKinds & followed) !== 0) group.reach(at);
      const next = state.next[unitClass] ?? dfa.step(state, unitClass);
      this.work++;
      if (next === DEAD) {
        this.work += this.ended.takeEnded(group);
        this.spare.push(group);
        continue;
      }
      const same = this.groupIn(next, kept);
      if (same !== undefined) {
        this.work += same.takeAll(group);
        this.spare.push(group);
        continue;
      }
      group.state = next;
      next.mark = kept;
      groups[kept++] = group;
    }
    if (kept < groups.length) groups.length = kept;
  }

  /** The group, of the first `count`, that is in this state. */
  private groupIn(state: DfaState, count: number): Starts | undefined {
    if (state.mark >= 0) return this.groups[state.mark];
    // States that are not kept are made anew each time.
    if (state.kept) return undefined;
    for (let place = 0; place < count; place++)
      if (this.groups[place]?.state.key === state.key) return this.groups[place];
    return undefined;
  }

  private begin(state: DfaState, at: number): void {
    const { groups } = this;
    let group = this.groupIn(state, groups.length);
    if (group === undefined) {
      group = this.spare.pop() ?? new Starts(state);
      group.state = state;
      groups.push(group);
    }
    group.append(at, OPEN);
    this.work++;
  }

  /** Drops the starts that are too far back for the cap, notes the matches that are certain, and decides. */
  private settle(end: number, sink: MatchSink): void {
    const { groups, unitsCap } = this;
    let emptied = false;
    for (const group of groups) {
      const { state } = group;
      if (unitsCap !== NEVER) {
        const firstStart = end + state.fewest - unitsCap;
        while (group.first < firstStart) this.expire(group);
        if (group.size === 0) emptied = true;
      }
      if (state.sure) group.reach(end);
    }
    if (emptied) this.dropEmptied();
    this.decide(end, sink);
  }

  private expire(group: Starts): void {
    if (group.firstEnd !== OPEN) {
      const expired = new Starts(group.state);
      expired.append(group.first, group.firstEnd);
      this.ended.takeEnded(expired);
    }
    group.dropFirst();
    this.work++;
  }

  private dropEmptied(): void {
    const { groups } = this;
    let kept = 0;
    for (const group of groups)
      if (group.size > 0) groups[kept++] = group;
      else this.spare.push(group);
    if (kept < groups.length) groups.length = kept;
  }

  /** Reports from the front what no start can change any more. */
  private decide(end: number, sink: MatchSink): void {
    const { groups, ended } = this;
    for (;;) {
      let earliest: Starts | undefined;
      let start = ended.first;
      for (const group of groups)
        if (group.first < start) {
          earliest = group;
          start = group.first;
        }
      this.liveStart = start;
      if (start === NONE) return;
      const found = (earliest ?? ended).firstEnd;
      if (earliest !== undefined && (found !== end || this.canGrow(earliest.state, start, end))) {
        // It will be a match, whatever its end: what started inside of it cannot be one.
        if (found === end) this.keepOnly(earliest);
        return;
      }
      for (const group of groups) group.dropBelow(found);
      ended.dropBelow(found);
      this.dropEmptied();
      sink({ start, end: found, label: LABEL });
    }
  }

  /** Drops all starts but the first of this group. */
  private keepOnly(group: Starts): void {
    const { groups } = this;
    if (group.size > 1) group.keepFirst();
    this.ended.clear();
    if (groups.length === 1) return;
    for (const other of groups)
      if (other !== group) {
        other.clear();
        this.spare.push(other);
      }
    groups[0] = group;
    groups.length = 1;
  }

  /** Whether the match from `start` to `end` may still turn out longer. */
  private canGrow({ more }: DfaState, start: number, end: number): boolean {
    return more !== NEVER && end - start + more <= this.unitsCap;
  }
}
