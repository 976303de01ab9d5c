/** From an expression, and perhaps a validator, to what runs beside all other rules. */
import type { Partition } from './detector.ts';
import { type DfaLimits, type FormStarts, RegexDfa } from './regex-dfa.ts';
import { NEVER } from './regex-liveness.ts';
import { longestMatch } from './regex-longest.ts';
import { type Automaton, EDGE, KINDS } from './regex-nodes.ts';
import { automatonOf } from './regex-reader.ts';
import { RegexSteps } from './regex-steps.ts';
import type { History } from './text-history.ts';
import { tokenPart } from './token-part.ts';
import {
  type Check,
  SKIPPED_MAX,
  type TokenKind,
  TokenTracker,
  VALIDATED_UNITS_MAX,
} from './token-tracker.ts';

export interface TokenOptions {
  /** RE2 syntax, or what was made of it; what it matches is one unit long at least. */
  readonly expression: string | (FormStarts & { readonly automaton: Automaton });
  readonly label: string;
  readonly check?: Check;
  /** Digits, letters, spaces and hyphens of all widths and scripts count as those of ASCII. */
  readonly plain?: boolean;
  /** How far the automaton of all rules follows a start before the tracker does: less saves it states. */
  readonly agedUnitsMax?: number;
  /** Longer candidates do not exist, not counting what is not seen; needed where the expression has no bound. */
  readonly unitsMax?: number;
}

export interface CompiledToken extends Partition {
  readonly kind: TokenKind;
  /** Longest match in units, also those that are not seen. */
  readonly unitsMax: number;
}

const BYTES_PER_NODE = 400;

/** Tokens are chains, mostly: about as many states as nodes. Forms have more: of each start some go on together. */
const limitsFor = (nodes: number, hasForms: boolean): DfaLimits =>
  Object.freeze({
    statesMax: 64 + nodes * (hasForms ? FORM_STATES_PER_NODE : 1),
    missesPerState: 8,
  });
const FORM_STATES_PER_NODE = 2;

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
export function compileToken({
  expression,
  label,
  check,
  plain = false,
  agedUnitsMax = SKIPPED_MAX,
  unitsMax,
}: TokenOptions): CompiledToken {
  const forms = typeof expression === 'string' ? undefined : expression;
  const automaton = typeof expression === 'string' ? automatonOf(expression) : expression.automaton;
  const steps = new RegexSteps(automaton);
  const longest = longestMatch(automaton, steps.distances) ?? NEVER;
  const unitsCap = Math.min(longest, unitsMax ?? NEVER);
  if (unitsCap === NEVER) throw new Error(`${label}: no bound`);
  if (check !== undefined && unitsCap > VALIDATED_UNITS_MAX)
    throw new Error(`${label}: ${unitsCap} units are too many to validate`);
  const tagged = forms !== undefined;
  const dfa = new RegexDfa(steps, limitsFor(steps.nodeCount, tagged), { tagged, plain });
  const headUnits = headUnitsOf(check, steps);
  const kind = Object.freeze({
    dfa,
    unitsCap,
    bounded: longest <= unitsCap,
    label,
    check,
    plain,
    headUnits,
    forms,
  });
  return Object.freeze({
    kind,
    part: tokenPart(steps, kind, agedUnitsMax),
    unitsMax: unitsCap + SKIPPED_MAX,
    bytes: steps.nodeCount * BYTES_PER_NODE + dfa.bytesMax,
    start: (history?: History) => new TokenTracker(kind, history),
  });
}

/** The same expression with another check, which looks at as much of a candidate; they share their tables. */
export function judgedBy(token: CompiledToken, check: Check): CompiledToken {
  const kind: TokenKind = Object.freeze({ ...token.kind, check });
  return Object.freeze({
    ...token,
    kind,
    start: (history?: History) => new TokenTracker(kind, history),
  });
}
