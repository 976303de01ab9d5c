/**
 * What conditions read beside the request, through Envoy: the same prompt on a normal day and under attack
 * (MISSION row 108), each with what the record says of it.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DecisionRecord } from '../../src/audit/record.ts';
import { chat } from './chat.ts';
import {
  requireEnvoy,
  type Stack,
  startStack,
  startSwitchyard,
  temporaryDirectory,
} from './harness.ts';
import { send } from './http-client.ts';
import { eventually, ask as operate, statusOf, statusWhere } from './operator.ts';
import { writtenRecords } from './written-records.ts';

const POLICY = `kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: strict, when: 'posture == "attack"', inspect: [request], match: { keywords: { words: [Zebra] } }, then: block }
  - { id: loans, class: operational, inspect: [request], match: { topic: { name: loans, threshold: 0.5, terms: { mortgage: 0.9 } } }, then: flag }
  - { id: risky, when: 'risk > 0.8', inspect: [request], match: { keywords: { words: [Okapi] } }, then: block }
  - { id: busy, when: 'load > 0.5', inspect: [request], match: { keywords: { words: [Tapir] } }, then: block }
  - { id: listed, when: 'source.ip in feed["bad-ips"]', inspect: [request], match: { keywords: { words: [Quagga] } }, then: block }
  - { id: after-loans, when: 'session.topic == "loans"', inspect: [request], match: { keywords: { words: [Giraffe] } }, then: block }
`;

const HELD_BYTES_MAX = 100_000;
const NOBODY = '# nobody\n';

describe('the surroundings of a request behind Envoy', function () {
  this.timeout(60_000);
  let stack: Stack;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let feedFile: string;

  before(async function () {
    requireEnvoy(this);
    directory = await temporaryDirectory();
    feedFile = join(directory.path, 'bad-ips.txt');
    await writeFile(feedFile, NOBODY);
    stack = await startStack({
      policies: { 'guard.yaml': POLICY },
      config: `facts:
  risk: [{ from: header, name: x-risk, trusted: true }, { from: map, entries: [{ value: "0.1" }] }]
feeds: [{ name: bad-ips, kind: networks, file: ${feedFile} }]
limits: { heldBytesTotalMax: ${HELD_BYTES_MAX} }
`,
    });
  });

  after(async () => {
    await stack?.stop();
    await directory?.remove();
  });

  const ask = async (prompt: string, headers: Readonly<Record<string, string>> = {}) =>
    (await chat(stack.envoy.port, { prompt, headers })).status;

  /** The last record in which conditions were told something, once it has been written. */
  const told = (wanted: (record: DecisionRecord) => boolean): Promise<DecisionRecord> =>
    eventually('its record', async () =>
      writtenRecords(stack.switchyard.dataDirectory).decisions.findLast(wanted),
    );

  it('are a posture that the operator sets and lifts, and nobody else', async () => {
    assert.equal(await ask('About Zebra'), 200);
    const done = await stack.switchyard.cli('posture', 'set', 'attack', '--for', '2h');
    assert.equal(done.code, 0, done.output);
    assert.match(done.output, /the posture is attack until .* \(version 1\)/);
    assert.equal(await ask('About Zebra'), 400);
    assert.equal(await ask('About Zebra', { 'x-posture': 'normal', posture: 'normal' }), 400);
    assert.match((await stack.switchyard.admin('/status?format=text')).text, /Posture +attack/);
    const { surroundings } = await told(({ code }) => code === 'policy');
    assert.deepEqual([surroundings?.posture, surroundings?.postureVersion], ['attack', 1]);
    assert.equal((await operate(stack.switchyard, 'posture', { posture: 'normal' })).status, 200);
    assert.equal(await ask('About Zebra', { 'x-posture': 'attack', posture: 'attack' }), 200);
    const { transitions } = writtenRecords(stack.switchyard.dataDirectory);
    assert.deepEqual(
      transitions
        .filter(({ transition }) => transition === 'posture')
        .map(({ from, to }) => `${from} ${to}`),
      ['normal attack', 'attack normal'],
    );
  });

  it('are a risk that a trusted hop has scored, and no other', async () => {
    for (const [risk, status] of [
      ['0.81', 400],
      ['0.8', 200],
      ['0', 200],
    ] as const)
      assert.equal(await ask('About Okapi', { 'x-risk': risk }), status, risk);
    assert.equal(await ask('About Okapi', { 'x-risk-score': '0.9', risk: '0.9' }), 200);
    // A value that is none is not guessed at: the rule cannot be judged, and its class refuses.
    assert.equal(await ask('About nothing', { 'x-risk': '85' }), 503);
    const { factFaults, errors } = await told((record) => record.factFaults !== undefined);
    assert.deepEqual(factFaults, ['risk']);
    assert.deepEqual(errors, [{ rule: 'guard/risky', error: 'condition_failed' }]);
  });

  it('are how busy the server is', async () => {
    assert.equal(await ask('About Tapir'), 200);
    // Holds most of what may be held, until the rest of its body comes.
    const filler = 'x'.repeat(0.8 * HELD_BYTES_MAX);
    const body = JSON.stringify({ model: 'demo', messages: [{ role: 'user', content: filler }] });
    const slow = send(stack.envoy.port, {
      path: '/v1/chat/completions',
      headers: { 'content-type': 'application/json' },
      pieces: [body.slice(0, -10), body.slice(-10)],
      delayMs: 6_000,
    });
    await eventually('the load', async () =>
      (await ask('About Tapir')) === 400 ? true : undefined,
    );
    const { surroundings } = await told(({ code }) => code === 'policy');
    assert.ok((surroundings?.load ?? 0) > 0.5, JSON.stringify(surroundings));
    assert.ok(((await statusOf(stack.switchyard)).load ?? 0) > 0.5);
    assert.equal((await slow).status, 200);
    await eventually('its end', async () =>
      (await ask('About Tapir')) === 200 ? true : undefined,
    );
  });

  it('are a list that somebody else keeps, in its last version that was whole', async () => {
    assert.equal(await ask('About Quagga'), 200);
    await writeFile(feedFile, '# an attack\n127.0.0.0/8\n');
    await eventually('the feed', async () =>
      (await ask('About Quagga')) === 400 ? true : undefined,
    );
    assert.equal(await ask('About Quagga', { 'x-forwarded-for': '192.0.2.1' }), 400);
    const { surroundings } = await told(({ code }) => code === 'policy');
    const { feeds } = await statusOf(stack.switchyard);
    assert.deepEqual(surroundings?.feeds, { 'bad-ips': feeds?.[0]?.digest });
    await writeFile(feedFile, '127.0.0.0/8\nno network\n');
    await statusWhere(stack.switchyard, 'what is wrong', (status) =>
      /entry 2 is no address/.test(status.feeds?.[0]?.fault ?? ''),
    );
    assert.equal(await ask('About Quagga'), 400);
    const page = (await stack.switchyard.admin('/status?format=text')).text;
    assert.match(page, /bad-ips {2}1 entry.*\n +THE LAST DOCUMENT WAS NOT TAKEN/);
    await writeFile(feedFile, NOBODY);
    await eventually('its end', async () =>
      (await ask('About Quagga')) === 200 ? true : undefined,
    );
    assert.equal(await ask('About Quagga', { 'x-forwarded-for': '127.0.0.1' }), 200);
  });

  it('are a posture that ends by itself', async () => {
    const attack = { posture: 'attack', forMs: 2_000 };
    assert.equal((await operate(stack.switchyard, 'posture', attack)).status, 200);
    assert.equal(await ask('About Zebra'), 400);
    await eventually('its end', async () =>
      (await ask('About Zebra')) === 200 ? true : undefined,
    );
  });

  it('are what the session has shown in an earlier turn', async () => {
    const [ann, bob] = [{ 'x-session-id': 'ann' }, { 'x-session-id': 'bob' }];
    assert.equal(await ask('About Giraffe', ann), 200);
    assert.equal(await ask('I want a mortgage', ann), 200);
    await eventually('the end of that turn', async () =>
      (await ask('About Giraffe', ann)) === 400 ? true : undefined,
    );
    assert.equal(await ask('About Giraffe', bob), 200);
    const { surroundings } = await told(({ code }) => code === 'policy');
    assert.deepEqual(surroundings?.session, {
      topic: 'loans',
      topics: ['loans'],
      flags: ['guard/loans'],
      injection: 0,
    });
  });
});

describe('the posture', function () {
  this.timeout(60_000);

  it('survives a restart', async () => {
    const directory = await temporaryDirectory();
    try {
      const policies = { 'guard.yaml': POLICY };
      const before = await startSwitchyard({ policies, directory: directory.path });
      const attack = { posture: 'attack', forMs: 3_600_000, reason: 'a flood' };
      assert.equal((await operate(before, 'posture', attack)).status, 200);
      const { posture } = await statusOf(before);
      await before.stop();
      const after = await startSwitchyard({ policies, directory: directory.path });
      assert.equal(posture?.posture, 'attack');
      assert.deepEqual((await statusOf(after)).posture, posture);
      await after.stop();
    } finally {
      await directory.remove();
    }
  });
});
