/** What the engine needs from outside the pure ring: narrow interfaces, given by main.ts. */
import type { DecisionRecord } from '../audit/record.ts';
import type { ApiLine } from '../formats/detect.ts';
import type { Decoders } from '../formats/encodings.ts';
import type { Direction } from '../policy/set.ts';
import type { Cohort, SessionHash, Xxh64 } from '../rollout/cohort.ts';
import type { RuleGuard } from './active-rules.ts';
import type { Classifiers } from './classifiers.ts';
import type { Clock } from './clock.ts';
import type { ClaimSource, FactConfig } from './facts.ts';
import type { HeldBudget } from './held-budget.ts';
import type { LargeBodies } from './large-bodies.ts';
import type { EngineLimits } from './limits.ts';
import type { ExchangeObserver } from './observer.ts';
import type { RestoreMaps } from './restoring.ts';
import type { RouteStances } from './route-stances.ts';
import type { SessionFactMemory } from './session-facts.ts';
import type { SessionScores } from './session-scores.ts';
import type { Serving } from './snapshot.ts';
import type { SubjectMemories } from './subject-memory.ts';
import type { World } from './surroundings.ts';
import type { Traces } from './tracing.ts';
import type { Turns } from './turns.ts';

export interface DecisionSink {
  /** Durable before it returns (invariant 8); throws when it cannot be. */
  denied(record: DecisionRecord): void;
  allowed(record: DecisionRecord): void;
}

/** What the judge learns of one exchange. */
export interface ExchangeOutcome {
  readonly set: string;
  readonly epoch: number;
  readonly cohort: Cohort;
  /** Keyed hash; undefined puts the exchange outside the deny-rate statistics. */
  readonly session: string | undefined;
  /** Refused for what it was or said; relative to the old set's, as no limit fits every traffic. */
  readonly denied: boolean;
  /** A rule of the set could not do its work. */
  readonly errored: boolean;
  /** Monotonic ms. */
  readonly startedMs: number;
}

export interface EngineMetrics {
  decision(record: DecisionRecord): void;
  /** Time spent in our own code for one side of an exchange. */
  duration(phase: Direction, durationMs: number): void;
  ruleMatch(rule: string, action: string, enforced: boolean): void;
  streamOpened(): void;
  streamClosed(): void;
  failure(reason: string): void;
}

/** Where nobody counts. */
export const NO_METRICS: EngineMetrics = Object.freeze({
  decision() {},
  duration() {},
  ruleMatch() {},
  streamOpened() {},
  streamClosed() {},
  failure() {},
});

export interface EngineDeps {
  readonly clock: Clock;
  readonly serving: Serving;
  readonly limits: EngineLimits;
  readonly facts: FactConfig;
  /** Where verified claims are; where Envoy and Istio put them when absent. */
  readonly claims?: readonly ClaimSource[];
  readonly trustedHeaders: readonly string[];
  /** Which path speaks which format; the built-in table when absent. */
  readonly formats?: readonly ApiLine[];
  readonly decoders: Decoders;
  readonly xxh64: Xxh64;
  /** Keyed hash of a session key and the name of its source; undefined for a key that is none. */
  readonly sessionHash: (source: string, key: string) => SessionHash | undefined;
  /** Keyed hash of a value that may not be shown. */
  readonly keyedHash: (value: string) => string;
  readonly newId: () => string;
  readonly decisions: DecisionSink;
  readonly metrics: EngineMetrics;
  readonly outcome: (outcome: ExchangeOutcome) => void;
  readonly guard: RuleGuard;
  readonly held: HeldBudget;
  readonly turns: Turns;
  readonly largeBodies: LargeBodies;
  readonly stances: RouteStances;
  /** What sessions have tried; without it every text is on its own. */
  readonly sessionScores?: SessionScores;
  readonly subjects: SubjectMemories;
  /** Without it no classifier is asked, and rules that would ask find nothing. */
  readonly classifiers?: Classifiers;
  /** What reversible rules took out of conversations; without it each exchange is on its own. */
  readonly restores?: RestoreMaps;
  /** What conditions can read beside the request; without it, what surroundings are that nobody knows. */
  readonly world?: World;
  /** What conversations have shown so far; without it every exchange is on its own. */
  readonly sessionFacts?: SessionFactMemory;
  /** Where spans of sampled traces go; without it there are none. */
  readonly traces?: Traces;
  /** What an exchange gets when no set serves (SEMANTICS §6 `onStoreLoss`). */
  readonly onStoreLoss: 'deny' | 'allow';
  /** Told everything, content included: for an author's own input only, never in a server. */
  readonly observer?: ExchangeObserver;
}
