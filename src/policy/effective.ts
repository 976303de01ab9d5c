/** What composes for one exchange, in order, and which rule overrides which: for people and for the admin API. */
import { formatPosition } from './errors.ts';
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

/** The same for scripts, and which policies and modules it comes from; JSON as it stands. */
export interface EffectiveReport {
  readonly set: string;
  readonly facts: Conditions['facts'];
  readonly composes: {
    readonly policies: readonly Omit<PolicySet['policies'][number], 'file'>[];
    /** `usedBy`: those of the policies above. */
    readonly modules: readonly Omit<PolicySet['modules'][number], 'file'>[];
  };
  readonly denies: readonly Layer[];
  readonly rules: readonly {
    readonly rule: string;
    readonly policy: string;
    readonly module: string | null;
    readonly layer: Layer;
    readonly priority: number;
    readonly class: Rule['class'];
    readonly action: Rule['action']['kind'];
    readonly enforcement: Rule['enforcement'];
    readonly overridable: boolean;
    readonly condition: EffectiveRule['condition'];
    readonly liftedBy: string | null;
    readonly liftedWithin: readonly string[];
    /** `file:line:column`. */
    readonly position: string;
  }[];
}

/** Cost: that of `effectivePolicy`. */
export function effectiveReport(set: PolicySet, conditions: Conditions): EffectiveReport {
  const { rules, denies } = effectivePolicy(set, conditions);
  return {
    set: set.digest,
    facts: conditions.facts,
    composes: composedOf(set, rules),
    denies,
    rules: rules.map(({ rule, condition, liftedBy, liftedWithin }) => ({
      rule: rule.id,
      policy: rule.policy,
      module: rule.module ?? null,
      layer: rule.layer,
      priority: rule.priority,
      class: rule.class,
      action: rule.action.kind,
      enforcement: rule.enforcement,
      overridable: rule.overridable,
      condition,
      liftedBy: liftedBy?.id ?? null,
      liftedWithin: liftedWithin.map(({ id }) => id),
      position: formatPosition(rule.position),
    })),
  };
}

/** Policies and modules of which a rule is not kept out by its condition, each with its version. */
export function composedOf(
  set: PolicySet,
  rules: readonly EffectiveRule[],
): EffectiveReport['composes'] {
  const composing = rules.filter(({ condition }) => condition !== 'not').map(({ rule }) => rule);
  const policies = new Set(composing.map((rule) => rule.policy));
  const modules = new Set(composing.map((rule) => rule.module));
  return {
    policies: set.policies
      .filter(({ name }) => policies.has(name))
      .map(({ file: _file, ...told }) => told),
    modules: set.modules
      .filter(({ name }) => modules.has(name))
      .map(({ file: _file, usedBy, ...told }) => ({
        ...told,
        usedBy: usedBy.filter((user) => policies.has(user)),
      })),
  };
}
