/** What an operator says on the command line happens to the traffic behind a real Envoy (SEMANTICS §4, §5). */
import assert from 'node:assert/strict';
import { chat } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { send } from './http-client.ts';
import { ask, eventually, saveAndServe, statusOf, statusWhere } from './operator.ts';
import { writtenRecords } from './written-records.ts';

const refusing = (word: string, policyClass = 'security'): string => `kind: Policy
metadata: { name: guard, layer: platform }
class: ${policyClass}
rules:
  - { id: word, inspect: [request], match: { keywords: { words: [${word}] } }, then: block }
`;

/** A rollout that only an operator moves: its only stage is longer than the test. */
const ROLLOUT = `kind: Rollout
metadata: { name: slowly }
stages: [{ share: 10%, duration: 2h }]
`;

describe('an operator', function () {
  this.timeout(120_000);
  let stack: Stack;

  beforeEach(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: { 'guard.yaml': refusing('Zebra') } });
  });

  afterEach(() => stack?.stop());

  const statusFor = async (prompt: string): Promise<number> =>
    (await chat(stack.envoy.port, { prompt })).status;

  /** Runs a command that must succeed; returns the status after it. */
  async function told(...words: readonly string[]) {
    const { code, output } = await stack.switchyard.cli(...words);
    assert.equal(code, 0, `${words.join(' ')}: ${output}`);
    return statusOf(stack.switchyard);
  }

  /** Runs a command that the server must refuse; returns what it said. */
  async function refused(...words: readonly string[]): Promise<string> {
    const { code, output } = await stack.switchyard.cli(...words);
    assert.equal(code, 1, `${words.join(' ')}: ${output}`);
    return output;
  }

  it('moves a rollout; a save meanwhile waits, and has its turn afterwards', async () => {
    const { switchyard } = stack;
    const blue = await statusOf(switchyard);
    await switchyard.save('rollout.yaml', ROLLOUT);
    await switchyard.save('guard.yaml', refusing('Giraffe'));
    const begun = await statusWhere(
      switchyard,
      'the rollout',
      ({ rollout }) => rollout !== undefined,
    );
    assert.equal(begun.rollout?.sharePpm, 100_000);
    assert.equal(begun.blue?.digest, blue.blue?.digest);
    assert.equal(await statusFor('About Zebra'), 400);

    await switchyard.save('guard.yaml', refusing('Okapi'));
    const waiting = await statusWhere(
      switchyard,
      'the waiting save',
      (status) => status.waiting !== undefined,
    );
    assert.equal(waiting.green?.digest, begun.green?.digest);
    assert.equal(waiting.epoch, begun.epoch, 'what waits changes nothing that serves');
    const shown = await switchyard.cli('status');
    assert.match(shown.output, /^Waiting {4}sha256:[0-9a-f]{12} {2}saved during the rollout/mu);
    assert.ok(shown.output.includes(waiting.waiting?.digest.slice(0, 19) ?? '-'));

    const grown = await told('canary', '--share', '100%');
    assert.equal(grown.rollout?.sharePpm, 1_000_000);
    assert.ok(grown.epoch > waiting.epoch);
    const session = { 'x-session-id': 'one' };
    const canary = await chat(stack.envoy.port, { prompt: 'About Giraffe', headers: session });
    assert.equal(canary.status, 400);
    assert.equal(await statusFor('About Giraffe'), 200, 'no session: blue');

    const promoted = await told('promote');
    assert.equal(promoted.blue?.digest, begun.green?.digest);
    assert.equal(promoted.green?.digest, waiting.waiting?.digest, 'what waited is green now');
    assert.equal(promoted.waiting, undefined);
    assert.ok(promoted.epoch > grown.epoch);
    assert.equal(await statusFor('About Giraffe'), 400);

    const back = await told('rollback', '--reason', 'second thoughts');
    assert.equal(back.rollout, undefined);
    assert.equal(back.blue?.digest, promoted.blue?.digest);
    assert.ok(back.epoch > promoted.epoch);
    assert.equal(back.quarantined[0]?.digest, promoted.green?.digest);
    assert.match(back.history[0]?.reason ?? '', /second thoughts/u);
    assertEpochsGrew();
  });

  it('goes back to the set before, in a new epoch, and insists on the other one', async () => {
    const { switchyard } = stack;
    const zebra = await statusOf(switchyard);
    const giraffe = await saveAndServe(switchyard, 'guard.yaml', refusing('Giraffe'));
    const back = await told('rollback');
    assert.equal(back.blue?.digest, zebra.blue?.digest);
    assert.ok(back.epoch > giraffe.epoch);
    assert.equal(back.quarantined[0]?.digest, giraffe.blue?.digest);
    assert.equal(back.quarantined[0]?.reason, 'operator');
    assert.equal(await statusFor('About Zebra'), 400);
    assert.equal(await statusFor('About Giraffe'), 200);

    const digest = giraffe.blue?.digest ?? '';
    assert.match(await refused('activate', '--digest', digest), /rolled back/u);
    assert.match(await refused('promote'), /no rollout is running/u);
    const forced = await told('promote', '--force');
    assert.equal(forced.blue?.digest, digest);
    assert.deepEqual(forced.quarantined, []);
    assert.ok(forced.epoch > back.epoch);
    assert.equal(await statusFor('About Giraffe'), 400);

    const activated = await told('activate', '--digest', zebra.blue?.digest.slice(7, 19) ?? '');
    assert.equal(activated.blue?.digest, zebra.blue?.digest);
    assert.ok(activated.epoch > forced.epoch);
    assert.equal(await statusFor('About Zebra'), 400);
    assert.match(await refused('activate', '--digest', 'abcdef'), /no set/u);
    assertEpochsGrew();
  });

  it('serves an emergency set for a time, then the set before serves again', async () => {
    const { switchyard } = stack;
    const zebra = await statusOf(switchyard);
    const giraffe = await saveAndServe(switchyard, 'guard.yaml', refusing('Giraffe'));
    const digest = zebra.blue?.digest ?? '';
    const during = await told('activate', '--digest', digest, '--emergency', '--for', '2s');
    assert.equal(during.blue?.digest, digest);
    assert.equal(during.emergency?.digest, digest);
    assert.equal(await statusFor('About Zebra'), 400);
    const after = await statusWhere(
      switchyard,
      'the end of the emergency',
      ({ emergency }) => emergency === undefined,
    );
    assert.equal(after.blue?.digest, giraffe.blue?.digest);
    assert.ok(after.epoch > during.epoch);
    assert.equal(after.history[0]?.kind, 'emergency_expired');
    assert.equal(await statusFor('About Giraffe'), 400);
    assert.equal(await statusFor('About Zebra'), 200);
    assertEpochsGrew();
  });

  it('changes nothing over TCP', async () => {
    const before = await statusOf(stack.switchyard);
    for (const [name, body] of [
      ['rollback', '{}'],
      ['promote', '{"force":true}'],
      ['activate', '{}'],
      ['canary', '{"sharePpm":1000000}'],
    ] as const) {
      const answer = await send(stack.switchyard.adminPort, {
        path: `/v1/${name}`,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      assert.equal(answer.status, 403, `${name}: ${answer.text}`);
    }
    const rebound = await send(stack.switchyard.adminPort, {
      path: '/status',
      headers: { host: 'attacker.example' },
    });
    assert.ok(rebound.status >= 400 && !rebound.text.includes('sha256'), rebound.text);
    assert.deepEqual((await statusOf(stack.switchyard)).history, before.history);
  });

  it('cannot activate what a route declared open could not enforce', async () => {
    const { switchyard, envoy } = stack;
    const zebra = await statusOf(switchyard);
    const harmless = await saveAndServe(
      switchyard,
      'guard.yaml',
      refusing('Giraffe', 'operational'),
    );
    // The first exchange on the route teaches its stance.
    const open = await chat(envoy.port, { path: '/open/v1/chat/completions', prompt: 'Hello' });
    assert.equal(open.status, 200);

    await switchyard.save('guard.yaml', refusing('Okapi'));
    const { directory, blue } = await statusWhere(
      switchyard,
      'the refused save',
      (status) => (status.directory?.errors.length ?? 0) > 0,
    );
    assert.match(directory?.errors[0] ?? '', /^guard\.yaml:5:5: stance_conflict: .*`open`/u);
    assert.equal(blue?.digest, harmless.blue?.digest);

    // Neither by hand, a set from before the route was known.
    const digest = zebra.blue?.digest ?? '';
    assert.match(
      await refused('activate', '--digest', digest),
      /stance_conflict: rule `guard\/word` reaches route `open`/u,
    );
    for (const [name, body] of [
      ['activate', { digest, emergency: true }],
      ['canary', { digest, sharePpm: 100_000 }],
    ] as const) {
      const reply = await ask(switchyard, name, body);
      assert.equal(reply.status, 409, JSON.stringify(reply.body));
      assert.match(JSON.stringify(reply.body), /stance_conflict.*route `open`/u);
    }
    assert.equal((await statusOf(switchyard)).blue?.digest, harmless.blue?.digest);

    const selective = refusing('Okapi').replace(
      'layer: platform',
      'layer: tenant, selector: { tenant: default }',
    );
    await switchyard.save('guard.yaml', selective);
    await eventually(
      'the save that leaves the route out',
      async () => (await statusFor('About Okapi')) === 400 || undefined,
    );
    const passed = await chat(envoy.port, {
      path: '/open/v1/chat/completions',
      prompt: 'About Okapi',
    });
    assert.equal(passed.status, 200);
  });

  /** In the order in which they were written, none twice; a note about what serves stays in its epoch. */
  function assertEpochsGrew(): void {
    const notes = ['waiting', 'watch_ended'];
    const epochs = writtenRecords(stack.switchyard.dataDirectory)
      .transitions.filter(({ transition }) => !notes.includes(transition))
      .map(({ epoch }) => epoch);
    assert.ok(epochs.length > 2);
    for (const [index, epoch] of epochs.entries())
      assert.ok(index === 0 || epoch > (epochs[index - 1] ?? 0), epochs.join(' '));
  }
});
