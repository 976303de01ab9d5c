import {
  type ActivationRecord,
  type RolloutState,
  type SetRef,
  WATCH_MS_DEFAULT,
} from './activation.ts';
import { type Act, type Outcome, refuse, unchanged } from './outcome.ts';
import { isTainted, liftOutdated } from './quarantine.ts';
import {
  becomeBlue,
  begin,
  denyRiseOf,
  finish,
  moveOn,
  note,
  servingDigest,
  setRef,
  startWaiting,
  without,
} from './step.ts';

/**
 * An operator makes green the set that serves, before its stages are over: so it is watched. During an
 * emergency: the emergency set stays for good. With `force` and nothing running: the set that was rolled
 * back last (or `candidate`: the directory read without its quarantine) serves, its quarantine is lifted,
 * and no watch undoes what somebody insisted on.
 */
export function promote(
  record: ActivationRecord,
  request: { readonly force: boolean; readonly candidate?: SetRef },
  act: Act,
): Outcome {
  if (record.rollout !== undefined) return completePromotion(record, record.rollout, act);
  if (record.emergency !== undefined) return keepEmergency(record, record.emergency.digest, act);
  if (!request.force) return refuse('no_green', 'no rollout is running');
  const set = request.candidate ?? stillQuarantined(record);
  if (set === undefined) return refuse('no_green', 'nothing was rolled back');
  if (set.digest === record.blue?.digest) return unchanged(record, 'it serves already');
  const forced = becomeBlue(without(record, 'watch', 'rolledBack'), set, act.nowMs);
  const step = note(begin(forced), act, {
    kind: 'promoted',
    from: servingDigest(record),
    to: set.digest,
    reason: 'forced',
    serving: true,
  });
  return finish(startWaiting(step, act), `\`${set.digest}\` serves; its quarantine is lifted`);
}

/** Green becomes blue, watched for `act.watchMs`; then the waiting save has its turn. */
export function completePromotion(
  record: ActivationRecord,
  rollout: RolloutState,
  act: Act,
): Outcome {
  const { green } = rollout;
  const watchMs = act.watchMs ?? WATCH_MS_DEFAULT;
  const promoted = moveOn(without(record, 'rollout', 'watch'), green, act.nowMs);
  const next: ActivationRecord =
    watchMs > 0 && record.blue !== undefined
      ? {
          ...promoted,
          watch: {
            digest: green.digest,
            against: setRef(record.blue),
            untilMs: act.nowMs + watchMs,
            denyRise: denyRiseOf(green),
          },
        }
      : liftOutdated(promoted);
  const step = note(begin(next), act, {
    kind: 'promoted',
    from: servingDigest(record),
    to: green.digest,
    reason: `promoted from ${rollout.sharePpm} ppm`,
    serving: true,
  });
  return finish(startWaiting(step, act), `\`${green.digest}\` serves everybody`);
}

function keepEmergency(record: ActivationRecord, digest: string, act: Act): Outcome {
  const step = note(begin(without(record, 'emergency')), act, {
    kind: 'emergency_permanent',
    from: digest,
    to: digest,
    reason: 'the emergency set stays',
    serving: false,
  });
  return finish(startWaiting(step, act), `\`${digest}\` serves for good`);
}

/** The set that was rolled back last, unless its files have been replaced since. */
function stillQuarantined(record: ActivationRecord): SetRef | undefined {
  const { rolledBack, quarantined } = record;
  return quarantined.some((entry) => entry.set === rolledBack?.digest) ? rolledBack : undefined;
}

/** The first set that served before and may serve again. */
export function setBefore(record: ActivationRecord): SetRef | undefined {
  return record.previous.find((set) => !isTainted(set, record.quarantined));
}
