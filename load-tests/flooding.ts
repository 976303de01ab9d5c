/**
 * Attacks by amount, let loose on protocol and engine of this process, beside neighbours who say a word now and then.
 * Without Envoy and gRPC: bytes arrive as they do from Envoy, of each of two connections as much in a turn of the event
 * loop as fits the window of an HTTP/2 connection, in messages of at most 16 KiB, of all its streams alike.
 */
import { Exchange } from '../src/engine/exchange.ts';
import type { EngineDeps } from '../src/engine/ports.ts';
import {
  requestBody,
  requestHeaders,
  responseBody,
  responseHeaders,
} from '../src/protocol/envoy-messages.ts';
import { ExchangeMachine } from '../src/protocol/exchange-machine.ts';
import { chatBody, EVENTS, JSON_TYPE, say } from '../test/envoy/evasions-bodies.ts';
import type { Flood } from '../test/envoy/evasions-floods.ts';
import { CHAT_REQUEST } from './in-process.ts';

/** Between two words of a neighbour. */
export const PAUSE_MS = 16;
const CONNECTIONS = 2;
const WINDOW_BYTES = 65_535;
const MESSAGE_BYTES_MAX = 16_384;
const OK = { ':status': '200' };

/** Whatever time it is that counts. */
type Now = () => number;

/** One stream of Envoy. */
class Stream {
  over = false;
  paused = false;
  private readonly machine: ExchangeMachine;

  constructor(deps: EngineDeps, sent: (bytes: Uint8Array) => void) {
    this.machine = new ExchangeMachine(
      { open: (port) => new Exchange(deps, port) },
      {
        initialMetadata: () => undefined,
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
    );
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

const made = new Map<Flood, readonly (string | Uint8Array)[]>();

/** Made once: what the attacker's own machine does is not to be measured. */
function partsOf(flood: Flood): readonly (string | Uint8Array)[] {
  let parts = made.get(flood);
  if (parts === undefined) {
    parts = [...(flood.request ?? flood.answer ?? (() => []))('full')].map((part) =>
      typeof part === 'string' && part.length > MESSAGE_BYTES_MAX ? Buffer.from(part) : part,
    );
    made.set(flood, parts);
  }
  return parts;
}

/** One of the attacker's exchanges after the other. */
export class Lane {
  private readonly flood: Flood;
  private readonly deps: EngineDeps;
  private readonly now: Now;
  private stream: Stream;
  private parts: Iterator<string | Uint8Array>;
  private messages: readonly Uint8Array[] = [];
  private dueMs = 0;

  constructor(flood: Flood, deps: EngineDeps, now: Now) {
    this.flood = flood;
    this.deps = deps;
    this.now = now;
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
      const nowMs = everyMs === undefined ? 0 : this.now();
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
    return partsOf(this.flood)[Symbol.iterator]();
  }
}

/** A stream that says a word now and then. */
export class Neighbour {
  readonly delaysMs: number[] = [];
  private readonly stream: Stream;
  private readonly due: number[] = [];
  private readonly now: Now;
  private nextMs = Number.POSITIVE_INFINITY;

  constructor(deps: EngineDeps, now: Now) {
    this.now = now;
    this.stream = new Stream(deps, (bytes) => {
      if (!Buffer.from(bytes).includes(' now ')) return;
      const nowMs = now();
      for (const dueMs of this.due.splice(0)) this.delaysMs.push(nowMs - dueMs);
    });
    this.stream.receive(requestHeaders(CHAT_REQUEST));
    this.stream.receive(requestBody(Buffer.from(chatBody('hello', { stream: true })), true));
    this.stream.receive(responseHeaders({ ...OK, ...EVENTS }));
  }

  /** Its first word is due then. */
  begin(firstMs: number): void {
    this.nextMs = firstMs;
  }

  /** Says the words that have become due. */
  speak(): void {
    const nowMs = this.now();
    for (; this.nextMs <= nowMs; this.nextMs += PAUSE_MS) {
      this.due.push(this.nextMs);
      this.stream.receive(responseBody(Buffer.from(say(`at${this.nextMs} now `)), false));
    }
  }

  /** Words that were said and have not left. */
  get waiting(): number {
    return this.due.length;
  }

  close(): void {
    this.stream.close();
  }
}

/** What one turn of the event loop reads of the attacker's streams, the `from`th first; its bytes. */
export function poll(lanes: readonly Lane[], from: number): number {
  let total = 0;
  for (let connection = 0; connection < CONNECTIONS; connection++) {
    const own = lanes.filter((_, index) => index % CONNECTIONS === connection);
    let window = WINDOW_BYTES;
    for (let quiet = 0, index = from; quiet < own.length && window > 0; index++) {
      const bytes = own[index % own.length]!.message();
      quiet = bytes === 0 ? quiet + 1 : 0;
      window -= bytes;
      total += bytes;
    }
  }
  return total;
}
