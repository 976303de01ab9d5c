/** `kind: Rollout` → RolloutPlan, in our own words or in the familiar block's. */

import { quote } from './errors.ts';
import { child, type Located, plain } from './located.ts';
import { accepts, type Report } from './read.ts';
import {
  type FamiliarRolloutDocument,
  FamiliarRolloutSchema,
  type RolloutDocument,
  RolloutSchema,
} from './schema.ts';
import type { RolloutPlan } from './set.ts';
import { durationToMs, PPM, shareToPpm, toRatio } from './units.ts';

/** What holds where the author says nothing. */
export const ROLLOUT_DEFAULTS: Omit<RolloutPlan, 'name' | 'stages'> = Object.freeze({
  expectDenyRate: 'same',
  /** Relative to the baseline (SEMANTICS §6). */
  denyRateChangeMax: 0.05,
  errorRateMax: 0.01,
  alpha: 0.001,
});

type Stages = RolloutPlan['stages'];

/** Undefined when anything was reported. `warn` receives what is read but not acted on. */
export function readRollout(
  root: Located,
  report: Report,
  warn: (message: string) => void,
): RolloutPlan | undefined {
  let clean = true;
  const tell: Report = (at, code, message) => {
    clean = false;
    report(at, code, message);
  };
  const familiar = child(root, 'canary_policy_deployment') !== undefined;
  if (!accepts(familiar ? FamiliarRolloutSchema : RolloutSchema, root, 'rollout', tell)) {
    return undefined;
  }
  const plan = familiar
    ? fromFamiliar(plain(root) as FamiliarRolloutDocument, warn)
    : fromOwn(plain(root) as RolloutDocument, root, tell);
  const stagesNode = familiar
    ? child(child(root, 'canary_policy_deployment'), 'rollout_stages')
    : child(root, 'stages');
  checkRising(plan.stages, stagesNode ?? root, tell);
  return clean ? Object.freeze(plan) : undefined;
}

function fromOwn(document: RolloutDocument, root: Located, report: Report): RolloutPlan {
  const stagesNode = child(root, 'stages');
  const stages = document.stages.map((stage, index) => {
    const node = stagesNode?.kind === 'list' ? stagesNode.items[index] : undefined;
    const sharePpm = shareToPpm(stage.share);
    if (sharePpm === undefined) {
      report(
        child(node, 'share')?.at ?? root.at,
        'bad_unit',
        `${quote(stage.share)} is no share; write a percentage above 0 and up to \`100%\`, or \`50000ppm\``,
      );
    }
    if (stage.duration === undefined && sharePpm !== PPM) {
      report(
        node?.at ?? root.at,
        'missing_key',
        'a stage below 100% needs the key `duration`; write one like `10m`',
      );
    }
    const durationMs = durationToMs(stage.duration ?? '0s');
    if (durationMs === undefined) {
      report(
        child(node, 'duration')?.at ?? root.at,
        'bad_unit',
        `${quote(stage.duration)} is no duration; write a number with \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`, up to a year`,
      );
    }
    return Object.freeze({ sharePpm: sharePpm ?? 0, durationMs: durationMs ?? 0 });
  });
  const ratio = (key: 'denyRateChangeMax' | 'errorRateMax'): number => {
    const written = document[key];
    if (written === undefined) return ROLLOUT_DEFAULTS[key];
    const value = toRatio(written);
    if (value === undefined) {
      report(
        child(root, key)?.at ?? root.at,
        'bad_unit',
        `${quote(written)} is no ratio; write a number like 0.05, or \`5%\``,
      );
    }
    return value ?? 0;
  };
  return {
    name: document.metadata?.name ?? document.name ?? 'rollout',
    stages: Object.freeze(stages),
    expectDenyRate: document.expect?.denyRate ?? ROLLOUT_DEFAULTS.expectDenyRate,
    denyRateChangeMax: ratio('denyRateChangeMax'),
    errorRateMax: ratio('errorRateMax'),
    alpha: document.analysis?.alpha ?? ROLLOUT_DEFAULTS.alpha,
  };
}

/**
 * The familiar block has limits for promotion (per stage) and for rollback; a plan has one of each
 * metric. The strictest counts: nothing is promoted that the author would have held back.
 */
function fromFamiliar(
  { canary_policy_deployment: block }: FamiliarRolloutDocument,
  warn: (message: string) => void,
): RolloutPlan {
  const triggers = block.rollback_triggers ?? {};
  const criteria = block.rollout_stages.map((stage) => stage.success_criteria ?? {});
  const strictest = (values: readonly (number | undefined)[], fallback: number) => {
    const known = values.filter((value) => value !== undefined);
    return known.length === 0 ? fallback : Math.min(...known);
  };
  const latencies = [
    triggers.latency_p99_threshold_ms,
    ...criteria.map((one) => one.max_latency_p99_ms),
  ];
  if (latencies.some((value) => value !== undefined)) {
    warn('the latency limits of the rollout are read but not judged by this version');
  }
  if (new Set(criteria.map((one) => JSON.stringify(one))).size > 1 || block.rollback_triggers) {
    warn(
      'the strictest limit of all `success_criteria` and `rollback_triggers` holds in every stage',
    );
  }
  if (block.new_policy_id !== undefined || block.old_policy_id !== undefined) {
    warn('policy ids in the rollout only name it: what rolls out is this set of files');
  }
  return {
    name: block.new_policy_id ?? 'rollout',
    stages: Object.freeze(
      block.rollout_stages.map((stage) =>
        Object.freeze({
          sharePpm: Math.max(1, Math.round(stage.percentage * 10_000)),
          durationMs: Math.round(stage.duration_hours * 3_600_000),
        }),
      ),
    ),
    expectDenyRate: ROLLOUT_DEFAULTS.expectDenyRate,
    denyRateChangeMax: strictest(
      [triggers.deny_rate_change_threshold, ...criteria.map((one) => one.max_deny_rate_change)],
      ROLLOUT_DEFAULTS.denyRateChangeMax,
    ),
    errorRateMax: strictest(
      [
        triggers.evaluation_error_rate_threshold,
        ...criteria.map((one) => one.max_evaluation_error_rate),
      ],
      ROLLOUT_DEFAULTS.errorRateMax,
    ),
    alpha: ROLLOUT_DEFAULTS.alpha,
  };
}

function checkRising(stages: Stages, node: Located, report: Report): void {
  stages.forEach((stage, index) => {
    const before = stages[index - 1];
    if (before === undefined || stage.sharePpm === 0 || stage.sharePpm > before.sharePpm) return;
    report(
      (node.kind === 'list' ? node.items[index]?.at : undefined) ?? node.at,
      'stages_not_rising',
      'the share of this stage is not above that of the one before; order the stages by share',
    );
  });
}
