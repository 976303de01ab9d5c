/**
 * One exchange in this process, by the same code that serves Envoy: for authors who try a policy. Nothing is
 * recorded or counted anywhere; whoever rehearses is told by the observer.
 */

import type { DecisionRecord } from '../audit/record.ts';
import type { ApiLine } from '../formats/detect.ts';
import type { Decoders } from '../formats/encodings.ts';
import type { GivenSurroundings } from '../policy/given.ts';
import type { Direction, PolicySet } from '../policy/set.ts';
import type { Xxh64 } from '../rollout/cohort.ts';
import { NO_GUARD } from './active-rules.ts';
import type { Clock } from './clock.ts';
import type { ClaimSource, FactConfig } from './facts.ts';
import { givenClassifiers } from './given-classifiers.ts';
import { HeldBudget } from './held-budget.ts';
import { LargeBodies } from './large-bodies.ts';
import type { EngineLimits } from './limits.ts';
import { type LocalBeside, LocalExchange } from './local-exchange.ts';
import type { ExchangeObserver } from './observer.ts';
import { type EngineDeps, NO_METRICS } from './ports.ts';
import { RouteStances } from './route-stances.ts';
import { Serving } from './snapshot.ts';
import { subjectMemories } from './subject-memory.ts';
import { givenWorld } from './surroundings.ts';
import { Turns } from './turns.ts';

export interface RehearsalOptions {
  readonly set: PolicySet;
  readonly clock: Clock;
  readonly decoders: Decoders;
  readonly xxh64: Xxh64;
  readonly limits: EngineLimits;
  readonly facts: FactConfig;
  readonly trustedHeaders: readonly string[];
  readonly formats: readonly ApiLine[];
  /** What conditions read as `route`. */
  readonly route: string;
  /** What conditions read beside the request. */
  readonly around: GivenSurroundings;
  readonly exchangeId: string;
  readonly observer: ExchangeObserver;
  /** Takes the bytes of a body as they may leave. */
  readonly send: (direction: Direction, bytes: Uint8Array) => void;
}

/** How it ended, as the decision record would say it. */
export interface RehearsalOutcome {
  readonly record: DecisionRecord;
  /** Something of a body was changed. */
  readonly mutated: boolean;
}

export class Rehearsal extends LocalExchange {
  private readonly records: DecisionRecord[];

  constructor(options: RehearsalOptions) {
    const records: DecisionRecord[] = [];
    const keep = (record: DecisionRecord): void => void records.push(record);
    super(depsOf(options, keep), options.route, { send: options.send }, besideOf(options.around));
    this.records = records;
  }

  /** Ends the exchange. */
  finish(): RehearsalOutcome {
    this.end('half_close');
    const record = this.records.at(-1);
    if (record === undefined) throw new Error('the exchange has left no record');
    return { record, mutated: this.records.some(({ verdict }) => verdict === 'mutate') };
  }
}

/** Verified, as whoever rehearses vouches for what he writes. */
const CLAIMS: ClaimSource = Object.freeze({
  from: 'metadata',
  namespace: 'given',
  path: Object.freeze(['claims']),
});

function besideOf({ ip, claims }: GivenSurroundings): LocalBeside {
  return {
    ...(ip !== undefined && {
      attributes: { 'source.address': ip.includes(':') ? `[${ip}]` : ip },
    }),
    metadata: { [CLAIMS.namespace]: { claims } },
  };
}

function depsOf(options: RehearsalOptions, keep: (record: DecisionRecord) => void): EngineDeps {
  const { set, limits } = options;
  const serving = new Serving();
  serving.current = Object.freeze({
    epoch: 1,
    blue: set,
    retained: new Map([[set.digest, set]]),
  });
  return {
    clock: options.clock,
    serving,
    limits,
    facts: options.facts,
    claims: [CLAIMS],
    world: givenWorld(options.around),
    trustedHeaders: options.trustedHeaders,
    formats: options.formats,
    decoders: options.decoders,
    xxh64: options.xxh64,
    // One set, so no cohorts; and the author's own facts need no mask.
    sessionHash: () => undefined,
    keyedHash: (value) => value,
    newId: () => options.exchangeId,
    decisions: { denied: keep, allowed: keep },
    metrics: NO_METRICS,
    outcome() {},
    // Breakers open where a rule fails again and again: here it fails once.
    guard: NO_GUARD,
    held: new HeldBudget(limits.heldBytesTotalMax),
    turns: new Turns(options.clock, options.limits),
    largeBodies: new LargeBodies(options.limits),
    classifiers: givenClassifiers(options.around.verdicts),
    subjects: subjectMemories(options.clock, options.limits),
    stances: new RouteStances(),
    onStoreLoss: 'deny',
    observer: options.observer,
  };
}
