/**
 * What bodies that were made to be dear cost, and for how long one of them keeps everybody else waiting:
 * `node --import tsx load-tests/hostile-bodies.ts [MB] [part of a shape's name]`. Each shape goes through the
 * engine of this process with the shipped policies: as a request, as an answer that is one document, as a stream
 * of deltas. Printed: MB/s and the longest stretch without yielding to the event loop, both in CPU time of this
 * process, as others may work on the machine; the decision; and in wall-clock time p50 and p99 of small exchanges
 * beside it against theirs alone in the same second.
 */
import { performance } from 'node:perf_hooks';
import type { DecisionRecord } from '../src/audit/record.ts';
import type { Clock } from '../src/engine/clock.ts';
import { Exchange } from '../src/engine/exchange.ts';
import type { EngineDeps } from '../src/engine/ports.ts';
import type { BodyMode, ProcessPort } from '../src/protocol/process.ts';
import {
  ASKED,
  CHAT_REQUEST,
  engineDeps,
  event,
  headersOf,
  realClock,
  shippedPolicies,
} from './in-process.ts';

const MEGABYTE = 1_000_000;
const size = Number(process.argv[2] ?? 7) * MEGABYTE;
const wanted = process.argv[3] ?? '';
const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** What the engine took in all, and the most without giving the event loop back. CPU time. */
class Stretch {
  allMs = 0;
  longestMs = 0;

  run(action: () => void): void {
    const began = process.cpuUsage();
    action();
    const { user, system } = process.cpuUsage(began);
    const tookMs = (user + system) / 1_000;
    this.allMs += tookMs;
    this.longestMs = Math.max(this.longestMs, tookMs);
  }
}

class DiscardingPort implements ProcessPort {
  readonly observability = false;
  readonly canRefuse = true;
  readonly settled = true;
  readonly over: Promise<void>;
  #over: () => void = () => {};
  private readonly waitFor: 'request' | 'response';

  constructor(waitFor: 'request' | 'response') {
    this.waitFor = waitFor;
    this.over = new Promise((resolve) => {
      this.#over = resolve;
    });
  }

  bodyMode(): BodyMode {
    return 'FULL_DUPLEX_STREAMED';
  }
  initialMetadata(): undefined {
    return undefined;
  }
  continueHeaders(): void {}
  body(direction: 'request' | 'response', _bytes: Uint8Array, endOfStream: boolean): void {
    if (endOfStream && direction === this.waitFor) this.#over();
  }
  trailers(): void {}
  immediate(): void {
    this.#over();
  }
  fail(): void {
    this.#over();
  }
  crashed(error: unknown): void {
    throw error;
  }
  pause(): void {}
  resume(): void {}
}

interface Attack {
  readonly name: string;
  readonly bytes: number;
  /** Sends everything; resolves when the last reply has left. */
  run(deps: EngineDeps, stretch: Stretch): Promise<void>;
}

const CHUNK_BYTES = 65_536;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function send(
  exchange: Exchange,
  direction: 'request' | 'response',
  chunks: Iterable<Uint8Array>,
  stretch: Stretch,
): Promise<void> {
  for (const bytes of chunks) {
    stretch.run(() => exchange.event({ kind: 'body', direction, bytes, endOfStream: false }));
    await turn();
  }
  const bytes = new Uint8Array(0);
  stretch.run(() => exchange.event({ kind: 'body', direction, bytes, endOfStream: true }));
}

function* chunksOf(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += CHUNK_BYTES)
    yield body.subarray(at, Math.min(body.length, at + CHUNK_BYTES));
}

function asRequest(name: string, body: Uint8Array): Attack {
  return {
    name: `${name}, request`,
    bytes: body.length,
    async run(deps, stretch) {
      const port = new DiscardingPort('request');
      const exchange = new Exchange(deps, port);
      exchange.event(headersOf('request', CHAT_REQUEST));
      await send(exchange, 'request', chunksOf(body), stretch);
      await port.over;
      exchange.end('half_close');
    },
  };
}

function asAnswer(
  name: string,
  contentType: string,
  bytes: number,
  chunks: () => Iterable<Uint8Array>,
): Attack {
  return {
    name,
    bytes,
    async run(deps, stretch) {
      const port = new DiscardingPort('response');
      const exchange = new Exchange(deps, port);
      exchange.event(headersOf('request', CHAT_REQUEST));
      exchange.event({ kind: 'body', direction: 'request', bytes: ASKED, endOfStream: true });
      exchange.event(headersOf('response', { ':status': '200', 'content-type': contentType }));
      await send(exchange, 'response', chunks(), stretch);
      await port.over;
      exchange.end('half_close');
    },
  };
}

function textShapes(name: string, text: string): readonly Attack[] {
  const request = JSON.stringify({ model: 'm', messages: [{ role: 'tool', content: text }] });
  const document = JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
  });
  const deltas: string[] = [];
  for (let at = 0; at < text.length; at += 256) deltas.push(event(text.slice(at, at + 256)));
  const stream = Buffer.from(`${deltas.join('')}data: [DONE]\n\n`);
  const answer = Buffer.from(document);
  const one = Buffer.from(`${event(text.slice(0, 1_000_000))}data: [DONE]\n\n`);
  return [
    asRequest(name, Buffer.from(request)),
    asAnswer(`${name}, document`, 'application/json', answer.length, () => chunksOf(answer)),
    asAnswer(`${name}, stream`, 'text/event-stream', stream.length, () => chunksOf(stream)),
    asAnswer(`${name}, one event`, 'text/event-stream', one.length, () => chunksOf(one)),
  ];
}

const PROSE =
  'The quick brown fox jumps over the lazy dog, and nobody in the office minded that it did so twice. ';
const repeated = (unit: string, units = size): string =>
  unit.repeat(Math.ceil(units / unit.length)).slice(0, units);

const nested = (depth: number): unknown =>
  depth === 0 ? 'fox' : depth % 2 === 0 ? [nested(depth - 1)] : { inner: nested(depth - 1) };
const DEEP = JSON.stringify(nested(56));

function* shapes(): Generator<() => readonly Attack[]> {
  const texts: Readonly<Record<string, () => string>> = {
    prose: () => repeated(PROSE),
    'dense e-mails': () => repeated('bob@acme.example '),
    'e-mails without an end': () => repeated('a@a@'),
    digits: () => repeated('4'),
    'digit groups': () => repeated('4111 1111 '),
    'single digits': () => repeated('4 '),
    cards: () => repeated('4111 1111 1111 1111, '),
    keywords: () => repeated('confidential Bank A '),
    'escaped letters': () => repeated('"\\\n'),
  };
  for (const [name, text] of Object.entries(texts)) yield () => textShapes(name, text());
  yield () => {
    const count = Math.floor(size / (DEEP.length + 1));
    const values = Array.from({ length: count }, () => DEEP).join(',');
    return [asRequest('deep JSON', Buffer.from(`{"model":"m","messages":[${values}]}`))];
  };
  yield () => {
    const values = '"ab",'.repeat(1_000_000);
    return [asRequest('1 M tiny texts', Buffer.from(`{"model":"m","input":[${values}"ab"]}`))];
  };
  yield () => {
    const values = '"ab",'.repeat(150_000);
    return [asRequest('150 k tiny texts', Buffer.from(`{"model":"m","input":[${values}"ab"]}`))];
  };
  yield () => {
    const deltas = Buffer.from(event('ab ').repeat(10_000));
    function* hundred(): Generator<Uint8Array> {
      for (let time = 0; time < 100; time++) yield* chunksOf(deltas);
    }
    return [asAnswer('1 M deltas', 'text/event-stream', 100 * deltas.length, hundred)];
  };
  yield () => {
    const part = Buffer.alloc(CHUNK_BYTES, 'a');
    function* hundred(): Generator<Uint8Array> {
      yield Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"');
      for (let sent = 0; sent < 100 * MEGABYTE; sent += CHUNK_BYTES) yield part;
      yield Buffer.from('"}}]}\n\n');
    }
    return [asAnswer('one event of 100 MB', 'text/event-stream', 100 * MEGABYTE, hundred)];
  };
}

const SMALL_STREAM = Buffer.from(
  `${Array.from({ length: 20 }, (_, index) => event(PROSE.slice(index * 4, index * 4 + 4))).join('')}data: [DONE]\n\n`,
);

/** Small exchanges, one every few milliseconds; the times from when each was due to its last reply. */
class Bystanders {
  readonly timesMs: number[] = [];
  private readonly deps: EngineDeps;
  private timer: NodeJS.Timeout | undefined;
  private due = 0;

  constructor(deps: EngineDeps) {
    this.deps = deps;
  }

  begin(): void {
    this.due = performance.now() + EVERY_MS;
    this.timer = setTimeout(() => this.next(), EVERY_MS);
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private next(): void {
    for (let now = performance.now(); this.due <= now; this.due += EVERY_MS) {
      const { due } = this;
      const port = new DiscardingPort('response');
      const exchange = new Exchange(this.deps, port);
      exchange.event(headersOf('request', CHAT_REQUEST));
      exchange.event({ kind: 'body', direction: 'request', bytes: ASKED, endOfStream: true });
      exchange.event(
        headersOf('response', { ':status': '200', 'content-type': 'text/event-stream' }),
      );
      exchange.event({
        kind: 'body',
        direction: 'response',
        bytes: SMALL_STREAM,
        endOfStream: true,
      });
      void port.over.then(() => {
        exchange.end('half_close');
        this.timesMs.push(performance.now() - due);
      });
    }
    this.timer = setTimeout(() => this.next(), Math.max(0, this.due - performance.now()));
  }
}

const EVERY_MS = 5;
const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0;

function timed(stretch: Stretch): Clock {
  return {
    ...realClock,
    after: (delayMs, action) => realClock.after(delayMs, () => stretch.run(action)),
    soon: (action) => realClock.soon(() => stretch.run(action)),
  };
}

const set = shippedPolicies();
let last: DecisionRecord | undefined;

async function measure(attack: Attack): Promise<void> {
  const stretch = new Stretch();
  const deps: EngineDeps = {
    ...engineDeps(set, timed(stretch)),
    decisions: {
      denied: (record) => {
        last = record;
      },
      allowed: (record) => {
        last = record;
      },
    },
  };
  const before = await aloneMs();
  const bystanders = new Bystanders(engineDeps(set));
  bystanders.begin();
  await attack.run(deps, stretch);
  // Those that were due meanwhile, too.
  await new Promise((resolve) => setTimeout(resolve, 2 * EVERY_MS));
  bystanders.end();
  await turn();
  const record = last;
  print(
    [
      attack.name.padEnd(36),
      `${(attack.bytes / MEGABYTE).toFixed(1).padStart(6)} MB`,
      `${(attack.bytes / 1_000 / stretch.allMs).toFixed(1).padStart(6)} MB/s`,
      `longest ${stretch.longestMs.toFixed(1).padStart(6)} ms`,
      `alone ${shown(before)}, beside it ${shown(bystanders.timesMs)} ms`,
      `${record?.verdict}/${record?.code}`,
      `${(record?.findings.length ?? 0) + (record?.findingsDropped ?? 0)} findings`,
    ].join('  '),
  );
}

const shown = (timesMs: readonly number[]): string =>
  `${quantile(timesMs, 0.5).toFixed(1)}/${quantile(timesMs, 0.99).toFixed(1)}`;

async function aloneMs(): Promise<readonly number[]> {
  const bystanders = new Bystanders(engineDeps(set));
  bystanders.begin();
  await new Promise((resolve) => setTimeout(resolve, 500));
  bystanders.end();
  return bystanders.timesMs;
}

await aloneMs();
for (const shape of shapes())
  for (const attack of shape()) if (attack.name.includes(wanted)) await measure(attack);
