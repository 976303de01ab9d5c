/** Runs the trackers of many rules over one text, and knows up to where all of them have made up their minds. */
import type { Consumption, Detector, Match, MatchSink, TextContext, Tracker } from './detector.ts';
import {
  planOf,
  type ScannedRule,
  type ScanPlan,
  type SharedPart,
  trackerOf,
  trackersAlone,
} from './scan-plan.ts';
import type { History } from './text-history.ts';
import { unitsTarget } from './text-units.ts';
import { automatonFor } from './union-cache.ts';
import { type UnionHost, UnionRun } from './union-run.ts';

export type { ScannedRule } from './scan-plan.ts';

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

/** The units of the piece: reading a string unit by unit is slow, and every lane would do it again. */
const { units: piece, fill: fillPiece } = unitsTarget(PIECE_UNITS);

/** A tracker that reads every unit. */
interface Lane {
  /** Place of its rule in `rules`. */
  readonly order: number;
  readonly tracker: Tracker;
}

interface Undelivered {
  readonly reported: Match;
  readonly order: number;
  readonly decidedAt: number;
}

const byDecision = (a: Undelivered, b: Undelivered): number =>
  a.decidedAt - b.decidedAt || a.reported.start - b.reported.start || a.order - b.order;

/** Part by part and not spread: where matches are dense, spreading was a third of the time. */
function scanned(
  { start, end, label, score, signals }: Match,
  rule: number,
  decidedAt: number,
): ScannedMatch {
  const match: ScannedMatch = { start, end, label, rule, decidedAt };
  if (score === undefined || signals === undefined) return match;
  return { ...match, score, signals };
}

/** The lane whose turn it is: one sink does for all of them, in all texts, as none reports out of its turn. */
let turnOf: TextScanner | undefined;
let turnOrder = 0;
const report: MatchSink = (match) => turnOf?.found(match, turnOrder);

const NO_LANES: readonly Lane[] = Object.freeze([]);

/**
 * Positions are UTF-16 units from the start of the text. How the text is cut into pushes changes nothing:
 * not the matches, not `decidedAt`, not `overflow`, and not `safe` after so many units.
 */
export class TextScanner implements UnionHost, Consumption {
  private readonly plan: ScanPlan;
  /** Rules that have no part in the automaton. */
  private readonly lanes: readonly Lane[];
  private readonly union: UnionRun | undefined;
  private readonly liveUnitsMax: number;
  private undelivered: Undelivered[] | undefined;
  private units = 0;
  /** Units that the tracker whose turn it is has consumed. */
  private consumed = 0;
  private settled = 0;
  private overflowed = false;
  private ended = false;

  /**
   * `rules`: a list that does not change; texts that are given the same one share what follows from it.
   * `contextOf`: what the rule at a place of the list must know of this text, should it weigh; others need nothing.
   */
  constructor(
    rules: readonly ScannedRule[],
    limits: ScannerLimits = { liveUnitsMax: LIVE_UNITS_MAX },
    contextOf?: (rule: number) => TextContext,
  ) {
    const plan = planOf(rules);
    this.plan = plan;
    this.lanes =
      plan.alone.length === 0
        ? NO_LANES
        : plan.alone.flatMap((order) =>
            trackersAlone(rules[order] as ScannedRule, contextOf?.(order)).map((tracker) => ({
              order,
              tracker,
            })),
          );
    if (plan.parts.length > 0) this.union = new UnionRun(automatonFor(plan.parts), this);
    this.liveUnitsMax = limits.liveUnitsMax;
  }

  /** For the run of the automaton, like the two after it. */
  start(part: number, history: History): Tracker {
    return trackerOf(this.plan, part, history);
  }

  sink(part: number): MatchSink {
    const { order } = this.plan.shared[part] as SharedPart;
    return (match) => this.found(match, order);
  }

  consume(units: number): void {
    this.consumed = units;
  }

  /** Units pushed so far, also those that came after an overflow. */
  get length(): number {
    return this.units;
  }

  /** Every match that starts before this is decided and was reported. Stands still after an overflow. */
  get safe(): number {
    return this.settled;
  }

  /** What holds `safe` back: each rule with something live, and where its earliest live match begins. */
  live(): readonly { readonly rule: number; readonly start: number }[] {
    if (this.ended || this.overflowed) return [];
    const starts = new Map<number, number>();
    const add = (order: number, start: number): void => {
      if (start === NOTHING_LIVE) return;
      starts.set(order, Math.min(start, starts.get(order) ?? NOTHING_LIVE));
    };
    for (const [part, start] of this.union?.live(this.units) ?? [])
      add((this.plan.shared[part] as SharedPart).order, start);
    for (const { tracker, order } of this.lanes) add(order, tracker.liveStart);
    return [...starts]
      .map(([order, start]) => ({ rule: (this.plan.rules[order] as ScannedRule).rule, start }))
      .sort((a, b) => a.start - b.start || a.rule - b.rule);
  }

  /** More than `liveUnitsMax` units waited. Nothing was or will be judged from `safe` on. */
  get overflow(): boolean {
    return this.overflowed;
  }

  /** What the text has come to for those rules that weigh, as evidence. */
  evidence(): readonly { readonly rule: number; readonly evidence: number }[] {
    return this.lanes.flatMap(({ tracker: { evidence }, order }) =>
      evidence === undefined
        ? []
        : [{ rule: (this.plan.rules[order] as ScannedRule).rule, evidence }],
    );
  }

  /** Throws Error after `end`. */
  push(text: string): void {
    if (this.ended) throw new Error('the text has ended');
    for (let at = 0; at < text.length && !this.overflowed; ) {
      const first = this.units + at;
      // No farther than to where too much would wait if nothing were decided: so no overflow is missed.
      const most = this.settled + this.liveUnitsMax + 1 - first;
      const to = Math.min(text.length, at + PIECE_UNITS, at + most);
      this.take(text, at, to, first);
      at = to;
    }
    this.units += text.length;
  }

  /** The text is complete: decides all that is live, unless it overflowed. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.overflowed) return;
    this.consumed = this.units;
    this.union?.end(this.units);
    for (const { tracker, order } of this.lanes) {
      this.takeTurn(order);
      tracker.end(this.units, report);
    }
    this.settled = this.units;
  }

  /** Hands over what was decided since the last call: by `decidedAt`, then start, then rule. */
  takeMatches(): ScannedMatch[] {
    if (this.undelivered === undefined) return [];
    const found = this.undelivered.sort(byDecision);
    this.undelivered = undefined;
    return found.map(({ reported, order, decidedAt }) =>
      scanned(reported, (this.plan.rules[order] as ScannedRule).rule, decidedAt),
    );
  }

  /** What a tracker of the rule at `order` reports. */
  found(reported: Match, order: number): void {
    const match = { reported, order, decidedAt: this.consumed };
    if (this.undelivered === undefined) this.undelivered = [match];
    else this.undelivered.push(match);
  }

  private takeTurn(order: number): void {
    turnOf = this;
    turnOrder = order;
  }

  private take(text: string, from: number, to: number, first: number): void {
    const count = to - from;
    const known = this.undelivered?.length ?? 0;
    const units = first + count;
    fillPiece(text, from, to);
    let live = this.union?.take(piece, count, first) ?? NOTHING_LIVE;
    for (const { tracker, order } of this.lanes) {
      this.takeTurn(order);
      if (tracker.read !== undefined) tracker.read(piece, 0, count, first, report, this);
      else this.stepThrough(tracker, count, first);
      live = Math.min(live, tracker.liveStart);
    }
    const safe = Math.min(live, units);
    if (units - safe > this.liveUnitsMax) {
      this.overflowed = true;
      this.undelivered = this.undelivered?.filter(
        (match, place) => place < known || match.decidedAt < units,
      );
      return;
    }
    this.settled = safe;
  }

  private stepThrough(tracker: Tracker, count: number, first: number): void {
    for (let index = 0; index < count; index++) {
      if (tracker.skip !== undefined && tracker.liveStart === NOTHING_LIVE) {
        index = tracker.skip(piece, index, count);
        if (index === count) return;
      }
      this.consumed = first + index + 1;
      tracker.step(piece[index] as number, first + index, report);
    }
  }
}

/** Whether a detector of many partitions finds anything in one whole text. */
export function findsIn(detector: Detector, text: string): boolean {
  const scanner = new TextScanner([{ rule: 0, detector }]);
  scanner.push(text);
  scanner.end();
  return scanner.takeMatches().length > 0;
}
