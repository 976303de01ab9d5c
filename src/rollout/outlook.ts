/** What follows from an activation record: what serves, what is compared, what is due, what is kept. */
import type { RolloutPlan } from '../policy/set.ts';
import type { ActivationRecord, DenyRise, SetRef } from './activation.ts';
import { denyRiseOf } from './step.ts';

/** What a serving snapshot is made from. */
export interface ServingPlan {
  readonly epoch: number;
  readonly blue: string;
  readonly green?: {
    readonly digest: string;
    readonly rolloutId: string;
    readonly sharePpm: number;
  };
}

/** `undefined` when no set serves: every exchange is refused by us. */
export function servingPlan(record: ActivationRecord): ServingPlan | undefined {
  if (record.blue === undefined) return undefined;
  const { epoch, blue, rollout } = record;
  return {
    epoch,
    blue: blue.digest,
    ...(rollout && {
      green: { digest: rollout.green.digest, rolloutId: rollout.id, sharePpm: rollout.sharePpm },
    }),
  };
}

/** What the judge compares, and what it may do about a rise of denials. */
export interface JudgeExpectation {
  /** `standing`: only hard triggers, for as long as the candidate serves everybody. */
  readonly comparing: 'rollout' | 'watch' | 'standing';
  /** Rollout id, or the digest and time of a watch: evidence of another id does not count. */
  readonly id: string;
  readonly baseline: string;
  readonly candidate: string;
  readonly denyRise: DenyRise;
  readonly plan?: RolloutPlan;
}

/** At most two: of a rollout, and of the set that serves with the one it replaced. */
export function judgeExpectations(record: ActivationRecord): readonly JudgeExpectation[] {
  const { blue, rollout, watch } = record;
  if (blue === undefined) return [];
  const expectations: JudgeExpectation[] = [];
  if (rollout !== undefined) {
    expectations.push({
      comparing: 'rollout',
      id: rollout.id,
      baseline: blue.digest,
      candidate: rollout.green.digest,
      denyRise: denyRiseOf(rollout.green),
      ...(rollout.plan && { plan: rollout.plan }),
    });
  }
  if (watch !== undefined) {
    expectations.push({
      comparing: 'watch',
      id: `watch-${watch.untilMs}-${watch.digest}`,
      baseline: watch.against.digest,
      candidate: watch.digest,
      denyRise: watch.denyRise,
      ...(blue.plan && { plan: blue.plan }),
    });
  } else if (blue.replaced !== undefined) {
    expectations.push({
      comparing: 'standing',
      id: `standing-${blue.sinceMs}-${blue.digest}`,
      baseline: blue.replaced,
      candidate: blue.digest,
      denyRise: 'alerts',
    });
  }
  return expectations;
}

export type Due =
  | {
      readonly kind: 'stage';
      readonly atMs: number;
      readonly rolloutId: string;
      readonly stage: number;
    }
  | { readonly kind: 'watch'; readonly atMs: number }
  | { readonly kind: 'emergency'; readonly atMs: number };

/** What time alone will ask for, earliest first. A stage that is due needs the judge to pass it, too. */
export function due(record: ActivationRecord): readonly Due[] {
  const { rollout, watch, emergency } = record;
  const stage = rollout?.plan?.stages[rollout.stage];
  const list: Due[] = [];
  if (rollout !== undefined && stage !== undefined) {
    const atMs = rollout.stageSinceMs + stage.durationMs;
    list.push({ kind: 'stage', atMs, rolloutId: rollout.id, stage: rollout.stage });
  }
  if (watch !== undefined) list.push({ kind: 'watch', atMs: watch.untilMs });
  if (emergency !== undefined) list.push({ kind: 'emergency', atMs: emergency.untilMs });
  return list.sort((a, b) => a.atMs - b.atMs);
}

/** Every set that the record may need again, once each: what the store keeps. */
export function keptSets(record: ActivationRecord): readonly SetRef[] {
  const sets = new Map<string, SetRef>();
  for (const set of [
    record.blue,
    record.rollout?.green,
    record.waiting,
    record.watch?.against,
    record.emergency?.previous,
    record.rolledBack,
    ...record.previous,
  ]) {
    if (set !== undefined && !sets.has(set.digest)) sets.set(set.digest, set);
  }
  return [...sets.values()];
}

/** A set that the record knows, by its digest. */
export function knownSet(record: ActivationRecord, digest: string): SetRef | undefined {
  return keptSets(record).find((set) => set.digest === digest);
}
