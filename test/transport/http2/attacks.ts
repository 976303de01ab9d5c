/** What a hostile peer may try, in bytes: docs/adr/0009. Each ends when its connections are over, or when it is told. */
import { Buffer } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Http2Limits } from '../../../src/engine/http2-limits.ts';
import { encodeProcessingRequest } from '../../protocol/peer.ts';
import { callBlock, PROCESS, RawClient } from './raw-client.ts';
import {
  ACK,
  data,
  END_STREAM,
  fields,
  frame,
  GREETING,
  goawayOf,
  headers,
  integer,
  kept,
  message,
  PLAIN_BLOCK,
  PREFACE,
  ping,
  reset,
  SETTINGS_ACK,
  settings,
  TYPE,
  uint32,
  windowUpdate,
} from './raw-peer.ts';

/** Limits under which the attacks end within seconds; those that are not named are the defaults. */
export const ATTACKED_LIMITS: Partial<Http2Limits> = {
  prefaceMs: 3_000,
  unaryMs: 1_000,
  keepaliveMs: 2_000,
  keepaliveTimeoutMs: 2_000,
  writeStallMs: 2_000,
  connectionsMax: 700,
  inboundBytesTotalMax: 64 * 1024 * 1024,
  outboundBytesPerConnectionMax: 8 * 1024 * 1024,
  outboundBytesTotalMax: 32 * 1024 * 1024,
};

export interface Attack {
  readonly name: string;
  /** Connections at a time. */
  readonly connections: number;
  /** The same where all limits are the defaults, if it takes others to hurt. */
  readonly connectionsAtDefaults?: number;
  /** Reasons under which its connections are counted, any of them, and the code of the GOAWAY. */
  readonly reasons: readonly string[];
  readonly code: number;
  /** On one connection, until it is over. */
  readonly run: (client: RawClient) => Promise<void>;
}

const CALM = 11;
const SETTINGS_TIMEOUT = 4;
/** Frames that are written at a time. */
const BATCH = 200;

/** The bytes of `make` for one stream after the other, until the connection is over. */
async function flood(
  client: RawClient,
  make: (id: number) => readonly Buffer[],
  streamsMax = 1e6,
): Promise<void> {
  for (let id = 1; !client.over && id < streamsMax * 2; ) {
    const parts: Buffer[] = [];
    for (let at = 0; at < BATCH; at++, id += 2) parts.push(...make(id));
    await client.write(Buffer.concat(parts));
  }
  await client.closed();
}

/** The same bytes again and again. */
async function repeat(client: RawClient, part: Buffer): Promise<void> {
  const parts = Buffer.concat(Array.from({ length: BATCH }, () => part));
  while (!client.over) await client.write(parts);
}

const PROCESS_BLOCK = callBlock(PROCESS);
const MODES = {
  requestBodyMode: 'FULL_DUPLEX_STREAMED',
  responseBodyMode: 'FULL_DUPLEX_STREAMED',
};
const HELLO = message(
  encodeProcessingRequest({
    requestHeaders: {
      headers: { headers: [{ key: ':path', rawValue: Buffer.from('/') }] },
      endOfStream: false,
    },
    protocolConfig: MODES,
  }),
);

export const ATTACKS: readonly Attack[] = [
  {
    name: 'rapid reset',
    connections: 4,
    reasons: ['reset_flood'],
    code: CALM,
    run: async (client) => {
      await client.write(GREETING);
      await flood(client, (id) => [headers(id, PROCESS_BLOCK), reset(id)]);
    },
  },
  {
    name: 'rapid reset behind a message of nothing',
    connections: 4,
    reasons: ['reset_flood'],
    code: CALM,
    run: async (client) => {
      await client.write(GREETING);
      const nothing = message(Buffer.alloc(0));
      await flood(client, (id) => [headers(id, PROCESS_BLOCK), data(id, nothing), reset(id)]);
    },
  },
  {
    name: 'resets that are made by us',
    connections: 4,
    reasons: ['reset_flood'],
    code: CALM,
    run: async (client) => {
      await client.write(GREETING);
      await flood(client, (id) => [headers(id, PROCESS_BLOCK), windowUpdate(id, 0)]);
    },
  },
  {
    name: 'CONTINUATION without end',
    connections: 4,
    reasons: ['continuation_flood'],
    code: CALM,
    run: async (client) => {
      await client.write(GREETING, frame(TYPE.headers, END_STREAM, 1, PLAIN_BLOCK));
      await repeat(client, frame(TYPE.continuation, 0, 1, Buffer.of(0x88)));
    },
  },
  {
    name: 'large CONTINUATIONs',
    connections: 4,
    reasons: ['header_block_too_large'],
    code: CALM,
    run: async (client) => {
      await client.write(GREETING, frame(TYPE.headers, END_STREAM, 1, PLAIN_BLOCK));
      await repeat(client, frame(TYPE.continuation, 0, 1, Buffer.alloc(16_000, 0x88)));
    },
  },
  {
    name: 'HPACK bomb',
    connections: 4,
    reasons: ['reset_flood'],
    code: CALM,
    run: async (client) => {
      const planted = Buffer.concat([PLAIN_BLOCK, kept('x', 'v'.repeat(4_000))]);
      await client.write(GREETING, headers(1, planted));
      const bomb = Buffer.concat([PLAIN_BLOCK, Buffer.alloc(16_000, integer(62, 7, 0x80))]);
      for (let id = 3; !client.over; id += 2) await client.write(headers(id, bomb));
    },
  },
  {
    name: 'PING flood',
    connections: 4,
    reasons: ['control_flood'],
    code: CALM,
    run: async (client) => {
      await client.write(GREETING);
      await repeat(client, ping());
    },
  },
  {
    name: 'PING flood, unread',
    connections: 4,
    reasons: ['control_flood'],
    code: CALM,
    run: async (client) => {
      client.socket.pause();
      await client.write(GREETING);
      await repeat(client, ping());
    },
  },
  {
    name: 'SETTINGS flood',
    connections: 4,
    reasons: ['control_flood'],
    code: CALM,
    run: async (client) => {
      await client.write(GREETING);
      await repeat(client, settings([3, 100]));
    },
  },
  {
    name: 'SETTINGS that move the windows of thousands of streams',
    connections: 2,
    reasons: ['control_flood'],
    code: CALM,
    run: async (client) => {
      await client.write(GREETING);
      for (let id = 1; id < 5_000; ) {
        const parts: Buffer[] = [];
        for (let at = 0; at < BATCH; at++, id += 2) parts.push(headers(id, PROCESS_BLOCK));
        await client.write(...parts);
      }
      const moves = Array.from({ length: 2_000 }, (_, at) => [4, 1_000 + at] as const);
      await repeat(client, settings(...moves));
    },
  },
  {
    name: 'WINDOW_UPDATE flood',
    connections: 4,
    reasons: ['window_update_flood'],
    code: CALM,
    run: async (client) => {
      await client.write(GREETING, headers(1, PROCESS_BLOCK));
      await repeat(client, windowUpdate(1, 1));
    },
  },
  {
    name: 'empty DATA',
    connections: 4,
    reasons: ['empty_data_flood'],
    code: CALM,
    run: async (client) => {
      await client.write(GREETING, headers(1, PROCESS_BLOCK));
      await repeat(client, data(1, Buffer.alloc(0)));
    },
  },
  {
    name: 'answers that nobody reads',
    connections: 3,
    reasons: ['outbound_too_large', 'write_stalled'],
    code: CALM,
    run: async (client) => {
      client.socket.pause();
      await client.write(GREETING);
      const unknown = callBlock('/nobody/knows');
      await flood(client, (id) => [headers(id, unknown, true)]);
    },
  },
  {
    name: 'zero window',
    connections: 4,
    reasons: ['keepalive_timeout'],
    code: 0,
    run: async (client) => {
      await client.write(PREFACE, settings([4, 0]), SETTINGS_ACK);
      for (let id = 1; id < 800; id += 2)
        await client.write(headers(id, PROCESS_BLOCK), data(id, HELLO));
      // Each of its streams is reset; whoever then says nothing more is asked, and let go.
      await client.until((frames) => frames.filter(({ type }) => type === TYPE.reset)[399]);
      await client.closed();
    },
  },
  {
    name: 'hundreds of half-open connections',
    connections: 600,
    connectionsAtDefaults: 5_000,
    reasons: ['preface_timeout'],
    code: SETTINGS_TIMEOUT,
    run: (client) => client.closed().then(() => {}),
  },
  {
    name: 'slow preface',
    connections: 50,
    reasons: ['preface_timeout'],
    code: SETTINGS_TIMEOUT,
    run: async (client) => {
      for (let at = 0; !client.over; at++) {
        await client.write(PREFACE.subarray(at, at + 1));
        await sleep(100);
      }
    },
  },
  {
    name: 'half a frame',
    connections: 50,
    reasons: ['keepalive_timeout'],
    code: 0,
    run: async (client) => {
      await client.write(GREETING, frame(TYPE.data, 0, 1, Buffer.alloc(16_000)).subarray(0, 20));
      await client.closed();
    },
  },
  {
    name: '64 MiB announced, a thousand times',
    connections: 2,
    reasons: ['keepalive_timeout'],
    code: 0,
    run: async (client) => {
      await client.write(GREETING);
      const announced = Buffer.concat([Buffer.of(0), uint32(64 * 1024 * 1024), Buffer.of(1)]);
      for (let id = 1; id < 2_000; id += 2)
        await client.write(headers(id, PROCESS_BLOCK), data(id, announced));
      await client.closed();
    },
  },
  {
    name: 'half a message on each of thousands of streams',
    connections: 4,
    reasons: ['keepalive_timeout', 'reset_flood'],
    code: 0,
    run: async (client) => {
      await client.write(GREETING);
      const half = message(Buffer.alloc(40_000)).subarray(0, 14_000);
      for (let id = 1; id < 1_600 && !client.over; id += 2)
        await client.write(headers(id, PROCESS_BLOCK), data(id, half));
      await client.closed();
    },
  },
  {
    name: 'unknown frames',
    connections: 4,
    reasons: ['control_flood'],
    code: CALM,
    run: async (client) => {
      await client.write(GREETING);
      await repeat(client, frame(0x99, ACK, 0, Buffer.alloc(1)));
    },
  },
  {
    name: 'thousands of fields',
    connections: 4,
    reasons: ['reset_flood'],
    code: CALM,
    run: async (client) => {
      await client.write(GREETING);
      const block = Buffer.concat([
        PROCESS_BLOCK,
        ...Array.from({ length: 1_000 }, () => fields(['a', ''])),
      ]);
      for (let id = 1; !client.over; id += 2) await client.write(headers(id, block));
    },
  },
];

/** What one attack saw on its connections. */
export interface Aftermath {
  readonly name: string;
  readonly over: number;
  readonly codes: readonly (number | undefined)[];
}

/** Runs it once, all of its connections at a time. */
export async function attack(row: Attack, address: string): Promise<Aftermath> {
  const clients = Array.from({ length: row.connections }, () => new RawClient(address));
  await Promise.all(clients.map((client) => row.run(client)));
  const codes = clients.map(({ frames }) => goawayOf(frames)?.code);
  return { name: row.name, over: clients.filter(({ over }) => over).length, codes };
}
