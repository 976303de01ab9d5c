/** What an operator is shown of what serves. */
import type { PolicySet } from '../policy/set.ts';
import type { ActivationRecord } from '../rollout/activation.ts';
import { judgeExpectations } from '../rollout/outlook.ts';
import type { Comparisons } from './comparisons.ts';
import type { ControlStatus, SetSummary } from './control.ts';
import type { ServingSnapshot } from './snapshot.ts';

export interface StatusSource {
  readonly record: ActivationRecord;
  readonly serving: ServingSnapshot;
  readonly sets: ReadonlyMap<string, PolicySet>;
  readonly comparisons: Comparisons;
  /** Monotonic, as the comparisons were fed. */
  readonly nowMs: number;
  readonly version: string;
  readonly directory: NonNullable<ControlStatus['directory']>;
  readonly breakers: ControlStatus['breakers'];
}

export function statusOf(source: StatusSource): ControlStatus {
  const { record, serving, sets, comparisons, nowMs } = source;
  const { blue, rollout, watch, emergency, waiting } = record;
  const summary = (digest: string) => summaryOf(digest, sets.get(digest));
  const lines = (comparing: 'rollout' | 'watch'): readonly string[] => {
    const id = judgeExpectations(record).find((e) => e.comparing === comparing)?.id;
    return (id !== undefined && comparisons.judgement(id, nowMs)?.lines) || [];
  };
  return {
    version: source.version,
    epoch: record.epoch,
    health: serving.blue ? 'SERVING' : 'NOT_SERVING',
    ...(blue && { blue: { ...summary(blue.digest), sinceMs: blue.sinceMs } }),
    ...(rollout && {
      green: summary(rollout.green.digest),
      rollout: {
        id: rollout.id,
        sharePpm: rollout.sharePpm,
        stage: rollout.stage,
        stages: rollout.plan?.stages.length ?? 0,
        startedAtMs: rollout.startedAtMs,
        judgement: lines('rollout'),
      },
    }),
    ...(watch && {
      watch: { against: watch.against.digest, untilMs: watch.untilMs, judgement: lines('watch') },
    }),
    ...(emergency && { emergency: { digest: emergency.digest, untilMs: emergency.untilMs } }),
    ...(waiting && { waiting: { digest: waiting.digest } }),
    quarantined: record.quarantined.map(({ path, set, reason, atMs }) => ({
      file: path,
      digest: set,
      reason,
      atMs,
    })),
    directory: source.directory,
    breakers: source.breakers,
    history: record.history,
  };
}

function summaryOf(digest: string, set: PolicySet | undefined): SetSummary {
  return {
    digest,
    policies: (set?.policies ?? []).map(({ name, version, layer }) => ({
      name,
      layer,
      ...(version !== undefined && { version }),
    })),
    rules: set?.rules.length ?? 0,
    warnings: set?.warnings ?? [],
  };
}
