/**
 * Puts a breaker before each rule of a set, and before each external detector (SEMANTICS §8), and tells of every
 * change of one.
 */
import type { Breakers } from '../judge/breakers.ts';
import type { RuleGuard } from './active-rules.ts';
import { detectorName } from './classifiers.ts';

export type BreakerChange = (rule: string, to: 'closed' | 'half-open' | 'open') => void;

/** Stands for a set's digest in the breakers of external detectors: all sets ask the same ones. */
export const DETECTORS = 'detectors';

/** Whether an external detector may be asked now; what it came to is told later. */
export interface DetectorGuard {
  /** Undefined: its breaker is open. Otherwise to be handed back to `record`. */
  admit(detector: string): number | undefined;
  record(
    detector: string,
    outcome: 'ok' | 'error' | 'abandoned',
    generation: number,
    source: string | undefined,
  ): void;
}

export function detectorGuard(
  breakers: Breakers,
  monotonicMs: () => number,
  onChange: BreakerChange = () => {},
): DetectorGuard {
  return {
    admit(detector) {
      const rule = detectorName(detector);
      const verdict = watching(breakers, onChange, DETECTORS, rule, () =>
        breakers.allow(DETECTORS, rule, monotonicMs()),
      );
      return verdict === 'evaluate' ? breakers.generation(DETECTORS, rule) : undefined;
    },
    record(detector, outcome, generation, source) {
      const rule = detectorName(detector);
      watching(breakers, onChange, DETECTORS, rule, () =>
        breakers.record(DETECTORS, rule, outcome, generation, monotonicMs(), source),
      );
    },
  };
}

/** A generation ends with every change of state. */
function watching<T>(
  breakers: Breakers,
  onChange: BreakerChange,
  set: string,
  rule: string,
  act: () => T,
): T {
  const before = breakers.generation(set, rule);
  const result = act();
  if (breakers.generation(set, rule) !== before) {
    const entry = breakers.notClosed().find((one) => one.digest === set && one.rule === rule);
    onChange(rule, entry?.state.kind ?? 'closed');
  }
  return result;
}

export function ruleGuard(
  breakers: Breakers,
  monotonicMs: () => number,
  onChange: BreakerChange = () => {},
): RuleGuard {
  return {
    get idle() {
      return breakers.size === 0;
    },
    allow(set, rule) {
      return watching(
        breakers,
        onChange,
        set,
        rule.id,
        () => breakers.allow(set, rule.id, monotonicMs()) === 'evaluate',
      );
    },
    record(set, rule, failed, source) {
      if (breakers.size === 0 && !failed) return;
      watching(breakers, onChange, set, rule.id, () =>
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
