/**
 * What all connections of a server share, each limit at its edge: a whole Switchyard, real sockets, the code of the GOAWAY,
 * and the metric that an operator sees.
 */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Http2Limits } from '../../../src/engine/http2-limits.ts';
import { type Switchyard, startSwitchyard } from '../../envoy/harness.ts';
import { encodeProcessingRequest } from '../../protocol/peer.ts';
import { callBlock, PROCESS, RawClient } from './raw-client.ts';
import {
  ACK,
  data,
  type Frame,
  GREETING,
  goawayOf,
  headers,
  message,
  PREFACE,
  ping,
  SETTINGS_ACK,
  settings,
  TYPE,
  windowUpdate,
} from './raw-peer.ts';

const CALM = 11;
const NO_ERROR = 0;
const BLOCK = callBlock(PROCESS);
const MODES = {
  requestBodyMode: 'FULL_DUPLEX_STREAMED',
  responseBodyMode: 'FULL_DUPLEX_STREAMED',
};
const HELLO = message(
  encodeProcessingRequest({
    requestHeaders: { headers: { headers: [{ key: ':path', rawValue: Buffer.from('/') }] } },
    protocolConfig: MODES,
  }),
);
/** In frames as large as they may be. */
const body = (id: number, bytes: number): Buffer => {
  const whole = message(
    encodeProcessingRequest({ requestBody: { body: Buffer.alloc(bytes, 97), endOfStream: true } }),
  );
  const parts: Buffer[] = [];
  for (let at = 0; at < whole.length; at += 16_384)
    parts.push(data(id, whole.subarray(at, at + 16_384)));
  return Buffer.concat(parts);
};

/** Nothing that is asked here is concerned: bodies pass. */
const POLICIES = {
  'guard.yaml': `
kind: Policy
metadata: { name: guard, layer: platform, selector: { app: nobody } }
class: security
rules:
  - { id: word, inspect: [request], match: { keywords: { words: [zebra] } }, then: block }
`,
};

const isPong = ({ type, flags }: Frame): boolean => type === TYPE.ping && flags === ACK;

describe('limits of a whole server over the fast transport', function () {
  this.timeout(30_000);
  let switchyard: Switchyard | undefined;
  let directory: string | undefined;
  const clients: RawClient[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await switchyard?.stop();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
    directory = undefined;
  });

  async function start(http2: Partial<Http2Limits>, tls?: string): Promise<Switchyard> {
    const limits = Object.entries(http2).map(([name, value]) => `    ${name}: ${value}`);
    const lines = [
      'grpc:',
      '  transport: fast',
      ...(tls ? [tls] : []),
      ...(limits.length > 0 ? ['  http2:', ...limits] : []),
      '',
    ];
    switchyard = await startSwitchyard({ policies: POLICIES, config: lines.join('\n') });
    return switchyard;
  }

  function client(tls = false): RawClient {
    const one = new RawClient(`127.0.0.1:${switchyard?.grpcPort}`, tls);
    clients.push(one);
    return one;
  }

  /** By reason. */
  async function closed(): Promise<Readonly<Record<string, number>>> {
    const { text } = (await switchyard?.admin('/metrics')) ?? { text: '' };
    const rows = text.matchAll(/^switchyard_connections_closed_total\{reason="(\w+)"\} (\d+)$/gmu);
    return Object.fromEntries([...rows].map(([, reason, count]) => [reason, Number(count)]));
  }

  /** It is there, and its server answers it. */
  async function established(one: RawClient): Promise<RawClient> {
    await one.write(GREETING, ping());
    assert.ok(await one.until((frames) => frames.find(isPong)), 'greeted');
    return one;
  }

  async function stillServed(one: RawClient): Promise<void> {
    one.frames.splice(0);
    await one.write(ping());
    assert.ok(await one.until((frames) => frames.find(isPong)), 'still served');
  }

  it('outboundBytesTotalMax: the connection that leaves most unread is closed, and no other', async () => {
    const [max, some, kept] = [2_000_000, 150_000, 3];
    await start({ outboundBytesTotalMax: max });
    const reader = await established(client());
    await reader.write(headers(1, BLOCK), windowUpdate(0, 1e6), windowUpdate(1, 1e6));
    await reader.write(data(1, HELLO), body(1, some));
    const read = await reader.until((frames) => {
      const came = frames.filter(({ type }) => type === TYPE.data);
      const bytes = came.reduce((sum, { payload }) => sum + payload.length, 0);
      return bytes > some ? bytes : undefined;
    });
    /** Of an answer beside the bytes of its body, of which there are so many in three chunks. */
    const around = (read ?? 0) - some;

    const open = async (): Promise<RawClient> => {
      const one = client();
      await one.write(PREFACE, settings([4, 0]), SETTINGS_ACK, ping());
      await one.until((frames) => frames.find(isPong));
      return one;
    };
    let id = 1;
    let unread = 0;
    const leave = async (one: RawClient, bytes: number): Promise<void> => {
      await one.write(headers(id, BLOCK), data(id, HELLO), body(id, bytes));
      id += 2;
      unread += bytes + around;
    };
    const [most, less] = [await open(), await open()];
    for (let streams = 0; streams < kept; streams++) await leave(less, some);
    while (unread + (some + around) * 2 < max) await leave(most, some);
    // As many chunks as all others, so that as much is around it.
    await leave(most, max - unread - around);
    assert.equal(unread, max);
    await sleep(800);
    assert.deepEqual(await closed(), {});
    await stillServed(less);

    await leave(less, 1);
    await most.closed();
    assert.equal(goawayOf(most.frames)?.code, CALM);
    assert.deepEqual(await closed(), { outbound_too_large: 1 });
    await stillServed(less);
    await stillServed(reader);
  });

  it('connectionsMax: who has been idle for the longest gives way, who is at work does not', async () => {
    await start({ connectionsMax: 3 });
    const working = await established(client());
    await working.write(headers(1, BLOCK), data(1, HELLO));
    const first = await established(client());
    await sleep(50);
    const second = await established(client());
    await sleep(1_200);
    const newcomer = await established(client());
    await first.closed();
    assert.deepEqual(goawayOf(first.frames), { code: NO_ERROR, lastId: 0 });
    assert.deepEqual(await closed(), { evicted_idle: 1 });
    for (const one of [working, second, newcomer]) await stillServed(one);

    // All at work: there is no place.
    for (const one of [second, newcomer]) await one.write(headers(1, BLOCK), data(1, HELLO));
    for (const one of [second, newcomer])
      await one.until((frames) => frames.find(({ type }) => type === TYPE.data));
    await sleep(1_200);
    const refused = client();
    await refused.closed();
    assert.equal(refused.frames.length, 0);
    assert.deepEqual(await closed(), { evicted_idle: 1, connections_max: 1 });
    for (const one of [working, second, newcomer]) await stillServed(one);
  });

  it('connectionsMax over TLS: the oldest half-open peer gives way, within its handshake or behind it', async () => {
    directory = await mkdtemp(join(tmpdir(), 'switchyard-'));
    const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-subj', '/CN=localhost', '-days', '1', '-keyout', key, '-out', cert],
      ],
      { stdio: 'ignore' },
    );
    await start({ connectionsMax: 3 }, `  tls: { certFile: ${cert}, keyFile: ${key} }`);
    const connected = (one: RawClient, event: string): Promise<unknown> =>
      new Promise((resolve) => one.socket.once(event, resolve));
    const working = await established(client(true));
    // Says nothing at all, not even hello.
    const silent = client();
    await connected(silent, 'connect');
    await sleep(50);
    // Has shaken hands, and then says nothing.
    const shaken = client(true);
    await connected(shaken, 'secureConnect');
    await shaken.until((frames) => frames[0]);

    const newcomer = await established(client(true));
    await silent.closed();
    assert.equal(shaken.over, false);
    assert.deepEqual(await closed(), { evicted_half_open: 1 });

    const another = await established(client(true));
    await shaken.closed();
    assert.equal(goawayOf(shaken.frames)?.code, CALM);
    assert.deepEqual(await closed(), { evicted_half_open: 2 });
    for (const one of [working, newcomer, another]) await stillServed(one);
  });

  it('no descriptors left: who is served stays served, newcomers are as soon as there are some', async () => {
    const { pid } = await start({});
    const served = await established(client());
    const open = readdirSync(`/proc/${pid}/fd`).length;
    const descriptorsMax = (count: number): void =>
      void execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${count}:`]);
    descriptorsMax(open + 20);
    const newcomers = Array.from({ length: 60 }, () => client());
    const greeted = newcomers.map(async (one) => {
      await one.write(GREETING, ping());
      return (await one.until((frames) => frames.find(isPong))) !== undefined;
    });
    let answered = 0;
    for (const one of greeted)
      void one.then((pong) => {
        if (pong) answered++;
      });
    await sleep(500);
    assert.ok(answered < newcomers.length, 'some wait, or are turned away');
    await stillServed(served);
    descriptorsMax(4_096);
    // Nobody is left waiting: the kernel keeps them meanwhile, or they are told at once and come again.
    const served60 = await Promise.all(greeted);
    assert.ok(served60.filter(Boolean).length >= 15);
    await stillServed(served);
    await established(client());
  });
});
