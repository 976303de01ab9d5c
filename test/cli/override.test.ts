/** `switchyard override sign`, and what `switchyard test` makes of it. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readFlat, runCommand } from './in-process.ts';

const POLICY = `kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: word, inspect: [request], match: { keywords: { words: [bank] } }, then: block }
`;
const CASE = '{ name: holiday, request: { user: A bank holiday }, expect: { then: allow } }';
const OTHER = '{ name: other, request: { user: A zebra }, expect: { then: allow } }';
const golden = (cases: readonly string[], more = '') =>
  `kind: GoldenSet\npolicy: guard\n${more}cases:\n${cases.map((one) => `  - ${one}\n`).join('')}`;

describe('switchyard override sign', () => {
  const keys = generateKeyPairSync('ed25519');
  let root: string;
  let policies: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'sy-override-'));
    policies = join(root, 'policies');
    mkdirSync(policies);
    save('guard.yaml', POLICY);
    save('golden.yaml', golden([CASE, OTHER]));
    writeFileSync(join(root, 'key.pem'), keys.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const publicKey = keys.publicKey.export({ type: 'spki', format: 'pem' });
    const configuration = { goldenOverrideKeys: [{ name: 'lead', publicKey }] };
    writeFileSync(join(root, 'server.yaml'), JSON.stringify(configuration));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const save = (name: string, text: string) => writeFileSync(join(policies, name), text);

  const run = (...words: readonly string[]) => runCommand(words, { readPolicies: readFlat });

  const sign = (...words: readonly string[]) =>
    run(
      ...['override', 'sign', policies, '--key', join(root, 'key.pem'), '--key-name', 'lead'],
      ...['--by', 'jane@acme.example', '--reason', 'closed', '--for', '24h', ...words],
    );

  it('signs for what it is told to, and the pipeline with the key takes it and says so', async () => {
    const { code, out, err } = await sign('--case', 'guard/holiday');
    assert.deepEqual([code, err], [0, '']);
    const { kind, cases, by, reason, until } = parse(out);
    assert.deepEqual([kind, by, reason], ['GoldenOverride', 'jane@acme.example', 'closed']);
    assert.deepEqual(
      cases.map(({ policy, name }: { policy: string; name: string }) => `${policy}/${name}`),
      ['guard/holiday'],
    );
    const lastsMs = Date.parse(until) - Date.now();
    assert.ok(lastsMs > 23 * 3_600_000 && lastsMs <= 24 * 3_600_000, until);
    assert.equal((await run('test', policies)).code, 1);
    save('override.yaml', out);
    const config = join(root, 'server.yaml');
    const known = await run('test', policies, '--config', config, '--stage', 'all');
    assert.deepEqual([known.code, known.err], [0, '']);
    assert.match(
      known.out,
      /^coverage: .*\ncase `guard\/holiday` is overridden by jane@acme\.example until .*\n2 passed, 0 failed\nslow stage: 2 passed, 0 failed\n$/,
    );
    const unknown = await run('test', policies);
    assert.equal(unknown.code, 1);
    assert.match(unknown.out, /golden_override: no key `lead` is among/);
    assert.match(unknown.out, /\n1 passed, 1 failed\n$/);
  });

  it('signs for nothing that was not named, and for nothing that holds', async () => {
    const silent = await sign();
    assert.deepEqual([silent.code, silent.out], [1, '']);
    assert.match(silent.err, /golden_failed: case `holiday`/);
    assert.match(silent.err, /nothing was signed; .* add --case 'guard\/holiday'/);
    const holds = await sign('--case', 'guard/holiday', '--case', 'guard/other');
    assert.deepEqual([holds.code, holds.out], [2, '']);
    assert.match(holds.err, /`guard\/other`: it holds, and needs no override/);
    assert.match((await sign('--case', 'guard/none')).err, /`guard\/none`: there is no such case/);
    save('golden.yaml', golden([OTHER]));
    assert.match((await sign()).err, /every case holds: there is nothing to sign for/);
  });

  it('signs for protected cases that are gone', async () => {
    const before = join(root, 'before');
    mkdirSync(before);
    writeFileSync(join(before, 'guard.yaml'), POLICY.replace('[bank]', '[lion]'));
    writeFileSync(join(before, 'golden.yaml'), golden([CASE, OTHER], 'protected: true\n'));
    save('golden.yaml', golden([OTHER], 'protected: true\n'));
    const silent = await sign('--before', before);
    assert.equal(silent.code, 1);
    assert.match(silent.err, /golden_lost: the protected case `holiday` of `guard`, .* is gone/);
    assert.equal((await sign('--before', before, '--case', 'guard/holiday')).code, 0);
  });

  it('says what is wrong with a key, a time, a name, a file, and never shows a key', async () => {
    const named = ['--case', 'guard/holiday'];
    assert.match((await sign(...named, '--for', '31d')).err, /30 days is the most/);
    for (const words of [
      ['--by', 'two words'],
      ['--reason', 'two\nlines'],
      ['--key', join(root, 'none.pem')],
      ['--out', join(root, 'no', 'such')],
    ])
      assert.equal((await sign(...named, ...words)).code, 2, words.join(' '));
    const bad = join(root, 'bad.pem');
    writeFileSync(bad, '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n');
    const { code, err } = await sign(...named, '--key', bad);
    assert.equal(code, 2);
    assert.match(err, /no private Ed25519 key in PEM/);
    assert.ok(!err.includes('c2VjcmV0'));
    const out = join(root, 'written.yaml');
    assert.equal((await sign(...named, '--out', out)).out, '');
    assert.match(readFileSync(out, 'utf8'), /^kind: GoldenOverride\n/);
  });
});
