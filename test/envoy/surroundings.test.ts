/**
 * What conditions read beside the request, through Envoy: the same prompt on a normal day and under attack
 * (MISSION row 108), each with what the record says of it.
 */
import assert from 'node:assert/strict';
import type { DecisionRecord } from '../../src/audit/record.ts';
import { chat } from './chat.ts';
import {
  requireEnvoy,
  type Stack,
  startStack,
  startSwitchyard,
  temporaryDirectory,
} from './harness.ts';
import { eventually, statusOf } from './operator.ts';
import { writtenRecords } from './written-records.ts';

const POLICY = `kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: strict, when: 'posture == "attack"', inspect: [request], match: { keywords: { words: [Zebra] } }, then: block }
  - { id: loans, class: operational, inspect: [request], match: { topic: { name: loans, threshold: 0.5, terms: { mortgage: 0.9 } } }, then: flag }
  - { id: after-loans, when: 'session.topic == "loans"', inspect: [request], match: { keywords: { words: [Giraffe] } }, then: block }
`;

describe('the surroundings of a request behind Envoy', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: { 'guard.yaml': POLICY } });
  });

  after(() => stack?.stop());

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
    assert.equal((await stack.switchyard.cli('posture', 'set', 'normal')).code, 0);
    assert.equal(await ask('About Zebra', { 'x-posture': 'attack', posture: 'attack' }), 200);
    const { transitions } = writtenRecords(stack.switchyard.dataDirectory);
    assert.deepEqual(
      transitions
        .filter(({ transition }) => transition === 'posture')
        .map(({ from, to }) => `${from} ${to}`),
      ['normal attack', 'attack normal'],
    );
  });

  it('are a posture that ends by itself', async () => {
    const { cli } = stack.switchyard;
    assert.equal((await cli('posture', 'set', 'attack', '--for', '2s')).code, 0);
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
      const set = ['posture', 'set', 'attack', '--for', '1h', '--reason', 'a flood'];
      assert.equal((await before.cli(...set)).code, 0);
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
