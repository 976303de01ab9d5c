/**
 * The attacker, in a process of its own: the client that floods, and the provider that does. It takes one
 * order at a time from its parent, and ends with it.
 */
import { once } from 'node:events';
import { createServer, request, type ServerResponse } from 'node:http';
import { constants, setPriority } from 'node:os';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHAT_PATH, chatBody, completion, JSON_TYPE } from './evasions-bodies.ts';
import { FLOODS, type Flood, type FloodSize } from './evasions-floods.ts';

export interface FloodOrder {
  readonly flood: string;
  readonly size: FloodSize;
  /** Where Envoy listens. */
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Exchanges begin anew until then; 0: one for each lane. What runs at the end is broken off. */
  readonly durationMs: number;
}

export interface Flooded {
  /** 0 when none came. */
  readonly status: number;
  /** Code of a refusal, or ''. */
  readonly code: string;
  readonly complete: boolean;
  readonly receivedBytes: number;
  /** What the provider was given of the request, or what it could send of its answer. */
  readonly passedBytes: number;
  readonly elapsedMs: number;
}

const FLOOD_HEADER = 'x-test-flood';
/** The end of an answer has the code of a refusal. */
const TAIL_BYTES = 2_048;
const EXCHANGE_TIMEOUT_MS = 240_000;
/** Long enough for whatever does not end by itself to show what it costs. */
const ENDLESS_MS = 2_000;
/** Where one of them has to be refused, all go on until it is. */
const REFUSED_WITHIN_MS = 60_000;

/**
 * What the attacker's line lets through in both directions together, 500 Mbit/s, where neighbours are looked at:
 * what a machine for all of them has to do for bytes alone says nothing about those who judge them.
 */
const LINE_BYTES_PER_MS = 62_500;
const LINE_BURST_MS = 4;
let bounded = false;
let lineFreeMs = 0;

async function throughLine(bytes: number): Promise<void> {
  if (!bounded) return;
  const nowMs = performance.now();
  lineFreeMs = Math.max(lineFreeMs, nowMs - LINE_BURST_MS) + bytes / LINE_BYTES_PER_MS;
  if (lineFreeMs - nowMs > 1) await sleep(lineFreeMs - nowMs);
}

const passed = new Map<string, number>();

async function pour(
  to: Writable,
  parts: Iterable<string | Uint8Array>,
  everyMs: number | undefined,
  count: (bytes: number) => void,
): Promise<void> {
  for (const part of parts) {
    if (to.destroyed) return;
    if (everyMs !== undefined) await sleep(everyMs);
    await throughLine(part.length);
    if (to.destroyed) return;
    count(part.length);
    if (!to.write(part)) await drained(to);
  }
}

function drained(to: Writable): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      to.off('drain', settle).off('close', settle);
      resolve();
    };
    if (to.destroyed) resolve();
    else to.on('drain', settle).on('close', settle);
  });
}

async function provide(key: string, flood: Flood, size: FloodSize, response: ServerResponse) {
  if (flood.answer === undefined) {
    response.writeHead(200, JSON_TYPE).end(completion({ content: 'ok' }));
    return;
  }
  response.writeHead(200, { ...JSON_TYPE, ...flood.headers });
  await pour(response, flood.answer(size), flood.everyMs, (bytes) => {
    passed.set(key, (passed.get(key) ?? 0) + bytes);
  });
  if (flood.endless !== true) response.end();
}

const provider = createServer((incoming, response) => {
  const [key = '', id, size] = String(incoming.headers[FLOOD_HEADER]).split(' ');
  const flood = FLOODS.find((one) => one.id === id);
  response.on('error', () => undefined);
  incoming.on('error', () => undefined);
  incoming.on('data', (bytes: Buffer) => {
    if (flood?.request !== undefined) passed.set(key, (passed.get(key) ?? 0) + bytes.length);
  });
  incoming.on('end', () => {
    if (flood !== undefined) void provide(key, flood, size as FloodSize, response);
  });
});
provider.keepAliveTimeout = 0;

let exchanges = 0;

/** `over`: breaks it off. `refused`: told when it was. */
function exchange(
  order: FloodOrder,
  flood: Flood,
  over: Promise<void>,
  refused: () => void,
): Promise<Flooded> {
  const key = String(exchanges++);
  const beganAt = performance.now();
  return new Promise((resolve) => {
    let status = 0;
    let received = 0;
    let tail = '';
    const settle = (complete: boolean): void => {
      clearTimeout(timer);
      outgoing.destroy();
      const code = /"code":"(\w+)"/u.exec(tail)?.[1] ?? '';
      if (code !== '') refused();
      resolve({
        status,
        code,
        complete,
        receivedBytes: received,
        passedBytes: passed.get(key) ?? 0,
        elapsedMs: performance.now() - beganAt,
      });
    };
    const outgoing = request({
      host: '127.0.0.1',
      port: order.port,
      method: 'POST',
      path: CHAT_PATH,
      agent: false,
      headers: {
        ...JSON_TYPE,
        ...(flood.request !== undefined && flood.headers),
        ...order.headers,
        [FLOOD_HEADER]: `${key} ${flood.id} ${order.size}`,
      },
    });
    const timer = setTimeout(() => settle(false), EXCHANGE_TIMEOUT_MS);
    void over.then(() => settle(false));
    outgoing.on('error', () => {
      // A body that is refused half-way is answered before it is sent, and its connection closed.
      setTimeout(() => settle(false), 50);
    });
    outgoing.on('response', (incoming) => {
      status = incoming.statusCode ?? 0;
      incoming.on('data', (bytes: Buffer) => {
        received += bytes.length;
        tail = (tail + bytes.toString('latin1')).slice(-TAIL_BYTES);
      });
      incoming.on('error', () => settle(false));
      incoming.on('end', () => settle(incoming.complete));
    });
    const parts = flood.request?.(order.size) ?? [chatBody('hello', { stream: true })];
    void pour(outgoing, parts, undefined, () => undefined).then(() => outgoing.end());
  });
}

async function obey(order: FloodOrder): Promise<readonly Flooded[]> {
  const flood = FLOODS.find((one) => one.id === order.flood);
  if (flood === undefined) return [];
  passed.clear();
  bounded = order.durationMs > 0;
  let isOver = false;
  let end: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    end = () => {
      isOver = true;
      resolve();
    };
  });
  const timer = setTimeout(end, lastsMs(order, flood));
  const refused = flood.endless === true ? end : () => undefined;
  const seen: Flooded[] = [];
  const lane = async (): Promise<void> => {
    do seen.push(await exchange(order, flood, over, refused));
    while (!isOver && order.durationMs > 0);
  };
  await Promise.all(Array.from({ length: flood.atOnce }, lane));
  clearTimeout(timer);
  return seen;
}

/** When all that still runs is broken off. */
function lastsMs({ durationMs }: FloodOrder, { endless, code }: Flood): number {
  if (durationMs > 0) return durationMs;
  if (endless !== true) return EXCHANGE_TIMEOUT_MS;
  return code === undefined ? ENDLESS_MS : REFUSED_WITHIN_MS;
}

// Attackers have machines of their own. Here they get what the others leave, so that it is not their work
// that the neighbours wait for.
setPriority(constants.priority.PRIORITY_LOW);
process.on('message', (order: FloodOrder) => {
  void obey(order).then((seen) => process.send?.(seen));
});
process.once('disconnect', () => process.exit(0));
provider.listen({ host: '127.0.0.1', port: 0 });
await once(provider, 'listening');
const address = provider.address();
process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
