import type { ActivationRecord, Evidence, TransitionKind } from './activation.ts';

/** Who asks for a transition, when, and in which words for the record. */
export interface Act {
  readonly nowMs: number;
  readonly by: string;
  readonly reason?: string;
  /** How long a set activated at once is watched; 0 = not at all. Default `WATCH_MS_DEFAULT`. */
  readonly watchMs?: number;
}

/** A transition for the audit log; the same shape as its `TransitionRecord`, which is I/O's own. */
export interface ServingTransition {
  readonly kind: 'transition';
  readonly atMs: number;
  readonly epoch: number;
  readonly transition: TransitionKind;
  readonly from: string;
  readonly to: string;
  readonly by: string;
  readonly reason: string;
  readonly evidence?: Evidence;
}

export type RefusalCode =
  | 'no_green'
  | 'quarantined'
  | 'rollout_running'
  | 'no_previous_set'
  | 'invalid_argument'
  /** What was judged or timed is no longer what serves: nothing to do. Never an operator's answer. */
  | 'stale';

export type Outcome =
  | {
      readonly ok: true;
      /** To be persisted first, then served. The same object as before when nothing changed. */
      readonly record: ActivationRecord;
      /** In order; to be written to the audit log before the caller is answered. */
      readonly transitions: readonly ServingTransition[];
      readonly message: string;
      /**
       * A waiting save was dropped because it holds quarantined bytes: read the directory again, put the
       * good versions in (`effectiveFiles`) and call `saved` with the result.
       */
      readonly rereadDirectory: boolean;
    }
  | { readonly ok: false; readonly code: RefusalCode; readonly message: string };

export function refuse(code: RefusalCode, message: string): Outcome {
  return { ok: false, code, message };
}

/** Nothing to do, and that is fine. */
export function unchanged(record: ActivationRecord, message: string): Outcome {
  return { ok: true, record, transitions: [], message, rereadDirectory: false };
}
