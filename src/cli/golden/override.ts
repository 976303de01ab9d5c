/** `switchyard override sign`: lets one set serve although golden cases do not hold, in the name of who may. */
import { type Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { failedCases, runCases } from '../../engine/golden/gate.ts';
import {
  type GoldenFault,
  lostCases,
  OVERRIDE_MS_MAX,
  type VerifySignature,
} from '../../engine/golden/overrides.ts';
import type { GoldenCase } from '../../policy/golden/cases.ts';
import { caseDigest, type OverrideStatement, overrideText } from '../../policy/golden/override.ts';
import { compiledSources, hexSha256, type PolicyReading, readPolicyPath } from '../compile.ts';
import { bytesOf, readConfig } from '../config.ts';
import { parseDuration } from '../duration.ts';
import { CliError, EXIT } from '../exit.ts';
import { writeOutput } from '../output-file.ts';
import { printable } from '../printable.ts';
import type { TrialPorts } from '../trial/commands.ts';

/** How signatures are made and checked. */
export interface SignaturePorts {
  /** Throws, in words, for a key that is none. */
  readonly check: (
    keys: readonly { readonly name: string; readonly publicKey: string }[],
  ) => VerifySignature;
  /** In base64, by a private key in PEM. Throws, in words that do not show it, for what is none. */
  readonly sign: (privateKey: string, text: string) => string;
}

interface OverridePorts {
  readonly write: (text: string) => void;
  readonly readPolicies: (directory: string) => Promise<PolicyReading>;
  readonly signatures: SignaturePorts;
  readonly trial: Pick<TrialPorts, 'means'>;
}

interface SignFlags {
  readonly key: string;
  readonly keyName: string;
  readonly by: string;
  readonly reason: string;
  readonly for: number;
  readonly case: readonly string[];
  readonly before?: string;
  readonly config?: string;
  readonly out?: string;
}

const SIGN_HELP = `
Every case that does not hold has to be named, as policy/case; nothing is signed that was not. Save what it writes
beside the policies. Exit codes: 0 signed, 1 a case that does not hold is not named, 2 bad input`;

const collected = (value: string, before: readonly string[]): readonly string[] => [
  ...before,
  value,
];

export function addOverrideCommands(program: Command, ports: OverridePorts): void {
  program
    .command('override')
    .description('what lets a set serve although golden cases do not hold')
    .command('sign')
    .description('sign for the golden cases that do not hold')
    .argument('<path>', 'directory of policies and golden sets, as it is to be served')
    .requiredOption('--key <file>', 'private Ed25519 key in PEM')
    .requiredOption('--key-name <name>', "its name in the server's `goldenOverrideKeys`")
    .requiredOption(
      '--by <name>',
      'who signs, for the records',
      matching(/^[A-Za-z0-9._@-]{1,64}$/),
    )
    .requiredOption('--reason <text>', 'why, for the records', matching(/^[^\n\r]{1,256}$/))
    .requiredOption('--for <duration>', 'how long it is good: 24h, 7d; at most 30d', parseDuration)
    .option('--case <policy/case>', 'a case that need not hold; repeatable', collected, [])
    .option('--before <path>', 'the policies that serve, for protected cases that are gone')
    .option('--config <file>', "the server's configuration: formats, limits")
    .option('--out <file>', 'write it there (default: standard output)')
    .addHelpText('after', SIGN_HELP)
    .action((path: string, flags: SignFlags) => signOverride(path, flags, ports));
}

function matching(pattern: RegExp): (text: string) => string {
  return (text) => {
    if (!pattern.test(text)) throw new InvalidArgumentError('write one short line.');
    return text;
  };
}

async function signOverride(path: string, flags: SignFlags, ports: OverridePorts): Promise<void> {
  if (flags.for > OVERRIDE_MS_MAX)
    throw new CliError(EXIT.badInput, '--for: 30 days is the most; change the golden set instead');
  const { set, cases } = compiledSources(await readPolicyPath(path, ports.readPolicies));
  const means = await ports.trial.means();
  const faults = [
    ...(await unmet(set, cases, flags, means)),
    ...lostCases(await casesBefore(flags, ports), cases),
  ];
  const named = chosen(faults, cases, flags.case);
  const statement: OverrideStatement = {
    set: set.digest,
    cases: named.map((golden) => ({
      policy: golden.policy,
      name: golden.name,
      digest: caseDigest(golden, hexSha256),
    })),
    by: flags.by,
    reason: flags.reason,
    until: new Date(means.clock.nowMs() + flags.for).toISOString(),
    key: flags.keyName,
  };
  const signature = await signed(statement, flags.key, ports.signatures);
  const text = stringify({ kind: 'GoldenOverride', ...statement, signature }, { lineWidth: 0 });
  if (flags.out === undefined) ports.write(text);
  else await writeOutput(flags.out, text);
}

async function unmet(
  set: Parameters<typeof runCases>[0],
  cases: readonly GoldenCase[],
  flags: SignFlags,
  means: Awaited<ReturnType<TrialPorts['means']>>,
): Promise<readonly GoldenFault[]> {
  const config = await readConfig(flags.config);
  const limits = { ...config.limits, goldenMsMax: Number.POSITIVE_INFINITY };
  const routes = config.formats;
  return failedCases(await runCases(set, cases, { ...means, limits, routes }, limits));
}

async function casesBefore(
  { before }: SignFlags,
  { readPolicies }: OverridePorts,
): Promise<readonly GoldenCase[]> {
  if (before === undefined) return [];
  return compiledSources(await readPolicyPath(before, readPolicies)).cases;
}

/** What is signed for: exactly what does not hold, and each of it by its name. */
function chosen(
  faults: readonly GoldenFault[],
  cases: readonly GoldenCase[],
  wanted: readonly string[],
): readonly GoldenCase[] {
  const nameOf = ({ policy, name }: GoldenCase): string => `${policy}/${name}`;
  const known = new Set([...cases, ...faults.map((fault) => fault.case)].map(nameOf));
  const failing = new Set(faults.map((fault) => nameOf(fault.case)));
  for (const name of wanted) {
    if (failing.has(name)) continue;
    const why = known.has(name) ? 'it holds, and needs no override' : 'there is no such case';
    throw new CliError(EXIT.badInput, printable(`--case \`${name}\`: ${why}; leave it out`));
  }
  if (faults.length === 0)
    throw new CliError(EXIT.badInput, 'every case holds: there is nothing to sign for');
  const unnamed = faults.filter((fault) => !wanted.includes(nameOf(fault.case)));
  if (unnamed.length > 0) {
    const lines = unnamed.map(({ line }) => line);
    const asked = unnamed.map((fault) => `--case '${nameOf(fault.case)}'`).join(' ');
    throw new CliError(
      EXIT.refused,
      printable([...lines, `nothing was signed; if these may serve so, add ${asked}`].join('\n')),
    );
  }
  return faults.map((fault) => fault.case);
}

async function signed(
  statement: OverrideStatement,
  path: string,
  { sign }: SignaturePorts,
): Promise<string> {
  const key = (await bytesOf(path)).toString('utf8');
  try {
    return sign(key, overrideText(statement));
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it cannot be used';
    throw new CliError(EXIT.badInput, printable(`--key \`${path}\`: ${why}`));
  }
}
