/** `switchyard lint` and `switchyard schema`: help for who writes policies. */

import { type Command, Option } from 'commander';
import { formatPosition } from '../policy/errors.ts';
import { LINT_CODES, type LintCode, lintSet } from '../policy/lint.ts';
import { policyJsonSchema } from '../policy/schema.ts';
import { compiledSources, type PolicyReading, readPolicyPath } from './compile.ts';
import { CliError, EXIT } from './exit.ts';
import { printable } from './printable.ts';
import { type Finding, sarifLog } from './sarif.ts';

interface LintPorts {
  readonly version: string;
  readonly write: (text: string) => void;
  readonly readPolicies: (directory: string) => Promise<PolicyReading>;
}

interface LintFlags {
  readonly strict?: boolean;
  readonly format: 'text' | 'sarif';
}

const LINT_HELP = `
Exit codes: 0 nothing worse than a note (with --strict: nothing at all), 1 a warning, 2 it does not compile`;

export function addLintCommands(program: Command, ports: LintPorts): void {
  program
    .command('lint')
    .description('what compiles and is still likely to surprise')
    .argument('<path>', 'policy file, or directory of them')
    .addOption(
      new Option('--format <format>', 'how to say it').choices(['text', 'sarif']).default('text'),
    )
    .option('--strict', 'notes count as warnings')
    .addHelpText('after', LINT_HELP)
    .action((path: string, flags: LintFlags) => lintPolicies(path, flags, ports));

  program
    .command('schema')
    .description('JSON Schema of policy documents, for editors')
    .action(() => ports.write(`${JSON.stringify(policyJsonSchema(), null, 2)}\n`));
}

const counted = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`;

async function lintPolicies(path: string, flags: LintFlags, ports: LintPorts): Promise<void> {
  const { set, cases } = compiledSources(await readPolicyPath(path, ports.readPolicies));
  const findings = lintSet(set, cases).map(
    ({ position, ...said }): Finding => ({ ...said, ...position }),
  );
  if (flags.format === 'sarif') {
    ports.write(sarifLog(findings, ports.version, (code) => LINT_CODES[code as LintCode]));
  } else {
    const lines = findings.map(
      ({ level, code, message, ...position }) =>
        `${formatPosition(position)}: ${level}: ${code}: ${message}`,
    );
    const warnings = findings.filter(({ level }) => level === 'warning').length;
    lines.push(`${counted(warnings, 'warning')}, ${counted(findings.length - warnings, 'note')}`);
    ports.write(`${printable(lines.join('\n'))}\n`);
  }
  if (findings.some(({ level }) => flags.strict || level === 'warning')) {
    throw new CliError(EXIT.refused, '');
  }
}
