/** The names and the life of audit files: `decisions-<run>-<n>.ndjson`, oldest first by name. */
import * as fs from 'node:fs';
import { join } from 'node:path';

const NAME = /^decisions-([0-9a-f]{12}-[0-9a-f]{12})-(\d{6,})\.ndjson$/;

/** Digits of a file's number: keeps order of names equal to order of writing up to a million files. */
const NUMBER_DIGITS = 6;

export function auditFileName(run: string, number: number): string {
  return `decisions-${run}-${String(number).padStart(NUMBER_DIGITS, '0')}.ndjson`;
}

/**
 * The id of a server run: its start in ms as 12 hex digits, then 6 random bytes as hex, so that runs
 * sort by age and never share a file.
 */
export function runId(startMs: number, random: Uint8Array): string {
  const time = Math.max(0, Math.floor(startMs)).toString(16).padStart(12, '0').slice(-12);
  return `${time}-${Buffer.from(random.subarray(0, 6)).toString('hex').padEnd(12, '0')}`;
}

/** Full paths of the audit files in `dir`, oldest first; empty when the directory does not exist. */
export function auditFiles(dir: string): readonly string[] {
  let names: string[];
  try {
    names = fs.readdirSync(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .filter((name) => NAME.test(name))
    .sort()
    .map((name) => join(dir, name));
}

/** Removes the oldest files until at most `retain` are left; one that cannot be removed stays. */
export function dropOldest(dir: string, retain: number): void {
  const files = auditFiles(dir);
  for (const file of files.slice(0, Math.max(0, files.length - retain))) {
    try {
      fs.unlinkSync(file);
    } catch {
      // It may be gone already, or not ours to remove; the next rotation tries again.
    }
  }
}
