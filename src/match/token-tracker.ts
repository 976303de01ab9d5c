/**
 * One kind of token in one text: an expression whose matches are only candidates, since a validator (check
 * digits, entropy) may refuse them, and inside of which units that are not seen do not count. Of the
 * candidates with the first start that has a valid one, the longest valid one counts.
 */
import { isInvisible } from './characters.ts';
import type { MatchSink, Tracker } from './detector.ts';
import { endsTag, isTagLead, TAG_LEAD } from './invisible-pairs.ts';
import { DEAD, type DfaState, type RegexDfa } from './regex-dfa.ts';
import { NEVER } from './regex-liveness.ts';
import { EDGE, kindOf } from './regex-program.ts';
import { classIn } from './unit-classes.ts';

/** How many invisible units a match may hold. */
export const SKIPPED_MAX = 64;

/** Longest candidate of a kind with a validator: as many ends of one start may have to be asked about. */
export const VALIDATED_UNITS_MAX = 256;

/** Whether a candidate is one, given it without the units that are not seen. A pure function. */
export type Validator = (token: string) => boolean;

export interface Check {
  readonly validator: Validator;
  /**
   * How much of a candidate its verdict depends on, from its start: longer and shorter ones that begin with it
   * get the same. `shortest`: as much as the shortest match has, so one question for each start is enough.
   */
  readonly looksAt?: 'shortest' | ((token: string) => number);
}

export interface TokenKind {
  readonly dfa: RegexDfa;
  /** Candidates of more units that are seen do not exist. */
  readonly unitsCap: number;
  readonly label: string;
  readonly check: Check | undefined;
  /** Units after which the verdict on a start is known: 0 without a check, Infinity if it depends on its end. */
  readonly headUnits: number;
}

interface Start {
  readonly at: number;
  /** What it has become; DEAD when it can have no further end. */
  state: DfaState;
  skipped: number;
  /** How many units that are seen it has taken, and one past the last of them. */
  units: number;
  seen: number;
  /** Where candidates end, ascending, and how many units are seen up to there; only the last if one verdict is for all. */
  readonly ends: number[];
  readonly counts: number[];
  /** The verdict on its first `headUnits`, once it has them. */
  verdict: boolean;
}

const isPrintable = (unit: number): boolean => unit >= 0x20 && unit < 0x7f;
const NONE = Number.POSITIVE_INFINITY;

export class TokenTracker implements Tracker {
  liveStart = NONE;
  /** Starts stepped and candidates asked about so far: the cost, for tests of linearity. */
  work = 0;
  private readonly kind: TokenKind;
  /** By position. */
  private starts: Start[] = [];
  private before = EDGE;
  /** The last unit was the first half of what may be a tag, and something was live. */
  private half = false;
  /** The units from `keptFrom` on, for the validator; from `liveStart` on they are all there. */
  private kept: number[] = [];
  private keptFrom = 0;

  constructor(kind: TokenKind) {
    this.kind = kind;
  }

  step(unit: number, at: number, sink: MatchSink): void {
    if (this.half) {
      this.half = false;
      const tag = endsTag(unit);
      this.take(TAG_LEAD, at - 1, tag);
      if (!tag) this.decide(at, sink);
      else {
        this.take(unit, at, true);
        this.decide(at + 1, sink);
        return;
      }
    }
    if (isTagLead(unit) && this.starts.length > 0) {
      for (const start of this.starts) this.meet(start, kindOf(unit), at);
      this.half = true;
    } else this.take(unit, at, isInvisible(unit));
    this.decide(at + 1, sink);
    if (this.half && this.starts.length === 0) {
      this.half = false;
      this.before = kindOf(unit);
    }
  }

  skip(units: Uint16Array, from: number, to: number): number {
    const { dfa } = this.kind;
    let index = from;
    while (index < to && !dfa.mayStart(classIn(dfa.classes, units[index] as number))) index++;
    if (index > from) this.before = kindOf(units[index - 1] as number);
    return index;
  }

  resume(before: number): void {
    this.before = before < 0 ? EDGE : kindOf(before);
  }

  end(at: number, sink: MatchSink): void {
    if (this.half) {
      this.half = false;
      this.take(TAG_LEAD, at - 1, false);
    }
    for (const start of this.starts) {
      this.meet(start, EDGE, at);
      start.state = DEAD;
    }
    this.decide(at, sink);
  }

  private take(unit: number, at: number, invisible: boolean): void {
    const { dfa, unitsCap, check, headUnits } = this.kind;
    const kind = kindOf(unit);
    const unitClass = classIn(dfa.classes, unit);
    this.work += this.starts.length;
    for (const start of this.starts) {
      this.meet(start, kind, at);
      if (start.state === DEAD) continue;
      if (invisible) {
        start.skipped++;
        if (start.skipped > SKIPPED_MAX) start.state = DEAD;
      } else {
        const next = dfa.step(start.state, unitClass);
        start.units++;
        start.seen = at + 1;
        start.state = next !== DEAD && start.units + next.fewest <= unitsCap ? next : DEAD;
        if (start.units === headUnits) this.judge(start, unit);
        if (start.state.sure) this.endCandidate(start, at + 1);
      }
    }
    if (!invisible && !isTagLead(unit)) {
      const state = dfa.begin(this.before, unitClass);
      if (state !== DEAD && 1 + state.fewest <= unitsCap) {
        const start: Start = {
          at,
          state,
          skipped: 0,
          units: 1,
          seen: at + 1,
          ends: [],
          counts: [],
          verdict: headUnits === 0,
        };
        if (headUnits === 1) this.judge(start, unit);
        if (state.sure) this.endCandidate(start, at + 1);
        this.starts.push(start);
      }
    }
    this.before = kind;
    if (check !== undefined && this.starts.length > 0) this.keep(unit, at);
  }

  /** A unit of this kind stands behind it, seen or not. */
  private meet(start: Start, kind: number, at: number): void {
    if (start.seen !== at) return;
    if ((start.state.matchKinds & (1 << kind)) !== 0) this.endCandidate(start, at);
  }

  private endCandidate({ ends, counts, units }: Start, end: number): void {
    const last = ends.length - 1;
    if (ends[last] === end) return;
    const place = this.kind.headUnits === NONE ? last + 1 : 0;
    ends[place] = end;
    counts[place] = units;
  }

  private keep(unit: number, at: number): void {
    if (this.kept.length === 0) this.keptFrom = at;
    this.kept.push(unit);
  }

  /** From the front: those that can have no further end, up to `end`, are matches or not. */
  private decide(end: number, sink: MatchSink): void {
    const { starts } = this;
    let from = 0;
    let done = 0;
    for (; done < starts.length; done++) {
      const start = starts[done] as Start;
      if (start.at < from) continue;
      if (this.mayEndFurther(start, end)) {
        const last = start.verdict ? (start.ends[0] ?? 0) : 0;
        // It will be a match, whatever its end: what started inside of it cannot be one.
        if (last > 0) this.dropInside(done, last);
        break;
      }
      const last = this.longestValid(start);
      if (last === 0) continue;
      from = last;
      sink({ start: start.at, end: last, label: this.kind.label });
    }
    if (done === 0) {
      if (this.liveStart === NONE && starts.length > 0) this.liveStart = (starts[0] as Start).at;
      return;
    }
    let left = 0;
    for (let index = done; index < starts.length; index++) {
      const start = starts[index] as Start;
      if (start.at >= from) starts[left++] = start;
    }
    starts.length = left;
    this.liveStart = left === 0 ? NONE : (starts[0] as Start).at;
    this.forget();
  }

  private dropInside(index: number, end: number): void {
    const { starts } = this;
    let left = index + 1;
    for (let at = left; at < starts.length; at++)
      if ((starts[at] as Start).at >= end) starts[left++] = starts[at] as Start;
    starts.length = left;
  }

  private mayEndFurther({ state, units, seen }: Start, end: number): boolean {
    if (state === DEAD) return false;
    if (seen === end && !state.sure && state.matchKinds !== 0) return true;
    return state.more !== NEVER && units + state.more <= this.kind.unitsCap;
  }

  /** The start has all that its verdict depends on; `unit` is the last of it. */
  private judge(start: Start, unit: number): void {
    const { check, headUnits } = this.kind;
    this.work += headUnits;
    const head = this.textOf(start.at, start.seen - 1) + String.fromCharCode(unit);
    start.verdict = check?.validator(head) ?? true;
    if (!start.verdict) start.state = DEAD;
  }

  private longestValid({ at, ends, counts, verdict }: Start): number {
    const { check, headUnits } = this.kind;
    if (ends.length === 0) return 0;
    if (headUnits !== NONE || check === undefined) return verdict ? (ends[0] as number) : 0;
    const longest = this.textOf(at, ends[ends.length - 1] as number);
    let refused = NONE;
    for (let index = ends.length - 1; index >= 0; index--) {
      const units = counts[index] as number;
      if (units >= refused) continue;
      const token = longest.slice(0, units);
      this.work += units;
      if (check.validator(token)) return ends[index] as number;
      if (typeof check.looksAt === 'function') refused = check.looksAt(token);
    }
    return 0;
  }

  private textOf(from: number, to: number): string {
    const { kept, keptFrom } = this;
    const units: number[] = [];
    const end = to - keptFrom;
    for (let index = from - keptFrom; index < end; index++) {
      const unit = kept[index] as number;
      if (isPrintable(unit)) units.push(unit);
      else if (isTagLead(unit) && index + 1 < end && endsTag(kept[index + 1] as number)) index++;
      else if (!isInvisible(unit)) units.push(unit);
    }
    // One call: a string that grows unit by unit would have to be put together again to be read.
    return String.fromCharCode.apply(undefined, units);
  }

  private forget(): void {
    if (this.liveStart === NONE) this.kept.length = 0;
    else if (this.liveStart - this.keptFrom > VALIDATED_UNITS_MAX) {
      this.kept.splice(0, this.liveStart - this.keptFrom);
      this.keptFrom = this.liveStart;
    }
  }
}
