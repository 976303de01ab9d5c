/**
 * A list of keywords as part of the automaton of all rules. A place is a node of the trie and a run of spaces;
 * behind the first half of a character that is not seen it is another one.
 */
import { invisibleUnits, isHigh, isLow, isSpaceUnit, isWordUnit } from './characters.ts';
import { endsTag, isTagLead } from './invisible-pairs.ts';
import {
  childLike,
  ENDS,
  hyphensOf,
  isSkipped,
  type KeywordTrie,
  NEEDS_BOUNDARY,
  NO_NODE,
  nodeBehind,
  SKIPPED_MAX,
  SPACE,
  SPACE_RUN_MAX,
} from './keyword-trie.ts';
import { foldsAsPair, isMark, lettersOf, ligaturesOf, unitsLike } from './look-alikes.ts';
import {
  AFTER_PAIR,
  isAfterHigh,
  isAfterWord,
  type PartSink,
  type UnionPart,
} from './union-part.ts';
import { rangesOfUnits } from './unit-classes.ts';

const RUNS = SPACE_RUN_MAX + 1;

const allUnits = (wanted: (unit: number) => boolean): number[] => {
  const units: number[] = [];
  for (let unit = 0; unit < 0x10000; unit++) if (wanted(unit)) units.push(unit);
  return rangesOfUnits(units);
};
const SPACES = allUnits(isSpaceUnit);
const ALWAYS = [allUnits(isMark), rangesOfUnits(invisibleUnits), allUnits(foldsAsPair)];

function unitSetsOf(trie: KeywordTrie): readonly (readonly number[])[] {
  const sets: (readonly number[])[] = [...ALWAYS];
  for (const { letters, units } of ligaturesOf(trie.fold))
    if (leads(trie, letters)) sets.push(rangesOfUnits([...units].sort((a, b) => a - b)));
  for (const folded of new Set(trie.unit.slice(1))) {
    if (folded === SPACE) sets.push(SPACES, rangesOfUnits(hyphensOf(trie.fold)));
    else sets.push(rangesOfUnits(unitsLike(trie.fold, folded)));
  }
  return sets;
}

/** Whether these letters lead anywhere from some node. */
function leads(trie: KeywordTrie, letters: readonly number[]): boolean {
  if (nodeBehind(trie, 0, letters) !== NO_NODE) return true;
  const [first, ...others] = letters;
  return trie.unit.some(
    (unit, node) => node > 0 && unit === first && nodeBehind(trie, node, others) !== NO_NODE,
  );
}

/** The fewest units that lead to each node. */
function depthsOf(trie: KeywordTrie): Int32Array {
  const depths = new Int32Array(trie.unit.length);
  for (const node of trie.roots.values()) depths[node] = 1;
  // A node was made before its children.
  for (let node = 1; node < depths.length; node++) {
    let child = trie.child[node] as number;
    for (; child !== NO_NODE; child = trie.sibling[child] as number)
      depths[child] = (depths[node] as number) + 1;
  }
  return depths;
}

export function keywordPart(trie: KeywordTrie): UnionPart {
  const depths = depthsOf(trie);
  const halfFrom = trie.unit.length * RUNS;
  const enter = (node: number, sink: PartSink): void => {
    const terminal = trie.terminal[node] as number;
    const bounded = (terminal & NEEDS_BOUNDARY) !== 0;
    if ((terminal & ENDS) !== 0 && !bounded) sink.call();
    if (bounded || trie.child[node] !== NO_NODE)
      sink.go(node * RUNS + (trie.unit[node] === SPACE ? 1 : 0));
  };

  const step = (place: number, _context: number, unit: number, sink: PartSink): void => {
    if (place >= halfFrom) {
      if (endsTag(unit)) sink.go(place - halfFrom);
      return;
    }
    const node = Math.floor(place / RUNS);
    const terminal = trie.terminal[node] as number;
    // Half of a character does not say whether it is part of a word: the tracker waits for the other.
    if ((terminal & NEEDS_BOUNDARY) !== 0 && (isHigh(unit) || !isWordUnit(unit))) sink.call();
    if (isSkipped(unit)) {
      // Behind half of a character only its other half goes on.
      if (!isHigh(trie.unit[node] as number)) sink.go(place);
      return;
    }
    const letters = lettersOf(trie.fold, unit);
    if (letters !== undefined) {
      // It leads to its node with fewer units than others do.
      if (nodeBehind(trie, node, letters) !== NO_NODE) sink.call();
      return;
    }
    const space = isSpaceUnit(unit);
    if (space && trie.unit[node] === SPACE) {
      if ((place % RUNS) + 1 <= SPACE_RUN_MAX) sink.go(place + 1);
      return;
    }
    const child = childLike(trie, node, unit);
    if (child !== NO_NODE) enter(child, sink);
    else if (isTagLead(unit)) {
      if (!isHigh(trie.unit[node] as number)) sink.go(place + halfFrom);
    } else if (foldsAsPair(unit) && trie.child[node] !== NO_NODE) sink.call();
  };

  const begin = (context: number, unit: number, sink: PartSink): void => {
    if (isAfterHigh(context) && isLow(unit)) return;
    const letters = lettersOf(trie.fold, unit);
    if (letters !== undefined) {
      if (nodeBehind(trie, 0, letters) !== NO_NODE) sink.call();
      return;
    }
    const node = trie.roots.get(trie.fold(unit));
    if (node === undefined) {
      if (foldsAsPair(unit) && !isTagLead(unit)) sink.call();
      return;
    }
    const free = trie.free[node] === 1;
    const unsure = context === AFTER_PAIR;
    // What may follow a word character is not said by half of a character, nor what follows one in two.
    if ((unsure && !free) || ((unsure || isAfterWord(context)) && isHigh(unit))) sink.call();
    else if (free || !isAfterWord(context)) enter(node, sink);
  };

  return {
    nodes: trie.unit.length,
    unitSets: unitSetsOf(trie),
    step,
    begin,
    // Up to here it cannot have skipped too much, nor will it with the half that is to come.
    agedUnitsMax: (place) =>
      place < halfFrom
        ? (depths[Math.floor(place / RUNS)] as number) + SKIPPED_MAX
        : (depths[Math.floor((place - halfFrom) / RUNS)] as number) + SKIPPED_MAX - 1,
  };
}
