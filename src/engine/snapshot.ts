/**
 * Everything swappable, as one frozen value. A swap is one assignment of `Serving.current` (invariant 2);
 * an exchange reads it once, at its first message (invariant 1).
 */
import type { PolicySet } from '../policy/set.ts';

export type Cohort = 'control' | 'canary';

export interface ServingSnapshot {
  /** Only grows (invariant 6). */
  readonly epoch: number;
  /** The set that serves, or undefined when there is none to serve. */
  readonly blue?: PolicySet;
  readonly rollout?: {
    readonly id: string;
    readonly green: PolicySet;
    readonly sharePpm: number;
  };
  /** Sets that an exchange may still have been promised by Check, by digest. */
  readonly retained: ReadonlyMap<string, PolicySet>;
}

export interface Assignment {
  readonly epoch: number;
  readonly set: PolicySet;
  readonly cohort: Cohort;
}

/** Decides whether a session (its keyed hash) belongs to the canary of a rollout. */
export type IsCanary = (sessionHash: string, rolloutId: string, sharePpm: number) => boolean;

export const EMPTY_SNAPSHOT: ServingSnapshot = Object.freeze({ epoch: 0, retained: new Map() });

/** The one mutable reference to what serves. */
export class Serving {
  current: ServingSnapshot = EMPTY_SNAPSHOT;
}

/** Which set judges this exchange; undefined when no set serves. No session: control (SEMANTICS §7). */
export function assign(
  snapshot: ServingSnapshot,
  sessionHash: string | undefined,
  isCanary: IsCanary,
): Assignment | undefined {
  const { epoch, blue, rollout } = snapshot;
  if (rollout && sessionHash !== undefined && isCanary(sessionHash, rollout.id, rollout.sharePpm)) {
    return { epoch, set: rollout.green, cohort: 'canary' };
  }
  return blue && { epoch, set: blue, cohort: 'control' };
}

/**
 * Obeys what Check promised for this exchange (SEMANTICS §2): the same set, also after a swap. A digest
 * that is not retained any more cannot be obeyed; the caller assigns anew.
 */
export function obey(
  snapshot: ServingSnapshot,
  promised: { readonly epoch: number; readonly set: string; readonly cohort: Cohort },
): Assignment | undefined {
  const set = snapshot.retained.get(promised.set);
  return set && { epoch: promised.epoch, set, cohort: promised.cohort };
}
