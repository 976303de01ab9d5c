/**
 * Everything swappable, as one frozen value. A swap is one assignment of `Serving.current` (invariant 2);
 * an exchange reads it once, at its first message (invariant 1).
 */
import type { PolicySet } from '../policy/set.ts';
import {
  assign as assignCohort,
  type Cohort,
  type SessionHash,
  type Split,
  type Xxh64,
} from '../rollout/cohort.ts';

export interface ServingSnapshot {
  /** Only grows (invariant 6). */
  readonly epoch: number;
  /** The set that serves, or undefined when there is none to serve. */
  readonly blue?: PolicySet;
  /** The candidate of a running rollout, and which sessions try it. */
  readonly green?: { readonly set: PolicySet; readonly split: Split };
  /** Sets that an exchange may still have been promised by Check, by digest. */
  readonly retained: ReadonlyMap<string, PolicySet>;
}

/** The set that judges one exchange, from its first message to its last byte. */
export interface Assigned {
  readonly epoch: number;
  readonly set: PolicySet;
  readonly cohort: Cohort;
}

export const EMPTY_SNAPSHOT: ServingSnapshot = Object.freeze({ epoch: 0, retained: new Map() });

/** The one mutable reference to what serves. */
export class Serving {
  current: ServingSnapshot = EMPTY_SNAPSHOT;
}

/** Which set judges this exchange; undefined when no set serves. No session: control (SEMANTICS §7). */
export function assign(
  snapshot: ServingSnapshot,
  session: SessionHash | undefined,
  xxh64: Xxh64,
): Assigned | undefined {
  const { epoch, blue, green } = snapshot;
  if (!blue) return undefined;
  return assignCohort({ epoch, blue, ...(green && { green }) }, session, xxh64);
}

/**
 * Obeys what Check promised for this exchange (SEMANTICS §2): the same set, also after a swap. A digest
 * that is not retained any more cannot be obeyed; the caller assigns anew.
 */
export function obey(
  snapshot: ServingSnapshot,
  promised: { readonly epoch: number; readonly set: string; readonly cohort: Cohort },
): Assigned | undefined {
  const set = snapshot.retained.get(promised.set);
  return set && { epoch: promised.epoch, set, cohort: promised.cohort };
}
