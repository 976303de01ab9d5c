/**
 * The words of a table of signals as one trie over folded units (`look-alikes.ts`): case, width, diacritics and
 * look-alike letters are the same, a digit is also the letter that it is written for, and between the words of a
 * phrase there may be any white space, hyphens, underscores, apostrophes and asterisks.
 */
import { isHigh, isLow, isSpaceUnit, isWordUnit } from './characters.ts';
import { foldedLookOf, foldPair, isMark } from './look-alikes.ts';

export interface Lexicon {
  /** `node * ROW + place of the unit` → child, or 0: for the common units. The root is node 0. */
  readonly rows: Uint16Array | Uint32Array;
  /** `node * UNITS + folded unit` → child, for all others. */
  readonly children: ReadonlyMap<number, number>;
  /** Whether a unit of ASCII begins a word, once folded. */
  readonly begins: Uint8Array;
  /** Node → classes of the words that end there. */
  readonly ends: readonly (readonly number[] | undefined)[];
  /** Node → classes of the words that begin like this. */
  readonly prefixes: readonly (readonly number[] | undefined)[];
  /** Most units that a word takes in a text. */
  readonly unitsMax: number;
  readonly bytes: number;
}

const UNITS = 0x10000;
const ASCII = 0x80;
/** Signs, digits and small letters of ASCII have a place in the row of each node; no unit folds to a capital. */
const ROW = 0x40;
const placeOf = (unit: number): number => {
  if (unit >= 0x60) return unit < ASCII ? unit - 0x40 : -1;
  return unit >= 0x20 && unit < 0x40 ? unit - 0x20 : -1;
};
/** Stands for what parts the words of a phrase. */
export const SPACE = 0x20;
/** Units between two words of a phrase, at most. */
export const JOINERS_MAX = 8;
/** Marks and invisible units inside of a word or phrase, at most. */
export const SKIPPED_MAX = 64;
/** Units of a word that only has to begin like one of ours. */
export const PREFIX_UNITS_MAX = 48;

const JOINERS = new Set([...`-_'*\u2010\u2011\u2019\u02bc`].map((one) => one.charCodeAt(0)));

export const isJoiner = (unit: number): boolean => isSpaceUnit(unit) || JOINERS.has(unit);

/** Scripts without spaces: every character counts as a word, and words begin and end anywhere. */
export const isUnspaced = (unit: number): boolean =>
  unit >= 0x0e00 &&
  (unit <= 0x0eff ||
    (unit >= 0x3040 && unit <= 0x30ff) ||
    (unit >= 0x3400 && unit <= 0x9fff) ||
    (unit >= 0xf900 && unit <= 0xfaff));

/** The underscore parts words here: names in code are words, too. */
export const isLetterUnit = (unit: number): boolean => unit !== 0x5f && isWordUnit(unit);

const ZERO = 0x30;
const NINE = 0x39;
/** The letters that each digit is written for. */
const WRITTEN_FOR: readonly (readonly number[])[] = [
  'o',
  'il',
  '',
  'e',
  'a',
  's',
  '',
  't',
  'b',
  '',
].map((letters) => [...letters].map((letter) => letter.charCodeAt(0)));

/** -1 for none. */
export function childOf(lexicon: Lexicon, node: number, folded: number): number {
  const place = placeOf(folded);
  if (place === -1) return lexicon.children.get(node * UNITS + folded) ?? -1;
  const { rows } = lexicon;
  const child = rows[node * ROW + place] as number;
  if (child > 0) return child;
  if (folded < ZERO || folded > NINE) return -1;
  for (const letter of WRITTEN_FOR[folded - ZERO] as readonly number[]) {
    const other = rows[node * ROW + placeOf(letter)] as number;
    if (other > 0) return other;
  }
  return -1;
}

/** The units of a word as the trie has them. */
function foldedUnits(word: string): readonly number[] {
  const folded: number[] = [];
  for (let index = 0; index < word.length; index++) {
    const unit = word.charCodeAt(index);
    if (isMark(unit)) continue;
    // A line end alone is a sign like any other.
    if (word === '\n') return [unit];
    if (isHigh(unit) && isLow(word.charCodeAt(index + 1)))
      folded.push(foldPair(foldedLookOf, unit, word.charCodeAt(++index)));
    else if (!isJoiner(unit)) folded.push(foldedLookOf(unit));
    else if (folded.at(-1) !== SPACE) folded.push(SPACE);
  }
  return folded;
}

/** Beside its row. */
const BYTES_PER_NODE = 64;

export function buildLexicon(
  entries: readonly { readonly word: string; readonly class: number }[],
): Lexicon {
  const children = new Map<number, number>();
  const ends: (number[] | undefined)[] = [undefined];
  const prefixes: (number[] | undefined)[] = [undefined];
  let unitsMax = 0;
  for (const { word, class: id } of entries) {
    const open = word.endsWith('*') && word.length > 1 && isLetterUnit(word.charCodeAt(0));
    const units = foldedUnits(open ? word.slice(0, -1) : word);
    let node = 0;
    let length = SKIPPED_MAX + (open ? PREFIX_UNITS_MAX : 0);
    for (const unit of units) {
      length += unit === SPACE ? JOINERS_MAX : 1;
      const key = node * UNITS + unit;
      let child = children.get(key);
      if (child === undefined) {
        child = ends.length;
        children.set(key, child);
        ends.push(undefined);
        prefixes.push(undefined);
      }
      node = child;
    }
    unitsMax = Math.max(unitsMax, length);
    const at = open ? prefixes : ends;
    const classes = at[node] ?? [];
    if (!classes.includes(id)) classes.push(id);
    at[node] = classes;
  }
  const rows = new (ends.length < UNITS ? Uint16Array : Uint32Array)(ends.length * ROW);
  for (const [key, child] of children) {
    const unit = key % UNITS;
    const place = placeOf(unit);
    if (place !== -1) rows[((key - unit) / UNITS) * ROW + place] = child;
  }
  const bytes = rows.byteLength + ends.length * BYTES_PER_NODE;
  const lexicon = { rows, children, ends, prefixes, unitsMax, bytes };
  const begins = new Uint8Array(ASCII);
  const whole: Lexicon = { ...lexicon, begins };
  for (let unit = 0; unit < begins.length; unit++)
    if (childOf(whole, 0, foldedLookOf(unit)) !== -1) begins[unit] = 1;
  return Object.freeze(whole);
}
