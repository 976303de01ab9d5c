/** Files that a command is told to read. */
import type { Buffer } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { resolveConfig, type ServerConfig } from '../engine/server-config.ts';
import { CliError, EXIT } from './exit.ts';
import { printable } from './printable.ts';

/** The configuration of a server, or its defaults without a file. Throws CliError for all that is wrong. */
export async function readConfig(path: string | undefined): Promise<ServerConfig> {
  const file =
    path === undefined ? undefined : { path, text: (await bytesOf(path)).toString('utf8') };
  const resolved = resolveConfig(file, {}, {});
  if (!resolved.ok) throw new CliError(EXIT.badInput, printable(resolved.errors.join('\n')));
  return resolved.config;
}

/** Throws CliError, in words, for a file that cannot be read. */
export async function bytesOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw unreadableFile(path, error);
  }
}

export function unreadableFile(path: string, error: unknown): CliError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  const why: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a directory; name one file',
    EACCES: 'you may not read it',
  };
  return new CliError(EXIT.badInput, printable(`cannot read \`${path}\`: ${why[code] ?? code}`));
}
