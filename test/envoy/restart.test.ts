/** What serves after a stop, a crash, a broken directory or a rollback (SEMANTICS §4). */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlStatus } from '../../src/engine/control.ts';
import { chat } from './chat.ts';
import {
  type Envoy,
  requireEnvoy,
  type Switchyard,
  startEnvoy,
  startSwitchyard,
  startUpstream,
} from './harness.ts';
import { eventually, saveAndServe, statusOf, statusWhere } from './operator.ts';
import { writtenRecords } from './written-records.ts';

const refusing = (word: string, name = 'guard'): string => `kind: Policy
metadata: { name: ${name}, layer: platform }
class: security
rules:
  - { id: ${name}-word, inspect: [request], match: { keywords: { words: [${word}] } }, then: block }
`;

/** Compiles, and fails on every exchange: no header of that name is trusted. */
const FAILING = `kind: Policy
metadata: { name: guard, layer: platform }
class: operational
rules:
  - { id: fails, when: 'headers["x-never-there"] == "yes"', then: block }
`;

const BROKEN = 'kind: Policy\nrules: [a\nmore: b\n';

describe('a restart behind a running Envoy', function () {
  this.timeout(120_000);
  let directory: string;
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  let envoy: Envoy | undefined;
  let server: Switchyard | undefined;

  before(async function () {
    requireEnvoy(this);
    upstream = await startUpstream();
  });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'switchyard-restart-'));
  });

  afterEach(async () => {
    await envoy?.stop();
    await server?.stop();
    envoy = undefined;
    server = undefined;
    await rm(directory, { recursive: true, force: true });
  });

  after(() => upstream?.stop());

  async function start(policies: Readonly<Record<string, string>>): Promise<Switchyard> {
    const grpcPort = server?.grpcPort;
    server = await startSwitchyard({ policies, directory, ...(grpcPort && { grpcPort }) });
    envoy ??= await startEnvoy({
      switchyard: [{ port: server.grpcPort }],
      upstream: { port: upstream.port },
    });
    return server;
  }

  /** After a restart Envoy needs a moment to see that somebody listens again. */
  const answers = (prompt: string, status: number) =>
    eventually(`${status} to \`${prompt}\``, async () => {
      const answer = await chat(envoy?.port ?? 0, { prompt });
      return answer.status === status ? answer : undefined;
    });

  it('and another save leave a rolled-back file out, and status names it', async () => {
    const first = await start({ 'guard.yaml': refusing('Zebra') });
    const good = await statusOf(first);
    const bad = await saveAndServe(first, 'guard.yaml', FAILING);
    const rolledBack = await eventually('the automatic rollback', async () => {
      await chat(envoy?.port ?? 0, { prompt: 'Hello' });
      const status = await statusOf(first);
      return status.quarantined.length > 0 ? status : undefined;
    });
    const assertStays = async (status: ControlStatus): Promise<void> => {
      assert.deepEqual(
        status.quarantined.map(({ file, digest, reason }) => ({ file, digest, reason })),
        [{ file: 'guard.yaml', digest: bad.blue?.digest, reason: 'automatic' }],
      );
      await answers('About Zebra', 400);
      await answers('Hello', 200);
    };
    assert.equal(rolledBack.blue?.digest, good.blue?.digest);
    assert.ok(rolledBack.epoch > bad.epoch, 'a rollback is a new epoch');
    await assertStays(rolledBack);

    await first.stop();
    const second = await start({});
    const restarted = await statusOf(second);
    assert.equal(restarted.blue?.digest, good.blue?.digest);
    assert.equal(restarted.epoch, rolledBack.epoch);
    await assertStays(restarted);

    // Another file is saved, beside the one that must not come back.
    const other = await saveAndServe(second, 'other.yaml', refusing('Giraffe', 'other'));
    await answers('About Giraffe', 400);
    await assertStays(other);
    const { code, output } = await second.cli('status');
    assert.equal(code, 0, output);
    assert.ok(output.includes(bad.blue?.digest.slice(0, 19) ?? '-'), output);

    // Other bytes under the same name are not what was rolled back.
    await saveAndServe(second, 'guard.yaml', refusing('Okapi'));
    await answers('About Okapi', 400);
    await answers('About Giraffe', 400);
    await answers('About Zebra', 200);
  });

  it('with a broken directory serves what was last good', async () => {
    const first = await start({ 'guard.yaml': refusing('Zebra') });
    const good = await statusOf(first);
    await answers('About Zebra', 400);
    await first.stop();
    const second = await start({ 'guard.yaml': BROKEN });
    const status = await statusOf(second);
    assert.equal(status.health, 'SERVING');
    assert.equal(status.blue?.digest, good.blue?.digest);
    assert.equal(status.epoch, good.epoch);
    assert.match(status.directory?.errors[0] ?? '', /^guard\.yaml:3:1: yaml_syntax: /u);
    await answers('About Zebra', 400);
    await answers('Hello', 200);
  });

  it('with nothing good to serve refuses in our own words, until a save is good', async () => {
    const first = await start({ 'guard.yaml': BROKEN });
    const status = await statusOf(first);
    assert.equal(status.health, 'NOT_SERVING');
    assert.equal(status.blue, undefined);
    assert.equal((await first.admin('/readyz')).status, 503);
    const { code, output } = await first.cli('status');
    assert.equal(code, 0, output);
    assert.match(output, /NOT_SERVING/u);
    assert.match(output, /guard\.yaml:3:1: yaml_syntax: /u);
    upstream.clearJournal();
    for (const stream of [false, true]) {
      const answer = await chat(envoy?.port ?? 0, { prompt: 'Hello', stream });
      assert.equal(answer.status, 503);
      const { error } = JSON.parse(answer.text) as { error: Record<string, unknown> };
      assert.equal(error.code, 'no_policy_set');
      assert.equal(typeof error.message, 'string');
      assert.equal(answer.headers['x-should-retry'], 'false');
    }
    assert.equal(upstream.journal.length, 0);
    const unhealthy = await eventually('the failing health check', async () => {
      const healthy = (await envoy?.stat('cluster.switchyard.membership_healthy')) ?? -1;
      return healthy === 0 || undefined;
    });
    assert.ok(unhealthy);
    await first.save('guard.yaml', refusing('Zebra'));
    await answers('About Zebra', 400);
    await answers('Hello', 200);
    await eventually('health', async () =>
      (await envoy?.stat('cluster.switchyard.membership_healthy')) === 1 ? true : undefined,
    );
  });

  it('after SIGKILL in the middle of saves serves a whole set, in no older epoch', async () => {
    const always = { 'always.yaml': refusing('Zebra', 'always') };
    let current = await start({ ...always, 'guard.yaml': refusing('Needle0') });
    let saves = 0;
    let epochBefore = 0;
    const setOfEpoch = new Map<number, string>();
    for (let kill = 0; kill < KILLS; kill++) {
      const dying = current;
      let isOver = false;
      const saving = (async () => {
        for (; !isOver; saves++) {
          await dying.save('guard.yaml', refusing(`Needle${saves + 1}`));
          await sleep(5 + ((saves * 37) % 160));
        }
      })();
      const started = await statusOf(dying);
      await statusWhere(dying, 'a save', ({ epoch }) => epoch > started.epoch);
      // From one kill to the next, further along the way of a save.
      await sleep((kill * 23) % 230);
      dying.signal('SIGKILL');
      await dying.exited;
      isOver = true;
      await saving;
      const { decisions, transitions } = writtenRecords(dying.dataDirectory);
      for (const { epoch } of [...decisions, ...transitions])
        epochBefore = Math.max(epochBefore, epoch);

      current = await start({});
      const status = await statusOf(current);
      assert.equal(status.health, 'SERVING');
      assert.ok(status.epoch >= epochBefore, `epoch ${status.epoch} after ${epochBefore}`);
      assert.match(status.blue?.digest ?? '', /^sha256:[0-9a-f]{64}$/u);
      assert.equal(status.blue?.policies.length, 2);
      await answers('About Zebra', 400);
      await answers('Hello', 200);
    }
    // The last save decides in the end, whatever happened on the way.
    await answers(`About Needle${saves}`, 400);
    for (const { epoch, set } of writtenRecords(current.dataDirectory).decisions) {
      assert.equal(setOfEpoch.get(epoch) ?? set, set, `epoch ${epoch} served two sets`);
      setOfEpoch.set(epoch, set);
    }
    console.log(`      ${KILLS} kills in ${saves} saves, up to epoch ${epochBefore}`);
  });
});

const KILLS = 10;
