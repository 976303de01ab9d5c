/**
 * The words of a table of signals as one trie over folded units (`look-alikes.ts`): case, width, diacritics and
 * look-alike letters are the same, a digit is also the letter that it is written for, and between the words of a
 * phrase there may be any white space, hyphens, underscores, apostrophes and asterisks.
 */
import { isHigh, isLow, isSpaceUnit, isWordUnit } from './characters.ts';
import { foldedLookOf, foldPair, isMark } from './look-alikes.ts';

export interface Lexicon {
  /** `parent * UNITS + folded unit` → node. The root is node 0. */
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

export const UNITS = 0x10000;
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

/** The letter that a digit is written for. */
const WRITTEN_FOR: ReadonlyMap<number, number> = new Map(
  [...'0o1i3e4a5s7t8b'].flatMap((one, index, all) =>
    index % 2 === 0 ? [[one.charCodeAt(0), (all[index + 1] as string).charCodeAt(0)]] : [],
  ) as [number, number][],
);

/** -1 for none. */
export function childOf(lexicon: Lexicon, node: number, folded: number): number {
  const child = lexicon.children.get(node * UNITS + folded);
  if (child !== undefined) return child;
  const letter = WRITTEN_FOR.get(folded);
  if (letter === undefined) return -1;
  const other = lexicon.children.get(node * UNITS + letter);
  if (other !== undefined) return other;
  return folded === 0x31 ? (lexicon.children.get(node * UNITS + 0x6c) ?? -1) : -1;
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

const BYTES_PER_NODE = 96;

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
  const lexicon = { children, ends, prefixes, unitsMax, bytes: ends.length * BYTES_PER_NODE };
  const begins = new Uint8Array(128);
  const whole: Lexicon = { ...lexicon, begins };
  for (let unit = 0; unit < begins.length; unit++)
    if (childOf(whole, 0, foldedLookOf(unit)) !== -1) begins[unit] = 1;
  return Object.freeze(whole);
}
