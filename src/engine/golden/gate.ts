/** Golden sets gate what serves: a set whose cases do not hold is not taken (invariant 3). */
import { formatCompileError } from '../../policy/errors.ts';
import type { GoldenCase } from '../../policy/golden/cases.ts';
import type { GoldenOverride } from '../../policy/golden/override.ts';
import type { PolicySet } from '../../policy/set.ts';
import type { EngineLimits } from '../limits.ts';
import {
  type GoldenFault,
  lostCases,
  type OverrideTerms,
  type OverrideVerdict,
  overrideFaults,
} from './overrides.ts';
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

/** The cases that do not hold. */
export function failedCases(results: readonly CaseResult[]): readonly GoldenFault[] {
  return results.flatMap(({ case: golden, fault }) =>
    fault === undefined
      ? []
      : [
          {
            case: golden,
            line: formatCompileError({
              ...golden.position,
              code: 'golden_failed',
              message: `case \`${golden.name}\`: ${fault}; change the policy or the case`,
            }),
          },
        ],
  );
}

/** What is wrong, as compile errors are told; empty when every case holds. */
export function goldenFaults(
  cases: readonly GoldenCase[],
  results: readonly CaseResult[],
  limits: GoldenLimits,
): readonly string[] {
  return [...failedCases(results).map(({ line }) => line), ...missedFaults(cases, results, limits)];
}

/** What a gate is told of a save. */
export interface GateInput {
  readonly set: PolicySet;
  readonly cases: readonly GoldenCase[];
  readonly overrides: readonly GoldenOverride[];
  /** Protected cases of what serves, or is tried, or waits. */
  readonly inForce: readonly GoldenCase[];
}

/** Runs the cases of a save, and lets in what holds or what somebody has signed for. */
export async function passGate(
  { set, cases, overrides, inForce }: GateInput,
  { means, limits, ...signing }: GateMeans,
): Promise<OverrideVerdict> {
  const results = await runCases(set, cases, means, limits);
  const nowMs = means.clock.nowMs();
  const terms = { ...signing, overrides, digest: set.digest, nowMs };
  const verdict = overrideFaults([...failedCases(results), ...lostCases(inForce, cases)], terms);
  // Nobody can sign for what was not seen.
  const faults = [...verdict.faults, ...missedFaults(cases, results, limits)];
  return { faults, overridden: faults.length === 0 ? verdict.overridden : [] };
}

export interface GateMeans extends Pick<OverrideTerms, 'verify' | 'sha256'> {
  readonly means: GoldenMeans;
  readonly limits: GoldenLimits;
}

function missedFaults(
  cases: readonly GoldenCase[],
  results: readonly CaseResult[],
  { goldenMsMax }: GoldenLimits,
): readonly string[] {
  const missed = cases[results.length];
  if (missed === undefined) return [];
  return [
    formatCompileError({
      ...missed.position,
      code: 'golden_timeout',
      message: `the golden cases took more than ${goldenMsMax} ms, and ${cases.length - results.length} were not run; write fewer, or raise \`goldenMsMax\``,
    }),
  ];
}
