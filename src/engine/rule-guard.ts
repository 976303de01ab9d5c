/** Puts a breaker before each rule of a set (SEMANTICS §8), and tells of every change of one. */
import type { Breakers } from '../judge/breakers.ts';
import type { RuleGuard } from './active-rules.ts';

export type BreakerChange = (rule: string, to: 'closed' | 'half-open' | 'open') => void;

export function ruleGuard(
  breakers: Breakers,
  monotonicMs: () => number,
  onChange: BreakerChange = () => {},
): RuleGuard {
  /** A generation ends with every change of state. */
  const watching = <T>(set: string, rule: string, act: () => T): T => {
    const before = breakers.generation(set, rule);
    const result = act();
    if (breakers.generation(set, rule) !== before) {
      const entry = breakers.notClosed().find((one) => one.digest === set && one.rule === rule);
      onChange(rule, entry?.state.kind ?? 'closed');
    }
    return result;
  };
  return {
    allow(set, rule) {
      // Where nothing ever failed there is no breaker to ask.
      if (breakers.size === 0) return true;
      return watching(
        set,
        rule.id,
        () => breakers.allow(set, rule.id, monotonicMs()) === 'evaluate',
      );
    },
    record(set, rule, failed, source) {
      if (breakers.size === 0 && !failed) return;
      watching(set, rule.id, () =>
        breakers.record(
          set,
          rule.id,
          failed ? 'error' : 'ok',
          breakers.generation(set, rule.id),
          monotonicMs(),
          source,
        ),
      );
    },
  };
}
