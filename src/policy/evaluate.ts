/** What follows from what matched: the precedence of SEMANTICS §6, and nothing else. */
import { type Action, type Conditions, LAYERS, type Layer, type Rule } from './set.ts';

export type ConditionOutcome =
  | { readonly kind: 'holds' }
  | { readonly kind: 'not' }
  | { readonly kind: 'error'; readonly message: string };

const HOLDS: ConditionOutcome = Object.freeze({ kind: 'holds' });
const NOT: ConditionOutcome = Object.freeze({ kind: 'not' });

/** Whether the rule's `when` holds; a failure is not a verdict. The message carries no value. */
export function conditionOutcome(rule: Rule, conditions: Conditions): ConditionOutcome {
  if (rule.when === undefined) return HOLDS;
  try {
    return rule.when.holds(conditions) ? HOLDS : NOT;
  } catch (error) {
    return {
      kind: 'error',
      message: error instanceof Error ? error.message : 'the condition failed at run time',
    };
  }
}

/** Whether an `allow` that matched lifts `other`: lower priority in its own layer, or overridable above. */
export function exempts(allow: Rule, other: Rule): boolean {
  if (allow.action.kind !== 'allow' || allow.enforcement !== 'enforce') return false;
  if (allow.layer === other.layer) return allow.priority > other.priority;
  return other.overridable && LAYERS.indexOf(allow.layer) > LAYERS.indexOf(other.layer);
}

/** A rule that matched, or (`failed`) that could not be evaluated. */
export interface Candidate {
  readonly rule: Rule;
  readonly failed?: boolean;
}

interface Aside {
  /** Enforced `flag` rules, in rank order. */
  readonly flagged: readonly Rule[];
  /** Enforced rules that do something besides, in rank order: changes of the message, and `throttle`. */
  readonly acting: readonly Rule[];
  /** Rules in shadow that would have acted: findings, never enforced. */
  readonly shadowed: readonly Rule[];
  /** Rules that an `allow` lifted. */
  readonly exempted: readonly Rule[];
  /** Rules that failed and say `onError: allow`: the record is degraded. */
  readonly degraded: readonly Rule[];
}

export type Decision = Aside &
  (
    | { readonly kind: 'allow' }
    /** All of them apply, in rank order. */
    | { readonly kind: 'mutate'; readonly rules: readonly Rule[] }
    | { readonly kind: 'block'; readonly rule: Rule }
    /** A rule that says `onError: deny` failed: denied because unavailable, which is no verdict. */
    | { readonly kind: 'unavailable'; readonly rule: Rule }
    /** No `allow` lifted the layer's `default: deny`. */
    | { readonly kind: 'default_deny'; readonly layer: Layer }
  );

const NOTHING_MATCHED: Decision = Object.freeze({
  kind: 'allow',
  flagged: [],
  acting: [],
  shadowed: [],
  exempted: [],
  degraded: [],
});

/**
 * The decision over everything that matched in an exchange so far, where `denies` are the layers that deny by
 * default. The order of `candidates` means nothing; a rule may stand in it more than once. Cost: rules ×
 * matched `allow` rules.
 */
export function decide(denies: readonly Layer[], candidates: readonly Candidate[]): Decision {
  if (candidates.length === 0 && denies.length === 0) return NOTHING_MATCHED;
  const unique = new Map<Rule, boolean>();
  for (const { rule, failed = false } of candidates) {
    unique.set(rule, failed || (unique.get(rule) ?? false));
  }
  const byRank = [...unique]
    .map(([rule, failed]) => ({ rule, failed }))
    .filter(({ rule }) => rule.enforcement !== 'off')
    .sort((a, b) => a.rule.rank - b.rule.rank);
  const shadowed = byRank
    .filter(({ rule, failed }) => rule.enforcement === 'shadow' && !failed)
    .map((one) => one.rule);
  const enforced = byRank.filter(({ rule }) => rule.enforcement === 'enforce');
  const allows = enforced
    .filter(({ rule, failed }) => rule.action.kind === 'allow' && !failed)
    .map((one) => one.rule);
  const lifted = (rule: Rule) => allows.some((allow) => exempts(allow, rule));
  const exempted = enforced.filter(({ rule }) => lifted(rule)).map((one) => one.rule);
  const standing = enforced.filter(({ rule }) => !lifted(rule));
  const acting = standing.filter(({ failed }) => !failed).map((one) => one.rule);
  const failures = standing.filter(({ failed }) => failed).map((one) => one.rule);
  const aside: Aside = {
    flagged: acting.filter((rule) => rule.action.kind === 'flag'),
    acting: acting.filter((rule) => isMutation(rule) || rule.action.kind === 'throttle'),
    shadowed,
    exempted,
    degraded: failures.filter((rule) => rule.onError === 'allow'),
  };
  const block = acting.find(refuses);
  if (block !== undefined) return { kind: 'block', rule: block, ...aside };
  const unavailable = failures.find((rule) => rule.onError === 'deny');
  if (unavailable !== undefined) return { kind: 'unavailable', rule: unavailable, ...aside };
  const layer = defaultDeny(denies, allows);
  if (layer !== undefined) return { kind: 'default_deny', layer, ...aside };
  const rules = acting.filter((rule) => isMutation(rule));
  return rules.length > 0 ? { kind: 'mutate', rules, ...aside } : { kind: 'allow', ...aside };
}

/**
 * The highest of the layers that deny by default, in their order, that still does. It is lifted by a matched
 * `allow` of that layer or of one above; one below would loosen what it may not.
 */
export function defaultDeny(
  denies: readonly Layer[],
  matchedAllows: readonly Rule[],
): Layer | undefined {
  return denies.find(
    (layer) =>
      !matchedAllows.some(
        (rule) =>
          rule.enforcement === 'enforce' && LAYERS.indexOf(rule.layer) <= LAYERS.indexOf(layer),
      ),
  );
}

const MUTATIONS: ReadonlySet<Action['kind']> = new Set([
  'redact',
  'restore',
  'rewrite',
  'append',
  'remove',
  'clamp',
  'inject',
  'route',
]);

/** A restriction that is broken refuses, whatever else it does to what it finds. */
const refuses = ({ action, restriction }: Rule): boolean =>
  action.kind === 'block' || restriction !== undefined;

/** Whether the rule changes bytes when it acts. */
export function isMutation(rule: Rule): boolean {
  return MUTATIONS.has(rule.action.kind);
}

/** Whether the rule acts on the request alone, whatever words of an answer it could read. */
export function actsOnRequest(rule: Rule): boolean {
  const { kind } = rule.action;
  return changesRequest(rule) || kind === 'throttle';
}

/** Whether the rule asks for what this version reads but cannot do: a set in which it should is not served. */
export function unsupported(rule: Rule): boolean {
  if (rule.enforcement !== 'enforce') return false;
  return (
    rule.action.kind === 'hold' ||
    rule.restriction?.kind === 'limit' ||
    rule.detector?.kind === 'baseline'
  );
}

/** Whether the rule writes into a request more than it found there. */
export function changesRequest(rule: Rule): boolean {
  const { kind } = rule.action;
  return kind === 'inject' || kind === 'route';
}

/** Whether the rule can change or end an exchange: such rules hold frames back, flags and allows do not. */
export function isEnforcing(rule: Rule): boolean {
  return rule.enforcement === 'enforce' && (isMutation(rule) || rule.action.kind === 'block');
}
