/** `switchyard test`: golden sets against their policies, without a server. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { failedCases, runCases } from '../../engine/golden/gate.ts';
import { type OverrideTerms, overrideFaults } from '../../engine/golden/overrides.ts';
import type { CaseResult } from '../../engine/golden/run-case.ts';
import { CUTTINGS_DEFAULT, slowRun } from '../../engine/golden/slow-stage.ts';
import type { ServerConfig } from '../../engine/server-config.ts';
import { COMPILE_ERRORS, type CompileErrorCode } from '../../policy/errors.ts';
import type { GoldenCase } from '../../policy/golden/cases.ts';
import { GOLDEN_STAGES, type GoldenStage } from '../../policy/golden/schema.ts';
import type { PolicySet } from '../../policy/set.ts';
import { compiledSources, hexSha256, type PolicyReading, readPolicyPath } from '../compile.ts';
import { readConfig } from '../config.ts';
import { CliError, EXIT } from '../exit.ts';
import { writeOutput } from '../output-file.ts';
import { printable } from '../printable.ts';
import { type Finding, sarifLog } from '../sarif.ts';
import type { TrialPorts } from '../trial/commands.ts';
import { junitReport, type StageResults } from './junit.ts';
import type { SignaturePorts } from './override.ts';

interface GoldenPorts {
  readonly version: string;
  readonly write: (text: string) => void;
  readonly readPolicies: (directory: string) => Promise<PolicyReading>;
  readonly signatures: SignaturePorts;
  readonly trial: Pick<TrialPorts, 'means'>;
}

/** What the command is asked to run; `all` is both, one after the other. */
const STAGES = [...GOLDEN_STAGES, 'all'] as const;

interface TestFlags {
  readonly stage: (typeof STAGES)[number];
  readonly cuttings: number;
  readonly seed: number;
  readonly junit?: string;
  readonly sarif?: string;
  readonly coverageMin?: number;
  readonly config?: string;
}

const TEST_HELP = `
Each case runs by the code that serves. The fast stage runs each as it is written, an answer in deltas also with its
words in one delta and in single characters. The slow stage runs the cases marked \`stage: slow\` too, and each case in
every API that can say it, streamed and whole, in many other deltas, its bytes cut in many other places.
Exit codes: 0 all hold, 1 a case fails in the fast stage or too few rules are covered, 2 bad input, 4 a case fails in
the slow stage. With --stage all the slow stage runs when the fast one holds`;

export function addGoldenCommands(program: Command, ports: GoldenPorts): void {
  program
    .command('test')
    .description('run golden sets against the policies beside them')
    .argument('<path>', 'file, or directory, of policies and golden sets')
    .addOption(new Option('--stage <stage>', 'what to run').choices(STAGES).default('fast'))
    .option(
      '--cuttings <count>',
      'slow stage: random cuttings of bytes, and of deltas, of each form of a case',
      parseCount,
      CUTTINGS_DEFAULT,
    )
    .option('--seed <number>', 'slow stage: the same number, the same cuttings', parseCount, 1)
    .option('--junit <file>', 'write the results as JUnit XML')
    .option('--sarif <file>', 'write what failed as SARIF 2.1.0')
    .option(
      '--coverage-min <percent>',
      'fail when fewer of the rules came to act in a case',
      parsePercent,
    )
    .option('--config <file>', "the server's configuration: formats, limits, keys of overrides")
    .addHelpText('after', TEST_HELP)
    .action((path: string, flags: TestFlags) => testPolicies(path, flags, ports));
}

const COUNT_MAX = 1_000_000;

function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count > COUNT_MAX)
    throw new InvalidArgumentError(`write a whole number, at most ${COUNT_MAX}.`);
  return count;
}

function parsePercent(text: string): number {
  const percent = Number(text.replace(/%$/, ''));
  if (text === '' || !(percent >= 0 && percent <= 100))
    throw new InvalidArgumentError('write a share of the rules: 80, 80% or 100.');
  return percent;
}

async function testPolicies(path: string, flags: TestFlags, ports: GoldenPorts): Promise<void> {
  const { set, cases, overrides } = compiledSources(await readPolicyPath(path, ports.readPolicies));
  if (cases.length === 0) {
    throw new CliError(
      EXIT.badInput,
      printable(`there is no golden case in \`${path}\`; add a \`kind: GoldenSet\``),
    );
  }
  const config = await readConfig(flags.config);
  // Nobody waits for this one but its author.
  const limits = { ...config.limits, goldenMsMax: Number.POSITIVE_INFINITY };
  const means = { ...(await ports.trial.means()), limits, routes: config.formats };
  const terms: OverrideTerms = {
    digest: set.digest,
    overrides,
    verify: verifyBy(config, ports),
    sha256: hexSha256,
    nowMs: means.clock.nowMs(),
  };
  const stages: StageResults[] = [];
  if (flags.stage !== 'slow') {
    const chosen = cases.filter(({ stage }) => stage === 'fast');
    stages.push(resultsOf('fast', await runCases(set, chosen, means, limits), terms));
  }
  const fastFailed = stages.some(({ faults }) => faults.length > 0);
  if (flags.stage === 'slow' || (flags.stage === 'all' && !fastFailed)) {
    const results = await runCases(set, cases, means, limits, slowRun(flags));
    stages.push(resultsOf('slow', results, terms));
  }
  if (flags.junit !== undefined) await writeOutput(flags.junit, junitReport(stages));
  if (flags.sarif !== undefined) {
    const described = (code: string) => COMPILE_ERRORS[code as CompileErrorCode];
    const found = stages.flatMap(({ results }) => failures(results));
    await writeOutput(flags.sarif, sarifLog(found, ports.version, described));
  }
  const coverage = coverageOf(
    set,
    stages.flatMap(({ results }) => results),
  );
  const lines = [
    ...stages.flatMap(({ faults }) => faults),
    coverageLine(coverage),
    ...overriddenLines(stages),
    ...notRun(cases, flags.stage, fastFailed),
    ...stages.map(stageLine),
  ];
  ports.write(`${printable(lines.join('\n'))}\n`);
  if (fastFailed) throw new CliError(EXIT.refused, '');
  if (stages.some(({ faults }) => faults.length > 0)) throw new CliError(EXIT.slowStageFailed, '');
  if (coverage.percent < (flags.coverageMin ?? 0)) {
    throw new CliError(
      EXIT.refused,
      `${Math.floor(coverage.percent)} % of the rules came to act, less than the ${flags.coverageMin} % asked for; add cases`,
    );
  }
}

function resultsOf(
  stage: GoldenStage,
  results: readonly CaseResult[],
  terms: OverrideTerms,
): StageResults {
  const failed = failedCases(results);
  const { faults, overridden } = overrideFaults(failed, terms);
  const lifted = new Set(overridden.flatMap(({ cases }) => cases));
  return {
    stage,
    results: results.map((one) => (lifted.has(one.case) ? { ...one, fault: undefined } : one)),
    faults,
    failed: failed.length - lifted.size,
    overridden,
  };
}

function verifyBy({ goldenOverrideKeys: keys }: ServerConfig, { signatures }: GoldenPorts) {
  try {
    return signatures.check(keys);
  } catch (error) {
    throw new CliError(EXIT.badInput, error instanceof Error ? error.message : 'a key is none');
  }
}

function overriddenLines(stages: readonly StageResults[]): readonly string[] {
  const lines = stages.flatMap(({ overridden }) =>
    overridden.flatMap(({ override: { by, until }, cases }) =>
      cases.map(
        ({ policy, name }) => `case \`${policy}/${name}\` is overridden by ${by} until ${until}`,
      ),
    ),
  );
  return [...new Set(lines)];
}

function stageLine({ stage, results, failed }: StageResults): string {
  const name = stage === 'slow' ? 'slow stage: ' : '';
  return `${name}${results.length - failed} passed, ${failed} failed`;
}

/** What a reader could take for tested, and is not. */
function notRun(
  cases: readonly GoldenCase[],
  stage: TestFlags['stage'],
  fastFailed: boolean,
): readonly string[] {
  if (stage === 'all' && fastFailed) return ['the slow stage did not run'];
  const slow = cases.filter((golden) => golden.stage === 'slow').length;
  if (stage !== 'fast' || slow === 0) return [];
  return [`${slow} ${slow === 1 ? 'case is' : 'cases are'} of the slow stage: --stage slow`];
}

interface Coverage {
  readonly rules: number;
  readonly never: readonly string[];
  readonly percent: number;
}

/** A rule is covered by a case in which it came to act, or would have. */
function coverageOf(set: PolicySet, results: readonly CaseResult[]): Coverage {
  const acted = new Set(results.flatMap(({ rules }) => [...rules]));
  const never = set.rules.filter(({ id }) => !acted.has(id)).map(({ id }) => id);
  const rules = set.rules.length;
  return { rules, never, percent: rules === 0 ? 100 : (100 * (rules - never.length)) / rules };
}

function coverageLine({ rules, never }: Coverage): string {
  const covered = `coverage: ${rules - never.length} of ${rules} rules`;
  return never.length === 0 ? covered : `${covered}; in no case: ${never.join(', ')}`;
}

function failures(results: readonly CaseResult[]): readonly Finding[] {
  return results.flatMap(({ case: { name, position }, fault }) =>
    fault === undefined
      ? []
      : [
          {
            code: 'golden_failed',
            level: 'error',
            message: `case \`${name}\`: ${fault}`,
            ...position,
          },
        ],
  );
}
