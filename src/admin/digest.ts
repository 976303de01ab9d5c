/** Digests as people type them: the first few digits are enough while only one set begins so. */
import type { ControlStatus } from '../engine/control.ts';
import { AdminError } from './answer.ts';

const GIVEN = /^(?:sha256:)?([0-9a-f]{6,64})$/;

function known(status: ControlStatus): ReadonlySet<string> {
  const digests = [
    status.blue?.digest,
    status.green?.digest,
    status.waiting?.digest,
    status.watch?.against,
    status.emergency?.digest,
    ...status.history.map((entry) => entry.digest),
  ];
  return new Set(digests.filter((digest) => digest !== undefined));
}

/** The full digest of the set that is meant. A full one is passed on even if unknown here. Throws AdminError. */
export function resolveDigest(given: string, status: ControlStatus): string {
  const digits = GIVEN.exec(given)?.[1];
  if (digits === undefined) {
    throw new AdminError(
      'invalid_argument',
      'a digest is sha256: and 64 hexadecimal digits, or at least the first 6 of them',
    );
  }
  if (digits.length === 64) return `sha256:${digits}`;
  const found = [...known(status)].filter((digest) => digest.startsWith(`sha256:${digits}`));
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    throw new AdminError('ambiguous_digest', 'several sets begin so; give more digits');
  }
  throw new AdminError('unknown_digest', 'no set in use or in the history begins so');
}
