import type {
  ActivationRecord,
  Evidence,
  Quarantined,
  QuarantineReason,
  SetRef,
} from './activation.ts';
import { ABSENT } from './activation.ts';
import { type Act, type Outcome, refuse } from './outcome.ts';
import { setBefore } from './promote.ts';
import { differences, isTainted, lift, quarantine } from './quarantine.ts';
import {
  becomeBlue,
  begin,
  finish,
  note,
  type Step,
  servingDigest,
  setRef,
  startWaiting,
  without,
} from './step.ts';

export type RollbackRequest =
  /** The judge: the set it found bad, by digest, so that a late judgement hits nothing else. */
  | { readonly cause: 'judge'; readonly bad: string; readonly evidence: Evidence }
  /** An operator; `to` is any stored set. */
  | { readonly cause: 'operator'; readonly to?: SetRef };

/**
 * Back to a good set: a new epoch that serves an old set. A running rollout ends and blue stays (unless it
 * is blue that is bad); without one, the set before serves again. What the bad set changed is quarantined,
 * file by file, whoever asked: else the next save of any file would bring it back.
 */
export function rollback(record: ActivationRecord, request: RollbackRequest, act: Act): Outcome {
  const bad = badOf(record, request);
  if (!bad.ok) return bad.outcome;
  const { from, to } = bad;
  const reason: QuarantineReason = request.cause === 'judge' ? 'automatic' : 'operator';
  const evidence = request.cause === 'judge' ? request.evidence : undefined;
  return finish(
    startWaiting(goBack(record, { from, to, reason, ...(evidence && { evidence }) }, act), act),
    `\`${to.digest}\` serves; what \`${from[0]?.digest}\` changed is quarantined`,
  );
}

/** Serves `to`, quarantines what the sets in `from` changed, ends rollout, watch and emergency. */
export function goBack(
  record: ActivationRecord,
  move: {
    readonly from: readonly SetRef[];
    readonly to: SetRef;
    readonly reason: QuarantineReason;
    readonly evidence?: Evidence;
  },
  act: Act,
): Step {
  const { from, to, reason, evidence } = move;
  const ended = without(record, 'rollout', 'emergency');
  const back =
    to.digest === record.blue?.digest ? ended : becomeBlue(without(ended, 'watch'), to, act.nowMs);
  const entries: Quarantined[] = from.flatMap((set) => [
    ...differences(set, to, reason, act.nowMs, evidence),
  ]);
  // `lift` last: with two bad sets, what one of them lacks may be what the good one holds.
  const rolledBack = from[0] === undefined ? {} : { rolledBack: setRef(from[0]) };
  const next = { ...lift(quarantine(back, entries), to), ...rolledBack };
  return note({ ...begin(next) }, act, {
    kind: reason === 'emergency_expired' ? 'emergency_expired' : 'rolled_back',
    from: from[0]?.digest ?? servingDigest(record),
    to: to.digest,
    reason: reason === 'automatic' ? 'rolled back by the judge' : 'rolled back',
    serving: true,
    ...(evidence === undefined ? {} : { evidence }),
  });
}

type Found =
  | { readonly ok: true; readonly from: readonly SetRef[]; readonly to: SetRef }
  | { readonly ok: false; readonly outcome: Outcome };

function badOf(record: ActivationRecord, request: RollbackRequest): Found {
  const { blue, rollout } = record;
  if (blue === undefined) return none('no_previous_set', 'nothing serves');
  const green = rollout === undefined ? [] : [rollout.green];
  if (request.cause === 'judge') {
    if (rollout?.green.digest === request.bad) return { ok: true, from: green, to: setRef(blue) };
    if (blue.digest !== request.bad) return none('stale', 'the set no longer serves');
    return toOneBefore(record, [blue, ...green]);
  }
  const { to } = request;
  if (to === undefined) {
    return rollout === undefined
      ? toOneBefore(record, [blue])
      : { ok: true, from: green, to: setRef(blue) };
  }
  if (to.digest === blue.digest) {
    return rollout === undefined
      ? none('invalid_argument', `\`${to.digest}\` serves already`)
      : { ok: true, from: green, to: setRef(blue) };
  }
  if (holdsBadBytes(to, record.quarantined)) {
    return none('quarantined', 'the set holds files that were rolled back; name another one');
  }
  return { ok: true, from: [blue, ...green], to };
}

function toOneBefore(record: ActivationRecord, from: readonly SetRef[]): Found {
  const to = record.emergency?.previous ?? record.watch?.against ?? setBefore(record);
  return to === undefined
    ? none('no_previous_set', 'no set served before this one')
    : { ok: true, from, to };
}

/**
 * For an older set named by an operator: bytes count, and the rolled-back sets themselves; that it lacks a
 * file whose deletion was rolled back does not (it may be older than that file).
 */
function holdsBadBytes(set: SetRef, quarantined: readonly Quarantined[]): boolean {
  return (
    quarantined.some((entry) => entry.set === set.digest) ||
    isTainted(
      set,
      quarantined.filter((entry) => entry.digest !== ABSENT),
    )
  );
}

function none(
  code: 'no_previous_set' | 'stale' | 'invalid_argument' | 'quarantined',
  message: string,
): Found {
  return { ok: false, outcome: refuse(code, message) };
}
