/** Conditions of several places as one. Failures pass as CEL's own operators let them: what decides without them wins. */
import { frozenSet } from './freeze.ts';
import type { Condition, Conditions } from './set.ts';

/** `a && b`; undefined holds always. */
export function bothHold(
  a: Condition | undefined,
  b: Condition | undefined,
): Condition | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : joined(a, b, '&&', false);
}

/** `a || b`; undefined holds always. */
export function eitherHolds(
  a: Condition | undefined,
  b: Condition | undefined,
): Condition | undefined {
  return a === undefined || b === undefined ? undefined : joined(a, b, '||', true);
}

/** `decisive`: what one of them gives that settles it, whatever the other gives. */
function joined(a: Condition, b: Condition, operator: string, decisive: boolean): Condition {
  return Object.freeze({
    source: `(${a.source}) ${operator} (${b.source})`,
    reads: frozenSet([...a.reads, ...b.reads]),
    holds(conditions: Conditions): boolean {
      let first: boolean;
      try {
        first = a.holds(conditions);
      } catch (error) {
        if (b.holds(conditions) === decisive) return decisive;
        throw error;
      }
      return first === decisive ? decisive : b.holds(conditions);
    },
  });
}
