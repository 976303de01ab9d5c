/** Puts a breaker before each rule of a set (SEMANTICS §8). */
import type { Breakers } from '../judge/breakers.ts';
import type { RuleGuard } from './active-rules.ts';

export function ruleGuard(breakers: Breakers, monotonicMs: () => number): RuleGuard {
  return {
    allow: (set, rule) => breakers.allow(set, rule.id, monotonicMs()) === 'evaluate',
    record: (set, rule, failed, source) =>
      breakers.record(
        set,
        rule.id,
        failed ? 'error' : 'ok',
        breakers.generation(set, rule.id),
        monotonicMs(),
        source,
      ),
  };
}
