import { type ActivationRecord, type SetRef, SHARE_PPM_MAX } from './activation.ts';
import { type Act, type Outcome, refuse, unchanged } from './outcome.ts';
import { completePromotion } from './promote.ts';
import { isTainted } from './quarantine.ts';
import { begin, finish, note, servingDigest, stageAt, startRollout, without } from './step.ts';

/**
 * An operator starts a rollout of `candidate` (or of the waiting set), or moves the running one to
 * `sharePpm`. A rollout by hand of a set without a plan stays at its share until somebody moves it.
 */
export function canary(
  record: ActivationRecord,
  request: { readonly sharePpm: number; readonly candidate?: SetRef },
  act: Act,
): Outcome {
  const { sharePpm, candidate } = request;
  if (!Number.isInteger(sharePpm) || sharePpm < 0 || sharePpm > SHARE_PPM_MAX) {
    return refuse('invalid_argument', 'a share is a whole number of ppm, 0 to 1000000');
  }
  if (record.emergency !== undefined) {
    return refuse('rollout_running', 'an emergency set serves: promote it or roll it back first');
  }
  if (record.rollout !== undefined) {
    return candidate === undefined || candidate.digest === record.rollout.green.digest
      ? moveShare(record, record.rollout, sharePpm, act)
      : refuse(
          'rollout_running',
          'another set is being rolled out: promote it or roll it back first',
        );
  }
  const green = candidate ?? record.waiting;
  if (green === undefined) return refuse('no_green', 'no set waits: save one or name its digest');
  if (record.blue === undefined) {
    return refuse('no_previous_set', 'nothing serves to compare with: activate the set instead');
  }
  if (green.digest === record.blue.digest) return refuse('no_green', 'the set serves already');
  if (isTainted(green, record.quarantined)) {
    return refuse('quarantined', 'the set holds files that were rolled back');
  }
  const step = startRollout(begin(without(record, 'waiting')), green, sharePpm, act);
  return finish(step, `\`${green.digest}\` is canary at ${sharePpm} ppm`);
}

/**
 * The judge passed a stage whose time is over: the next one, or promotion after the last (also when the
 * next is everybody for no time). `stale` when the rollout or its stage is another by now.
 */
export function advance(
  record: ActivationRecord,
  passed: { readonly rolloutId: string; readonly stage: number },
  act: Act,
): Outcome {
  const { rollout } = record;
  if (rollout === undefined || rollout.id !== passed.rolloutId || rollout.stage !== passed.stage) {
    return refuse('stale', 'the stage is over');
  }
  if (rollout.plan === undefined) return refuse('stale', 'a rollout by hand has no stages');
  const stage = rollout.stage + 1;
  const next = rollout.plan.stages[stage];
  if (next === undefined || (next.sharePpm === SHARE_PPM_MAX && next.durationMs <= 0)) {
    // Every stage was judged: no watch, its hard triggers go back to the set before (SEMANTICS §10).
    return completePromotion(record, rollout, { ...act, watchMs: 0 });
  }
  const sharePpm = Math.max(rollout.sharePpm, next.sharePpm);
  return setShare(record, { ...rollout, stage, sharePpm, stageSinceMs: act.nowMs }, act);
}

function moveShare(
  record: ActivationRecord,
  rollout: NonNullable<ActivationRecord['rollout']>,
  sharePpm: number,
  act: Act,
): Outcome {
  if (sharePpm === rollout.sharePpm) return unchanged(record, 'the share is that already');
  const stage = rollout.plan === undefined ? 0 : stageAt(rollout.plan.stages, sharePpm);
  return setShare(record, { ...rollout, stage, sharePpm, stageSinceMs: act.nowMs }, act);
}

function setShare(
  record: ActivationRecord,
  rollout: NonNullable<ActivationRecord['rollout']>,
  act: Act,
): Outcome {
  const step = note(begin({ ...record, rollout }), act, {
    kind: 'share_changed',
    from: servingDigest(record),
    to: rollout.green.digest,
    reason: `stage ${rollout.stage + 1}: ${rollout.sharePpm} ppm`,
    serving: true,
  });
  return finish(step, `\`${rollout.green.digest}\` is canary at ${rollout.sharePpm} ppm`);
}
