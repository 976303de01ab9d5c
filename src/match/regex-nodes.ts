/** What an expression is made of for the matcher: units by kind, what stands between them, and nodes. */
import { isHigh, isLow } from './characters.ts';

/** What stands on one side of a position: nothing (the text's edge), or a unit of one of these kinds. */
export const EDGE = 0;
export const OTHER = 1;
export const WORD = 2;
export const NEWLINE = 3;
export const HIGH = 4;
export const LOW = 5;
export const KINDS = 6;

const unitKinds = new Uint8Array(0x10000).fill(OTHER);
for (let unit = 0; unit < unitKinds.length; unit++) {
  const character = String.fromCharCode(unit);
  if (isHigh(unit)) unitKinds[unit] = HIGH;
  else if (isLow(unit)) unitKinds[unit] = LOW;
  else if (character === '\n') unitKinds[unit] = NEWLINE;
  // Word boundaries are ASCII in RE2.
  else if (unit < 0x80 && /\w/.test(character)) unitKinds[unit] = WORD;
}

export const kindOf = (unit: number): number => unitKinds[unit] as number;

/** What an assertion demands; a bit mask, all of which must hold. The first six are re2js's own bits. */
const LINE_START = 1;
const LINE_END = 2;
export const TEXT_START = 4;
export const TEXT_END = 8;
export const BOUNDARY = 16;
export const NO_BOUNDARY = 32;
export const NOT_BEFORE_LOW = 64;
export const NOT_AFTER_HIGH = 128;

/** Whether all of `mask` holds between a unit of kind `before` and one of kind `after`. */
export function holds(mask: number, before: number, after: number): boolean {
  const boundary = (before === WORD) !== (after === WORD);
  return !(
    ((mask & LINE_START) !== 0 && before !== EDGE && before !== NEWLINE) ||
    ((mask & LINE_END) !== 0 && after !== EDGE && after !== NEWLINE) ||
    ((mask & TEXT_START) !== 0 && before !== EDGE) ||
    ((mask & TEXT_END) !== 0 && after !== EDGE) ||
    ((mask & BOUNDARY) !== 0 && !boundary) ||
    ((mask & NO_BOUNDARY) !== 0 && boundary) ||
    ((mask & NOT_BEFORE_LOW) !== 0 && after === LOW) ||
    ((mask & NOT_AFTER_HIGH) !== 0 && before === HIGH)
  );
}

export type Node =
  /** Consumes one unit of `ranges` (pairs of first and last, ascending); `kinds` = which kinds those are, as bits. */
  | {
      readonly op: 'unit';
      readonly ranges: readonly number[];
      readonly kinds: number;
      readonly out: number;
    }
  | { readonly op: 'split'; readonly outs: readonly number[] }
  | { readonly op: 'assert'; readonly mask: number; readonly out: number }
  /** `tag`: what ends here, where an automaton is made of several. */
  | { readonly op: 'match'; readonly tag?: number }
  | { readonly op: 'fail' };

export interface Automaton {
  readonly nodes: readonly Node[];
  readonly start: number;
}

/** Most nodes of one rule's automaton. */
export const NODES_MAX = 20_000;

/** Nothing comes through it. */
export const FAIL: Node = Object.freeze({ op: 'fail' });
