/** Golden sets gate every save (MISSION 26): what would block the harmless is not served, and says so. */
import assert from 'node:assert/strict';
import { chat } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { saveAndServe, statusOf, statusWhere } from './operator.ts';

const policy = (word: string) => `kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: word, inspect: [request], match: { keywords: { words: [${word}] } }, then: block }
`;

const GOLDEN = `kind: GoldenSet
policy: guard
cases:
  - { name: harmless, request: { user: What is a bank holiday? }, expect: { then: allow } }
`;

describe('golden sets beside policies', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({
      policies: { 'guard.yaml': policy('zebra'), 'golden.yaml': GOLDEN },
    });
  });
  after(() => stack?.stop());

  const answered = async (prompt: string) => (await chat(stack.envoy.port, { prompt })).status;

  it('keep a save out that blocks what they say is harmless; what served serves on', async () => {
    const { switchyard } = stack;
    const before = await statusOf(switchyard);
    await switchyard.save('guard.yaml', policy('bank'));
    const { blue, epoch, directory } = await statusWhere(
      switchyard,
      'the refusal of the save',
      (status) => (status.directory?.errors.length ?? 0) > 0,
    );
    assert.deepEqual(directory?.errors, [
      'golden.yaml:4:5: golden_failed: case `harmless`: expected `allow`, but `guard/word` refused it; change the policy or the case',
    ]);
    assert.equal(epoch, before.epoch);
    assert.equal(blue?.digest, before.blue?.digest);
    assert.equal(await answered('What is a bank holiday?'), 200);
    assert.equal(await answered('A zebra'), 400);
  });

  it('let the mended save in, and start nothing when only they change', async () => {
    const { switchyard } = stack;
    const served = await saveAndServe(switchyard, 'guard.yaml', policy('giraffe'));
    assert.deepEqual(served.directory?.errors, []);
    assert.equal(await answered('A giraffe'), 400);
    const { lastReadMs = 0 } = (await statusOf(switchyard)).directory ?? {};
    await switchyard.save('golden.yaml', GOLDEN.replace('harmless', 'a holiday'));
    const again = await statusWhere(
      switchyard,
      'the reading of the golden set',
      (status) => (status.directory?.lastReadMs ?? 0) > lastReadMs,
    );
    assert.equal(again.epoch, served.epoch);
    assert.deepEqual(again.directory?.errors, []);
  });
});
