import type { RolloutPlan } from '../../src/policy/set.ts';
import {
  type ActivationRecord,
  EMPTY_ACTIVATION,
  type SetRef,
  type SourceFile,
} from '../../src/rollout/activation.ts';
import type { Act, Outcome } from '../../src/rollout/outcome.ts';
import { saved } from '../../src/rollout/saved.ts';

export const PLAN: RolloutPlan = {
  name: 'plan',
  stages: [
    { sharePpm: 50_000, durationMs: 1_000 },
    { sharePpm: 200_000, durationMs: 2_000 },
    { sharePpm: 1_000_000, durationMs: 0 },
  ],
  expectDenyRate: 'same',
  denyRateChangeMax: 0.05,
  errorRateMax: 0.01,
  alpha: 0.001,
};

/** `{ 'a.yaml': '1' }`: contents by path. Here the digest of a file is its content, of a set its parts. */
export type Contents = Readonly<Record<string, string>>;

export function filesOf(contents: Contents): readonly SourceFile[] {
  return Object.entries(contents)
    .map(([path, text]) => ({ path, text, digest: `f:${text}` }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function setOfFiles(files: readonly SourceFile[], plan?: RolloutPlan): SetRef {
  const refs = files.map(({ path, digest }) => ({ path, digest }));
  const digest = `sha256:${refs.map((file) => `${file.path}=${file.digest}`).join(',')}${plan ? '+' : ''}`;
  return { digest, files: refs, ...(plan && { plan }) };
}

export function setOf(contents: Contents, plan?: RolloutPlan): SetRef {
  return setOfFiles(filesOf(contents), plan);
}

export function act(nowMs = 0, by = 'test'): Act {
  return { nowMs, by };
}

export type Taken = Extract<Outcome, { ok: true }>;

/** The outcome, which must not be a refusal. */
export function taken(outcome: Outcome): Taken {
  if (!outcome.ok) throw new Error(`refused: ${outcome.code}: ${outcome.message}`);
  return outcome;
}

export function refusal(outcome: Outcome): string {
  return outcome.ok ? 'not refused' : outcome.code;
}

/** A record in which each of `sets` was saved in turn. */
export function savedInTurn(...sets: readonly SetRef[]): ActivationRecord {
  return sets.reduce((record, set) => taken(saved(record, set, act())).record, EMPTY_ACTIVATION);
}
