/**
 * The seam between rules and the matcher. A Detector is compiled once and frozen; a Tracker is one
 * detector's small state in one text. Positions are UTF-16 units from the start of that text.
 */

import type { ClassifierQuestion } from './classifier.ts';
import type { SignalSeen } from './signal-score.ts';
import type { Trust } from './signals.ts';
import type { SubjectJudge } from './subject.ts';
import type { History } from './text-history.ts';
import type { UnionPart } from './union-part.ts';

export interface Match {
  /** First unit covered. */
  readonly start: number;
  /** One past the last unit covered; `end > start`. */
  readonly end: number;
  /** What was found, for placeholders and records: `KEYWORD`, `REGEX`, `EMAIL`, `CREDIT_CARD`. Never the text. */
  readonly label: string;
  /** Of a detector that weighs: 0..1, up to this match. */
  readonly score?: number;
  /** What that score is made of. */
  readonly signals?: readonly SignalSeen[];
}

/** What a detector that weighs must know of a text besides its words. */
export interface TextContext {
  readonly trust: Trust;
  /** Evidence (`-ln(1 - score)`) that its session brings along. */
  readonly carried: number;
}

/** Receives the matches of a tracker's own greedy partition (SEMANTICS §1), each once, in order of start. */
export type MatchSink = (match: Match) => void;

/** Is told how far a tracker that reads many units has come. */
export interface Consumption {
  /** So many units are consumed as of what is reported next. */
  consume(units: number): void;
}

export interface Tracker {
  /** Consumes the unit at position `at`; positions are consecutive from 0. Reports what this decides. */
  step(unit: number, at: number, sink: MatchSink): void;
  /**
   * Only while nothing is live: consumes those of `units[from,to)` that come before the first that might start
   * something, and returns the index of that one, or `to`. The same as a `step` for each, only quicker.
   */
  skip?(units: Uint16Array, from: number, to: number): number;
  /**
   * The same as a `step` for each of `units[from,to)`, of which the first stands at position `at`, only
   * quicker. Tells `told` before it reports.
   */
  read?(
    units: Uint16Array,
    from: number,
    to: number,
    at: number,
    sink: MatchSink,
    told: Consumption,
  ): void;
  /**
   * The same for `units[from,least)`, and what follows up to the first unit behind which nothing is live; returns the
   * index behind it, or `to`.
   */
  readLive?(
    units: Uint16Array,
    from: number,
    least: number,
    to: number,
    at: number,
    sink: MatchSink,
    told: Consumption,
  ): number;
  /**
   * Only while nothing is live: lets the next `step` be at any position. `before` is the unit that stands
   * there before it and `earlier` the one before that; -1 for none.
   */
  resume?(before: number, earlier: number): void;
  /** The text ends before position `at`: reports what is still undecided. Nothing may follow. */
  end(at: number, sink: MatchSink): void;
  /**
   * Smallest start that could still belong to a match given some continuation; every match with a
   * smaller start was reported. `Infinity` when nothing is live. Exact, not an estimate.
   */
  readonly liveStart: number;
  /** Of a detector that weighs: the most that the text has come to so far, as evidence. */
  readonly evidence?: number;
}

/** One partition of a rule, which shares an automaton with others. */
export interface Partition {
  readonly part: UnionPart;
  /** Estimated bytes of its tables, which are there once for all rules that it is part of. */
  readonly bytes: number;
  /** Its tracker, one with `resume`, which the automaton calls where a match ends; `history` is of that text. */
  start(history?: History): Tracker;
}

export interface Detector {
  readonly kind:
    | 'keywords'
    | 'regex'
    | 'pii'
    | 'secrets'
    | 'invisible'
    | 'injection'
    | 'topic'
    | 'tool'
    | 'baseline'
    | 'classifier'
    | 'json'
    | 'any'
    | 'all';
  /** Every label that its matches can bear. */
  readonly labels: readonly string[];
  /** Of one that finds a topic: its name, as authors write it. */
  readonly topic?: string;
  /** Of one that weighs over a session: what is brought along loses half in so long. */
  readonly session?: { readonly halfLifeMs: number };
  /** Longest possible match in units, or undefined when unbounded (refused on a streamed direction). */
  readonly unitsMax?: number;
  /**
   * If the rule can share one automaton with others, which call its only tracker, one with `resume`, where
   * a match ends. Without it its trackers read every unit.
   */
  readonly part?: UnionPart;
  /** The same for a rule of many partitions, in the order of `start`. */
  readonly partitions?: readonly Partition[];
  /** Trackers that it has beside `partitions`, which read every unit. */
  lanes?(): readonly Tracker[];
  /** Judges tools and bodies as wholes, beside what its trackers find in texts. */
  readonly judge?: SubjectJudge;
  /** Asks a classifier outside of this process, and reads nothing itself. */
  readonly classifier?: ClassifierQuestion;
  /** Estimated bytes of its tables but those of `partitions`, for `matcherBytesMax`. */
  readonly bytes: number;
  /**
   * The trackers that run for this detector in one text (one per partition: a `pii` of two entities has two).
   * Without a context: a user's text, and no session.
   */
  start(context?: TextContext): readonly Tracker[];
  /** Whether `text` alone contains a match: for replacements that would trip a rule. */
  matches(text: string): boolean;
}

/** Whether any of its trackers reads texts; otherwise it is there for its judge, or to ask a classifier. */
export function readsTexts({ classifier, judge, part, partitions, start }: Detector): boolean {
  if (classifier !== undefined) return false;
  return (
    judge === undefined || part !== undefined || partitions !== undefined || start().length > 0
  );
}
