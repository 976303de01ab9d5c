/** What composes for one exchange, in order, and which rule overrides which: for people and for the admin API. */
import { conditionOutcome, exempts } from './evaluate.ts';
import { scopeOf } from './scope.ts';
import type { Conditions, Layer, PolicySet, Rule } from './set.ts';

export interface EffectiveRule {
  readonly rule: Rule;
  /** Whether its condition lets it act here. */
  readonly condition: 'none' | 'holds' | 'not' | 'error';
  /** An `allow` without `match` lifts it for the whole exchange. */
  readonly liftedBy: Rule | undefined;
  /** `allow` rules that lift it where their match covers what it matches. */
  readonly liftedWithin: readonly Rule[];
}

export interface EffectivePolicy {
  /** Those whose selector fits, in the order in which they win. */
  readonly rules: readonly EffectiveRule[];
  /** Layers that deny what none of their rules, or of those above, allows. */
  readonly denies: readonly Layer[];
}

/** Cost: a condition for each rule, and rules × `allow` rules. */
export function effectivePolicy(set: PolicySet, conditions: Conditions): EffectivePolicy {
  const { rules, denies } = scopeOf(set, conditions.facts, true);
  const asked = rules.map((rule) => ({ rule, condition: conditionOf(rule, conditions) }));
  const acting = asked
    .filter(({ condition }) => condition === 'none' || condition === 'holds')
    .map(({ rule }) => rule);
  return {
    denies,
    rules: asked.map(({ rule, condition }) => {
      const lifting = acting.filter((allow) => exempts(allow, rule));
      return {
        rule,
        condition,
        liftedBy: lifting.find(({ detector }) => detector === undefined),
        liftedWithin: lifting.filter(({ detector }) => detector !== undefined),
      };
    }),
  };
}

function conditionOf(rule: Rule, conditions: Conditions): EffectiveRule['condition'] {
  if (rule.when === undefined) return 'none';
  return conditionOutcome(rule, conditions).kind;
}
