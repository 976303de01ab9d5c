/** A rule that cannot be evaluated is taken out of service: it alone, and visibly. */
import assert from 'node:assert/strict';
import type { DecisionRecord } from '../../src/audit/record.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import {
  type Client,
  decisionsIn,
  exchangesOf,
  keepAliveClient,
  recordsOf,
  statusOf,
  until,
} from './sessions.ts';

/** Two rules that fail for a header that is no number, each for its own; `kept` makes another set. */
const policies = (kept = 'first') => `
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: strict, when: '"x-strict" in headers && int(headers["x-strict"]) > 100', then: block }
---
kind: Policy
metadata: { name: style, layer: platform }
class: operational
rules:
  - { id: easy, when: '"x-easy" in headers && int(headers["x-easy"]) > 100', then: block }
  - { id: ${kept}, inspect: [request], match: { keywords: { words: [zzz] } }, then: flag }
`;

describe('breakers through Envoy', function () {
  this.timeout(60_000);
  let stack: Stack;
  let client: Client;
  let sessions = 0;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({
      policies: { 'guard.yaml': policies() },
      config: 'trustedHeaders: [x-strict, x-easy]\n',
      args: ['--log-level', 'error'],
    });
    client = keepAliveClient(stack.envoy.port, 4);
  });
  after(async () => {
    client?.close();
    await stack?.stop();
  });

  /** Asks from an address and in a session of its own, since one client can open no breaker. */
  async function ask(headers: Readonly<Record<string, string>> = {}, from?: string) {
    const known = new Set((await decided()).map((record) => record.exchange));
    const number = sessions++;
    const own = `127.0.${1 + (number >> 7)}.${1 + (number & 127)}`;
    const session = `s${number}`;
    const answer = await client.ask({ session, prompt: 'hello', headers, from: from ?? own });
    const records = await until('the record is written', async () => {
      const fresh = (await decided()).filter((record) => !known.has(record.exchange));
      const ended = fresh.some((r) => r.kind === 'process' || r.verdict !== 'allow');
      return ended ? fresh : undefined;
    });
    return { ...answer, records };
  }
  const decided = async (): Promise<readonly DecisionRecord[]> =>
    decisionsIn(await recordsOf(stack.switchyard));
  const open = async (): Promise<readonly string[]> =>
    (await statusOf(stack.switchyard)).breakers.map(({ rule, state }) => `${rule} ${state}`);

  it('of one client stay closed, whatever names it gives to its sessions', async () => {
    for (let i = 0; i < 12; i++)
      assert.equal((await ask({ 'x-easy': 'ten' }, '127.0.0.1')).status, 200);
    assert.deepEqual(await open(), []);
  });

  it('of an operational rule: it passes, degraded, and the record names it', async () => {
    const first = await ask({ 'x-easy': 'ten' });
    assert.equal(first.status, 200);
    assert.ok(first.records.every((record) => record.degraded));
    assert.deepEqual(first.records.at(-1)?.errors, [
      { rule: 'style/easy', error: 'condition_failed' },
    ]);
    for (let i = 0; i < 5; i++) assert.equal((await ask({ 'x-easy': 'ten' })).status, 200);
    assert.deepEqual(await open(), ['style/easy open']);
    const skipped = await ask();
    assert.equal(skipped.status, 200);
    for (const record of skipped.records) {
      assert.equal(record.degraded, true);
      assert.deepEqual(record.breakers, ['style/easy']);
    }
  });

  it('of a security rule: it refuses with its own code, and opens no other', async () => {
    for (let i = 0; i < 5; i++) {
      const failed = await ask({ 'x-strict': 'ten' });
      assert.equal(failed.status, 503);
      assert.equal(JSON.parse(failed.text).error.code, 'rule_error');
    }
    const skipped = await ask();
    assert.equal(skipped.status, 503);
    assert.equal(JSON.parse(skipped.text).error.code, 'breaker_open');
    assert.equal(skipped.records.at(-1)?.code, 'breaker_open');
    assert.ok(skipped.records.at(-1)?.breakers.includes('guard/strict'));
    // That of the other test may be half open by now.
    const others = (await open()).filter((breaker) => !breaker.startsWith('style/easy '));
    assert.deepEqual(others, ['guard/strict open']);
  });

  it('close when the probes of a healthy rule succeed', async () => {
    await until('a probe is let through', async () => {
      const { status } = await client.ask({ session: `s${sessions++}`, prompt: 'hello' });
      return status === 200 ? status : undefined;
    });
    await until('both are closed', async () => {
      await client.ask({ session: `s${sessions++}`, prompt: 'hello' });
      return (await open()).length === 0 ? true : undefined;
    });
    const healthy = await ask();
    assert.equal(healthy.status, 200);
    assert.ok(healthy.records.every((r) => !r.degraded && r.breakers.length === 0));
    assert.equal((await ask({ 'x-strict': '101' })).status, 400);
  });

  it('are of one set: the same rule of another set is evaluated', async () => {
    for (let i = 0; i < 5; i++) await ask({ 'x-strict': 'ten' });
    assert.equal((await ask()).status, 503);
    const before = (await statusOf(stack.switchyard)).blue?.digest;
    await stack.switchyard.save('guard.yaml', policies('second'));
    const after = await until('the other set serves', async () => {
      const digest = (await statusOf(stack.switchyard)).blue?.digest;
      return digest === before ? undefined : digest;
    });
    assert.equal((await ask()).status, 200);
    assert.ok(exchangesOf(after, await decided()) >= 1);
  });
});
