/** `explain --effective`: what composes for an asker, without a body. */
import { composedOf, type EffectiveRule, effectivePolicy } from '../../policy/effective.ts';
import { formatPosition } from '../../policy/errors.ts';
import type { Conditions, PolicySet } from '../../policy/set.ts';
import { visible } from '../printable.ts';
import { entry, pairs } from './report.ts';

/** Lines for people. */
export function effectiveLines(set: PolicySet, conditions: Conditions): readonly string[] {
  const { rules, denies } = effectivePolicy(set, conditions);
  const facts = Object.entries(conditions.facts).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const lines = [
    entry('set', set.digest),
    entry('facts', visible(pairs(Object.fromEntries(facts))) || 'none'),
    ...composed(set, rules).map((said, index) => entry(index === 0 ? 'composes' : '', said)),
    '',
  ];
  for (const [index, one] of rules.entries()) lines.push(...ruleLines(index + 1, one));
  if (rules.length === 0) lines.push('no rule is for this exchange');
  for (const layer of denies)
    lines.push(entry('default', `deny, of layer ${layer}: what no rule of it or above allows`));
  return lines;
}

/** Policies and modules that have a rule here, each with its version. */
function composed(set: PolicySet, rules: readonly EffectiveRule[]): readonly string[] {
  const { policies, modules } = composedOf(set, rules);
  const versioned = (name: string, version: string | undefined): string =>
    version === undefined ? name : `${name} ${version}`;
  return [
    ...policies.map(({ name, version, layer }) => `${versioned(name, version)}, of layer ${layer}`),
    ...modules.map(
      ({ name, version, usedBy }) =>
        `${versioned(name, version)}, a module of ${usedBy.join(', ')}`,
    ),
  ];
}

function ruleLines(
  number: number,
  { rule, condition, liftedBy, liftedWithin }: EffectiveRule,
): readonly string[] {
  const overridable = rule.overridable ? ', overridable' : '';
  const shadow = rule.enforcement === 'shadow' ? ', in shadow' : '';
  const reads = rule.inspect.size === 0 ? '' : `, reads ${[...rule.inspect].join(', ')}`;
  const lines = [
    `${String(number).padStart(3)}  ${rule.id}  ${formatPosition(rule.position)}`,
    `     ${rule.action.kind} of layer ${rule.layer}, priority ${rule.priority}${overridable}, ${rule.class}${reads}${shadow}`,
  ];
  const when = visible(rule.when?.source ?? '');
  if (condition === 'not') lines.push(`     does not act: \`${when}\` is false`);
  if (condition === 'error')
    lines.push(`     fails: \`${when}\` cannot be evaluated, and \`onError\` is ${rule.onError}`);
  if (condition === 'holds') lines.push(`     acts: \`${when}\` is true`);
  if (liftedBy !== undefined)
    lines.push(`     overridden by ${liftedBy.id}, for the whole exchange`);
  for (const allow of liftedWithin)
    lines.push(`     overridden by ${allow.id}, where that one matches`);
  return lines;
}
