/** Compiles a directory, or one file, as the server would, without a server. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { compilePolicies } from '../policy/compile.ts';
import { formatCompileError } from '../policy/errors.ts';
import type { GoldenCase } from '../policy/golden/cases.ts';
import type { GoldenOverride } from '../policy/golden/override.ts';
import type { PolicySet } from '../policy/set.ts';
import { CliError, EXIT } from './exit.ts';
import { printable } from './printable.ts';

/** A reading of a policy directory: the same that the server makes. */
export interface PolicyReading {
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly errors: readonly {
    readonly path: string;
    readonly code: string;
    readonly message: string;
  }[];
}

function summary({ set, cases }: CompiledSources): string {
  const count = (many: number, one: string, more: string) => `${many} ${many === 1 ? one : more}`;
  return [
    `ok: ${count(set.policies.length, 'policy', 'policies')}, ${count(set.rules.length, 'rule', 'rules')}, ${count(cases.length, 'golden case', 'golden cases')}`,
    set.digest,
    ...set.warnings.map((warning) => `warning: ${warning}`),
  ].join('\n');
}

/** Reads one policy file, or a directory of them. */
export async function readPolicyPath(
  path: string,
  readDirectory: (directory: string) => Promise<PolicyReading>,
): Promise<PolicySources> {
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile) return { directory: path, reading: await readDirectory(path) };
  const only = (error: PolicyReading['errors'][number]) => ({ files: [], errors: [error] });
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
    return { directory: '', reading: { files: [{ path, text }], errors: [] } };
  } catch (error) {
    const reading =
      error instanceof TypeError
        ? only({ path, code: 'file_not_utf8', message: 'is not UTF-8; save it as UTF-8' })
        : only({ path, code: 'file_unreadable', message: 'cannot be read; check who may' });
    return { directory: '', reading };
  }
}

export interface PolicySources {
  /** '' when the paths are complete. */
  readonly directory: string;
  readonly reading: PolicyReading;
}

/** What a reading compiles to. */
export interface CompiledSources {
  readonly set: PolicySet;
  readonly cases: readonly GoldenCase[];
  readonly overrides: readonly GoldenOverride[];
}

/**
 * The set of a reading, and its golden cases. Throws CliError with every error of it, one a line,
 * `file:line:column: code: sentence`; exit code 2.
 */
export function compiledSources({ directory, reading }: PolicySources): CompiledSources {
  const place = (path: string): string => join(directory, path);
  // A reading with errors is incomplete: compiling the rest would blame what is merely missing.
  if (reading.errors.length > 0) {
    const lines = reading.errors.map(
      ({ path, code, message }) => `${place(path)}:1:1: ${code}: ${message}`,
    );
    throw new CliError(EXIT.badInput, printable(lines.join('\n')));
  }
  const result = compilePolicies(
    reading.files.map(({ path, text }) => ({ path: place(path), text })),
    { sha256: hexSha256 },
  );
  if (!result.ok) {
    throw new CliError(EXIT.badInput, printable(result.errors.map(formatCompileError).join('\n')));
  }
  return result;
}

/** The set alone. Throws what `compiledSources` throws. */
export function compiledSet(sources: PolicySources): PolicySet {
  return compiledSources(sources).set;
}

/** The set as a sentence. Throws what `compiledSet` throws. */
export function compileSources(sources: PolicySources): string {
  return `${printable(summary(compiledSources(sources)))}\n`;
}

export const hexSha256 = (text: string): string =>
  createHash('sha256').update(text, 'utf8').digest('hex');
