/** `switchyard test`: golden sets against their policies, without a server. */
import { writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { goldenFaults, runCases } from '../../engine/golden/gate.ts';
import type { CaseResult } from '../../engine/golden/run-case.ts';
import { COMPILE_ERRORS, type CompileErrorCode } from '../../policy/errors.ts';
import type { PolicySet } from '../../policy/set.ts';
import { compiledSources, type PolicyReading, readPolicyPath } from '../compile.ts';
import { readConfig } from '../config.ts';
import { CliError, EXIT } from '../exit.ts';
import { printable } from '../printable.ts';
import { type Finding, sarifLog } from '../sarif.ts';
import type { TrialPorts } from '../trial/commands.ts';
import { junitReport } from './junit.ts';

interface GoldenPorts {
  readonly version: string;
  readonly write: (text: string) => void;
  readonly readPolicies: (directory: string) => Promise<PolicyReading>;
  readonly trial: Pick<TrialPorts, 'means'>;
}

interface TestFlags {
  readonly junit?: string;
  readonly sarif?: string;
  readonly coverageMin?: number;
  readonly config?: string;
}

const TEST_HELP = `
Each case runs by the code that serves; an answer in deltas also with its words in one delta and in single
characters. Exit codes: 0 all hold, 1 a case fails or too few rules are covered, 2 bad input`;

export function addGoldenCommands(program: Command, ports: GoldenPorts): void {
  program
    .command('test')
    .description('run golden sets against the policies beside them')
    .argument('<path>', 'file, or directory, of policies and golden sets')
    .option('--junit <file>', 'write the results as JUnit XML')
    .option('--sarif <file>', 'write what failed as SARIF 2.1.0')
    .option(
      '--coverage-min <percent>',
      'fail when fewer of the rules came to act in a case',
      parsePercent,
    )
    .option('--config <file>', "the server's configuration: formats, limits")
    .addHelpText('after', TEST_HELP)
    .action((path: string, flags: TestFlags) => testPolicies(path, flags, ports));
}

function parsePercent(text: string): number {
  const percent = Number(text.replace(/%$/, ''));
  if (text === '' || !(percent >= 0 && percent <= 100))
    throw new InvalidArgumentError('write a share of the rules: 80, 80% or 100.');
  return percent;
}

async function testPolicies(path: string, flags: TestFlags, ports: GoldenPorts): Promise<void> {
  const { set, cases } = compiledSources(await readPolicyPath(path, ports.readPolicies));
  if (cases.length === 0) {
    throw new CliError(
      EXIT.badInput,
      printable(`there is no golden case in \`${path}\`; add a \`kind: GoldenSet\``),
    );
  }
  const config = await readConfig(flags.config);
  const means = await ports.trial.means();
  // Nobody waits for this one but its author.
  const limits = { ...config.limits, goldenMsMax: Number.POSITIVE_INFINITY };
  const results = await runCases(set, cases, { ...means, limits, routes: config.formats }, limits);
  if (flags.junit !== undefined) await writeReport(flags.junit, junitReport(results));
  if (flags.sarif !== undefined) {
    const described = (code: string) => COMPILE_ERRORS[code as CompileErrorCode];
    await writeReport(flags.sarif, sarifLog(failures(results), ports.version, described));
  }
  const faults = goldenFaults(cases, results, limits);
  const coverage = coverageOf(set, results);
  const lines = [
    ...faults,
    coverageLine(coverage),
    `${cases.length - faults.length} passed, ${faults.length} failed`,
  ];
  ports.write(`${printable(lines.join('\n'))}\n`);
  if (faults.length > 0) throw new CliError(EXIT.refused, '');
  if (coverage.percent < (flags.coverageMin ?? 0)) {
    throw new CliError(
      EXIT.refused,
      `${Math.floor(coverage.percent)} % of the rules came to act, less than the ${flags.coverageMin} % asked for; add cases`,
    );
  }
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

async function writeReport(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new CliError(
      EXIT.badInput,
      printable(`cannot write \`${path}\`: ${code}; name another file`),
    );
  }
}
