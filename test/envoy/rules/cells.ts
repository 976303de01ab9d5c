/** What must come of every example in every format: an outcome to be executed, or the reason why there is none. */
import { compilePolicies } from '../../../src/policy/compile.ts';
import { changesRequest, unsupported } from '../../../src/policy/evaluate.ts';
import { ruleReachesDirection } from '../../../src/policy/reach.ts';
import type { PolicySet, Rule } from '../../../src/policy/set.ts';
import { compileText, sha256 } from '../../policy/compiling.ts';
import { type Example, nameOf, type Outcome, type Try } from './examples.ts';
import { WIRES, type Wire } from './wires.ts';

export interface Cell {
  readonly wire: Wire;
  readonly try: Try;
  readonly what:
    | { readonly outcome: Outcome; readonly why?: string }
    /** Why it cannot be. */
    | { readonly absent: string };
}

/** The policy that an example stands in, as it is served. */
export function policyOf(example: Example): string {
  const name = nameOf(example);
  return `kind: Policy
metadata: { name: ${name}, layer: app, selector: { app: ${name} } }
class: ${example.class ?? 'security'}
rules:
${example.rules.replace(/^/gmu, '  ')}
`;
}

/** Not served by this version, as the compiler's own warning says it. */
export function notServed(example: Example): string | undefined {
  const { rules, warnings } = compileText(policyOf(example));
  return rules.some(unsupported) ? warnings.join(' ') : undefined;
}

const DIRECTIONS = {
  request: 'request',
  answer: 'response',
  'streamed answer': 'response',
} as const;
const MODEL_FIRST = 'it acts before a model is asked';

const isAddition = ({ action }: Rule): boolean => action.kind === 'append';

/** Why no rule of the example acts in the direction; undefined where one does. */
function notThere(example: Example, { rules }: PolicySet, { column }: Wire): string | undefined {
  const direction = DIRECTIONS[column];
  const acts = (rule: Rule): boolean =>
    rule.detector === undefined
      ? direction === (isAddition(rule) ? 'response' : 'request')
      : ruleReachesDirection(rule, direction);
  if (rules.some(acts)) return undefined;
  if (rules.every((rule) => rule.detector === undefined && isAddition(rule)))
    return 'it adds to answers';
  if (rules.every(({ detector }) => detector === undefined)) return MODEL_FIRST;
  // What the compiler says to who tries.
  const other = example.rules.includes('inspect:')
    ? example.rules.replace(/inspect: \[[^\]]*\]/u, `inspect: [${direction}]`)
    : example.rules.replace(/match:/u, `inspect: [${direction}], match:`);
  const text = policyOf({ ...example, rules: other });
  const result = compilePolicies([{ path: 'p.yaml', text }], { sha256 });
  if (result.ok) throw new Error(`${nameOf(example)} could act on a ${direction}, and does not`);
  return result.errors[0]!.message;
}

const KNOWN = new Map<Example, readonly Cell[]>();

/** Every cell of an example, in the order of the wires. */
export function cellsOf(example: Example): readonly Cell[] {
  const known = KNOWN.get(example) ?? findCells(example);
  KNOWN.set(example, known);
  return known;
}

function findCells(example: Example): readonly Cell[] {
  const set = compileText(policyOf(example));
  const later = notServed(example);
  return WIRES.flatMap((wire) =>
    example.tries.map((tried): Cell => {
      const written = wire.write(tried.content);
      const absent =
        ('absent' in written ? written.absent : undefined) ??
        (later && 'not yet enforced') ??
        notThere(example, set, wire);
      if (absent !== undefined) return { wire, try: tried, what: { absent } };
      return { wire, try: tried, what: expected(example, wire, tried, set) };
    }),
  );
}

const needsBody = (rule: Rule): boolean =>
  rule.detector !== undefined || changesRequest(rule) || isAddition(rule);

/** A rule that needs the body meets one that nobody here can read. */
function expected(example: Example, wire: Wire, tried: Try, set: PolicySet): Cell['what'] {
  if (wire.format === 'opaque' && set.rules.some(needsBody))
    return { outcome: { is: 'by class', code: 'unreadable_body' } };
  return example.unlike?.(wire, tried.content) ?? { outcome: tried.outcome };
}
