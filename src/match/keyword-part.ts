/** A list of keywords as part of the automaton of all rules. A place is a node of the trie and a run of spaces. */
import { foldedUnits, isHigh, isLow, isSpaceUnit, isWordUnit } from './characters.ts';
import {
  ENDS,
  type KeywordTrie,
  NEEDS_BOUNDARY,
  NO_NODE,
  SPACE,
  SPACE_RUN_MAX,
} from './keyword-trie.ts';
import {
  AFTER_HIGH,
  AFTER_PAIR,
  isAfterWord,
  type PartSink,
  type UnionPart,
} from './union-part.ts';
import { rangesOfUnits } from './unit-classes.ts';

const RUNS = SPACE_RUN_MAX + 1;

const spaces: number[] = [];
for (let unit = 0; unit < 0x10000; unit++) if (isSpaceUnit(unit)) spaces.push(unit);

function unitSetsOf(trie: KeywordTrie, caseSensitive: boolean): number[][] {
  const sets: number[][] = [];
  for (const folded of new Set(trie.unit.slice(1)))
    if (folded === SPACE) sets.push(rangesOfUnits(spaces));
    else sets.push(caseSensitive ? [folded, folded] : rangesOfUnits(foldedUnits(folded)));
  return sets;
}

export function keywordPart(trie: KeywordTrie, caseSensitive: boolean): UnionPart {
  const enter = (node: number, sink: PartSink): void => {
    const terminal = trie.terminal[node] as number;
    const bounded = (terminal & NEEDS_BOUNDARY) !== 0;
    if ((terminal & ENDS) !== 0 && !bounded) sink.call();
    if (bounded || trie.child[node] !== NO_NODE)
      sink.go(node * RUNS + (trie.unit[node] === SPACE ? 1 : 0));
  };

  const step = (place: number, _context: number, unit: number, sink: PartSink): void => {
    const node = Math.floor(place / RUNS);
    const terminal = trie.terminal[node] as number;
    // Half of a character does not say whether it is part of a word: the tracker waits for the other.
    if ((terminal & NEEDS_BOUNDARY) !== 0 && (isHigh(unit) || !isWordUnit(unit))) sink.call();
    const space = isSpaceUnit(unit);
    if (space && trie.unit[node] === SPACE) {
      if ((place % RUNS) + 1 <= SPACE_RUN_MAX) sink.go(place + 1);
      return;
    }
    const folded = space ? SPACE : trie.fold(unit);
    let child = trie.child[node] as number;
    while (child !== NO_NODE && trie.unit[child] !== folded) child = trie.sibling[child] as number;
    if (child !== NO_NODE) enter(child, sink);
  };

  const begin = (context: number, unit: number, sink: PartSink): void => {
    if (context === AFTER_HIGH && isLow(unit)) return;
    const node = trie.roots.get(trie.fold(unit));
    if (node === undefined) return;
    const free = trie.free[node] === true;
    const unsure = context === AFTER_PAIR;
    // What may follow a word character is not said by half of a character, nor what follows one in two.
    if ((unsure && !free) || ((unsure || isAfterWord(context)) && isHigh(unit))) sink.call();
    else if (free || !isAfterWord(context)) enter(node, sink);
  };

  return {
    unitSets: unitSetsOf(trie, caseSensitive),
    step,
    begin,
    agedUnitsMax: () => Number.POSITIVE_INFINITY,
  };
}
