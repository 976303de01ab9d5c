/**
 * Regular expressions in RE2 syntax, without look-around or back-references. Of the matches that start first
 * the longest counts, whether or not the author wrote lazy repeats; the empty one never does. `\b` and `\w`
 * are ASCII, as in RE2.
 */
import type { Detector, Tracker } from './detector.ts';
import { dfaLimitsFor, RegexDfa } from './regex-dfa.ts';
import { NEVER } from './regex-liveness.ts';
import { longestMatch } from './regex-longest.ts';
import { EDGE, KINDS, NODES_MAX } from './regex-nodes.ts';
import { regexPart } from './regex-part.ts';
import { type BuildFailure, buildAutomaton } from './regex-program.ts';
import { REPEATS_MAX, type RefusedConstruct, refusedConstruct } from './regex-refusals.ts';
import { RegexSteps } from './regex-steps.ts';
import { REGEX_LABEL, RegexTracker } from './regex-tracker.ts';
import { statesInTrial } from './regex-trial.ts';
import { matchesIn } from './whole-text.ts';

export interface RegexOptions {
  readonly pattern: string;
  /** Matches longer than this many UTF-16 units do not exist. A safe integer, 1 or more. */
  readonly maxMatchBytes?: number;
  /** Refuses an expression that comes to more states in a trial (`regex-trial.ts`); none is held without. */
  readonly statesMax?: number;
}

export type RegexCode =
  | 'regex_syntax'
  | 'regex_look_around'
  | 'regex_repeat'
  | 'regex_half_character'
  | 'regex_empty'
  | 'regex_too_large'
  | 'regex_states';

export type RegexCompilation =
  | { readonly ok: true; readonly detector: Detector }
  | { readonly ok: false; readonly code: RegexCode; readonly message: string };

const refusal = (code: RegexCode, message: string): RegexCompilation =>
  Object.freeze({ ok: false, code, message });

const LOOK_AROUND = refusal(
  'regex_look_around',
  'look-around needs text that has left already or is yet to come; match that text as well, or use `\\b`',
);

const FAILURES: Readonly<Record<BuildFailure, RegexCompilation>> = {
  lookBehind: LOOK_AROUND,
  tooLarge: refusal(
    'regex_too_large',
    `the expression needs more than ${NODES_MAX} states; lower its counts or split the rule`,
  ),
  unknownInstruction: refusal(
    'regex_syntax',
    'the expression uses a construct that cannot be matched in a stream; leave it out',
  ),
};

const CONSTRUCTS: Readonly<Record<RefusedConstruct, RegexCompilation>> = {
  look_around: LOOK_AROUND,
  back_reference: refusal(
    'regex_look_around',
    'a back-reference would need all of the text that it repeats; write the alternatives out',
  ),
  count: refusal(
    'regex_repeat',
    `a repeat counts beyond ${REPEATS_MAX}; lower the count, or use \`+\` with \`maxMatchBytes\``,
  ),
};

const BYTES_PER_NODE = 400;

/** The longest text that a JavaScript string can be, and then some. */
const NO_CAP = NEVER;

function mayMatch(steps: RegexSteps, unitsCap: number): boolean {
  for (let before = EDGE; before < KINDS; before++)
    if (
      steps.fewestMore(steps.start, before) <= unitsCap &&
      steps.fewestMore(steps.start, before) !== NEVER
    )
      return true;
  return false;
}

function compileAutomaton(pattern: string): ReturnType<typeof buildAutomaton> | { syntax: string } {
  try {
    return buildAutomaton(pattern);
  } catch (error) {
    return { syntax: error instanceof Error ? error.message : 'not RE2 syntax' };
  }
}

/**
 * `unitsMax` of the detector is undefined if the expression is unbounded and has no cap: whether that may be
 * is for the compiler of policies to say. `regex_empty`: no text that is not empty, and within the cap, can
 * match. Per unit it costs a few operations per live thread group and 32 live starts.
 */
export function regexDetector(options: RegexOptions): RegexCompilation {
  const automaton = compileAutomaton(options.pattern);
  if (typeof automaton === 'string') return FAILURES[automaton];
  if ('syntax' in automaton) {
    const construct = refusedConstruct(options.pattern);
    return construct === undefined
      ? refusal('regex_syntax', automaton.syntax)
      : CONSTRUCTS[construct];
  }
  const steps = new RegexSteps(automaton);
  const unitsCap = options.maxMatchBytes ?? NO_CAP;
  if (!mayMatch(steps, unitsCap))
    return refusal('regex_empty', 'the expression matches no text, or only the empty one');
  const { statesMax } = options;
  if (statesMax !== undefined && statesInTrial(steps, statesMax) > statesMax)
    return refusal(
      'regex_states',
      `the expression comes to more than ${statesMax} states, as every way that its starts can overlap is one; let it begin with something that its repeats do not match, or lower their counts`,
    );
  const longest = longestMatch(automaton, steps.distances);
  const unitsMax = Math.min(longest ?? NO_CAP, unitsCap);
  const dfa = new RegexDfa(steps, dfaLimitsFor(steps.nodeCount));
  const start = (): readonly Tracker[] => [new RegexTracker(dfa, unitsCap)];
  const detector: Detector = {
    kind: 'regex',
    labels: [REGEX_LABEL],
    ...(unitsMax === NO_CAP ? {} : { unitsMax }),
    part: regexPart(steps, unitsCap),
    bytes: steps.nodeCount * BYTES_PER_NODE + dfa.bytesMax,
    start,
    matches: (text) => matchesIn(start(), text).length > 0,
  };
  return { ok: true, detector: Object.freeze(detector) };
}
