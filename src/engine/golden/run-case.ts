/**
 * Runs one golden case as it is written. The same answer is given again in other deltas, as a verdict may depend on
 * what was said and never on how it was cut.
 */
import type { GoldenCase } from '../../policy/golden/cases.ts';
import type { PolicySet } from '../../policy/set.ts';
import { deltasOf } from './answers.ts';
import { exchangeOf, type GoldenMeans } from './one-exchange.ts';
import { verdictFault } from './verdict.ts';

export type { GoldenMeans } from './one-exchange.ts';

export interface CaseResult {
  readonly case: GoldenCase;
  /** Why it fails, in words; undefined when it holds. */
  readonly fault: string | undefined;
  /** Rules that came to act in it, or would have. */
  readonly rules: ReadonlySet<string>;
}

/** Cost: that of one exchange, three where the answer comes in deltas and the case is not marked as slow. */
export async function runCase(
  set: PolicySet,
  golden: GoldenCase,
  means: GoldenMeans,
): Promise<CaseResult> {
  const { response } = golden;
  const deltas = response === undefined ? [] : deltasOf(response);
  const seen = await exchangeOf(set, golden, means, { deltas });
  let fault = verdictFault(golden.expect, seen);
  if (fault === undefined && response?.stream !== undefined && golden.stage === 'fast') {
    for (const [how, others] of otherDeltas(deltas)) {
      const other = await exchangeOf(set, golden, means, { deltas: others });
      const otherFault = verdictFault(golden.expect, other, seen.text);
      fault ??= otherFault && `with the same words ${how}: ${otherFault}`;
    }
  }
  return { case: golden, fault, rules: seen.rules };
}

/** The same words otherwise: in one delta, and each character in its own. */
export function otherDeltas(
  deltas: readonly string[],
): readonly (readonly [how: string, deltas: readonly string[]])[] {
  const whole = deltas.join('');
  const ways: [string, readonly string[]][] = [];
  if (deltas.length > 1) ways.push(['in one delta', [whole]]);
  if ([...whole].length > deltas.length) ways.push(['one character at a time', [...whole]]);
  return ways;
}
