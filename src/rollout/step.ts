/** The moves that transitions are made of. Each takes a step (a record and what was noted) to the next. */
import {
  type ActivationRecord,
  type DenyRise,
  type Evidence,
  HISTORY_MAX,
  PREVIOUS_SETS_MAX,
  type SetRef,
  type TransitionKind,
  WATCH_MS_DEFAULT,
} from './activation.ts';
import type { Act, Outcome, ServingTransition } from './outcome.ts';
import { isTainted, lift } from './quarantine.ts';

export interface Step {
  readonly record: ActivationRecord;
  readonly transitions: readonly ServingTransition[];
  readonly rereadDirectory: boolean;
}

interface Note {
  readonly kind: TransitionKind;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  /** Whether what serves has changed: then the epoch grows. */
  readonly serving: boolean;
  readonly evidence?: Evidence;
}

export function begin(record: ActivationRecord): Step {
  return { record, transitions: [], rereadDirectory: false };
}

export function finish(step: Step, message: string): Outcome {
  return {
    ok: true,
    record: Object.freeze(step.record),
    transitions: step.transitions,
    message,
    rereadDirectory: step.rereadDirectory,
  };
}

/** Writes what happened into the history and for the audit log; the reason given by the act comes first. */
export function note(step: Step, act: Act, event: Note): Step {
  const epoch = step.record.epoch + (event.serving ? 1 : 0);
  const shared = { epoch, atMs: act.nowMs, by: act.by, reason: act.reason ?? event.reason };
  return {
    ...step,
    record: {
      ...step.record,
      epoch,
      history: [{ ...shared, kind: event.kind, digest: event.to }, ...step.record.history].slice(
        0,
        HISTORY_MAX,
      ),
    },
    transitions: [
      ...step.transitions,
      {
        kind: 'transition',
        ...shared,
        transition: event.kind,
        from: event.from,
        to: event.to,
        ...(event.evidence === undefined ? {} : { evidence: event.evidence }),
      },
    ],
  };
}

/** The digest that serves; '' before anything does. */
export function servingDigest(record: ActivationRecord): string {
  return record.blue?.digest ?? '';
}

export function without<K extends 'rollout' | 'watch' | 'emergency' | 'waiting' | 'rolledBack'>(
  record: ActivationRecord,
  ...keys: readonly K[]
): ActivationRecord {
  const copy: { -readonly [P in keyof ActivationRecord]: ActivationRecord[P] } = { ...record };
  for (const key of keys) delete copy[key];
  return copy;
}

/** Makes `set` blue and keeps the set before it. Whatever serves is not quarantined. */
export function becomeBlue(record: ActivationRecord, set: SetRef, nowMs: number): ActivationRecord {
  const old = record.blue;
  const before = old === undefined ? record.previous : [setRef(old), ...record.previous];
  const seen = new Set([set.digest]);
  const previous = before.filter(({ digest }) => !seen.has(digest) && seen.add(digest));
  return lift(
    {
      ...record,
      blue: { ...setRef(set), sinceMs: nowMs },
      previous: previous.slice(0, PREVIOUS_SETS_MAX),
    },
    set,
  );
}

/** Makes `set` blue for as long as its errors stay within the hard limit. */
export function moveOn(record: ActivationRecord, set: SetRef, nowMs: number): ActivationRecord {
  const next = becomeBlue(record, set, nowMs);
  const { blue } = next;
  const old = record.blue?.digest;
  if (blue === undefined || old === undefined || old === blue.digest) return next;
  return { ...next, blue: { ...blue, replaced: old } };
}

/** Serves `set` at once, watched against the set before it (if there was one). */
export function activateAtOnce(step: Step, set: SetRef, act: Act, reason: string): Step {
  const before = step.record.blue;
  const watchMs = act.watchMs ?? WATCH_MS_DEFAULT;
  const bare = moveOn(without(step.record, 'watch'), set, act.nowMs);
  const record =
    before === undefined || watchMs <= 0
      ? bare
      : {
          ...bare,
          watch: {
            digest: set.digest,
            against: setRef(before),
            untilMs: act.nowMs + watchMs,
            denyRise: denyRiseOf(set),
          },
        };
  return note({ ...step, record }, act, {
    kind: 'activate',
    from: servingDigest(step.record),
    to: set.digest,
    reason,
    serving: true,
  });
}

/** Serves `set` to a share of the sessions. Its id is new with every epoch, the same on every replica. */
export function startRollout(step: Step, green: SetRef, sharePpm: number, act: Act): Step {
  const { plan } = green;
  const record: ActivationRecord = {
    ...step.record,
    rollout: {
      id: `${step.record.epoch + 1}-${shortDigest(green.digest)}`,
      green: setRef(green),
      sharePpm,
      stage: plan === undefined ? 0 : stageAt(plan.stages, sharePpm),
      stageSinceMs: act.nowMs,
      startedAtMs: act.nowMs,
      ...(plan === undefined || plan.stages.length === 0 ? {} : { plan }),
    },
  };
  return note({ ...step, record }, act, {
    kind: 'rollout_started',
    from: servingDigest(step.record),
    to: green.digest,
    reason: `canary at ${sharePpm} ppm`,
    serving: true,
  });
}

/** Starts what a save asks for: a rollout if its documents plan one and something serves, else at once. */
export function startCandidate(step: Step, candidate: SetRef, act: Act, reason: string): Step {
  const first = candidate.plan?.stages[0];
  return first !== undefined && step.record.blue !== undefined
    ? startRollout(step, candidate, first.sharePpm, act)
    : activateAtOnce(step, candidate, act, reason);
}

/** When a rollout or an emergency has ended, the save that waited for it has its turn. */
export function startWaiting(step: Step, act: Act): Step {
  const { waiting, rollout, emergency } = step.record;
  if (waiting === undefined || rollout !== undefined || emergency !== undefined) return step;
  const free = { ...step, record: without(step.record, 'waiting') };
  if (waiting.digest === free.record.blue?.digest) return free;
  if (isTainted(waiting, free.record.quarantined)) return { ...free, rereadDirectory: true };
  // The words of the act that ended the rollout are not the reason for what comes after it.
  const { reason: _, ...own } = act;
  return startCandidate(free, waiting, own, 'it waited for a rollout to end');
}

/** The stage that a share set by hand belongs to: the first of those with the largest share not above it. */
export function stageAt(
  stages: readonly { readonly sharePpm: number }[],
  sharePpm: number,
): number {
  let best = 0;
  for (const [index, stage] of stages.entries()) {
    if (stage.sharePpm <= sharePpm && stage.sharePpm > stages[best]!.sharePpm) best = index;
  }
  return best;
}

export function denyRiseOf(set: SetRef): DenyRise {
  return set.plan?.expectDenyRate === 'up' ? 'alerts' : 'rolls_back';
}

/** Only what a `SetRef` holds. */
export function setRef({ digest, files, plan }: SetRef): SetRef {
  return { digest, files, ...(plan === undefined ? {} : { plan }) };
}

function shortDigest(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12);
}
