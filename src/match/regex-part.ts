/** A regular expression as part of the automaton of all rules. A place is a node of its own automaton. */
import { NEVER } from './regex-liveness.ts';
import { kindOf } from './regex-nodes.ts';
import { accepts, type RegexSteps } from './regex-steps.ts';
import { kindBefore, type PartSink, type UnionPart } from './union-part.ts';

/**
 * How far a thread may be from its start. Every distance is a state of its own where an expression has
 * loops, so more would cost states; behind it the tracker knows the starts.
 */
export const AGED_UNITS_MAX = 64;

export function regexPart(steps: RegexSteps, unitsCap: number): UnionPart {
  const take = (
    node: number,
    context: number,
    unit: number,
    begins: boolean,
    sink: PartSink,
  ): void => {
    const kind = kindOf(unit);
    const closure = steps.closure(node, kindBefore(context), kind);
    if (closure.matches && !begins) sink.call();
    for (const next of closure.units) {
      if (!accepts(next, unit)) continue;
      const fewest = steps.fewest(next.out, kind);
      if (fewest === NEVER || (begins && 1 + fewest > unitsCap)) continue;
      if (steps.matchesSurely(next.out, kind)) sink.call();
      sink.go(next.out);
    }
  };
  return {
    nodes: steps.nodeCount,
    unitSets: steps.unitSets,
    step: (place, context, unit, sink) => take(place, context, unit, false, sink),
    begin: (context, unit, sink) => take(steps.start, context, unit, true, sink),
    agedUnitsMax: (place, context) =>
      Math.min(AGED_UNITS_MAX, unitsCap - steps.fewest(place, kindBefore(context))),
  };
}
