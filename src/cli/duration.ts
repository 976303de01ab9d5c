/** Durations on the command line: as authors write them in policies, and several in a row. */
import { InvalidArgumentError } from 'commander';
import { durationToMs } from '../policy/units.ts';

const PARTS = /\d+(?:\.\d+)?\s*[a-z]+/g;

/** `2h`, `30m`, `90s`, `1h30m` → ms. Throws InvalidArgumentError. */
export function parseDuration(text: string): number {
  const parts = text.match(PARTS) ?? [];
  let totalMs = 0;
  for (const part of parts) totalMs += durationToMs(part) ?? Number.NaN;
  if (parts.join('') !== text.trim() || !(totalMs > 0)) {
    throw new InvalidArgumentError('write a duration as 2h, 30m, 90s or 1h30m.');
  }
  return totalMs;
}
