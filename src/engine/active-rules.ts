/**
 * Which rules act on one exchange: selector and `when` against its facts, once, at its start. What fails
 * here is an error of the rule, not a verdict (invariant 4): the rule's `onError` says what follows.
 */
import type {
  Conditions,
  Direction,
  FactName,
  Facts,
  Place,
  PolicyClass,
  PolicySet,
  Rule,
} from '../policy/set.ts';
import { coveredBy } from '../policy/set.ts';

/** Whether a rule may be evaluated now; a breaker that is open says no. */
export interface RuleGuard {
  allow(set: string, rule: Rule, source: string | undefined): boolean;
  record(set: string, rule: Rule, failed: boolean, source: string | undefined): void;
}

export interface RuleError {
  readonly rule: Rule;
  readonly error: 'condition_failed' | 'breaker_open';
}

export interface ActiveRules {
  /** Content rules that act, in rank order. */
  readonly content: readonly Rule[];
  /** The verdict that needs no content: a block without `match`, or a layer that denies by default. */
  readonly refusal: Rule | 'default_deny' | undefined;
  /** Rules without `match` that hold and do not block: flags and appends. */
  readonly plain: readonly Rule[];
  readonly errors: readonly RuleError[];
  /** An error whose rule says deny. */
  readonly failed: RuleError | undefined;
}

/** Rules whose selector fits the facts; a selector on `model` fits while the model is not known yet. */
export function candidates(set: PolicySet, facts: Facts, modelKnown: boolean): readonly Rule[] {
  return set.rules.filter((rule) => {
    for (const [name, value] of Object.entries(rule.selector)) {
      if (name === 'model' && !modelKnown) continue;
      if (facts[name as keyof Facts] !== value) return false;
    }
    return true;
  });
}

/** Whether the rule's applicability depends on the request body. */
export function needsModel(rule: Rule): boolean {
  return rule.selector.model !== undefined || (rule.when?.reads.has('model') ?? false);
}

export function reaches(rule: Rule, direction: Direction): boolean {
  if (!rule.detector) return false;
  for (const word of rule.inspect) {
    if (word === 'tool_call') return true;
    if (word === 'response' ? direction === 'response' : direction === 'request') return true;
  }
  return false;
}

export function reads(rule: Rule, direction: Direction, place: Place): boolean {
  return coveredBy(direction, place).some((word) => rule.inspect.has(word));
}

export function changesBody(rule: Rule): boolean {
  const { kind } = rule.action;
  return kind === 'redact' || kind === 'rewrite' || kind === 'append';
}

export const deniesByClass = (ruleClass: PolicyClass): boolean => ruleClass !== 'operational';

/**
 * Evaluates `when` of every candidate once. `headersOnly`: rules with `match` are left out and errors
 * of theirs are not met (Check, which sees no body). Cost: one condition per candidate that has one.
 */
export function activate(
  set: PolicySet,
  facts: Facts,
  conditions: Conditions,
  guard: RuleGuard,
  headersOnly: boolean,
): ActiveRules {
  const content: Rule[] = [];
  const plain: Rule[] = [];
  const holding: Rule[] = [];
  const errors: RuleError[] = [];
  for (const rule of candidates(set, facts, !headersOnly)) {
    if (headersOnly && (rule.detector || !knownFrom(rule, facts))) continue;
    if (!guard.allow(set.digest, rule, facts.principal ?? facts.session)) {
      errors.push({ rule, error: 'breaker_open' });
      continue;
    }
    if (rule.when) {
      let holds: boolean;
      try {
        holds = rule.when.holds(conditions);
      } catch {
        guard.record(set.digest, rule, true, facts.principal ?? facts.session);
        errors.push({ rule, error: 'condition_failed' });
        continue;
      }
      guard.record(set.digest, rule, false, facts.principal ?? facts.session);
      if (!holds) continue;
    }
    if (rule.detector) content.push(rule);
    else holding.push(rule);
  }
  const allows = holding.filter(
    (rule) => rule.action.kind === 'allow' && rule.enforcement === 'enforce',
  );
  const exempt = (rule: Rule): boolean =>
    allows.some((allow) => allow.layer === rule.layer && allow.priority > rule.priority);
  let block: Rule | undefined;
  for (const rule of holding) {
    if (rule.enforcement === 'enforce' && exempt(rule)) continue;
    if (rule.action.kind === 'block' && rule.enforcement === 'enforce') block ??= rule;
    else plain.push(rule);
  }
  const kept = content.filter((rule) => !exempt(rule));
  return {
    content: kept,
    refusal: block ?? (deniesByDefault(set, holding, kept, headersOnly) ? 'default_deny' : undefined),
    plain,
    errors,
    failed: errors.find((error) => error.rule.onError === 'deny' && enforces(error.rule)),
  };
}

/** In Check a fact that is absent may only be unknown yet: rules that ask for it wait for Process. */
function knownFrom(rule: Rule, facts: Facts): boolean {
  if (rule.when?.reads.has('route')) return false;
  return FACTS.every(
    (name) =>
      facts[name] !== undefined ||
      (rule.selector[name] === undefined && !rule.when?.reads.has(name)),
  );
}

const FACTS: readonly FactName[] = [
  'tenant',
  'app',
  'model',
  'principal',
  'region',
  'session',
  'risk',
  'consent',
];

const enforces = (rule: Rule): boolean => rule.enforcement === 'enforce';

/** A layer with `default: deny` passes only what an `allow` rule of that layer holds for. */
function deniesByDefault(
  set: PolicySet,
  holding: readonly Rule[],
  content: readonly Rule[],
  headersOnly: boolean,
): boolean {
  if (headersOnly) return false; // an allow that reads content or the model may still hold
  return Object.entries(set.defaults).some(
    ([layer, fallback]) =>
      fallback === 'deny' &&
      ![...holding, ...content].some(
        (rule) => rule.layer === layer && rule.action.kind === 'allow' && enforces(rule),
      ),
  );
}
