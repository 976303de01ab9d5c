/** The engine in one process: a compiled set, a port that remembers what was sent, virtual time. */

import { createHash } from 'node:crypto';
import type { DecisionRecord } from '../../src/audit/record.ts';
import { NO_GUARD } from '../../src/engine/active-rules.ts';
import type { Clock } from '../../src/engine/clock.ts';
import { Exchange } from '../../src/engine/exchange.ts';
import { DEFAULT_FACTS } from '../../src/engine/facts.ts';
import { HeldBudget } from '../../src/engine/held-budget.ts';
import { LargeBodies } from '../../src/engine/large-bodies.ts';
import { DEFAULT_LIMITS, type EngineLimits } from '../../src/engine/limits.ts';
import { type EngineDeps, type ExchangeOutcome, NO_METRICS } from '../../src/engine/ports.ts';
import { RouteStances } from '../../src/engine/route-stances.ts';
import { Serving } from '../../src/engine/snapshot.ts';
import { subjectMemories } from '../../src/engine/subject-memory.ts';
import { Turns } from '../../src/engine/turns.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import type { Direction, PolicySet } from '../../src/policy/set.ts';
import type {
  BodyMode,
  HeaderMutation,
  HeadersEvent,
  ProcessPort,
  StructObject,
  StructValue,
} from '../../src/protocol/process.ts';
import { bodyDecoders } from '../../src/transport/body-decoders.ts';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export function compile(yaml: string): PolicySet {
  const result = compilePolicies([{ path: 'test.yaml', text: yaml }], {
    sha256,
  });
  if (!result.ok) throw new Error(JSON.stringify(result.errors, null, 2));
  return result.set;
}

/** One policy of the platform; `head`: what it says for all of its rules. */
export const policyOf = (rules: string, head = 'class: security'): PolicySet =>
  compile(`
kind: Policy
metadata: { name: p, layer: platform }
${head}
rules:
${rules}`);

/** Time that moves only when told; timers fire in order. */
export class VirtualClock implements Clock {
  private ms = 1_000_000;
  private readonly soonest: (() => void)[] = [];
  private timers: { atMs: number; action: () => void }[] = [];

  nowMs(): number {
    return 1_700_000_000_000 + this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { atMs: this.ms + delayMs, action };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  soon(action: () => void): void {
    this.soonest.push(action);
  }

  /** One turn; false when nothing waited for one. */
  turn(): boolean {
    const action = this.soonest.shift();
    action?.();
    return action !== undefined;
  }

  advance(byMs: number): void {
    const until = this.ms + byMs;
    for (;;) {
      const next = this.timers.filter((t) => t.atMs <= until).sort((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      this.timers = this.timers.filter((other) => other !== next);
      this.ms = next.atMs;
      next.action();
    }
    this.ms = until;
  }
}

export interface Rig {
  readonly deps: EngineDeps;
  readonly clock: VirtualClock;
  readonly serving: Serving;
  readonly records: DecisionRecord[];
  readonly outcomes: ExchangeOutcome[];
}

export function rig(set: PolicySet | undefined, limits: Partial<EngineLimits> = {}): Rig {
  const clock = new VirtualClock();
  const serving = new Serving();
  if (set) {
    serving.current = Object.freeze({
      epoch: 1,
      blue: set,
      retained: new Map([[set.digest, set]]),
    });
  }
  const records: DecisionRecord[] = [];
  const outcomes: ExchangeOutcome[] = [];
  let ids = 0;
  // Everything in one go, unless a test says how long its turns are.
  const all = { ...DEFAULT_LIMITS, sliceUnitsMax: Number.MAX_SAFE_INTEGER, ...limits };
  const deps: EngineDeps = {
    clock,
    serving,
    limits: all,
    facts: DEFAULT_FACTS,
    trustedHeaders: [],
    decoders: bodyDecoders,
    xxh64: (_bytes, seed) => seed,
    sessionHash: (source, key) => {
      const bytes = createHash('sha256').update(`${source}\0${key}`).digest().subarray(0, 8);
      return { bytes, hex: bytes.toString('hex') };
    },
    keyedHash: (value) => sha256(`key${value}`).slice(0, 16),
    newId: () => `x${++ids}`,
    decisions: {
      denied: (record) => void records.push(structuredClone(record)),
      allowed: (record) => void records.push(structuredClone(record)),
    },
    metrics: NO_METRICS,
    outcome: (outcome) => void outcomes.push(outcome),
    guard: NO_GUARD,
    held: new HeldBudget(all.heldBytesTotalMax),
    turns: new Turns(clock, all),
    largeBodies: new LargeBodies(all),
    subjects: subjectMemories(clock, DEFAULT_LIMITS),
    stances: new RouteStances(),
    onStoreLoss: 'deny',
  };
  return { deps, clock, serving, records, outcomes };
}

/** What was sent for one exchange. */
export class RecordingPort implements ProcessPort {
  readonly observability = false;
  readonly body_: Record<Direction, Uint8Array[]> = { request: [], response: [] };
  readonly mutations: Partial<Record<Direction, HeaderMutation>> = {};
  readonly released = new Set<Direction>();
  readonly ended = new Set<Direction>();
  refusal: { status: number; headers: Readonly<Record<string, string>>; body: string } | undefined;
  failed: string | undefined;
  paused = false;
  private readonly mode: BodyMode;
  private readonly initial: Readonly<Record<string, string>>;

  constructor(
    mode: BodyMode = 'FULL_DUPLEX_STREAMED',
    initial: Readonly<Record<string, string>> = {},
  ) {
    this.mode = mode;
    this.initial = initial;
  }

  bodyMode(): BodyMode {
    return this.mode;
  }

  initialMetadata(name: string): string | undefined {
    return this.initial[name];
  }

  continueHeaders(direction: Direction, mutation: HeaderMutation = {}): void {
    if (this.released.has(direction)) throw new Error('headers were answered already');
    this.released.add(direction);
    this.mutations[direction] = mutation;
  }

  body(direction: Direction, bytes: Uint8Array, endOfStream: boolean): void {
    if (!this.released.has(direction)) throw new Error('body before headers');
    if (this.ended.has(direction)) throw new Error('body after its end');
    this.body_[direction].push(Uint8Array.from(bytes));
    if (endOfStream) this.ended.add(direction);
  }

  trailers(direction: Direction): void {
    this.ended.add(direction);
  }

  immediate(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    this.refusal = { status, headers, body };
  }

  get canRefuse(): boolean {
    return !this.released.has('response') || this.mode !== 'FULL_DUPLEX_STREAMED';
  }

  get settled(): boolean {
    return true;
  }

  fail(_status: string, reason: string): void {
    this.failed = reason;
  }

  crashed(error: unknown): void {
    throw error;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  sent(direction: Direction): string {
    return Buffer.concat(this.body_[direction]).toString('utf8');
  }
}

export function headersEvent(
  direction: Direction,
  headers: Readonly<Record<string, string>>,
  options: {
    endOfStream?: boolean;
    attributes?: Readonly<Record<string, StructValue>>;
    metadata?: Readonly<Record<string, StructObject>>;
  } = {},
): HeadersEvent {
  return {
    kind: 'headers',
    direction,
    endOfStream: options.endOfStream ?? false,
    headers: {
      get: (name) => headers[name],
      entries: () => Object.entries(headers),
    },
    attribute: (name) => options.attributes?.[name],
    metadata: (namespace) => options.metadata?.[namespace],
  };
}

export const CHAT_HEADERS = {
  ':method': 'POST',
  ':path': '/v1/chat/completions',
  ':authority': 'llm.example',
  'content-type': 'application/json',
};

/** Sends a harmless request, so that the answer can be tested. */
export function askHarmlessly(exchange: Exchange): void {
  exchange.event(headersEvent('request', CHAT_HEADERS));
  exchange.event({
    kind: 'body',
    direction: 'request',
    bytes: Buffer.from('{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}'),
    endOfStream: true,
  });
}

export interface Answered {
  readonly port: RecordingPort;
  readonly text: string;
}

/** Sends an answer in the given pieces and returns what left. */
export function answer(
  from: Rig,
  pieces: readonly Uint8Array[],
  contentType = 'text/event-stream',
  extra: Readonly<Record<string, string>> = {},
): Answered {
  const port = new RecordingPort();
  const exchange = new Exchange(from.deps, port);
  askHarmlessly(exchange);
  exchange.event(
    headersEvent('response', { ':status': '200', 'content-type': contentType, ...extra }),
  );
  for (const bytes of pieces) {
    if (port.ended.has('response') || port.refusal) break;
    giveChunk(exchange, 'response', bytes, false);
  }
  if (!port.ended.has('response') && !port.refusal) {
    exchange.event({
      kind: 'body',
      direction: 'response',
      bytes: new Uint8Array(0),
      endOfStream: true,
    });
  }
  exchange.end('half_close');
  return { port, text: port.sent('response') };
}

/** An event stream of chat chunks: each entry is one delta of a choice. */
export function chatStream(
  deltas: readonly { index?: number; delta: unknown; finish?: string | null }[],
): Uint8Array {
  const events = deltas.map(
    ({ index = 0, delta, finish = null }) =>
      `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index, delta, finish_reason: finish }] })}\n\n`,
  );
  return Buffer.from(`${events.join('')}data: [DONE]\n\n`);
}

/** The text of each (choice, field) as an SDK would put it together. */
export function readTexts(stream: string): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const event of stream.split(/\r?\n\r?\n/u)) {
    const data = event
      .split(/\r?\n/u)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trim())
      .join('\n');
    if (data === '' || data === '[DONE]') continue;
    for (const choice of JSON.parse(data).choices ?? []) {
      for (const [field, value] of Object.entries(choice.delta ?? {})) {
        if (typeof value === 'string' && field !== 'role') {
          const key = `${choice.index}/${field}`;
          texts[key] = (texts[key] ?? '') + value;
        }
      }
      for (const call of choice.delta?.tool_calls ?? []) {
        const key = `${choice.index}/tool/${call.index}`;
        texts[key] = (texts[key] ?? '') + (call.function?.arguments ?? '');
      }
    }
  }
  return texts;
}

/** A chunk of a body as it comes from a socket: its memory is used for something else afterwards. */
export function giveChunk(
  exchange: Exchange,
  direction: Direction,
  chunk: Uint8Array,
  endOfStream: boolean,
): void {
  const bytes = Buffer.from(chunk);
  exchange.event({ kind: 'body', direction, bytes, endOfStream });
  bytes.fill('#');
}
