/** Golden sets gate every save (MISSION 26): what would block the harmless is not served, and says so. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chat } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { eventually, saveAndServe, statusOf, statusWhere } from './operator.ts';
import { writtenRecords } from './written-records.ts';

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

const lead = generateKeyPairSync('ed25519');
const FORGED = `signature: ${Buffer.alloc(64, 7).toString('base64')}`;
const CONFIG = `goldenOverrideKeys:
  - name: safety-lead
    publicKey: ${JSON.stringify(lead.publicKey.export({ type: 'spki', format: 'pem' }))}
`;

describe('golden sets beside policies', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({
      policies: { 'guard.yaml': policy('zebra'), 'golden.yaml': GOLDEN },
      config: CONFIG,
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

  /** What the directory holds, signed for by the command as its user runs it. */
  async function signed(...words: readonly string[]): Promise<string> {
    const { switchyard } = stack;
    const key = join(switchyard.directory, 'key.pem');
    const out = join(switchyard.directory, 'signed.yaml');
    await writeFile(key, lead.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const asked = ['--key', key, '--key-name', 'safety-lead', '--by', 'jane@acme.example'];
    const why = ['--reason', 'the holiday line has closed', '--for', '24h', '--out', out];
    const { code, output } = await switchyard.cli(
      ...['override', 'sign', switchyard.policyDirectory, ...asked, ...why, ...words],
    );
    assert.equal(code, 0, output);
    return readFile(out, 'utf8');
  }

  const refused = (code: string) =>
    statusWhere(stack.switchyard, `a refusal with ${code}`, ({ directory }) =>
      (directory?.errors ?? []).some((line) => line.includes(`: ${code}: `)),
    );

  it('let a save in that blocks the harmless when it is signed for, by who may, and that is on record', async () => {
    const { switchyard } = stack;
    await switchyard.save('golden.yaml', GOLDEN);
    await switchyard.save('guard.yaml', policy('bank'));
    await refused('golden_failed');

    const text = await signed('--case', 'guard/harmless');
    // By a key that is not the one it names.
    await switchyard.save('override.yaml', text.replace(/signature: .*/, FORGED));
    const { epoch, directory } = await refused('golden_override');
    assert.match(directory?.errors.join('\n') ?? '', /its signature is not one of the key/);
    assert.equal(await answered('What is a bank holiday?'), 200);
    await switchyard.save('override.yaml', text.replace('harmless', 'harmful'));
    await eventually('the other bytes to be read', async () => {
      const errors = (await statusOf(switchyard)).directory?.errors ?? [];
      return errors.length === 2 && errors[1]?.includes('its signature') ? errors : undefined;
    });
    await switchyard.save('override.yaml', text);
    const served = await statusWhere(
      switchyard,
      'the overridden set',
      (status) => status.epoch > epoch,
    );
    assert.deepEqual(served.directory?.errors, []);
    assert.equal(await answered('What is a bank holiday?'), 400);
    assert.equal(await answered('A giraffe'), 200);

    const { transitions } = writtenRecords(switchyard.dataDirectory);
    const written = transitions.filter(({ transition }) => transition === 'golden_override');
    assert.equal(written.length, 1);
    const [record] = written;
    const until = /until: (.*)/.exec(text)?.[1];
    assert.equal(record?.to, served.blue?.digest);
    assert.equal(record?.by, 'jane@acme.example');
    assert.equal(record?.reason, 'the holiday line has closed');
    assert.deepEqual(record?.evidence, {
      key: 'safety-lead',
      until,
      cases: 1,
      named: 'guard/harmless',
    });
    const next = transitions.find(({ seq }) => seq > record!.seq);
    assert.deepEqual([next?.transition, next?.to], ['activate', served.blue?.digest]);
    assert.match(switchyard.output(), /golden_overridden/);
    const [latest, before] = served.history;
    assert.deepEqual([latest?.kind, before?.kind], ['activate', 'golden_override']);
  });

  it('let nothing else in by the same words: another set, another case', async () => {
    const { switchyard } = stack;
    await switchyard.save('guard.yaml', policy('holiday'));
    const { directory } = await refused('golden_override');
    assert.match(directory?.errors.join('\n') ?? '', /it was signed for the set/);
    assert.equal(await answered('A holiday'), 200);
  });

  it('stay in force when they are protected, until somebody signs for their end', async () => {
    const { switchyard } = stack;
    const mended = GOLDEN.replace('cases:', 'protected: true\ncases:');
    await switchyard.save('golden.yaml', mended);
    const { epoch } = await saveAndServe(switchyard, 'guard.yaml', policy('lion'));
    // The case goes, and with it what it would have found.
    await switchyard.save('golden.yaml', mended.replace('allow', 'block'));
    await switchyard.save('guard.yaml', policy('holiday'));
    const { directory, epoch: still } = await refused('golden_lost');
    assert.match(directory?.errors.join('\n') ?? '', /`harmless` of `guard`, .* has changed/);
    assert.equal(still, epoch);
    assert.equal(await answered('What is a bank holiday?'), 200);

    const before = join(switchyard.directory, 'before');
    await mkdir(before);
    await writeFile(join(before, 'all.yaml'), `${policy('lion')}---\n${mended}`);
    const text = await signed('--case', 'guard/harmless', '--before', before);
    await switchyard.save('override.yaml', text);
    await statusWhere(switchyard, 'the overridden set', (status) => status.epoch > epoch);
    assert.equal(await answered('What is a bank holiday?'), 400);
  });
});
