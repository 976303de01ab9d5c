/**
 * One exchange in this process, by the same code that serves Envoy: for authors who try a policy. Nothing is
 * recorded or counted anywhere; whoever rehearses is told by the observer.
 */
import type { DecisionRecord } from '../audit/record.ts';
import type { ApiLine } from '../formats/detect.ts';
import type { Decoders } from '../formats/encodings.ts';
import type { Direction, PolicySet } from '../policy/set.ts';
import type {
  BodyMode,
  HeadersEvent,
  ProcessHandler,
  ProcessPort,
  StructObject,
} from '../protocol/process.ts';
import type { Xxh64 } from '../rollout/cohort.ts';
import type { Clock } from './clock.ts';
import { Exchange } from './exchange.ts';
import type { FactConfig } from './facts.ts';
import { HeldBudget } from './held-budget.ts';
import type { EngineLimits } from './limits.ts';
import type { ExchangeObserver } from './observer.ts';
import type { EngineDeps } from './ports.ts';
import { RouteStances } from './route-stances.ts';
import { Serving } from './snapshot.ts';
import { subjectMemories } from './subject-memory.ts';
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

/** FULL_DUPLEX both ways, as the shipped configurations have it. */
const MODE: BodyMode = 'FULL_DUPLEX_STREAMED';

interface Side {
  headersSent: boolean;
  over: boolean;
  /** Resolves `over`. */
  readonly ended: Promise<void>;
  readonly end: () => void;
  /** Rejects it. */
  readonly crash: (error: unknown) => void;
}

function newSide(): Side {
  let resolve = (): void => {};
  let crash = (_error: unknown): void => {};
  const ended = new Promise<void>((done, failed) => {
    resolve = done;
    crash = failed;
  });
  // Whoever waits for it is told; nobody has to.
  ended.catch(() => {});
  const side: Side = {
    headersSent: false,
    over: false,
    ended,
    crash,
    end() {
      side.over = true;
      resolve();
    },
  };
  return side;
}

type Sides = Readonly<Record<Direction, Side>>;

/** Takes what the engine answers, as Envoy would. */
class RehearsalPort implements ProcessPort {
  readonly observability = false;
  readonly settled = true;
  readonly sides: Sides = { request: newSide(), response: newSide() };
  refused = false;
  /** Resolves when more may be given in. */
  ready: Promise<void> = Promise.resolve();
  private goOn = (): void => {};
  private readonly send: RehearsalOptions['send'];

  constructor(send: RehearsalOptions['send']) {
    this.send = send;
  }

  bodyMode(): BodyMode {
    return MODE;
  }

  initialMetadata(): undefined {
    return undefined;
  }

  continueHeaders(direction: Direction): void {
    this.sides[direction].headersSent = true;
  }

  body(direction: Direction, bytes: Uint8Array, endOfStream: boolean): void {
    if (bytes.length > 0) this.send(direction, bytes);
    if (endOfStream) this.sides[direction].end();
  }

  trailers(direction: Direction): void {
    this.sides[direction].end();
  }

  immediate(): void {
    this.refused = true;
    this.endAll();
  }

  get canRefuse(): boolean {
    return !this.sides.response.headersSent;
  }

  fail(): void {
    this.endAll();
  }

  crashed(error: unknown): void {
    for (const side of Object.values(this.sides)) side.crash(error);
  }

  pause(): void {
    let resume = (): void => {};
    this.ready = new Promise((done) => {
      resume = done;
    });
    this.goOn = resume;
  }

  resume(): void {
    this.goOn();
  }

  private endAll(): void {
    for (const side of Object.values(this.sides)) side.end();
  }
}

export class Rehearsal {
  private readonly port: RehearsalPort;
  private readonly route: string;
  private readonly records: DecisionRecord[] = [];
  private readonly exchange: ProcessHandler;

  constructor(options: RehearsalOptions) {
    this.port = new RehearsalPort(options.send);
    this.route = options.route;
    const keep = (record: DecisionRecord): void => void this.records.push(record);
    this.exchange = new Exchange(depsOf(options, keep), this.port);
  }

  /** Names in lower case, pseudo-headers among them. */
  headers(
    direction: Direction,
    headers: Readonly<Record<string, string>>,
    endOfStream: boolean,
  ): void {
    const attributes: StructObject = { 'xds.route_name': this.route };
    const event: HeadersEvent = {
      kind: 'headers',
      direction,
      endOfStream,
      headers: {
        get: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
        entries: () => Object.entries(headers),
      },
      attribute: (name) => (Object.hasOwn(attributes, name) ? attributes[name] : undefined),
      metadata: () => undefined,
    };
    this.exchange.event(event);
  }

  /** Gives the next bytes of a body in; nothing once it is over. */
  push(direction: Direction, bytes: Uint8Array, endOfStream: boolean): void {
    if (this.isOver(direction)) return;
    this.exchange.event({ kind: 'body', direction, bytes, endOfStream });
  }

  /** Our own answer took the place of the exchange. */
  get refused(): boolean {
    return this.port.refused;
  }

  /** Nothing more of the body will leave: all of it has, or it was refused. */
  isOver(direction: Direction): boolean {
    return this.port.sides[direction].over;
  }

  /** Resolves when more of a body may be given in: what has arrived is judged first. */
  whenReady(): Promise<void> {
    return this.port.ready;
  }

  /** Resolves when it is over; rejects with what the engine threw. */
  whenOver(direction: Direction): Promise<void> {
    return this.port.sides[direction].ended;
  }

  /** Ends the exchange. */
  finish(): RehearsalOutcome {
    this.exchange.end('half_close');
    const record = this.records.at(-1);
    if (record === undefined) throw new Error('the exchange has left no record');
    return { record, mutated: this.records.some(({ verdict }) => verdict === 'mutate') };
  }
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
    trustedHeaders: options.trustedHeaders,
    formats: options.formats,
    decoders: options.decoders,
    xxh64: options.xxh64,
    // One set, so no cohorts; and the author's own facts need no mask.
    sessionHash: () => undefined,
    keyedHash: (value) => value,
    newId: () => options.exchangeId,
    decisions: { denied: keep, allowed: keep },
    metrics: {
      decision() {},
      duration() {},
      ruleMatch() {},
      streamOpened() {},
      streamClosed() {},
      failure() {},
    },
    outcome() {},
    // Breakers open where a rule fails again and again: here it fails once.
    guard: { allow: () => true, record() {} },
    held: new HeldBudget(limits.heldBytesTotalMax),
    turns: new Turns(options.clock),
    subjects: subjectMemories(options.clock, options.limits),
    stances: new RouteStances(),
    onStoreLoss: 'deny',
    observer: options.observer,
  };
}
