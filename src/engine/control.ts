import type { EffectiveReport } from '../policy/effective.ts';
import type { Facts } from '../policy/set.ts';
import type { Posture } from '../policy/surroundings.ts';
import type { Cohort } from '../rollout/cohort.ts';
import type { FeedStatus } from './feeds.ts';
import type { PostureState } from './posture.ts';

/**
 * What an operator can ask of a running Switchyard; the admin API and the CLI speak only to this.
 * Every mutation goes through the swap queue: one at a time, in order, durable before it is answered.
 */
export type ControlOutcome =
  | { readonly ok: true; readonly epoch: number; readonly digest: string; readonly message: string }
  | {
      readonly ok: false;
      /** From the closed table in `docs/reference/errors.md`. */
      readonly code:
        | 'no_green'
        | 'quarantined'
        | 'unknown_digest'
        | 'rollout_running'
        | 'no_previous_set'
        | 'invalid_argument'
        | 'stance_conflict'
        | 'store_failed';
      readonly message: string;
    };

export interface SetSummary {
  readonly digest: string;
  readonly policies: readonly {
    readonly name: string;
    readonly version?: string;
    readonly layer: string;
  }[];
  readonly rules: number;
  readonly warnings: readonly string[];
}

export interface ControlStatus {
  readonly version: string;
  readonly epoch: number;
  readonly health: 'SERVING' | 'NOT_SERVING';
  readonly blue?: SetSummary & { readonly sinceMs: number };
  readonly green?: SetSummary;
  readonly rollout?: {
    readonly id: string;
    readonly sharePpm: number;
    readonly stage: number;
    readonly stages: number;
    readonly startedAtMs: number;
    /** In words people read (SEMANTICS §10), one per metric. */
    readonly judgement: readonly string[];
  };
  /** A set activated at once that is still compared with the one before it. */
  readonly watch?: {
    readonly against: string;
    readonly untilMs: number;
    readonly judgement: readonly string[];
  };
  readonly emergency?: { readonly digest: string; readonly untilMs: number };
  /** Saved during a rollout; becomes green when it has ended. */
  readonly waiting?: { readonly digest: string };
  readonly quarantined: readonly {
    readonly file: string;
    readonly digest: string;
    readonly reason: string;
    readonly atMs: number;
  }[];
  readonly directory?: {
    readonly path: string;
    readonly lastReadMs: number;
    /** `file:line:column: code: sentence`, all of the last save that was not taken; empty when it was. */
    readonly errors: readonly string[];
  };
  readonly breakers: readonly {
    readonly rule: string;
    readonly digest: string;
    readonly state: string;
  }[];
  /** What conditions are told of these hours; absent when what was stored cannot be read. */
  readonly posture?: PostureState;
  /** What conditions look things up in. */
  readonly feeds?: readonly FeedStatus[];
  /** How busy this server is, 0..1, as conditions are told. */
  readonly load?: number;
  /** Newest first, at most 50. */
  readonly history: readonly {
    readonly epoch: number;
    readonly atMs: number;
    readonly kind: string;
    readonly digest: string;
    readonly by: string;
    readonly reason: string;
  }[];
}

/** What changes which policies serve. */
export interface SetControl {
  status(): ControlStatus;
  /** Starts a rollout of the waiting or named set, or moves a running one to `sharePpm`. */
  canary(request: { sharePpm: number; digest?: string; by: string }): Promise<ControlOutcome>;
  /** Green becomes blue. `force` lifts a quarantine of the named or last rolled-back files. */
  promote(request: { force: boolean; by: string }): Promise<ControlOutcome>;
  /** Ends a rollout, or goes back to the set before (or to `to`): a new epoch serving an old set. */
  rollback(request: { to?: string; reason: string; by: string }): Promise<ControlOutcome>;
  /** Serves a stored or waiting set at once; `emergency` is not undone by a rise of denials. */
  activate(request: {
    digest?: string;
    emergency: boolean;
    forMs?: number;
    by: string;
  }): Promise<ControlOutcome>;
}

/** Of whom somebody asks what composes for them. What is absent is '' or unknown. */
export interface EffectiveAsked {
  readonly cohort: Cohort;
  readonly facts: Facts;
  /** Lower-case name → value. Only trusted ones are read. */
  readonly headers: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly path?: string;
  readonly authority?: string;
  readonly route?: string;
}

/** The same, what composes, and what conditions are told. */
export interface Control extends SetControl {
  /** Undefined when no set serves that cohort. */
  effective(asked: EffectiveAsked): EffectiveReport | undefined;
  /** Says how much to trust the traffic; `forMs` undefined: until somebody says otherwise. */
  setPosture(request: {
    posture: Posture;
    forMs?: number;
    reason: string;
    by: string;
  }): Promise<ControlOutcome>;
}
