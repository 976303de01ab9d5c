import {
  type ActivationRecord,
  EMERGENCY_MS_DEFAULT,
  EMERGENCY_MS_MAX,
  type SetRef,
  WATCH_MS_DEFAULT,
} from './activation.ts';
import { type Act, type Outcome, refuse, unchanged } from './outcome.ts';
import { setBefore } from './promote.ts';
import { isTainted, liftOutdated } from './quarantine.ts';
import { goBack } from './rollback.ts';
import {
  activateAtOnce,
  begin,
  finish,
  moveOn,
  note,
  servingDigest,
  setRef,
  startWaiting,
  without,
} from './step.ts';

export interface ActivateRequest {
  /** Absent: the waiting set; for an emergency also the green one. */
  readonly candidate?: SetRef;
  readonly emergency: boolean;
  /** How long an emergency holds; 1..`EMERGENCY_MS_MAX`, default `EMERGENCY_MS_DEFAULT`. */
  readonly forMs?: number;
}

/**
 * Serves a set at once. An emergency set holds for `forMs`, then the set before it serves again; a rise of
 * denials does not undo it, errors and latency do. A rollout that it interrupts waits for its end.
 */
export function activate(record: ActivationRecord, request: ActivateRequest, act: Act): Outcome {
  const green = request.emergency ? record.rollout?.green : undefined;
  const set = request.candidate ?? record.waiting ?? green;
  if (set === undefined) return refuse('no_green', 'no set waits: save one or name its digest');
  if (isTainted(set, record.quarantined)) {
    return refuse('quarantined', 'the set holds files that were rolled back');
  }
  if (request.emergency) return activateEmergency(record, set, request.forMs, act);
  if (request.forMs !== undefined) {
    return refuse('invalid_argument', 'only an emergency activation has a duration');
  }
  if (record.rollout !== undefined) {
    return refuse('rollout_running', 'a rollout is running: promote it or roll it back first');
  }
  if (set.digest === record.blue?.digest && record.emergency === undefined) {
    return unchanged(record, 'it serves already');
  }
  const free = withoutWaiting(without(record, 'emergency'), set);
  const step = activateAtOnce(begin(free), set, act, 'activated');
  return finish(startWaiting(step, act), `\`${set.digest}\` serves`);
}

function activateEmergency(
  record: ActivationRecord,
  set: SetRef,
  forMs: number = EMERGENCY_MS_DEFAULT,
  act: Act,
): Outcome {
  if (!Number.isInteger(forMs) || forMs < 1 || forMs > EMERGENCY_MS_MAX) {
    return refuse('invalid_argument', `an emergency lasts 1 to ${EMERGENCY_MS_MAX} ms`);
  }
  const { blue, rollout } = record;
  if (blue === undefined) {
    return refuse('no_previous_set', 'nothing serves to go back to: activate it without emergency');
  }
  const declared = blue.digest === set.digest;
  // Another emergency on top keeps the first way back; one declared on what serves goes to the set before.
  const previous =
    record.emergency?.previous ??
    (declared ? (record.watch?.against ?? setBefore(record)) : setRef(blue));
  if (previous === undefined) return refuse('no_previous_set', 'no set served before this one');
  const untilMs = act.nowMs + forMs;
  const waiting = [record.waiting, rollout?.green].find(
    (next) => next && next.digest !== set.digest,
  );
  const free = without(record, 'rollout', 'watch', 'emergency', 'waiting');
  const interrupted = waiting === undefined ? free : { ...free, waiting };
  const watchMs = Math.min(forMs, act.watchMs ?? WATCH_MS_DEFAULT);
  const next: ActivationRecord = {
    ...(declared ? interrupted : moveOn(interrupted, set, act.nowMs)),
    emergency: { digest: set.digest, untilMs, previous },
    ...(watchMs > 0 && {
      watch: {
        digest: set.digest,
        against: previous,
        untilMs: act.nowMs + watchMs,
        denyRise: 'alerts' as const,
      },
    }),
  };
  const step = note(begin(next), act, {
    kind: 'emergency',
    from: servingDigest(record),
    to: set.digest,
    reason: 'emergency',
    serving: !declared || rollout !== undefined,
  });
  return finish(step, `\`${set.digest}\` serves for ${forMs} ms`);
}

/** The time of an emergency is over: the set before serves again. Does nothing before its time. */
export function emergencyExpired(record: ActivationRecord, act: Act): Outcome {
  const { emergency, blue } = record;
  if (emergency === undefined || blue === undefined || act.nowMs < emergency.untilMs) {
    return unchanged(record, 'no emergency is over');
  }
  const { reason: _, ...own } = act;
  const step = goBack(
    record,
    { from: [setRef(blue)], to: emergency.previous, reason: 'emergency_expired' },
    { ...own, reason: 'the time of the emergency is over' },
  );
  return finish(startWaiting(step, own), `\`${emergency.previous.digest}\` serves again`);
}

/** The time of a watch is over without a rollback: the set has proven itself. */
export function watchEnded(record: ActivationRecord, act: Act): Outcome {
  if (record.watch === undefined || act.nowMs < record.watch.untilMs) {
    return unchanged(record, 'no watch is over');
  }
  const { digest } = record.watch;
  const step = note(begin(liftOutdated(without(record, 'watch'))), act, {
    kind: 'watch_ended',
    from: digest,
    to: digest,
    reason: 'nothing was found against it',
    serving: false,
  });
  return finish(step, `\`${digest}\` is no longer watched`);
}

/** A waiting set that is activated by hand waits no more. */
function withoutWaiting(record: ActivationRecord, set: SetRef): ActivationRecord {
  return record.waiting?.digest === set.digest ? without(record, 'waiting') : record;
}
