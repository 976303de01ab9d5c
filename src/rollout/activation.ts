/**
 * The activation record: which set serves, what is being tried, what may not come back. It is plain JSON,
 * persisted before anything it says takes effect; every change of it is a pure transition in this folder.
 */
import type { RolloutPlan } from '../policy/set.ts';

/** Version of the persisted shape; another number is refused on read, never guessed at. */
export const ACTIVATION_SCHEMA = 1;

/** Sets kept for going back, beside the one that serves: the tenth rollback in a row finds a set. */
export const PREVIOUS_SETS_MAX = 10;
/** History entries shown and kept. The audit log has them all. */
export const HISTORY_MAX = 50;
/** Quarantined files kept; beyond it the oldest are forgotten: two full sets of the largest size. */
export const QUARANTINED_MAX = 20_000;
/** How long a set that was activated at once is compared with the one before it. */
export const WATCH_MS_DEFAULT = 30 * 60_000;
/** How long an emergency activation holds when nobody says. */
export const EMERGENCY_MS_DEFAULT = 2 * 3_600_000;
/** An emergency that lasts longer than a week is a policy: promote it. */
export const EMERGENCY_MS_MAX = 7 * 24 * 3_600_000;
export const SHARE_PPM_MAX = 1_000_000;

/** One file of a set with its text. `path` is relative, with `/`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** `sha256:` + hex of the UTF-8 bytes. */
  readonly digest: string;
}

export interface FileRef {
  readonly path: string;
  readonly digest: string;
}

/** A set by name: its digest, what files it was made of, and the rollout that its documents ask for. */
export interface SetRef {
  /** The digest of the compiled set. */
  readonly digest: string;
  /** Sorted by path, each path once. */
  readonly files: readonly FileRef[];
  readonly plan?: RolloutPlan;
}

export interface RolloutState {
  readonly id: string;
  readonly green: SetRef;
  readonly sharePpm: number;
  /** Index into the plan's stages; 0 for a rollout by hand. */
  readonly stage: number;
  readonly stageSinceMs: number;
  readonly startedAtMs: number;
  /** Absent for a rollout by hand: it moves only when an operator says so. */
  readonly plan?: RolloutPlan;
}

/** What a rise of denials means for a comparison: it rolls back, or (expected, emergency) only alerts. */
export type DenyRise = 'rolls_back' | 'alerts';

export interface Watch {
  readonly digest: string;
  readonly against: SetRef;
  readonly untilMs: number;
  readonly denyRise: DenyRise;
}

export interface Emergency {
  readonly digest: string;
  readonly untilMs: number;
  /** What serves again when it has ended. */
  readonly previous: SetRef;
}

export type QuarantineReason = 'automatic' | 'operator' | 'emergency_expired';

export type Evidence = Readonly<Record<string, string | number>>;

/** One version of one file that may not serve again until it is forced or replaced by other bytes. */
export interface Quarantined {
  readonly path: string;
  /** The bytes that may not serve; `absent` means that the deletion of the path may not. */
  readonly digest: string;
  /** The version that serves in their place. */
  readonly good: string;
  /** Whether these bytes are refused under every path (a renamed file is still the same document). */
  readonly anyPath: boolean;
  /** The set that was rolled back. */
  readonly set: string;
  readonly reason: QuarantineReason;
  readonly atMs: number;
  readonly evidence?: Evidence;
}

/** In place of a file digest: there is no such file. */
export const ABSENT = 'absent';

export type TransitionKind =
  | 'activate'
  | 'emergency'
  | 'emergency_permanent'
  | 'emergency_expired'
  | 'rollout_started'
  | 'share_changed'
  | 'promoted'
  | 'rolled_back'
  | 'waiting'
  | 'watch_ended'
  | 'recovered'
  | 'golden_override';

export interface HistoryEntry {
  readonly epoch: number;
  readonly atMs: number;
  readonly kind: TransitionKind;
  readonly digest: string;
  readonly by: string;
  readonly reason: string;
}

export interface ActivationRecord {
  readonly schema: typeof ACTIVATION_SCHEMA;
  /** Grows with every change of what serves; 0 before anything did (invariant "epochs only grow"). */
  readonly epoch: number;
  readonly blue?: SetRef & {
    readonly sinceMs: number;
    /** Digest of the set it replaced: hard triggers go back for as long as it serves (SEMANTICS §10).
     * Absent where nobody may undo it: it was gone back to, forced, or the first. */
    readonly replaced?: string;
  };
  /** Sets that served before, newest first. */
  readonly previous: readonly SetRef[];
  readonly rollout?: RolloutState;
  readonly watch?: Watch;
  readonly emergency?: Emergency;
  /** The newest save that came while a rollout or an emergency was on. */
  readonly waiting?: SetRef;
  /** The set that was rolled back last, for `promote --force`. */
  readonly rolledBack?: SetRef;
  /** Oldest first. */
  readonly quarantined: readonly Quarantined[];
  /** Newest first. */
  readonly history: readonly HistoryEntry[];
}

/** Before anything ever served. */
export const EMPTY_ACTIVATION: ActivationRecord = Object.freeze({
  schema: ACTIVATION_SCHEMA,
  epoch: 0,
  previous: Object.freeze([]),
  quarantined: Object.freeze([]),
  history: Object.freeze([]),
});
