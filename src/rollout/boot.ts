import { emergencyExpired, watchEnded } from './activate.ts';
import { type ActivationRecord, EMPTY_ACTIVATION, type SetRef } from './activation.ts';
import { type Act, type Outcome, unchanged } from './outcome.ts';
import { saved } from './saved.ts';
import { begin, finish, note, servingDigest } from './step.ts';

/** How far the epoch jumps when a record may be older than the last one that served. */
export const EPOCH_LEAP = 1_000;

/** What the directory holds at start: a valid set made of `effectiveFiles`, nothing usable, or no directory. */
export type DirectoryAtStart =
  | { readonly kind: 'set'; readonly candidate: SetRef }
  | { readonly kind: 'errors' }
  | { readonly kind: 'none' };

/**
 * What serves after a start (SEMANTICS §4): the persisted blue, whatever the directory holds; then what
 * became due while we were down, then the directory as if it had just been saved. Without both, no set.
 */
export function boot(
  persisted: ActivationRecord | undefined,
  directory: DirectoryAtStart,
  act: Act,
): Outcome {
  const record = persisted ?? EMPTY_ACTIVATION;
  const expired = followedBy(unchanged(record, 'the last good set serves'), (r) =>
    emergencyExpired(r, act),
  );
  const timed = followedBy(expired, (r) => watchEnded(r, act));
  if (directory.kind !== 'set') {
    return timed.ok && timed.record.blue === undefined
      ? { ...timed, message: 'no set serves' }
      : timed;
  }
  return followedBy(timed, (r) => saved(r, directory.candidate, act));
}

/**
 * A record that was read from a backup may lack the last change: its epoch jumps, so that no epoch is ever
 * used twice (invariant "epochs only grow").
 */
export function recovered(record: ActivationRecord, act: Act): Outcome {
  const leapt = { ...record, epoch: record.epoch + EPOCH_LEAP - 1 };
  const digest = servingDigest(record);
  const step = note(begin(leapt), act, {
    kind: 'recovered',
    from: digest,
    to: digest,
    reason: 'the activation record was damaged; its backup is used',
    serving: true,
  });
  return finish(step, 'the backup of the activation record is used');
}

/** Goes on from a transition; one that is refused leaves what was reached, and says why. */
function followedBy(first: Outcome, next: (record: ActivationRecord) => Outcome): Outcome {
  if (!first.ok) return first;
  const second = next(first.record);
  if (!second.ok) {
    // What was made of the directory before an emergency ended may hold what its end has quarantined.
    const rereadDirectory = first.rereadDirectory || second.code === 'quarantined';
    return { ...first, message: second.message, rereadDirectory };
  }
  return {
    ...second,
    message: second.transitions.length > 0 ? second.message : first.message,
    transitions: [...first.transitions, ...second.transitions],
    rereadDirectory: first.rereadDirectory || second.rereadDirectory,
  };
}
