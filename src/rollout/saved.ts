import type { ActivationRecord, FileRef, SetRef } from './activation.ts';
import { type Act, type Outcome, refuse, unchanged } from './outcome.ts';
import { isTainted } from './quarantine.ts';
import { begin, finish, note, servingDigest, setRef, startCandidate, without } from './step.ts';

/**
 * A source holds a new valid set (SEMANTICS §4). Without a rollout in its documents it activates at once
 * and is watched; with one it becomes green; during a rollout or an emergency it waits. `candidate` is made
 * of `effectiveFiles`; one that still holds quarantined bytes is refused.
 */
export function saved(record: ActivationRecord, candidate: SetRef, act: Act): Outcome {
  if (record.rollout !== undefined || record.emergency !== undefined) {
    return savedMeanwhile(record, candidate, act);
  }
  if (candidate.digest === record.blue?.digest) {
    if (sameFiles(candidate.files, record.blue.files))
      return unchanged(record, 'it serves already');
    // Other bytes, the same meaning (a comment, a name): what a later quarantine compares with.
    const blue = { ...setRef(candidate), sinceMs: record.blue.sinceMs };
    return unchanged({ ...record, blue }, 'it serves already');
  }
  if (isTainted(candidate, record.quarantined)) return refuseTainted();
  const step = startCandidate(begin(record), candidate, act, 'saved');
  return finish(
    step,
    step.record.rollout === undefined
      ? `\`${candidate.digest}\` serves`
      : `\`${candidate.digest}\` is canary at ${step.record.rollout.sharePpm} ppm`,
  );
}

function savedMeanwhile(record: ActivationRecord, candidate: SetRef, act: Act): Outcome {
  const { rollout, emergency, waiting } = record;
  if (candidate.digest === waiting?.digest) return unchanged(record, 'it waits already');
  const current = rollout?.green.digest ?? emergency?.digest;
  if (candidate.digest === current) {
    const message = 'it is being tried already';
    return unchanged(waiting === undefined ? record : without(record, 'waiting'), message);
  }
  if (isTainted(candidate, record.quarantined)) return refuseTainted();
  const reason = rollout === undefined ? 'an emergency set serves' : 'a rollout is running';
  const step = note({ ...begin({ ...record, waiting: setRef(candidate) }) }, act, {
    kind: 'waiting',
    from: servingDigest(record),
    to: candidate.digest,
    reason,
    serving: false,
  });
  return finish(step, `\`${candidate.digest}\` waits: ${reason}`);
}

function refuseTainted(): Outcome {
  return refuse(
    'quarantined',
    'the set holds files that were rolled back; save other bytes or use `promote --force`',
  );
}

function sameFiles(a: readonly FileRef[], b: readonly FileRef[]): boolean {
  return (
    a.length === b.length &&
    a.every((file, i) => file.path === b[i]?.path && file.digest === b[i]?.digest)
  );
}
