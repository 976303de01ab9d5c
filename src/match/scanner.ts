/** Runs the trackers of many rules over one text, and knows up to where all of them have made up their minds. */
import type { Detector, Match, MatchSink, Tracker } from './detector.ts';
import { SafeHistory } from './safe-history.ts';

export interface ScannedRule {
  /** What the caller calls the rule; comes back in its matches. */
  readonly rule: number;
  readonly detector: Detector;
}

export interface ScannedMatch extends Match {
  readonly rule: number;
  /** Units consumed when it was decided. */
  readonly decidedAt: number;
}

export interface ScannerLimits {
  /** Most units that may wait for a decision. One more, and the scanner stops with `overflow`. */
  readonly liveUnitsMax: number;
}

export const LIVE_UNITS_MAX = 65_536;

/** Units taken by one tracker before the next one has its turn. */
const PIECE_UNITS = 1_024;

const NOTHING_LIVE = Number.POSITIVE_INFINITY;

/** Scratch of the synchronous `take`; nothing in it outlives a call. */
const lives = new Float64Array(PIECE_UNITS);
/** The units of the piece: reading a string unit by unit is slow, and every lane would do it again. */
const piece = new Uint16Array(PIECE_UNITS);

interface Lane {
  readonly rule: number;
  readonly tracker: Tracker;
  readonly order: number;
  readonly sink: MatchSink;
}

interface Undelivered extends ScannedMatch {
  readonly order: number;
}

const byDecision = (a: Undelivered, b: Undelivered): number =>
  a.decidedAt - b.decidedAt || a.start - b.start || a.order - b.order;

/**
 * Positions are UTF-16 units from the start of the text. How the text is cut into pushes changes nothing:
 * not the matches, not `decidedAt`, not `safeAfter`, not `overflow`.
 */
export class TextScanner {
  private readonly lanes: readonly Lane[];
  private readonly liveUnitsMax: number;
  private readonly history = new SafeHistory();
  private found: Undelivered[] = [];
  private units = 0;
  /** Units that the lane whose turn it is has consumed. */
  private consumed = 0;
  private settled = 0;
  private overflowed = false;
  private ended = false;

  constructor(
    rules: readonly ScannedRule[],
    limits: ScannerLimits = { liveUnitsMax: LIVE_UNITS_MAX },
  ) {
    this.lanes = rules
      .flatMap(({ rule, detector }) => detector.start().map((tracker) => ({ rule, tracker })))
      .map(({ rule, tracker }, order) => ({
        rule,
        tracker,
        order,
        sink: ({ start, end, label }) =>
          this.found.push({ rule, order, decidedAt: this.consumed, start, end, label }),
      }));
    this.liveUnitsMax = limits.liveUnitsMax;
  }

  /** Units pushed so far, also those that came after an overflow. */
  get length(): number {
    return this.units;
  }

  /** Every match that starts before this is decided and was reported. Stands still after an overflow. */
  get safe(): number {
    return this.settled;
  }

  /** More than `liveUnitsMax` units waited. Nothing was or will be judged from `safe` on. */
  get overflow(): boolean {
    return this.overflowed;
  }

  /** Throws Error after `end`. */
  push(text: string): void {
    if (this.ended) throw new Error('the text has ended');
    for (let at = 0; at < text.length && !this.overflowed; at += PIECE_UNITS)
      this.take(text, at, Math.min(text.length, at + PIECE_UNITS), this.units);
    this.units += text.length;
  }

  /** The text is complete: decides all that is live, unless it overflowed. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.overflowed) return;
    this.consumed = this.units;
    for (const { tracker, sink } of this.lanes) tracker.end(this.units, sink);
    this.settled = this.units;
  }

  /** Hands over what was decided since the last call: by `decidedAt`, then start, then rule. */
  takeMatches(): ScannedMatch[] {
    if (this.found.length === 0) return [];
    const found = this.found.sort(byDecision);
    this.found = [];
    return found.map(({ rule, start, end, label, decidedAt }) => ({
      rule,
      start,
      end,
      label,
      decidedAt,
    }));
  }

  /**
   * The value `safe` had when exactly `units` units were consumed. Throws RangeError below what was
   * forgotten, above `length`, and beyond an overflow.
   */
  safeAfter(units: number): number {
    return this.history.at(units);
  }

  /** Promises that `safeAfter` is not asked below `units` again. */
  forget(units: number): void {
    this.history.forget(units);
  }

  private take(text: string, from: number, to: number, base: number): void {
    const count = to - from;
    const first = base + from;
    const known = this.found.length;
    lives.fill(NOTHING_LIVE, 0, count);
    for (let index = 0; index < count; index++) piece[index] = text.charCodeAt(from + index);
    for (const { tracker, sink } of this.lanes) {
      for (let index = 0; index < count; index++) {
        if (tracker.skip !== undefined && tracker.liveStart === NOTHING_LIVE) {
          index = tracker.skip(piece, index, count);
          if (index === count) break;
        }
        this.consumed = first + index + 1;
        tracker.step(piece[index] as number, first + index, sink);
        const live = tracker.liveStart;
        if (live < (lives[index] as number)) lives[index] = live;
      }
    }
    for (let index = 0; index < count; index++) {
      if (lives[index] === NOTHING_LIVE) {
        while (index + 1 < count && lives[index + 1] === NOTHING_LIVE) index++;
        this.settled = first + index + 1;
        this.history.rise(this.settled);
        continue;
      }
      const units = first + index + 1;
      const safe = Math.min(lives[index] as number, units);
      if (units - safe > this.liveUnitsMax) {
        this.overflowed = true;
        this.found = this.found.filter((match, place) => place < known || match.decidedAt < units);
        return;
      }
      this.settled = safe;
      this.history.add(units, safe);
    }
  }
}
