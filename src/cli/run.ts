/** Runs the command to its exit code. */
import { type Command, CommanderError } from 'commander';
import { CliError, EXIT } from './exit.ts';

/**
 * Parses `words` (without the program's own name) and runs what they say. Resolves to the exit code;
 * errors that are neither the user's nor the server's are thrown on.
 */
export async function runProgram(
  program: Command,
  words: readonly string[],
  writeError: (text: string) => void,
): Promise<number> {
  try {
    await program.parseAsync([...words], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CliError) {
      if (error.message !== '') writeError(`${error.message}\n`);
      return error.exitCode;
    }
    // Commander has written its message itself: help and version end well, all else is bad input.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
    throw error;
  }
}
