/** Files that a command is asked to write. */
import { writeFile } from 'node:fs/promises';
import { CliError, EXIT } from './exit.ts';
import { printable } from './printable.ts';

/** Rejects with a CliError that names the file where it cannot be written. */
export async function writeOutput(path: string, text: string): Promise<void> {
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
