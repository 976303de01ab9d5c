/**
 * The command with the real process around it. The composition root gives it what lives in other
 * folders: how a policy directory is read, and further commands such as `serve`.
 */
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { PolicyReading } from './compile.ts';
import { buildProgram } from './program.ts';
import { runProgram } from './run.ts';

export interface MainOptions {
  readonly version: string;
  readonly readPolicies: (directory: string) => Promise<PolicyReading>;
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

/** Runs `process.argv`; resolves to the exit code. */
export function main(options: MainOptions): Promise<number> {
  const write = (text: string): void => void process.stdout.write(text);
  const writeError = (text: string): void => void process.stderr.write(text);
  const program = buildProgram({
    version: options.version,
    readPolicies: options.readPolicies,
    env: process.env,
    write,
    writeError,
    ...userName(),
  });
  options.extend?.(program);
  return runProgram(program, process.argv.slice(2), writeError);
}
