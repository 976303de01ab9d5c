/**
 * Which rules act on one exchange: selector and `when` against its facts, once, at its start. What fails
 * here is an error of the rule, not a verdict (invariant 4): the rule's `onError` says what follows.
 */

import {
  actsOnRequest,
  changesRequest,
  conditionOutcome,
  type Decision,
  decide,
  defaultDeny,
  exempts,
} from '../policy/evaluate.ts';
import type { ClassifierFailure } from '../policy/given-verdict.ts';
import { ruleReachesDirection } from '../policy/reach.ts';
import { FACT_NAMES } from '../policy/schema.ts';
import { type Scope, scopeOf } from '../policy/scope.ts';
import type {
  Conditions,
  Direction,
  Facts,
  Layer,
  PolicyClass,
  PolicySet,
  Rule,
} from '../policy/set.ts';
import { breaks } from './restrictions.ts';
import { sharedList } from './rule-lists.ts';

/** Whether a rule may be evaluated now; a breaker that is open says no. */
export interface RuleGuard {
  /** No rule has a breaker: `allow` says yes to all of them, and need not be asked. */
  readonly idle: boolean;
  allow(set: string, rule: Rule, source: string | undefined): boolean;
  record(set: string, rule: Rule, failed: boolean, source: string | undefined): void;
}

/** For exchanges whose faults nobody counts. */
export const NO_GUARD: RuleGuard = Object.freeze({ idle: true, allow: () => true, record() {} });

export interface RuleError {
  readonly rule: Rule;
  readonly error: 'condition_failed' | 'breaker_open' | `classifier_${ClassifierFailure}`;
  /** The external detector that could not be asked. */
  readonly classifier?: string;
}

/** A rule that an `allow` lifted, as it was more to say. */
export interface Lifted {
  readonly rule: Rule;
  readonly by: Rule;
}

/** What the rules demand before any content is read. */
export type StandingRefusal =
  | { readonly code: 'policy'; readonly rule: Rule }
  | { readonly code: 'default_deny' }
  | { readonly code: 'rule_error' | 'breaker_open'; readonly rule: Rule };

export interface ActiveRules {
  /** Content rules that act, in rank order. */
  readonly content: readonly Rule[];
  readonly refusal: StandingRefusal | undefined;
  /** Rules without `match` that hold, and are not refusals: flags, changes, throttles, and those in shadow. */
  readonly plain: readonly Rule[];
  readonly errors: readonly RuleError[];
  /** Rules without `match` that hold and allow. */
  readonly allows: readonly Rule[];
  /** What those lift for the whole exchange, in rank order. */
  readonly lifted: readonly Lifted[];
  /** Layers that deny by default. */
  readonly denies: readonly Layer[];
  /** Rules in force, held or not, that keep a session with the model that it began with. */
  readonly sticky: readonly Rule[];
  /** Rules in force that say which models may be used, whether the request breaks them or not. */
  readonly granting: readonly Rule[];
}

/** Rules whose selector fits the facts; a selector on `model` fits while the model is not known yet. */
export function candidates(set: PolicySet, facts: Facts, modelKnown: boolean): readonly Rule[] {
  return scopeOf(set, facts, modelKnown).rules;
}

/** Whether the rule's applicability depends on the request body. */
export function needsModel(rule: Rule): boolean {
  return (
    rule.selector.model !== undefined ||
    rule.restriction?.kind === 'models' ||
    (rule.when?.reads.has('model') ?? false)
  );
}

/** Whether the rule looks for something in this direction. What acts on requests does not look at answers. */
export function reaches(rule: Rule, direction: Direction): boolean {
  if (rule.detector === undefined || !ruleReachesDirection(rule, direction)) return false;
  return direction === 'request' || !actsOnRequest(rule);
}

/** Whether the rule needs the body of a request: to read it, or to write into it. */
export function needsRequest(rule: Rule): boolean {
  return reaches(rule, 'request') || (rule.detector === undefined && changesRequest(rule));
}

/** What it would have judged does not pass without it. */
export const mustJudge = (rule: Rule): boolean =>
  rule.enforcement === 'enforce' && deniesByClass(rule.class);

export const deniesByClass = (ruleClass: PolicyClass): boolean => ruleClass !== 'operational';

/**
 * Evaluates `when` of every candidate once. `headersOnly`: rules with `match` are left out and errors
 * of theirs are not met (Check, which sees no body). Cost: one condition per candidate that has one; what
 * follows from their outcomes is worked out once for each way that these have together.
 */
export function activate(
  set: PolicySet,
  facts: Facts,
  conditions: Conditions,
  guard: RuleGuard,
  headersOnly: boolean,
): ActiveRules {
  // Check knows the model where the path or the route says it.
  const modelKnown = !headersOnly || facts.model !== undefined;
  const plan = planOf(scopeOf(set, facts, modelKnown), headersOnly);
  const source = sourceOf(facts, conditions);
  const parts: Part[] = [];
  const errors: RuleError[] = [];
  // A rule whose part is known is not even looked at: of many tenants' rules few are in the processor's cache.
  for (const rule of guard.idle ? plan.open : plan.rules) {
    const open = plan.open.has(rule);
    let part: Part =
      open && headersOnly && !knownFrom(rule, conditions) ? PART.unknown : PART.holds;
    if (part === PART.holds && !guard.idle && !guard.allow(set.digest, rule, source)) {
      errors.push({ rule, error: 'breaker_open' });
      part = PART.not;
    }
    if (!open) continue;
    if (part === PART.holds && rule.when) {
      const outcome = conditionOutcome(rule, conditions);
      guard.record(set.digest, rule, outcome.kind === 'error', source);
      if (outcome.kind === 'error') errors.push({ rule, error: 'condition_failed' });
      if (outcome.kind !== 'holds') part = PART.not;
    }
    if (part === PART.holds && rule.restriction && breaks(rule.restriction, conditions))
      part = PART.broken;
    parts.push(part);
  }
  if (errors.length > 0) return assemble(plan, parts, errors);
  const key = keyOf(parts);
  const known = plan.known.get(key);
  if (known !== undefined) return known;
  const made = Object.freeze(assemble(plan, parts, NO_ERRORS));
  if (plan.known.size >= WAYS_MAX) plan.known.delete(plan.known.keys().next().value ?? '');
  plan.known.set(key, made);
  return made;
}

/** What became of a rule: its facts are not known yet; it does not hold; it holds; so it does, and is broken. */
const PART = { unknown: 0, not: 1, holds: 2, broken: 3 } as const;
type Part = (typeof PART)[keyof typeof PART];
const PARTS = 4;

/** As many parts make a number that is exact. */
const NUMBERED_PARTS_MAX = 26;

/** Equal for equal parts of the same rules. */
function keyOf(parts: readonly Part[]): number | string {
  if (parts.length > NUMBERED_PARTS_MAX) return parts.join('');
  let key = 0;
  for (const part of parts) key = key * PARTS + part;
  return key;
}

/** Ways that are remembered of one scope, in which its rules hold together: as many are common. */
const WAYS_MAX = 32;

interface Plan {
  readonly denies: readonly Layer[];
  /** Those that may have a part, in rank order. */
  readonly rules: readonly Rule[];
  /** Of these, those whose part the exchange decides. */
  readonly open: ReadonlySet<Rule>;
  readonly headersOnly: boolean;
  readonly known: Map<number | string, ActiveRules>;
}

const plans = { whole: new WeakMap<Scope, Plan>(), headers: new WeakMap<Scope, Plan>() };

function planOf(scope: Scope, headersOnly: boolean): Plan {
  const known = headersOnly ? plans.headers : plans.whole;
  let plan = known.get(scope);
  if (plan === undefined) {
    // The list itself where nothing is left out: what is known of lists is known of it.
    const rules = headersOnly
      ? scope.rules.filter((rule) => !rule.detector || rule.restriction)
      : scope.rules;
    const open = new Set(rules.filter((rule) => isOpen(rule, headersOnly)));
    plan = { denies: scope.denies, rules, open, headersOnly, known: new Map() };
    known.set(scope, plan);
  }
  return plan;
}

/** A selector on the model fits where a Check does not know the model yet. */
const isOpen = ({ when, restriction, selector }: Rule, headersOnly: boolean): boolean =>
  when !== undefined || restriction !== undefined || (headersOnly && selector.model !== undefined);

/** What acts, where `parts` are those of the plan's open rules, in their order. */
function assemble(
  { denies, rules, open, headersOnly }: Plan,
  parts: readonly Part[],
  errors: readonly RuleError[],
): ActiveRules {
  const failed = new Set(errors.map(({ rule }) => rule));
  const content: Rule[] = [];
  const holding: Rule[] = [];
  const sticky: Rule[] = [];
  const granting: Rule[] = [];
  let at = 0;
  for (const rule of rules) {
    const part = open.has(rule) ? parts[at++] : PART.holds;
    if (part === PART.unknown) continue;
    if (keepsSessions(rule)) sticky.push(rule);
    if (part === PART.not || failed.has(rule)) continue;
    if (rule.restriction?.kind === 'models' && rule.enforcement === 'enforce') granting.push(rule);
    if (part === PART.broken || (!rule.restriction && !rule.detector)) holding.push(rule);
    else if (rule.detector) content.push(rule);
  }
  const decision = decide(denies, [
    ...holding.map((rule) => ({ rule })),
    ...errors.map(({ rule }) => ({ rule, failed: true })),
  ]);
  const allows = holding.filter((rule) => rule.action.kind === 'allow');
  const standing = content.filter((rule) => !isLifted(rule, allows));
  return {
    content: sharedList(rules, standing),
    refusal: refusalOf(decision, denies, content, errors, headersOnly),
    plain: sharedList(rules, [...decision.flagged, ...decision.shadowed, ...decision.acting]),
    errors,
    allows: sharedList(rules, allows),
    lifted: allows.length === 0 ? NOTHING_LIFTED : liftedBy(allows, [...holding, ...content]),
    denies,
    sticky: sharedList(rules, sticky),
    granting: sharedList(
      rules,
      granting.filter((rule) => !isLifted(rule, allows)),
    ),
  };
}

/**
 * Whose inputs make a rule or a classifier fail, as somebody vouches for it: a session is a name that its client
 * chooses, so that one who sends many would open the breaker for everybody.
 */
export function sourceOf(
  facts: Facts,
  conditions: Pick<Conditions, 'sourceIp'>,
): string | undefined {
  return facts.principal ?? conditions.sourceIp ?? facts.session;
}

const NO_ERRORS: readonly RuleError[] = Object.freeze([]);
const NOTHING_LIFTED: readonly Lifted[] = Object.freeze([]);

const isLifted = (rule: Rule, allows: readonly Rule[]): boolean =>
  allows.length > 0 && allows.some((allow) => exempts(allow, rule));

/** Each with the first `allow` by rank that lifts it. Cost: rules × allows. */
function liftedBy(allows: readonly Rule[], rules: readonly Rule[]): readonly Lifted[] {
  const ranked = allows.toSorted((a, b) => a.rank - b.rank);
  return rules
    .flatMap((rule): Lifted[] => {
      const by = ranked.find((allow) => exempts(allow, rule));
      return by === undefined ? [] : [{ rule, by }];
    })
    .sort((a, b) => a.rule.rank - b.rule.rank);
}

const keepsSessions = ({ action, enforcement }: Rule): boolean =>
  action.kind === 'route' && action.sticky && enforcement === 'enforce';

function refusalOf(
  decision: Decision,
  denies: readonly Layer[],
  content: readonly Rule[],
  errors: readonly RuleError[],
  headersOnly: boolean,
): StandingRefusal | undefined {
  switch (decision.kind) {
    case 'block':
      return { code: 'policy', rule: decision.rule };
    case 'unavailable': {
      const { rule } = decision;
      const open = errors.some((e) => e.rule === rule && e.error === 'breaker_open');
      return { code: open ? 'breaker_open' : 'rule_error', rule };
    }
    case 'default_deny': {
      // An `allow` that reads the request may still lift it; whoever reads it asks `unallowed`.
      const pending = content.filter(
        (rule) => rule.action.kind === 'allow' && reaches(rule, 'request'),
      );
      if (headersOnly || defaultDeny(denies, pending) === undefined) return undefined;
      return { code: 'default_deny' };
    }
    default:
      return undefined;
  }
}

/** Whether `default: deny` stands, now that the request was read and `matched` are the rules that matched. */
export function unallowed(active: ActiveRules, matched: readonly Rule[]): boolean {
  if (active.denies.length === 0) return false;
  const allows = matched.filter((rule) => rule.action.kind === 'allow');
  return defaultDeny(active.denies, [...active.allows, ...allows]) !== undefined;
}

/** In Check a fact that is absent may only be unknown yet: rules that ask for it wait for Process. */
function knownFrom(rule: Rule, { facts, claims }: Conditions): boolean {
  if (rule.when?.reads.has('route')) return false;
  if (rule.when?.reads.has('principal') && claims === undefined) return false;
  if (rule.restriction?.kind === 'models' && facts.model === undefined) return false;
  return FACT_NAMES.every(
    (name) =>
      facts[name] !== undefined ||
      (rule.selector[name] === undefined && !rule.when?.reads.has(name)),
  );
}
