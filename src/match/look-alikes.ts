/**
 * Which units a keyword takes for one another. Compatibility forms (full width, circled, superscript) and
 * letters with diacritics go to their base by Unicode's own decomposition (UAX 15, NFKD), and a few letters of
 * other scripts to the Latin letter that they are drawn like, where upper and lower case both are: so a word
 * of another script keeps its own upper and lower case together. Ligatures and digraphs stand for their letters, and
 * where case does not count `ß` for two. Built once, some 10 ms and 400 KiB.
 */
import { foldUnit, isHigh, isLow, isSpaceUnit } from './characters.ts';

const UNITS = 0x10000;

/** Drawn alike in upper and in lower case. */
const DRAWN_ALIKE: readonly (readonly [others: string, latin: string])[] = [
  ['аАαΑɑⱭ', 'aA'],
  ['βΒ', 'bB'],
  ['сСϲϹ', 'cC'],
  ['еЕεΕ', 'eE'],
  ['ɡꞬ', 'gG'],
  ['һҺ', 'hH'],
  ['іІιΙӏӀ', 'iI'],
  ['јЈϳͿ', 'jJ'],
  ['κΚ', 'kK'],
  ['оОοΟօՕ', 'oO'],
  ['рРρΡ', 'pP'],
  ['ԛԚ', 'qQ'],
  ['ѕЅ', 'sS'],
  ['τΤ', 'tT'],
  ['ѵѴ', 'vV'],
  ['ԝԜ', 'wW'],
  ['хХχΧ', 'xX'],
  ['уУ', 'yY'],
  ['ζΖ', 'zZ'],
  // Hyphen, no-break hyphen, figure and en dash, minus: what people and models write for a hyphen.
  ['\u2010\u2010\u2011\u2011\u2012\u2012\u2013\u2013\u2212\u2212', '--'],
  // Apostrophes and quotes as keyboards, word processors and models write them.
  ['\u2018\u2018\u2019\u2019\u201b\u201b\u02bc\u02bc\u2032\u2032\u00b4\u00b4', "''"],
  ['\u201c\u201c\u201d\u201d\u201e\u201e\u201f\u201f', '""'],
];

/** Marks that change how a letter looks, but not which one it is; those of other scripts may be vowels. */
const MARKS = [0x300, 0x36f, 0x1ab0, 0x1aff, 0x1dc0, 0x1dff, 0x20d0, 0x20ff, 0xfe20, 0xfe2f];
const MARK = /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]/gu;

/** Where decompositions of one character to one other are; not Hangul, whose syllables become several. */
const DECOMPOSED = [0xa1, 0x2fff, 0xf900, 0xffef];

const looks = new Uint16Array(UNITS);
for (let unit = 0; unit < UNITS; unit++) looks[unit] = unit;

const baseOf = (character: string): string => {
  const base = character.normalize('NFKD').replace(MARK, '');
  return base.length === 1 && !isSpaceUnit(base.charCodeAt(0)) ? base : character;
};

for (let range = 0; range < DECOMPOSED.length; range += 2)
  for (let unit = DECOMPOSED[range] as number; unit <= (DECOMPOSED[range + 1] as number); unit++) {
    if (isSpaceUnit(unit) || isMark(unit)) continue;
    looks[unit] = baseOf(String.fromCharCode(unit)).charCodeAt(0);
  }
const latin = new Map<number, number>();
for (const [others, [lower, upper]] of DRAWN_ALIKE as [string, string][])
  for (let index = 0; index < others.length; index++)
    latin.set(
      others.charCodeAt(index),
      ((index % 2 === 0 ? lower : upper) as string).charCodeAt(0),
    );
for (let unit = 0; unit < UNITS; unit++)
  looks[unit] = latin.get(looks[unit] as number) ?? (looks[unit] as number);

const folds = new Uint16Array(UNITS);
for (let unit = 0; unit < UNITS; unit++)
  folds[unit] = foldUnit(looks[foldUnit(looks[unit] as number)] as number);

export type Fold = (unit: number) => number;

/** What a unit looks like; upper and lower case stay two. */
export const lookOf: Fold = (unit) => looks[unit] as number;

/** What a unit looks like in lower case. */
export const foldedLookOf: Fold = (unit) => folds[unit] as number;

/** Letters that are drawn as one: U+FB00 to U+FB06, and digraphs of Latin alphabets. */
const LIGATURES = 'ﬀﬁﬂﬃﬄﬅﬆĳĲǄǅǆǇǈǉǊǋǌǱǲǳ';
/** What folding makes longer (CaseFolding.txt, status F), where no mark is in it. */
const SHARP_S = 'ßẞ';

const spellings = new Map<Fold, Map<number, readonly number[]>>();
for (const fold of [lookOf, foldedLookOf]) {
  const letters = new Map<number, readonly number[]>();
  const add = (character: string, spelled: string): void => {
    const units = Array.from(spelled, (letter) => fold(letter.charCodeAt(0)));
    letters.set(character.charCodeAt(0), units);
  };
  for (const one of LIGATURES) add(one, one.normalize('NFKD').replace(MARK, ''));
  if (fold === foldedLookOf) for (const one of SHARP_S) add(one, 'ss');
  spellings.set(fold, letters);
}

/** 1 for units that stand for several letters under some fold. */
const several = new Uint8Array(UNITS);
for (const letters of spellings.values()) for (const unit of letters.keys()) several[unit] = 1;

/** The folded letters that a unit stands for, where they are several. */
export function lettersOf(fold: Fold, unit: number): readonly number[] | undefined {
  return several[unit] === 1 ? spellings.get(fold)?.get(unit) : undefined;
}

/** The units that stand for several letters, with those; such as stand for the same are together. */
export function ligaturesOf(
  fold: Fold,
): readonly { readonly letters: readonly number[]; readonly units: readonly number[] }[] {
  const byLetters = new Map<string, { letters: readonly number[]; units: number[] }>();
  for (const [unit, letters] of spellings.get(fold) ?? []) {
    const known = byLetters.get(letters.join()) ?? { letters, units: [] };
    known.units.push(unit);
    byLetters.set(letters.join(), known);
  }
  return [...byLetters.values()];
}

const preimages = new Map<Fold, Map<number, number[]>>();
for (const fold of [lookOf, foldedLookOf]) {
  const units = new Map<number, number[]>();
  for (let unit = 0; unit < UNITS; unit++) {
    const folded = fold(unit);
    // Those that only stand for themselves are as many as units are, and are not kept.
    if (folded === unit) continue;
    const others = units.get(folded);
    if (others === undefined) units.set(folded, [unit]);
    else others.push(unit);
  }
  preimages.set(fold, units);
}

/** All units with this fold, ascending. */
export function unitsLike(fold: Fold, folded: number): readonly number[] {
  const others = preimages.get(fold)?.get(folded) ?? [];
  return fold(folded) === folded ? [...others, folded].sort((a, b) => a - b) : others;
}

export function isMark(unit: number): boolean {
  if (unit < 0x300) return false;
  for (let index = 0; index < MARKS.length; index += 2)
    if (unit >= (MARKS[index] as number) && unit <= (MARKS[index + 1] as number)) return true;
  return false;
}

/** High units of characters that fold or are skipped: mathematical letters, and tags with the selectors. */
const MATHEMATICAL = 0xd835;
const TAGS = 0xdb40;
export const foldsAsPair = (high: number): boolean => high === MATHEMATICAL || high === TAGS;

const FIRST_LOW = 0xdc00;
const HALVES = 0x400;
/** What a mathematical letter looks like, by its low unit; 0 if like nothing else. */
const mathematicalLooks = Uint16Array.from({ length: HALVES }, (_, index) => {
  const base = baseOf(String.fromCharCode(MATHEMATICAL, FIRST_LOW + index));
  return base.length === 1 ? base.charCodeAt(0) : 0;
});

export const SKIPPED = -1;
export const UNFOLDED = -2;

/** The folded unit that two units look like; SKIPPED if like nothing, UNFOLDED if like themselves. */
export function foldPair(fold: Fold, high: number, low: number): number {
  if (!isHigh(high) || !isLow(low)) return UNFOLDED;
  if (high === TAGS) return low <= 0xddef ? SKIPPED : UNFOLDED;
  const look = high === MATHEMATICAL ? (mathematicalLooks[low - FIRST_LOW] as number) : 0;
  return look === 0 ? UNFOLDED : fold(look);
}

const pairFolds = new Map<Fold, ReadonlySet<number>>();
for (const fold of [lookOf, foldedLookOf])
  pairFolds.set(fold, new Set(Array.from(mathematicalLooks, fold)));

/** Whether some character of two units that is not skipped looks like this folded unit. */
export const mayPairLookLike = (fold: Fold, folded: number): boolean =>
  folded !== 0 && (pairFolds.get(fold)?.has(folded) ?? false);

/** Whether some character that begins with this high unit is skipped. */
export const mayPairBeSkipped = (high: number): boolean => high === TAGS;
