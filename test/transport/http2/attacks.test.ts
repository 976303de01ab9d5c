/**
 * A whole Switchyard with `--transport fast`, attacked while somebody else asks: what he asks is answered, the attackers'
 * connections are ended with the right code and counted by their reason, memory stays bounded. How long the others
 * wait meanwhile is measured by `npm run attacks`.
 */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { type Switchyard, startSwitchyard } from '../../envoy/harness.ts';
import { encodeProcessingRequest } from '../../protocol/peer.ts';
import { ATTACKED_LIMITS, ATTACKS, attack } from './attacks.ts';
import { Neighbour } from './neighbour.ts';
import { callBlock, PROCESS, RawClient } from './raw-client.ts';
import {
  data,
  GREETING,
  goawayOf,
  headers,
  message,
  reset,
  TYPE,
  windowUpdate,
} from './raw-peer.ts';

/** More than this above what it had before the first attack is not explained by limits and garbage. */
const GROWN_BYTES_MAX = 256 * 1024 * 1024;

describe('attacks on the fast transport', function () {
  this.timeout(60_000);
  let switchyard: Switchyard;
  let address: string;
  let neighbour: Neighbour;
  let restingBytes: number;

  before(async () => {
    const http2 = Object.entries(ATTACKED_LIMITS).map(([name, value]) => `    ${name}: ${value}`);
    switchyard = await startSwitchyard({
      policies: {},
      config: ['grpc:', '  transport: fast', '  http2:', ...http2, ''].join('\n'),
    });
    address = `127.0.0.1:${switchyard.grpcPort}`;
    neighbour = new Neighbour(address, 20);
    while (neighbour.tookMs.length < 20) await new Promise((resolve) => setTimeout(resolve, 20));
    restingBytes = residentBytes();
  });
  after(async () => {
    await neighbour?.stop();
    await switchyard?.stop();
  });

  function residentBytes(): number {
    const status = readFileSync(`/proc/${switchyard.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1]) * 1024;
  }

  /** By reason. */
  async function closed(): Promise<ReadonlyMap<string, number>> {
    const { text } = await switchyard.admin('/metrics');
    const rows = text.matchAll(/^switchyard_connections_closed_total\{reason="(\w+)"\} (\d+)$/gmu);
    return new Map([...rows].map(([, reason, count]) => [reason as string, Number(count)]));
  }

  for (const row of ATTACKS)
    it(row.name, async () => {
      const before = await closed();
      const asked = neighbour.tookMs.length;
      const { over, codes } = await attack(row, address);
      assert.equal(over, row.connections, 'connections that are over');
      // A flood is written into a connection that is being closed: then the kernel may drop what we said last.
      const seen = codes.filter((code) => code !== undefined);
      assert.deepEqual([...new Set(seen)], seen.length === 0 ? [] : [row.code]);
      let counted = new Map<string, number>();
      // Those that were reset while we wrote are seen to be gone a moment later.
      for (let turn = 0; turn < 100; turn++) {
        const after = await closed();
        counted = new Map(
          [...after]
            .map(([reason, count]) => [reason, count - (before.get(reason) ?? 0)] as const)
            .filter(([, count]) => count > 0),
        );
        if ([...counted.values()].reduce((sum, count) => sum + count, 0) >= row.connections) break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.deepEqual(
        [...counted.keys()].filter((reason) => !row.reasons.includes(reason)),
        [],
        'reasons',
      );
      assert.equal(
        [...counted.values()].reduce((sum, count) => sum + count, 0),
        row.connections,
      );
      const grown = residentBytes() - restingBytes;
      assert.ok(grown < GROWN_BYTES_MAX, `${Math.round(grown / 2 ** 20)} MiB more`);
      // Nobody else has noticed.
      while (neighbour.tookMs.length === asked)
        await new Promise((resolve) => setTimeout(resolve, 5));
      assert.deepEqual(neighbour.failures, []);
    });

  it('50,000 exchanges that end by a half-close and a reset, as those of Envoy do, trip nothing', async () => {
    const before = await closed();
    const client = new RawClient(address);
    const block = callBlock(PROCESS);
    const hello = message(
      encodeProcessingRequest({
        requestHeaders: {
          headers: { headers: [{ key: ':path', rawValue: Buffer.from('/') }] },
          endOfStream: true,
        },
        protocolConfig: {
          requestBodyMode: 'FULL_DUPLEX_STREAMED',
          responseBodyMode: 'FULL_DUPLEX_STREAMED',
        },
      }),
    );
    await client.write(GREETING, windowUpdate(0, 2 ** 30));
    let answers = 0;
    for (let id = 1; id <= 100_000 && !client.over; id += 200) {
      const ids = Array.from({ length: 100 }, (_, at) => id + at * 2);
      await client.write(...ids.flatMap((one) => [headers(one, block), data(one, hello)]));
      // Envoy waits for its answer; the end of ours may cross its reset.
      await client.until((frames) =>
        frames.filter(({ type }) => type === TYPE.data).length >= 100 ? true : undefined,
      );
      answers += client.frames.splice(0).filter(({ type }) => type === TYPE.data).length;
      await client.write(
        ...ids.flatMap((one) => [data(one, Buffer.alloc(0), true), reset(one, 0)]),
      );
    }
    assert.equal(client.over, false);
    assert.equal(goawayOf(client.frames), undefined);
    assert.equal(answers, 50_000);
    assert.deepEqual(await closed(), before);
    client.destroy();
    assert.deepEqual(neighbour.failures, []);
  });

  it('peers that fill connectionsMax and say nothing give way to a newcomer, the oldest first', async () => {
    const before = (await closed()).get('evicted_half_open') ?? 0;
    const silent = Array.from({ length: 800 }, () => new RawClient(address));
    const newcomer = new Neighbour(address);
    try {
      await Promise.race(silent.map((client) => client.closed()));
      assert.equal(await newcomer.exchange(), undefined);
      assert.ok(((await closed()).get('evicted_half_open') ?? 0) - before >= 100);
      assert.deepEqual(neighbour.failures, []);
      assert.equal(await neighbour.exchange(), undefined);
    } finally {
      await newcomer.stop();
      for (const client of silent) client.destroy();
    }
  });

  it('a unary call whose message does not come is ended after unaryMs, and not before', async () => {
    const client = new RawClient(address);
    const begunAt = performance.now();
    await client.write(
      GREETING,
      headers(1, callBlock('/envoy.service.auth.v3.Authorization/Check')),
    );
    const status = await client.until((frames) =>
      frames.find(({ type, id }) => type === TYPE.headers && id === 1),
    );
    assert.match(status?.payload.toString('latin1') ?? '', /message_timeout/u);
    assert.ok(performance.now() - begunAt >= (ATTACKED_LIMITS.unaryMs ?? 0));
    assert.equal(client.over, false);
    client.destroy();
  });
});
