/**
 * The policies as a library, where no Envoy is in between: the second composition root. One set, one process, the
 * same code that serves ext_proc; nothing here opens a socket or a file. `docs/embedding.md` shows it in use.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { DecisionRecord } from './audit/record.ts';
import type { FactConfig, FactSource } from './engine/facts.ts';
import { goldenFaults, runCases } from './engine/golden/gate.ts';
import { HeldBudget } from './engine/held-budget.ts';
import { LargeBodies } from './engine/large-bodies.ts';
import { DEFAULT_LIMITS, type EngineLimits } from './engine/limits.ts';
import { LocalExchange, type LocalRefusal } from './engine/local-exchange.ts';
import { notEnforceable } from './engine/not-enforceable.ts';
import { type EngineDeps, NO_METRICS } from './engine/ports.ts';
import { RestoreMaps } from './engine/restoring.ts';
import { RouteStances } from './engine/route-stances.ts';
import { ruleGuard } from './engine/rule-guard.ts';
import { SessionFactMemory } from './engine/session-facts.ts';
import { MemorySessionScores } from './engine/session-scores.ts';
import { Serving } from './engine/snapshot.ts';
import { subjectMemories } from './engine/subject-memory.ts';
import { Turns } from './engine/turns.ts';
import { apiLines, type FormatRoute } from './formats/detect.ts';
import { BREAKER_DEFAULTS } from './judge/breaker.ts';
import { Breakers } from './judge/breakers.ts';
import { compilePolicies, type PolicyFile } from './policy/compile.ts';
import { formatCompileError, formatPosition } from './policy/errors.ts';
import type { Direction, Facts, PolicySet } from './policy/set.ts';
import type { HeaderMutation } from './protocol/process.ts';
import { sessionHash } from './rollout/cohort.ts';
import { sipKey } from './rollout/siphash.ts';
import { keyedHash } from './store/keyed-hash.ts';
import { memorySealer } from './store/sealer.ts';
import { createXxh64 } from './store/xxh64.ts';
import { bodyDecoders } from './transport/body-decoders.ts';
import { systemClock } from './transport/system-clock.ts';

export type { DecisionRecord } from './audit/record.ts';
export type { FormatRoute } from './formats/detect.ts';
export type { PolicyFile } from './policy/compile.ts';
export type { Facts } from './policy/set.ts';

export interface PolicyOptions {
  /** Formats of paths that their APIs do not tell, as `formats` of the server. */
  readonly formats?: readonly FormatRoute[];
  readonly limits?: Partial<EngineLimits>;
  /** Names of request headers that conditions may read. */
  readonly trustedHeaders?: readonly string[];
  /**
   * Takes the record of every decision before what it justifies is handed out; what it throws keeps that from
   * leaving. Records hold no content.
   */
  readonly record?: (record: DecisionRecord) => void;
  /** 32 secret bytes, for keyed hashes that are the same in other processes. New ones without. */
  readonly key?: Uint8Array;
}

/** The documents make no set that may serve. */
export class PolicyError extends Error {
  /** `file:line:column: code: what is wrong; the way out`, as the command line says them. */
  readonly errors: readonly string[];

  constructor(errors: readonly string[]) {
    super(errors.join('\n'));
    this.name = 'PolicyError';
    this.errors = errors;
  }
}

/** Names in lower case. */
export type HeaderFields = Readonly<Record<string, string>>;

export interface RequestHead {
  /** Default: POST. */
  readonly method?: string;
  /** With its query. It names the API, as a provider has it. */
  readonly path: string;
  readonly host?: string;
  readonly headers?: HeaderFields;
  /** Who asks, as your own code knows it; nothing of the request is asked but the model in its body. */
  readonly facts?: Facts;
  /** What conditions read as `route`. */
  readonly route?: string;
}

export interface AnswerHead {
  readonly status: number;
  readonly headers: HeaderFields;
}

/** Give this back instead, and ask or hand out nothing else. */
export interface Refused extends LocalRefusal {
  readonly refused: true;
}

/** Ask this. */
export interface Asked {
  readonly refused: false;
  /** Another than was given where a rule sends the request to another model. */
  readonly path: string;
  readonly headers: HeaderFields;
  readonly body: Uint8Array;
}

/** Hand this out. */
export interface Answered<Body> {
  readonly refused: false;
  readonly status: number;
  /** Without `content-length` where the body may change. */
  readonly headers: HeaderFields;
  readonly body: Body;
}

type Bytes = Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Compiles the documents of a set, and runs its golden cases as a server does. Rejects with PolicyError. Costs
 * what a save costs: keep the result.
 */
export async function openPolicies(
  documents: readonly PolicyFile[],
  options: PolicyOptions = {},
): Promise<Policies> {
  const limits: EngineLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const result = compilePolicies(documents, {
    matcherBytesMax: limits.matcherBytesMax,
    tenantPercentMax: limits.tenantPercentMax,
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
  });
  if (!result.ok) throw new PolicyError(result.errors.map(formatCompileError));
  const { set, cases } = result;
  const undone = [...notEnforceable(set), ...asking(set)];
  if (undone.length > 0) throw new PolicyError(undone);
  const xxh64 = await createXxh64();
  const routes = options.formats ?? [];
  const means = { clock: systemClock, decoders: bodyDecoders, xxh64, limits, routes };
  const faults = goldenFaults(cases, await runCases(set, cases, means, limits), limits);
  if (faults.length > 0) throw new PolicyError(faults);

  const key = options.key ?? randomBytes(32);
  const [cohortKey, hashKey] = [sipKey(key), key.subarray(16)];
  const serving = new Serving();
  serving.current = Object.freeze({
    epoch: 1,
    blue: set,
    retained: new Map([[set.digest, set]]),
  });
  const sessionFacts = new SessionFactMemory(systemClock, limits);
  const keep = options.record ?? ((): void => {});
  const breakers = new Breakers(BREAKER_DEFAULTS, Math.random);
  const deps: EngineDeps = {
    clock: systemClock,
    serving,
    limits,
    facts: {},
    trustedHeaders: (options.trustedHeaders ?? []).map((name) => name.toLowerCase()),
    formats: apiLines(options.formats ?? []),
    decoders: bodyDecoders,
    xxh64,
    sessionHash: (source, value) => sessionHash(cohortKey, source, value),
    keyedHash: keyedHash(hashKey),
    newId: randomUUID,
    decisions: { denied: keep, allowed: keep },
    metrics: NO_METRICS,
    outcome() {},
    guard: ruleGuard(breakers, () => systemClock.monotonicMs()),
    held: new HeldBudget(limits.heldBytesTotalMax),
    turns: new Turns(systemClock, limits),
    largeBodies: new LargeBodies(limits),
    subjects: subjectMemories(systemClock, limits),
    stances: new RouteStances(),
    restores: new RestoreMaps(systemClock, memorySealer(), limits),
    world: {
      posture: () => undefined,
      load: () => 0,
      feed: () => undefined,
      session: (session) => sessionFacts.read(session),
    },
    sessionFacts,
    sessionScores: new MemorySessionScores(limits.scoredSessionsMax),
    onStoreLoss: 'deny',
  };
  return new Policies(deps, set.digest, set.warnings);
}

/** Rules that ask somebody outside of this process, which nobody here does. */
function asking({ rules }: PolicySet): readonly string[] {
  return rules
    .filter(({ detector, enforcement }) => detector?.classifier && enforcement !== 'off')
    .map(({ id, position }) => {
      return `${formatPosition(position)}: not_enforceable: rule \`${id}\` asks a classifier, which only a server does; write \`enforcement: off\` on it`;
    });
}

/** One set, and what it remembers of sessions. */
export class Policies {
  readonly digest: string;
  readonly warnings: readonly string[];
  private readonly deps: EngineDeps;

  constructor(deps: EngineDeps, digest: string, warnings: readonly string[]) {
    this.deps = deps;
    this.digest = digest;
    this.warnings = warnings;
  }

  /** One request and its answer. End it by reading the answer to its end, or by `end`. */
  begin(head: RequestHead): PolicyExchange {
    return new PolicyExchange(this.deps, head);
  }
}

/** What your own code knows comes before every other source. */
function factsFrom(facts: Facts): FactConfig {
  const given = Object.entries(facts).map(([name, value]): [string, readonly FactSource[]] => [
    name,
    [{ from: 'map', entries: [{ value }] }],
  ]);
  return { model: [{ from: 'body' }], ...Object.fromEntries(given) };
}

const NOTHING = new Uint8Array(0);

export class PolicyExchange {
  private readonly head: RequestHead;
  private readonly exchange: LocalExchange;
  /** What has been judged of the side that is at it, and not been taken. */
  private ready: Uint8Array[] = [];
  private readonly released: Partial<Record<Direction, HeaderMutation>> = {};
  private refusal: LocalRefusal | undefined;
  private over = false;

  constructor(deps: EngineDeps, head: RequestHead) {
    this.head = head;
    const own = { ...deps, facts: factsFrom(head.facts ?? {}) };
    this.exchange = new LocalExchange(own, head.route ?? '', {
      // A view into what was pushed is good until the next push.
      send: (_direction, bytes) => void this.ready.push(new Uint8Array(bytes)),
      headers: (direction, mutation) => {
        this.released[direction] = mutation ?? {};
      },
      refused: (refusal) => {
        this.refusal = refusal;
      },
    });
  }

  /** Judges the request, of which nothing may be asked before. Call it once, first. */
  async request(body?: Uint8Array): Promise<Asked | Refused> {
    const { method = 'POST', path, host = 'localhost', headers = {} } = this.head;
    const fields = { ...headers, ':method': method, ':path': path, ':authority': host };
    const left: Uint8Array[] = [];
    const given = body && parts(body);
    for await (const bytes of this.side('request', fields, given)) left.push(bytes);
    if (this.refusal !== undefined) return this.refuse(this.refusal);
    const changed = withMutation(fields, this.released.request);
    const { ':path': asked = path, ...rest } = changed;
    const plain = Object.entries(rest).filter(([name]) => !name.startsWith(':'));
    const whole = Buffer.concat(left);
    if (body !== undefined && headers['content-length'] !== undefined)
      plain.push(['content-length', String(whole.length)]);
    return { refused: false, path: asked, headers: Object.fromEntries(plain), body: whole };
  }

  /** Judges an answer that is there whole. Call it, or `stream`, once, behind `request`. */
  async answer(head: AnswerHead, body: Uint8Array): Promise<Answered<Uint8Array> | Refused> {
    const streamed = await this.stream(head, body);
    if (streamed.refused) return streamed;
    const left: Uint8Array[] = [];
    for await (const bytes of streamed.body) left.push(bytes);
    return { ...streamed, body: Buffer.concat(left) };
  }

  /**
   * Judges an answer while it comes: resolves when its first byte may leave, or when it is refused; what may leave
   * then leaves `body` as it is judged. A refusal behind the first byte is the end of `body`, in the words of the
   * API. `body` throws where an answer must break off; it takes no more of `chunks` than it is asked for, and
   * whoever stops to read it ends the exchange.
   */
  async stream(
    head: AnswerHead,
    chunks: Bytes,
  ): Promise<Answered<AsyncIterable<Uint8Array>> | Refused> {
    const fields = { ...head.headers, ':status': String(head.status) };
    const body = this.side('response', fields, parts(chunks));
    // Nothing is handed out before the headers may leave, which is when the first byte may, at the latest.
    const first = await body.next();
    if (this.refusal !== undefined) return this.refuse(this.refusal);
    const changed = withMutation(fields, this.released.response);
    const { ':status': status, 'content-length': _length, ...headers } = changed;
    return { refused: false, status: Number(status), headers, body: rest(first, body) };
  }

  /** Gives the exchange up, if it is not over: what was not judged is recorded as incomplete. */
  end(): void {
    if (this.over) return;
    this.over = true;
    this.exchange.end(this.exchange.failed ? 'failed' : 'cancelled');
  }

  private refuse(refusal: LocalRefusal): Refused {
    this.complete();
    return { refused: true, ...refusal };
  }

  private complete(): void {
    if (this.over) return;
    this.over = true;
    this.exchange.end('half_close');
  }

  /** Gives one side in, and out what may leave of it. `chunks`: undefined where there is no body. */
  private async *side(
    direction: Direction,
    headers: HeaderFields,
    chunks: AsyncIterable<Uint8Array> | undefined,
  ): AsyncGenerator<Uint8Array> {
    const { exchange } = this;
    const source = chunks?.[Symbol.asyncIterator]();
    let whole = false;
    try {
      exchange.headers(direction, headers, source === undefined);
      while (source !== undefined && !exchange.isOver(direction)) {
        const coming = source.next();
        // Where it is over while we wait, nobody asks any more how this ended.
        coming.catch(() => {});
        const next = await Promise.race([coming, exchange.whenOver(direction)]);
        if (next === undefined) break;
        exchange.push(direction, next.value ?? NOTHING, next.done === true);
        await Promise.race([exchange.whenReady(), exchange.whenOver(direction)]);
        if (next.done === true) await exchange.whenOver(direction);
        yield* this.taken();
      }
      yield* this.taken();
      if (exchange.failed) throw new Error('the exchange was ended without an answer');
      whole = true;
    } finally {
      if (!whole) this.end();
      else if (direction === 'response') this.complete();
      source?.return?.().catch(() => {});
    }
  }

  private taken(): readonly Uint8Array[] {
    const taken = this.ready;
    this.ready = [];
    return taken;
  }
}

async function* parts(body: Bytes): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body;
  else yield* body;
}

async function* rest(
  first: IteratorResult<Uint8Array>,
  body: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    if (first.done === true) return;
    yield first.value;
    yield* body;
  } finally {
    await body.return(undefined);
  }
}

/** The headers as Envoy would send them on. */
function withMutation(fields: HeaderFields, mutation: HeaderMutation = {}): HeaderFields {
  const changed: Record<string, string> = { ...fields };
  for (const name of mutation.remove ?? []) delete changed[name];
  for (const { name, value, append } of mutation.set ?? []) {
    const before = changed[name];
    changed[name] = append === true && before !== undefined ? `${before}, ${value}` : value;
  }
  return changed;
}
