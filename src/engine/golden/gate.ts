/** Golden sets gate what serves: a set whose cases do not hold is not taken (invariant 3). */
import { formatCompileError } from '../../policy/errors.ts';
import type { GoldenCase } from '../../policy/golden/cases.ts';
import type { PolicySet } from '../../policy/set.ts';
import type { EngineLimits } from '../limits.ts';
import { type CaseResult, type GoldenMeans, runCase } from './run-case.ts';

type GoldenLimits = Pick<EngineLimits, 'goldenMsMax'>;

type RunCase = (set: PolicySet, golden: GoldenCase, means: GoldenMeans) => Promise<CaseResult>;

/** Results in the order of the cases; the rest is missing when the time was over. Others run in between. */
export async function runCases(
  set: PolicySet,
  cases: readonly GoldenCase[],
  means: GoldenMeans,
  { goldenMsMax }: GoldenLimits,
  run: RunCase = runCase,
): Promise<readonly CaseResult[]> {
  const { clock } = means;
  const dueMs = clock.monotonicMs() + goldenMsMax;
  const results: CaseResult[] = [];
  for (const golden of cases) {
    if (clock.monotonicMs() > dueMs) break;
    results.push(await run(set, golden, means));
    await new Promise<void>((resume) => clock.soon(resume));
  }
  return results;
}

/** What is wrong, as compile errors are told; empty when every case holds. */
export function goldenFaults(
  cases: readonly GoldenCase[],
  results: readonly CaseResult[],
  { goldenMsMax }: GoldenLimits,
): readonly string[] {
  const faults = results.flatMap(({ case: { name, position }, fault }) =>
    fault === undefined
      ? []
      : [
          formatCompileError({
            ...position,
            code: 'golden_failed',
            message: `case \`${name}\`: ${fault}; change the policy or the case`,
          }),
        ],
  );
  const missed = cases[results.length];
  if (missed === undefined) return faults;
  return [
    ...faults,
    formatCompileError({
      ...missed.position,
      code: 'golden_timeout',
      message: `the golden cases took more than ${goldenMsMax} ms, and ${cases.length - results.length} were not run; write fewer, or raise \`goldenMsMax\``,
    }),
  ];
}
