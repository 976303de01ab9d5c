/**
 * What the matchers need to know about single UTF-16 units: whether they are part of a word, how they fold,
 * whether they are white space, and what they are as decimal digits. Built once from the Unicode data of
 * the runtime (about 20 ms, 260 KiB).
 */

const UNITS = 0x10000;
const WORD = /^[\p{L}\p{N}\p{M}_]$/u;
const LETTER = /^[\p{L}\p{M}]$/u;
const DIGIT = /^\p{Nd}$/u;

const IS_WORD = 1;
const IS_LETTER = 2;
const IS_INVISIBLE = 4;

export const isHigh = (unit: number): boolean => (unit & 0xfc00) === 0xd800;
export const isLow = (unit: number): boolean => (unit & 0xfc00) === 0xdc00;

function foldOne(character: string): string {
  const folded = character.toUpperCase();
  const lowered = (folded.length === 1 ? folded : character).toLowerCase();
  return lowered.length === 1 ? lowered : character;
}

/**
 * Units that are not seen: controls that are no white space, soft hyphen, joiners, fillers, marks of direction,
 * selectors of variants, marks of annotations.
 */
const INVISIBLE = new Set([0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x3164, 0xfeff, 0xffa0]);
for (const [first, last] of [
  [0x00, 0x08],
  [0x0e, 0x1f],
  [0x7f, 0x84],
  [0x86, 0x9f],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0xfe00, 0xfe0f],
  [0xfff0, 0xfffb],
] as const)
  for (let unit = first; unit <= last; unit++) INVISIBLE.add(unit);

export const invisibleUnits: readonly number[] = [...INVISIBLE].sort((a, b) => a - b);

const flags = new Uint8Array(UNITS);
const folds = new Uint16Array(UNITS);
const digits = new Int8Array(UNITS).fill(-1);
for (let unit = 0; unit < UNITS; unit++) {
  folds[unit] = unit;
  if (isHigh(unit) || isLow(unit)) continue;
  const character = String.fromCharCode(unit);
  if (INVISIBLE.has(unit)) flags[unit] = IS_INVISIBLE;
  const word = WORD.test(character);
  if (!word) continue;
  if (flags[unit] === 0) flags[unit] = IS_WORD;
  if (unit > 0x7f && LETTER.test(character)) flags[unit] = (flags[unit] as number) | IS_LETTER;
  folds[unit] = foldOne(character).charCodeAt(0);
  // Unicode lays decimal digits out in runs of ten, zero first, so the one before a digit is one less.
  if (DIGIT.test(character)) digits[unit] = unit === 0x30 ? 0 : ((digits[unit - 1] ?? -1) + 1) % 10;
}

export const isInvisible = (unit: number): boolean =>
  ((flags[unit] as number) & IS_INVISIBLE) !== 0;

/** The same without the controls: those part the records of some data. */
export const isUnseenFormat = (unit: number): boolean => unit > 0x9f && isInvisible(unit);

/** Letters, numbers, marks and the underscore, if they are seen. A lone surrogate is none of them. */
export const isWordUnit = (unit: number): boolean => ((flags[unit] as number) & IS_WORD) !== 0;

/** The same for a character outside the basic plane, given its two units. */
export const isWordPair = (high: number, low: number): boolean =>
  WORD.test(String.fromCharCode(high, low));

const HALVES = 0x400;
const FIRST_HIGH = 0xd800;
const FIRST_LOW = 0xdc00;
/** By high unit: 1 if some character that begins with it is part of a word, -1 if none is, 0 until asked. */
const beginsWord = new Int8Array(HALVES);

/** Whether a high unit may be the first half of a character that is part of a word. */
export function mayBeginWordPair(high: number): boolean {
  const index = high - FIRST_HIGH;
  if (beginsWord[index] === 0) {
    let low = FIRST_LOW;
    while (low < FIRST_LOW + HALVES && !isWordPair(high, low)) low++;
    beginsWord[index] = low < FIRST_LOW + HALVES ? 1 : -1;
  }
  return beginsWord[index] === 1;
}

/** Letters and marks beyond ASCII, inside the basic plane. */
export const isForeignLetter = (unit: number): boolean =>
  ((flags[unit] as number) & IS_LETTER) !== 0;

export const isAsciiLetter = (unit: number): boolean =>
  (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a);

export const isAsciiDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39;

/**
 * Case folding of one unit to one unit: upper case, then lower case, wherever both stay one unit long. So
 * `K`, `k` and the Kelvin sign meet, as do `S`, `s` and `ſ`, `Σ`, `σ` and `ς`, and also `I`, `i` and `ı`.
 * What would grow (`ß` to `SS`, `İ`) keeps its unit here (`look-alikes.ts` knows the letters of `ß`), and letters
 * outside the basic plane do not fold.
 */
export const foldUnit = (unit: number): number => folds[unit] as number;

/** The value of a decimal digit of any script in the basic plane, or -1. */
export const digitOf = (unit: number): number => digits[unit] as number;

/** White space as ECMAScript has it: spaces of all widths, tabs, line ends, the no-break spaces. */
export function isSpaceUnit(unit: number): boolean {
  if (unit < 0x80) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  return (
    unit === 0xa0 ||
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000 ||
    unit === 0xfeff
  );
}
