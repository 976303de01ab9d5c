/**
 * How keywords read the characters that the laws try: a table written by hand from what the policy language
 * promises, so that it can be wrong only in ways of its own.
 */

/** What a character looks like, case kept; a character that is not here looks like itself. */
const LOOKS: Readonly<Record<string, string>> = {
  á: 'a',
  Á: 'A',
  ä: 'a',
  å: 'a',
  é: 'e',
  É: 'E',
  ñ: 'n',
  'ⓐ': 'a',
  'Ⓑ': 'B',
  ⁿ: 'n',
  ſ: 's',
  '\u212a': 'K',
  // Cyrillic and Greek letters that are drawn like Latin ones.
  а: 'a',
  А: 'A',
  о: 'o',
  О: 'O',
  е: 'e',
  Е: 'E',
  с: 'c',
  С: 'C',
  Β: 'B',
  '\u2010': '-',
  '\u2011': '-',
  '\u2012': '-',
  '\u2013': '-',
  '\u2212': '-',
};

/** One unit for several letters. */
const LIGATURES: Readonly<Record<string, string>> = {
  ﬀ: 'ff',
  ﬁ: 'fi',
  ﬃ: 'ffi',
  ﬆ: 'st',
  ĳ: 'ij',
  ǅ: 'Dz',
};

const BOLD_UPPER = 0x1d400;
const BOLD_LOWER = 0x1d41a;
const FULL_UPPER = 0xff21;
const FULL_LOWER = 0xff41;
const LETTERS = 26;

function lookOf(character: string): string {
  const code = character.codePointAt(0)!;
  for (const [first, letter] of [
    [BOLD_UPPER, 'A'],
    [BOLD_LOWER, 'a'],
    [FULL_UPPER, 'A'],
    [FULL_LOWER, 'a'],
  ] as const)
    if (code >= first && code < first + LETTERS)
      return String.fromCharCode(letter.charCodeAt(0) + code - first);
  return LOOKS[character] ?? character;
}

/** The mathematical bold form of an ASCII letter. */
export function bold(letter: string): string {
  const upper = letter >= 'A' && letter <= 'Z';
  const first = upper ? BOLD_UPPER : BOLD_LOWER;
  return String.fromCodePoint(first + letter.charCodeAt(0) - (upper ? 0x41 : 0x61));
}

/** The full-width form of an ASCII letter. */
export function fullWidth(letter: string): string {
  return String.fromCharCode(letter.charCodeAt(0) + 0xfee0);
}

/** A character as a keyword compares it: one letter, or several. */
export function folded(character: string, caseSensitive: boolean): readonly string[] {
  const letters = LIGATURES[character];
  if (letters !== undefined) return caseSensitive ? [...letters] : [...letters.toLowerCase()];
  // German for two, and so in capitals.
  if (!caseSensitive && (character === 'ß' || character === 'ẞ')) return ['s', 's'];
  return [foldedLetter(character, caseSensitive)];
}

function foldedLetter(character: string, caseSensitive: boolean): string {
  const look = lookOf(character);
  if (caseSensitive) return look;
  const lower = look.toLowerCase();
  return lower.length === look.length ? lookOf(lower) : look;
}

const UNSEEN = /^(?:\u00ad|[\u200b-\u200f]|\u2060|\ufe0f|\ufeff|[\u{e0000}-\u{e01ef}])$/u;
const MARKS = /^[\u0300-\u036f]$/;
const WORD = /^[\p{L}\p{N}\p{M}_]$/u;
const SPACE = /^\s$/u;

/** Seen by nobody. */
export const isUnseen = (character: string): boolean => UNSEEN.test(character);
/** A mark above or below the letter before it. */
export const isMark = (character: string): boolean => MARKS.test(character);
export const isWord = (character: string): boolean => WORD.test(character) && !isUnseen(character);
/** Where a keyword has a space, its words may be joined by this. */
export const isHyphen = (character: string): boolean => lookOf(character) === '-';
export const isSpace = (character: string): boolean => SPACE.test(character);
/** ASCII alone, as in RE2. */
export const isAsciiWord = (character: string): boolean => /^[0-9A-Za-z_]$/.test(character);

export const isHigh = (unit: string | undefined): boolean =>
  unit !== undefined && unit >= '\ud800' && unit <= '\udbff';
export const isLow = (unit: string | undefined): boolean =>
  unit !== undefined && unit >= '\udc00' && unit <= '\udfff';

/** The character at a unit: a pair where one begins there, otherwise one unit; '' behind the end. */
export function characterAt(text: string, at: number): string {
  const pair = isHigh(text[at]) && isLow(text[at + 1]);
  return text.slice(at, at + (pair ? 2 : 1));
}

/** The character that ends before a unit; '' at the beginning. */
export function characterBefore(text: string, at: number): string {
  const pair = isLow(text[at - 1]) && isHigh(text[at - 2]);
  return text.slice(Math.max(0, at - (pair ? 2 : 1)), at);
}

/** A unit stands between the two halves of a character. */
export const insidePair = (text: string, at: number): boolean =>
  isHigh(text[at - 1]) && isLow(text[at]);

/** The value of a decimal digit of the scripts that are tried, or -1. */
export function digitOf(unit: string): number {
  const code = unit.charCodeAt(0);
  for (const zero of [0x30, 0x660, 0xff10])
    if (code >= zero && code < zero + 10) return code - zero;
  return -1;
}
