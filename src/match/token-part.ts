/**
 * A token as part of the automaton of all rules. A place is a node of its own automaton, and behind units
 * that are not seen also the kind of the last one that is: for assertions they do not stand between.
 */
import { invisibleUnits, isInvisible } from './characters.ts';
import { isTagLead, TAG_LEAD } from './invisible-pairs.ts';
import { NEVER } from './regex-liveness.ts';
import { kindOf, type Node } from './regex-program.ts';
import { accepts, type RegexSteps } from './regex-steps.ts';
import { SKIPPED_MAX } from './token-tracker.ts';
import { kindBefore, type PartSink, type UnionPart } from './union-part.ts';
import { rangesOfUnits } from './unit-classes.ts';

const INVISIBLE = rangesOfUnits(invisibleUnits);

export function tokenPart(steps: RegexSteps, nodes: readonly Node[], unitsCap: number): UnionPart {
  const count = nodes.length;
  const kindAt = (place: number, context: number): number =>
    place < count ? kindBefore(context) : Math.floor(place / count) - 1;

  const take = (
    node: number,
    before: number,
    unit: number,
    begins: boolean,
    sink: PartSink,
  ): void => {
    const kind = kindOf(unit);
    for (const next of steps.closure(node, before, kind).units) {
      if (!accepts(next, unit)) continue;
      const fewest = steps.fewest(next.out, kind);
      if (fewest === NEVER || (begins && 1 + fewest > unitsCap)) continue;
      if (steps.matchesSurely(next.out, kind)) sink.call();
      sink.go(next.out);
    }
  };

  const step = (place: number, context: number, unit: number, sink: PartSink): void => {
    const node = place % count;
    const before = kindAt(place, context);
    // Behind what is not seen it was asked already whether a match ends.
    if (place < count && steps.closure(node, before, kindOf(unit)).matches) sink.call();
    // Only the unit after it says whether it is seen.
    if (isTagLead(unit)) sink.call();
    else if (!isInvisible(unit)) take(node, before, unit, false, sink);
    else if (steps.fewestMore(node, before) !== NEVER) sink.go(node + count * (1 + before));
  };

  const begin = (context: number, unit: number, sink: PartSink): void => {
    if (!isInvisible(unit) && !isTagLead(unit))
      take(steps.start, kindBefore(context), unit, true, sink);
  };

  return {
    nodes: nodes.length,
    unitSets: [
      INVISIBLE,
      [TAG_LEAD, TAG_LEAD],
      ...nodes.flatMap((node) => (node.op === 'unit' ? [node.ranges] : [])),
    ],
    step,
    begin,
    agedUnitsMax: (place, context) =>
      // Up to here it cannot have skipped too much.
      Math.min(SKIPPED_MAX, unitsCap - steps.fewest(place % count, kindAt(place, context))),
  };
}
