/**
 * The command with the real process around it. The composition root gives it what lives in other
 * folders: how a policy directory is read, and further commands such as `serve`.
 */
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { PolicyReading } from './compile.ts';
import type { SignaturePorts } from './golden/override.ts';
import { buildProgram } from './program.ts';
import { runProgram } from './run.ts';
import type { TrialPorts } from './trial/commands.ts';
import { nothing } from './trial/run.ts';

export interface MainOptions {
  readonly version: string;
  readonly readPolicies: (directory: string) => Promise<PolicyReading>;
  /** What the server inflates and hashes with, made ready when it is needed. */
  readonly trialMeans: TrialPorts['means'];
  readonly signatures: SignaturePorts;
  /** Adds commands. Their actions may throw CliError. */
  readonly extend?: (program: Command) => void;
}

/** A user without an entry in the user database has no name: containers often run so. */
function userName(): { user?: string } {
  try {
    return { user: userInfo().username };
  } catch {
    return {};
  }
}

/** Exit code of a process whose reader went away, as shells know it. */
const READER_GONE = 141;

function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(READER_GONE);
}

/** Runs `process.argv`; resolves to the exit code. */
export async function main(options: MainOptions): Promise<number> {
  const write = (text: string): void => void process.stdout.write(text);
  const writeError = (text: string): void => void process.stderr.write(text);
  let isRead = false;
  const program = buildProgram({
    version: options.version,
    readPolicies: options.readPolicies,
    signatures: options.signatures,
    env: process.env,
    write,
    writeError,
    trial: {
      means: options.trialMeans,
      standardInput() {
        if (process.stdin.isTTY) return nothing();
        isRead = true;
        return process.stdin;
      },
      writeBytes: (bytes) => void process.stdout.write(bytes),
      terminal: { out: process.stdout.isTTY ?? false, error: process.stderr.isTTY ?? false },
    },
    ...userName(),
  });
  process.stdout.once('error', leaveQuietly);
  options.extend?.(program);
  const code = await runProgram(program, process.argv.slice(2), writeError);
  // What still comes would keep the process alive.
  if (isRead) process.stdin.destroy();
  return code;
}
