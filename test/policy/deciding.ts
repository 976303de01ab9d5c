/** The real evaluator, asked as the reference is. */
import { type Candidate, conditionOutcome, decide } from '../../src/policy/evaluate.ts';
import { scopeOf } from '../../src/policy/scope.ts';
import type { Facts, PolicySet } from '../../src/policy/set.ts';
import { HEADER_VALUES } from './random-policies.ts';
import type { Asked } from './reference.ts';

/** The real verdict, where every content rule matches. */
export function decided(set: PolicySet, { facts, headers }: Asked): string {
  const conditions = {
    facts: facts as Facts,
    method: 'POST',
    path: '/',
    authority: 'a',
    route: '',
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, HEADER_VALUES[value]]),
    ),
    nowMs: 0,
  };
  const { rules, denies } = scopeOf(set, facts as Facts, true);
  const matched: Candidate[] = [];
  for (const rule of rules) {
    const outcome = conditionOutcome(rule, conditions);
    if (outcome.kind === 'not') continue;
    matched.push({ rule, failed: outcome.kind === 'error' });
  }
  const decision = decide(denies, matched);
  switch (decision.kind) {
    case 'block':
    case 'unavailable':
      return `${decision.kind} ${decision.rule.id}`;
    case 'default_deny':
      return `default_deny ${decision.layer}`;
    case 'mutate':
      return `mutate ${decision.rules.map(({ id }) => id).join(' ')}`;
    case 'allow':
      return 'allow';
  }
}
