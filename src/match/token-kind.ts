/** From an expression, and perhaps a validator, to what runs beside all other rules. */
import type { Partition } from './detector.ts';
import { type DfaLimits, RegexDfa } from './regex-dfa.ts';
import { NEVER } from './regex-liveness.ts';
import { longestMatch } from './regex-longest.ts';
import { buildAutomaton, EDGE, KINDS } from './regex-program.ts';
import { RegexSteps } from './regex-steps.ts';
import { tokenPart } from './token-part.ts';
import { type Check, SKIPPED_MAX, TokenTracker, VALIDATED_UNITS_MAX } from './token-tracker.ts';

export interface TokenOptions {
  /** RE2 syntax; what it matches is one unit long at least. */
  readonly expression: string;
  readonly label: string;
  readonly check?: Check;
  /** Longer candidates do not exist, not counting what is not seen; needed where the expression has no bound. */
  readonly unitsMax?: number;
}

export interface CompiledToken extends Partition {
  /** Longest match in units, also those that are not seen. */
  readonly unitsMax: number;
}

const BYTES_PER_NODE = 400;

/** Tokens are chains, mostly: about as many states as nodes. */
const limitsFor = (nodes: number): DfaLimits =>
  Object.freeze({ statesMax: 64 + nodes, missesPerState: 8 });

function headUnitsOf(check: Check | undefined, steps: RegexSteps): number {
  if (check === undefined) return 0;
  if (check.looksAt !== 'shortest') return Number.POSITIVE_INFINITY;
  let units = NEVER;
  for (let before = EDGE; before < KINDS; before++)
    units = Math.min(units, steps.fewest(steps.start, before));
  return units;
}

/**
 * Throws Error if it is no expression, has no bound, or one above VALIDATED_UNITS_MAX with a validator: all
 * ends of a start may be asked about.
 */
export function compileToken({ expression, label, check, unitsMax }: TokenOptions): CompiledToken {
  const automaton = buildAutomaton(expression);
  if (typeof automaton === 'string') throw new Error(`${label}: ${automaton}`);
  const steps = new RegexSteps(automaton);
  const longest = longestMatch(automaton, steps.measures) ?? NEVER;
  const unitsCap = Math.min(longest, unitsMax ?? NEVER);
  if (unitsCap === NEVER) throw new Error(`${label}: no bound`);
  if (check !== undefined && unitsCap > VALIDATED_UNITS_MAX)
    throw new Error(`${label}: ${unitsCap} units are too many to validate`);
  const { nodes } = automaton;
  const dfa = new RegexDfa(steps, nodes, limitsFor(nodes.length));
  const headUnits = headUnitsOf(check, steps);
  const kind = Object.freeze({
    dfa,
    unitsCap,
    bounded: longest <= unitsCap,
    label,
    check,
    headUnits,
  });
  return Object.freeze({
    part: tokenPart(steps, nodes, unitsCap),
    unitsMax: unitsCap + SKIPPED_MAX,
    bytes: nodes.length * BYTES_PER_NODE + dfa.bytesMax,
    start: () => new TokenTracker(kind),
  });
}
