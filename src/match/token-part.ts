/**
 * A token as part of the automaton of all rules. A place is a node of its own automaton, and behind units
 * that are not seen also the kind of the last one that is: for assertions they do not stand between; the first
 * half of one that takes two units is a place of its own, as only the second says whether it is seen. Behind a letter or digit in another spelling the place says so, as the context of the automaton does not.
 */
import { invisibleUnits, isInvisible } from './characters.ts';
import { endsTag, isTagLead } from './invisible-pairs.ts';
import { plainUnit, spellingsOf } from './plain-units.ts';
import { NEVER } from './regex-liveness.ts';
import { KINDS, kindOf, WORD } from './regex-nodes.ts';
import { accepts, type RegexSteps } from './regex-steps.ts';
import { LOOK_BACK_UNITS } from './text-history.ts';
import { looksBack, SKIPPED_MAX, type TokenKind, VALIDATED_UNITS_MAX } from './token-tracker.ts';
import { kindBefore, type PartSink, type UnionPart } from './union-part.ts';
import { rangesOfUnits } from './unit-classes.ts';

const INVISIBLE = rangesOfUnits(invisibleUnits);
/** Units whose plain spelling is another one. */
const RESPELT = rangesOfUnits(
  Array.from({ length: 0x10000 }, (_, unit) => unit).filter((unit) => plainUnit(unit) !== unit),
);

const spelled = new Map<string, readonly number[]>();

function spellingsKnown(ranges: readonly number[]): readonly number[] {
  const key = ranges.join();
  const known = spelled.get(key) ?? spellingsOf(ranges);
  spelled.set(key, known);
  return known;
}

export function tokenPart(
  steps: RegexSteps,
  { unitsCap, bounded, plain, check }: Omit<TokenKind, 'dfa' | 'label' | 'headUnits' | 'forms'>,
  agedUnitsMax = SKIPPED_MAX,
): UnionPart {
  const count = steps.nodeCount;
  const unseenFrom = count;
  const halfFrom = unseenFrom + count * KINDS;
  const respeltFrom = halfFrom + count * KINDS;
  const kindAt = (place: number, context: number): number => {
    if (place < unseenFrom) return kindBefore(context);
    return place < respeltFrom ? (Math.floor(place / count) - 1) % KINDS : WORD;
  };
  const isUnseen = (place: number): boolean => place >= unseenFrom && place < halfFrom;
  const isHalf = (place: number): boolean => place >= halfFrom && place < respeltFrom;

  const take = (
    node: number,
    before: number,
    raw: number,
    begins: boolean,
    sink: PartSink,
  ): void => {
    const unit = plain ? plainUnit(raw) : raw;
    const kind = kindOf(unit);
    const respelt = kind === WORD && raw !== unit ? respeltFrom : 0;
    for (const next of steps.closure(node, before, kind).units) {
      if (!accepts(next, unit)) continue;
      const fewest = steps.fewest(next.out, kind);
      if (fewest === NEVER || (begins && 1 + fewest > unitsCap)) continue;
      if (steps.matchesSurely(next.out, kind)) sink.call();
      sink.go(next.out + respelt);
    }
  };

  const step = (place: number, context: number, unit: number, sink: PartSink): void => {
    const node = place % count;
    const before = kindAt(place, context);
    if (isHalf(place)) {
      // What is a character that is seen after all, the tracker reads again.
      if (endsTag(unit)) sink.go(node + unseenFrom + count * before);
      else sink.call();
      return;
    }
    const kind = kindOf(plain ? plainUnit(unit) : unit);
    // Behind what is not seen it was asked already whether a match ends.
    if (!isUnseen(place) && steps.closure(node, before, kind).matches) sink.call();
    const unseen = isInvisible(unit);
    if (!unseen && !isTagLead(unit)) take(node, before, unit, false, sink);
    else if (steps.fewestMore(node, before) !== NEVER)
      sink.go(node + (unseen ? unseenFrom : halfFrom) + count * before);
  };

  const begin = (context: number, unit: number, sink: PartSink): void => {
    if (!isInvisible(unit) && !isTagLead(unit))
      take(steps.start, kindBefore(context), unit, true, sink);
  };

  return {
    nodes: count,
    ...(!looksBack(check)
      ? {}
      : { lookBackUnits: VALIDATED_UNITS_MAX + SKIPPED_MAX + 1 + LOOK_BACK_UNITS }),
    unitSets: [
      INVISIBLE,
      ...(plain ? [RESPELT] : []),
      ...(plain ? steps.unitSets.map(spellingsKnown) : steps.unitSets),
    ],
    step,
    begin,
    // Up to SKIPPED_MAX it cannot have skipped too much, nor be too long if its expression has a bound.
    agedUnitsMax: (place, context) =>
      bounded
        ? agedUnitsMax
        : Math.min(agedUnitsMax, unitsCap - steps.fewest(place % count, kindAt(place, context))),
  };
}
