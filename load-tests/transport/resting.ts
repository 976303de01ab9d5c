/** What open streams keep, and how long a server's event loop may be away. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExchangeClient, Load } from './exchange-client.ts';
import { bareServer, type TransportName } from './servers.ts';

/** Request headers, body, response headers and two events are answered; then nothing comes. */
const MESSAGES = 5;
const CONNECTIONS = 100;
const SETTLE_MS = 1_000;

interface Memory {
  readonly usedBytes: number;
  readonly rssBytes: number;
}

export interface KeptMemory {
  readonly streams: number;
  /** Per stream: heap and memory outside of it after a collection, and resident memory. */
  readonly usedBytes: number;
  readonly rssBytes: number;
}

/** Opens `streams` answers of events on our core and one transport, and leaves them there. */
export async function keptMemory(
  client: ExchangeClient,
  transport: TransportName,
  streams: number,
): Promise<KeptMemory> {
  const server = await bareServer(transport);
  try {
    const of: Load = { shape: 'sse', connections: CONNECTIONS, streams };
    // Code and tables that the first streams make are not theirs.
    await client.open(server.port, { ...of, streams: CONNECTIONS }, MESSAGES);
    await client.drop();
    await sleep(SETTLE_MS);
    const before = await server.ask<Memory>('memory');
    const { kept, failed } = await client.open(server.port, of, MESSAGES);
    if (failed > 0 || kept !== streams) throw new Error(`${failed} of ${streams} did not open`);
    await sleep(SETTLE_MS);
    const after = await server.ask<Memory>('memory');
    await client.drop();
    return {
      streams,
      usedBytes: (after.usedBytes - before.usedBytes) / streams,
      rssBytes: (after.rssBytes - before.rssBytes) / streams,
    };
  } finally {
    await server.stop();
  }
}

interface Pauses {
  readonly stallMs: number;
  readonly collectionMs: number;
}

export interface Stalls {
  /** The longest in all: between two turns of the event loop, and in one garbage collection. */
  readonly server: Pauses;
  /** The same of a process of Node that does nothing, at the same time on the same core. */
  readonly idle: Pauses;
  readonly seconds: number;
}

const SLICE_MS = 5_000;
const WARM_UP_MS = 5_000;

/** Loads one transport for `seconds`, beside a process that does nothing. */
export async function longestStalls(
  client: ExchangeClient,
  transport: TransportName,
  seconds: number,
): Promise<Stalls> {
  const server = await bareServer(transport);
  const idle = await bareServer('none');
  try {
    const of: Load = { shape: 'json', connections: 2, streams: 8 };
    await client.run(server.port, of, WARM_UP_MS);
    await server.ask('pauses');
    await idle.ask('pauses');
    for (let lastedMs = 0; lastedMs < seconds * 1_000; lastedMs += SLICE_MS)
      await client.run(server.port, of, SLICE_MS);
    return {
      server: await server.ask<Pauses>('pauses'),
      idle: await idle.ask<Pauses>('pauses'),
      seconds,
    };
  } finally {
    await server.stop();
    await idle.stop();
  }
}
