/**
 * What the words of other streams wait for beside a flood, in the time of this process' own processor:
 * `node --import tsx load-tests/fairness.ts [part of a flood's name] [ms]`. The attacks by amount go through protocol
 * and engine of this process, eight neighbours say a word every 16 ms of processor time, and a word's delay is the
 * processor time from when it was due until it has left. So what else the machine does counts for nothing, nor do
 * Envoy and gRPC: what is left is what Switchyard makes its streams wait for.
 *
 * Bytes arrive as they do from Envoy: of each of two connections as much in a turn of the event loop as fits the window
 * of an HTTP/2 connection, in messages of at most 16 KiB, of all its streams alike, the neighbours' behind.
 */

import { Exchange } from '../src/engine/exchange.ts';
import { DEFAULT_LIMITS } from '../src/engine/limits.ts';
import type { EngineDeps } from '../src/engine/ports.ts';
import {
  requestBody,
  requestHeaders,
  responseBody,
  responseHeaders,
} from '../src/protocol/envoy-messages.ts';
import { ExchangeMachine } from '../src/protocol/exchange-machine.ts';
import { chatBody, EVENTS, JSON_TYPE, say } from '../test/envoy/evasions-bodies.ts';
import { FLOODS, type Flood, NEIGHBOURS } from '../test/envoy/evasions-floods.ts';
import { CHAT_REQUEST, engineDeps, realClock, shippedPolicies } from './in-process.ts';
import { quantile } from './measures.ts';

const wanted = process.argv[2] ?? '';
const LOOK_MS = Number(process.argv[3] ?? 2_500);
const PAUSE_MS = 16;
const CONNECTIONS = 2;
const WINDOW_BYTES = 65_535;
const MESSAGE_BYTES_MAX = 16_384;
const OK = { ':status': '200' };

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One stream of Envoy. */
class Stream {
  over = false;
  paused = false;
  private readonly machine: ExchangeMachine;

  constructor(deps: EngineDeps, sent: (bytes: Uint8Array) => void) {
    this.machine = new ExchangeMachine({
      sink: {
        send: sent,
        end: () => this.close(),
        fail: () => this.close(),
        pause: () => {
          this.paused = true;
        },
        resume: () => {
          this.paused = false;
        },
      },
      open: (port) => new Exchange(deps, port),
      initialMetadata: () => undefined,
    });
  }

  receive(message: Uint8Array): void {
    this.machine.receive(message);
  }

  /** Envoy has no more to ask. */
  close(): void {
    this.over = true;
    this.machine.cancelled();
  }
}

const messageOf = ({ request }: Flood, bytes: Uint8Array, last: boolean): Uint8Array =>
  request === undefined ? responseBody(bytes, last) : requestBody(bytes, last);

const known = new WeakMap<Uint8Array, readonly Uint8Array[]>();

/** A part that comes again and again is encoded once: only what Switchyard itself makes is to be garbage. */
function messagesFor(flood: Flood, part: string | Uint8Array): readonly Uint8Array[] {
  const bytes = typeof part === 'string' ? Buffer.from(part) : part;
  let messages = known.get(bytes);
  if (messages === undefined) {
    const all: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += MESSAGE_BYTES_MAX)
      all.push(messageOf(flood, bytes.subarray(at, at + MESSAGE_BYTES_MAX), false));
    messages = all;
    known.set(bytes, messages);
  }
  return messages;
}

/** One of the attacker's exchanges after the other. */
class Lane {
  private readonly flood: Flood;
  private readonly deps: EngineDeps;
  private stream: Stream;
  private parts: Iterator<string | Uint8Array>;
  private messages: readonly Uint8Array[] = [];
  private dueMs = 0;

  constructor(flood: Flood, deps: EngineDeps) {
    this.flood = flood;
    this.deps = deps;
    this.stream = this.begin();
    this.parts = this.partsOf();
  }

  /** Lets one message in, if one is to come; its bytes. */
  message(): number {
    if (this.stream.over) {
      this.stream = this.begin();
      this.parts = this.partsOf();
      this.messages = [];
    }
    if (this.stream.paused) return 0;
    if (this.messages.length === 0) {
      const { everyMs } = this.flood;
      const nowMs = everyMs === undefined ? 0 : processorMs();
      if (nowMs < this.dueMs) return 0;
      this.dueMs = nowMs + (everyMs ?? 0);
      const next = this.parts.next();
      if (next.done) {
        if (this.flood.endless === true) this.stream.close();
        else this.finish();
        return 0;
      }
      this.messages = messagesFor(this.flood, next.value);
    }
    const [message, ...rest] = this.messages;
    this.messages = rest;
    // Of an empty part there is none.
    if (message === undefined) return 0;
    this.stream.receive(message);
    return message.length;
  }

  close(): void {
    this.stream.close();
  }

  private finish(): void {
    this.closing = this.stream;
    this.stream.receive(messageOf(this.flood, new Uint8Array(0), true));
  }

  private closing: Stream | undefined;

  private begin(): Stream {
    const { flood } = this;
    const refused = (bytes: Uint8Array): void => {
      // An immediate answer, or the end of what was sent.
      if (Buffer.from(bytes).includes('"code":"') || this.closing === stream)
        queueMicrotask(() => stream.close());
    };
    const stream: Stream = new Stream(this.deps, refused);
    const isRequest = flood.request !== undefined;
    stream.receive(requestHeaders({ ...CHAT_REQUEST, ...(isRequest && flood.headers) }));
    if (isRequest) return stream;
    stream.receive(requestBody(Buffer.from(chatBody('hello', { stream: true })), true));
    stream.receive(responseHeaders({ ...OK, ...JSON_TYPE, ...flood.headers }));
    return stream;
  }

  private partsOf(): Iterator<string | Uint8Array> {
    const { flood } = this;
    return (flood.request ?? flood.answer ?? (() => []))('full')[Symbol.iterator]();
  }
}

/** A stream that says a word now and then. */
class Neighbour {
  readonly delaysMs: number[] = [];
  private readonly stream: Stream;
  private readonly due: number[] = [];
  private nextMs: number;

  constructor(deps: EngineDeps, firstMs: number) {
    this.nextMs = firstMs;
    this.stream = new Stream(deps, (bytes) => {
      if (!Buffer.from(bytes).includes(' now ')) return;
      const nowMs = processorMs();
      for (const dueMs of this.due.splice(0)) this.delaysMs.push(nowMs - dueMs);
    });
    this.stream.receive(requestHeaders(CHAT_REQUEST));
    this.stream.receive(requestBody(Buffer.from(chatBody('hello', { stream: true })), true));
    this.stream.receive(responseHeaders({ ...OK, ...EVENTS }));
  }

  listen(): void {
    const nowMs = processorMs();
    for (; this.nextMs <= nowMs; this.nextMs += PAUSE_MS) {
      this.due.push(this.nextMs);
      this.stream.receive(responseBody(Buffer.from(say(`at${this.nextMs} now `)), false));
    }
  }

  close(): void {
    this.stream.close();
  }
}

/** What one turn of the event loop reads of the attacker's streams. */
function poll(lanes: readonly Lane[], from: number): void {
  for (let connection = 0; connection < CONNECTIONS; connection++) {
    const own = lanes.filter((_, index) => index % CONNECTIONS === connection);
    let window = WINDOW_BYTES;
    for (let quiet = 0, index = from; quiet < own.length && window > 0; index++) {
      const bytes = own[index % own.length]!.message();
      quiet = bytes === 0 ? quiet + 1 : 0;
      window -= bytes;
    }
  }
}

async function look(flood: Flood | undefined): Promise<{ delaysMs: number[]; longestMs: number }> {
  const deps = engineDeps(set, realClock, { heldBytesTotalMax: DEFAULT_LIMITS.heldBytesTotalMax });
  const lanes = Array.from({ length: flood?.atOnce ?? 0 }, () => new Lane(flood!, deps));
  const beganMs = processorMs();
  const neighbours = Array.from(
    { length: NEIGHBOURS },
    (_, index) => new Neighbour(deps, beganMs + (index * PAUSE_MS) / NEIGHBOURS),
  );
  let longestMs = 0;
  let lastMs = processorMs();
  for (let turns = 0; lastMs - beganMs < LOOK_MS; turns++) {
    poll(lanes, turns);
    for (const neighbour of neighbours) neighbour.listen();
    await turn();
    const nowMs = processorMs();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
  }
  for (const lane of lanes) lane.close();
  for (const neighbour of neighbours) neighbour.close();
  return { delaysMs: neighbours.flatMap(({ delaysMs }) => delaysMs), longestMs };
}

const set = shippedPolicies();
const told = (name: string, { delaysMs, longestMs }: Awaited<ReturnType<typeof look>>): void => {
  const at = (share: number): string => quantile(delaysMs, share).toFixed(2).padStart(7);
  process.stdout.write(
    `${name.padEnd(18)} p50 ${at(0.5)}  p90 ${at(0.9)}  p99 ${at(0.99)}  longest turn ${longestMs.toFixed(1).padStart(6)} ms  of ${delaysMs.length}\n`,
  );
};

await look(undefined);
told('quiet', await look(undefined));
for (const flood of FLOODS) if (flood.id.includes(wanted)) told(flood.id, await look(flood));
process.exit(0);
