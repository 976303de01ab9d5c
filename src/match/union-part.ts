/**
 * What one rule contributes to the automaton of all rules: its threads, one step at a time. It may always
 * call for the rule's own tracker, which is exact; so it only has to be right about what needs no tracker.
 */
import { isHigh, isLow, isWordUnit } from './characters.ts';
import { endsTag, isTagLead } from './invisible-pairs.ts';
import { EDGE, HIGH, kindOf, LOW, NEWLINE, OTHER, WORD } from './regex-nodes.ts';

/** What stands before the next unit; finer than a regex's kinds, since keywords have words in all scripts. */
export const AT_EDGE = 0;
const AFTER_OTHER = 1;
const AFTER_LETTER = 2;
const AFTER_ASCII_WORD = 3;
const AFTER_NEWLINE = 4;
const AFTER_HIGH = 5;
const AFTER_LONE_LOW = 6;
/** A character of two units, of which only both together say whether it is part of a word. */
export const AFTER_PAIR = 7;
const AFTER_TAG_LEAD = 8;
/** A character of two units that is not seen, and so no part of a word. */
const AFTER_TAG = 9;
export const CONTEXTS = 10;

const KIND_OF_CONTEXT = [EDGE, OTHER, OTHER, WORD, NEWLINE, HIGH, LOW, LOW, HIGH, LOW];

export const kindBefore = (context: number): number => KIND_OF_CONTEXT[context] as number;

export const isAfterHigh = (context: number): boolean =>
  context === AFTER_HIGH || context === AFTER_TAG_LEAD;

/** Not for AFTER_PAIR. */
export const isAfterWord = (context: number): boolean =>
  context === AFTER_LETTER || context === AFTER_ASCII_WORD;

export function contextAfter(context: number, unit: number): number {
  if (isHigh(unit)) return isTagLead(unit) ? AFTER_TAG_LEAD : AFTER_HIGH;
  if (isLow(unit)) {
    if (context === AFTER_TAG_LEAD) return endsTag(unit) ? AFTER_TAG : AFTER_PAIR;
    return context === AFTER_HIGH ? AFTER_PAIR : AFTER_LONE_LOW;
  }
  const kind = kindOf(unit);
  if (kind === NEWLINE) return AFTER_NEWLINE;
  if (kind === WORD) return AFTER_ASCII_WORD;
  return isWordUnit(unit) ? AFTER_LETTER : AFTER_OTHER;
}

/** Receives what a thread becomes. */
export interface PartSink {
  /** It goes on in `place`, and may still become a match. */
  go(place: number): void;
  /** A match ends here or before, or only the tracker can tell: the tracker must read from the thread's start. */
  call(): void;
}

export interface UnionPart {
  /** Nodes of its own automaton: what the room that it may take in that of all rules is reckoned by. */
  readonly nodes: number;
  /** If its tracker looks at what stands before a match: how far back one may begin when it does. */
  readonly lookBackUnits?: number;
  /** Sets of units (pairs of first and last, ascending) that it tells from all others. */
  readonly unitSets: readonly (readonly number[])[];
  /** What a thread that is in `place`, behind `context`, becomes with `unit`. */
  step(place: number, context: number, unit: number, sink: PartSink): void;
  /** What a thread that begins with `unit` becomes. */
  begin(context: number, unit: number, sink: PartSink): void;
  /** Units that a thread in `place` may have behind it before the tracker must take over. */
  agedUnitsMax(place: number, context: number): number;
}
