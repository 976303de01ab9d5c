/** A trie over folded units, as flat arrays. Node 0 is the root. */
import { isHigh, isInvisible, isLow, isSpaceUnit, isWordPair, isWordUnit } from './characters.ts';
import {
  type Fold,
  foldedLookOf,
  foldPair,
  isMark,
  lettersOf,
  lookOf,
  mayPairLookLike,
  SKIPPED,
  UNFOLDED,
  unitsLike,
} from './look-alikes.ts';

export const NO_NODE = -1;
export const SPACE = 0x20;
const HYPHEN = 0x2d;

/** How many marks and invisible units a match may hold. */
export const SKIPPED_MAX = 64;

/** How many white-space units one space of a keyword stands for, at most; a hyphen may be the first of them. */
export const SPACE_RUN_MAX = 8;

export interface KeywordTrie {
  readonly fold: Fold;
  /** First unit → node; every other node's children are a list of siblings. */
  readonly roots: ReadonlyMap<number, number>;
  readonly unit: Uint16Array;
  readonly child: Int32Array;
  readonly sibling: Int32Array;
  /** 1: a keyword ends here. 2: a word character may not follow that end. */
  readonly terminal: Uint8Array;
  /** 1: a keyword that may follow a word character ends here or below. */
  readonly free: Uint8Array;
  /** For each ASCII unit: whether it is part of a word, and where a keyword may begin with it. */
  readonly ascii: Uint8Array;
  /** Where a keyword may begin with a letter of two units: the same, but for IS_WORD. */
  readonly asPair: number;
  readonly unitsMax: number;
}

interface End {
  /** May follow a word character. */
  readonly unbound: boolean;
  /** A word character may not follow. */
  readonly bounded: boolean;
}

export const IS_WORD = 1;
export const BEGINS_AT_EDGE = 2;
export const BEGINS_ANYWHERE = 4;

export const ENDS = 1;
export const NEEDS_BOUNDARY = 2;

const LONE_SURROGATE = /\p{Cs}/u;

/** What inside of a match neither goes on nor ends it. */
export const isSkipped = (unit: number): boolean => isInvisible(unit) || isMark(unit);

/** A character as the trie has it: its folded letters, two units that stand for themselves, or none. */
function foldedUnitsOf(fold: Fold, character: string): readonly number[] {
  const first = character.charCodeAt(0);
  if (character.length === 1)
    return isSkipped(first) ? [] : (lettersOf(fold, first) ?? [fold(first)]);
  const second = character.charCodeAt(1);
  const folded = foldPair(fold, first, second);
  if (folded === SKIPPED) return [];
  return folded === UNFOLDED ? [first, second] : [folded];
}

export function firstIsWord(text: string): boolean {
  const first = text.charCodeAt(0);
  return isWordUnit(first) || (text.length > 1 && isWordPair(first, text.charCodeAt(1)));
}

export function lastIsWord(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return (
    isWordUnit(last) || (text.length > 1 && isWordPair(text.charCodeAt(text.length - 2), last))
  );
}

/** One space for every run of white space, none at the edges, nothing that is skipped. Throws RangeError if nothing can be left to match. */
export function normalKeyword(keyword: string): string {
  let normal = '';
  for (const character of keyword) {
    if (foldedUnitsOf(lookOf, character).length === 0) continue;
    const space = isSpaceUnit(character.charCodeAt(0));
    if (!space) normal += character;
    else if (normal !== '' && !normal.endsWith(' ')) normal += ' ';
  }
  normal = normal.endsWith(' ') ? normal.slice(0, -1) : normal;
  if (normal === '') throw new RangeError('a keyword is empty');
  if (LONE_SURROGATE.test(normal)) throw new RangeError('a keyword holds half of a character');
  return normal;
}

/**
 * Throws RangeError as `normalKeyword` does, and where spaces and hyphens of many keywords stand in each other's place.
 * Cost: one node per unit that is not shared.
 */
export function buildTrie(
  keywords: readonly string[],
  options: { readonly substring: boolean; readonly caseSensitive: boolean },
): KeywordTrie {
  const fold = options.caseSensitive ? lookOf : foldedLookOf;
  const roots = new Map<number, number>();
  const unit = [0];
  const child = [NO_NODE];
  const sibling = [NO_NODE];
  const terminal = [0];
  const free = [0];
  const add = (folded: number, next: number): number => {
    child.push(NO_NODE);
    sibling.push(next);
    terminal.push(0);
    free.push(0);
    return unit.push(folded) - 1;
  };
  const below = (parent: number, folded: number): number => {
    if (parent === 0) {
      const known = roots.get(folded);
      if (known !== undefined) return known;
      const made = add(folded, NO_NODE);
      roots.set(folded, made);
      return made;
    }
    for (let node = child[parent] as number; node !== NO_NODE; node = sibling[node] as number)
      if (unit[node] === folded) return node;
    return (child[parent] = add(folded, child[parent] as number));
  };
  /** Known when every keyword is there once. */
  let nodesMax: number | undefined;
  /** Where a hyphen leads on by itself, a space leads there as well: of `Bank-A` and `Bank B`, `Bank-B` is one. */
  const insert = (letters: readonly number[], from: number, above: number, ends: End): void => {
    let node = above;
    for (let index = from; index < letters.length; index++) {
      const own = letters[index] as number;
      if (own === SPACE && nodesMax !== undefined) {
        let hyphen = child[node] as number;
        while (hyphen !== NO_NODE && unit[hyphen] !== HYPHEN) hyphen = sibling[hyphen] as number;
        if (hyphen !== NO_NODE) insert(letters, index + 1, hyphen, ends);
      }
      node = below(node, own);
      if (ends.unbound) free[node] = 1;
      if (nodesMax !== undefined && unit.length > nodesMax)
        throw new RangeError(
          'too many keywords of one rule differ in spaces and hyphens alone; write fewer of them',
        );
    }
    terminal[node] = ends.bounded ? ENDS | NEEDS_BOUNDARY : ENDS;
  };
  const spaced: { readonly letters: readonly number[]; readonly ends: End }[] = [];
  let unitsMax = 0;
  for (const keyword of keywords) {
    const normal = normalKeyword(keyword);
    const letters = Array.from(normal, (character) => foldedUnitsOf(fold, character)).flat();
    const folded = String.fromCharCode(...letters);
    const unbound = options.substring || !firstIsWord(folded);
    const bounded = !options.substring && lastIsWord(folded);
    let units = 0;
    // A folded letter may be two units in the text; those of two stand for themselves.
    for (const own of letters)
      units += own === SPACE ? SPACE_RUN_MAX : isHigh(own) || isLow(own) ? 1 : 2;
    if (unbound) free[0] = 1;
    const ends = { unbound, bounded };
    insert(letters, 0, 0, ends);
    if (letters.includes(SPACE)) spaced.push({ letters, ends });
    unitsMax = Math.max(unitsMax, units + SKIPPED_MAX);
  }
  // A keyword may have come before the hyphen that it meets, or one that another has brought.
  nodesMax = 2 * unit.length;
  for (let known = 0; known < unit.length && unit.includes(HYPHEN); ) {
    known = unit.length;
    for (const { letters, ends } of spaced) insert(letters, 0, 0, ends);
  }
  const ascii = Uint8Array.from({ length: 128 }, (_, own) => {
    const node = roots.get(fold(own));
    const begins = node === undefined ? 0 : free[node] === 1 ? BEGINS_ANYWHERE : BEGINS_AT_EDGE;
    return begins | (isWordUnit(own) ? IS_WORD : 0);
  });
  let asPair = 0;
  for (const [folded, node] of roots)
    if (mayPairLookLike(fold, folded))
      asPair |= free[node] === 1 ? BEGINS_ANYWHERE : BEGINS_AT_EDGE;
  return {
    ...{ fold, roots, ascii, asPair, unitsMax },
    unit: Uint16Array.from(unit),
    child: Int32Array.from(child),
    sibling: Int32Array.from(sibling),
    terminal: Uint8Array.from(terminal),
    free: Uint8Array.from(free),
  };
}

/** The child of a node with this folded unit, or NO_NODE. */
export function childOf(trie: KeywordTrie, parent: number, folded: number): number {
  if (parent === 0) return trie.roots.get(folded) ?? NO_NODE;
  let node = trie.child[parent] as number;
  while (node !== NO_NODE && trie.unit[node] !== folded) node = trie.sibling[node] as number;
  return node;
}

/** The child of a node with what this unit looks like, or NO_NODE. A hyphen may stand where a keyword has a space. */
export function childLike(trie: KeywordTrie, parent: number, unit: number): number {
  if (isSpaceUnit(unit)) return childOf(trie, parent, SPACE);
  const folded = trie.fold(unit);
  const own = childOf(trie, parent, folded);
  return own === NO_NODE && folded === HYPHEN ? childOf(trie, parent, SPACE) : own;
}

/** The units that may stand where a keyword has a space, and are no white space. */
export const hyphensOf = (fold: Fold): readonly number[] => unitsLike(fold, HYPHEN);

/** The node that several letters lead to. */
export function nodeBehind(trie: KeywordTrie, parent: number, letters: readonly number[]): number {
  let node = parent;
  for (const letter of letters) {
    node = childOf(trie, node, letter);
    if (node === NO_NODE) break;
  }
  return node;
}
