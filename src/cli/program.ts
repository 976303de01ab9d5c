/** The `switchyard` command: its words, options and help. */
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { POSTURES } from '../policy/surroundings.ts';
import { type AdminClient, adminClient } from './admin-client.ts';
import { compileSources, type PolicyReading, readPolicyPath } from './compile.ts';
import { parseDuration } from './duration.ts';
import { CliError, EXIT } from './exit.ts';
import { addGoldenCommands } from './golden/commands.ts';
import { addOverrideCommands, type SignaturePorts } from './golden/override.ts';
import { addLintCommands } from './lint.ts';
import { printable } from './printable.ts';
import { parseShare } from './share.ts';
import { addTrialCommands, type TrialPorts } from './trial/commands.ts';
import { explainRecords } from './why.ts';

/** Where the server keeps its data, and so its socket, unless told otherwise. */
export const DATA_DIR_DEFAULT = '/var/lib/switchyard';

export interface ProgramOptions {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Who asks, for the history; undefined when unknown. */
  readonly user?: string;
  /** Receive standard output and standard error. */
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** Reads a policy directory as the server does. Must not throw. */
  readonly readPolicies: (directory: string) => Promise<PolicyReading>;
  readonly signatures: SignaturePorts;
  /** What `try` and `explain` run with. */
  readonly trial: TrialPorts;
}

/** The name of the asker in the form that the admin API takes; nothing when none is left of it. */
function askerOf(user: string | undefined): { by?: string } {
  const by = user?.replace(/[^A-Za-z0-9._@-]/g, '').slice(0, 64);
  return by ? { by } : {};
}

function outcomeLine(outcome: unknown): string {
  const { epoch, digest, message } = outcome as Record<string, unknown>;
  return printable(`${message}\nepoch ${epoch}, ${digest}`).concat('\n');
}

/**
 * The whole program; add commands such as `serve` to what it returns. Its actions throw CliError, and
 * commander's own errors are thrown too: `runProgram` turns both into exit codes.
 */
export function buildProgram(options: ProgramOptions): Command {
  const { env, write } = options;
  const asker = askerOf(options.user);
  const program = new Command('switchyard')
    .description('The policy server that Envoy asks about AI traffic')
    .version(options.version)
    .addOption(
      new Option('--socket <path>', 'admin socket of the server')
        .env('SWITCHYARD_ADMIN_SOCKET')
        .default(undefined, '<data>/admin.sock'),
    )
    .addOption(
      new Option('--data <dir>', 'data directory of the server')
        .env('SWITCHYARD_DATA_DIR')
        .default(DATA_DIR_DEFAULT),
    )
    .showHelpAfterError('(switchyard --help says what there is)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 refused (by the server, or what was tried by its policies), 2 bad input,\n3 the server cannot be reached, 4 golden cases fail in the slow stage alone',
    )
    .configureOutput({ writeOut: write, writeErr: options.writeError })
    .exitOverride();

  // Options come first, then the environment given to us: never that of the process, which tests share.
  const setting = (name: 'socket' | 'data', variable: string): string | undefined =>
    program.getOptionValueSource(name) === 'cli'
      ? program.getOptionValue(name)
      : env[variable] || undefined;
  const client = (): AdminClient => {
    const data = setting('data', 'SWITCHYARD_DATA_DIR') ?? DATA_DIR_DEFAULT;
    return adminClient(setting('socket', 'SWITCHYARD_ADMIN_SOCKET') ?? join(data, 'admin.sock'));
  };
  const change = async (name: string, body: Record<string, unknown>): Promise<void> => {
    write(outcomeLine(await client().post(`/v1/${name}`, { ...body, ...asker })));
  };

  program
    .command('status')
    .description('what serves, what is being tried, and what is wrong')
    .option('--json', 'as JSON, for scripts')
    .action(async ({ json }: { json?: boolean }) => {
      write(printable(await client().get(json ? '/status' : '/status?format=text')));
    });

  program
    .command('canary')
    .description('start a rollout of the waiting or named set, or move the running one')
    .requiredOption('--share <share>', 'share of sessions: 20%, 0.5%, 200000ppm', parseShare)
    .option('--digest <digest>', 'the set, by the first digits of its digest')
    .action(({ share, digest }: { share: number; digest?: string }) =>
      change('canary', { sharePpm: share, digest }),
    );

  program
    .command('promote')
    .description('make the candidate serve everybody')
    .option('--force', 'lift the quarantine of what was rolled back')
    .action(({ force }: { force?: boolean }) => change('promote', { force: force ?? false }));

  program
    .command('rollback')
    .description('end the rollout, or go back to the set before')
    .option('--to <digest>', 'go back to this set')
    .option('--reason <text>', 'why, for the history')
    .action(({ to, reason }: { to?: string; reason?: string }) =>
      change('rollback', { to, reason }),
    );

  program
    .command('activate')
    .description('serve the waiting or named set to everybody at once')
    .option('--digest <digest>', 'the set, by the first digits of its digest')
    .option('--emergency', 'a rise of denials does not undo it')
    .option('--for <duration>', 'how long the emergency lasts: 2h, 30m', parseDuration)
    .action((given: { digest?: string; emergency?: boolean; for?: number }) => {
      if (given.for !== undefined && !given.emergency) {
        throw new CliError(EXIT.badInput, '--for is for --emergency only');
      }
      return change('activate', {
        digest: given.digest,
        emergency: given.emergency ?? false,
        forMs: given.for,
      });
    });

  program
    .command('posture')
    .description('how much the traffic is trusted, for conditions')
    .command('set')
    .description('say how much to trust the traffic: normal, elevated or attack')
    .addArgument(new Argument('<posture>', 'what it is from now on').choices(POSTURES))
    .option('--for <duration>', 'then it is normal again: 2h, 30m', parseDuration)
    .option('--reason <text>', 'why, for the records')
    .action((posture: string, given: { for?: number; reason?: string }) => {
      if (given.for !== undefined && posture === 'normal') {
        throw new CliError(EXIT.badInput, '--for is for a posture that ends in normal');
      }
      return change('posture', { posture, forMs: given.for, reason: given.reason });
    });

  program
    .command('why')
    .description('why an exchange was decided as it was')
    .argument('<id>', 'exchange id, or request id')
    .option('--json', 'the records as JSON, for scripts')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const page = await client().get(
        `/decisions/${encodeURIComponent(id).replaceAll('%3A', ':')}`,
      );
      const { records } = JSON.parse(page) as { records?: unknown };
      write((json ? undefined : explainRecords(records)) ?? printable(page));
    });

  program
    .command('compile')
    .description('compile policies and say everything that is wrong with them')
    .argument('<path>', 'policy file, or directory of them')
    .action(async (path: string) => {
      write(compileSources(await readPolicyPath(path, options.readPolicies)));
    });

  addTrialCommands(program, options);
  addGoldenCommands(program, options);
  addOverrideCommands(program, options);
  addLintCommands(program, options);

  return program;
}
