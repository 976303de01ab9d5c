/**
 * The record of one decision (SEMANTICS §9): ids, rule ids, offsets, digests, cohort and epoch. Never
 * content, never a header value: what could carry content is absent or a keyed hash.
 */
export interface DecisionRecord {
  /**
   * `mutation`: bytes were changed and are about to leave; the exchange's own record follows. `deferred`: what a
   * classifier said, or failed to say, when the exchange had its record already.
   */
  readonly kind: 'process' | 'check' | 'local_reply' | 'mutation' | 'deferred';
  /** Id of the exchange: the same in the records of Check and Process. */
  readonly exchange: string;
  /** x-request-id when it is a UUID, else a keyed hash with the prefix `h:`. */
  readonly requestId: string;
  /** The request's `traceparent`, where it has one as W3C writes it: digits, and whether it is sampled. */
  readonly traceContext?:
    | {
        readonly trace: string;
        readonly parent: string;
        readonly sampled: boolean;
      }
    | undefined;
  readonly atMs: number;
  readonly durationMs: number;
  readonly epoch: number;
  readonly set: string;
  readonly cohort: 'control' | 'canary';
  readonly verdict: 'allow' | 'deny' | 'mutate' | 'unavailable' | 'incomplete';
  /** From the closed table: `policy`, `rule_error`, `breaker_open`, `mode_cannot_enforce`, ... */
  readonly code: string;
  readonly degraded: boolean;
  readonly phase: 'request' | 'response' | 'none';
  /** Keyed hashes: equal inside one deployment, meaningless outside. */
  readonly session?: string | undefined;
  readonly facts: { readonly tenant?: string; readonly app?: string; readonly model?: string };
  /** Facts whose value was none: never guessed at, and absent for conditions. */
  readonly factFaults?: readonly string[] | undefined;
  /** What conditions were told beside the request; of each only what one of them has named. */
  readonly surroundings?:
    | {
        readonly posture?: 'normal' | 'elevated' | 'attack' | 'unknown';
        readonly postureVersion?: number;
        readonly load?: number;
        /** Digest of each feed by its name. */
        readonly feeds?: Readonly<Record<string, string>>;
        readonly session?: {
          readonly topic: string;
          readonly topics: readonly string[];
          readonly flags: readonly string[];
          readonly injection: number;
        };
      }
    | undefined;
  readonly route: string;
  readonly format: string;
  readonly status: number;
  readonly findings: readonly {
    readonly rule: string;
    readonly action: string;
    readonly enforced: boolean;
    /** The rule that overrode it there: an `allow` that lifted it, or a change that covers the same place. */
    readonly by?: string;
    readonly label: string;
    readonly text: string;
    readonly start: number;
    readonly end: number;
    /** Of a rule that weighs: 0..1 up to this match, and the signals that it is made of: never the text. */
    readonly score?: number;
    readonly signals?: readonly {
      readonly id: string;
      readonly weight: number;
      readonly start: number;
      readonly end: number;
    }[];
  }[];
  readonly findingsDropped: number;
  /** Rules that held, or would have read, and which an `allow` lifted for the whole exchange; in rank order. */
  readonly lifted?: readonly { readonly rule: string; readonly by: string }[] | undefined;
  readonly errors: readonly {
    readonly rule: string;
    readonly error: string;
    /** The external detector that failed. */
    readonly classifier?: string;
  }[];
  /**
   * Of what was refused as it could not be judged: why it could not (a word of `docs/reference/errors.md`, "" where the
   * code says it), and the rules that had to.
   */
  readonly unjudged?: { readonly reason: string; readonly rules: readonly string[] } | undefined;
  /** Rules, and external detectors as `classifier/NAME`, that were not asked as their breakers are open. */
  readonly breakers: readonly string[];
  /** A rule sent the request to another model: the one that was asked for (a keyed hash where no rule names it). */
  readonly rerouted?:
    | { readonly rule: string; readonly from?: string; readonly to?: string }
    | undefined;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** A change of what serves, or (`posture`) of what conditions are told: there, from and to are its words. */
export interface TransitionRecord {
  readonly kind: 'transition';
  readonly atMs: number;
  readonly epoch: number;
  readonly transition: string;
  readonly from: string;
  readonly to: string;
  readonly by: string;
  readonly reason: string;
  /** Metric, counts and e-value of a rollback by itself. */
  readonly evidence?: Readonly<Record<string, string | number>>;
}
