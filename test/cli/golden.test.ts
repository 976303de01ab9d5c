/** `switchyard test`, by its exit code and what it writes. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Check } from 'typebox/value';
import { parse } from 'yaml';
import { runCommand } from './in-process.ts';

const POLICY = `kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
  - { id: zebra, inspect: [request], match: { keywords: { words: [zebra] } }, then: block }
  - { id: lion, inspect: [request], match: { keywords: { words: [lion] } }, then: block }
`;
const golden = (cases: readonly string[]) =>
  `kind: GoldenSet\npolicy: p\ncases:\n${cases.map((one) => `  - ${one}\n`).join('')}`;
const HOLDS =
  '{ name: "a <b> & \\"c\\"", request: { user: zebra }, expect: { then: block, rule: zebra } }';
const FAILS = '{ name: fails, request: { user: <tiger> }, expect: { then: block } }';

describe('switchyard test, lint and schema', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'sy-'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  async function run(cases: readonly string[], ...words: readonly string[]) {
    return runWords(cases, ['test', 'policies', ...words]);
  }

  async function runWords(cases: readonly string[], words: readonly string[]) {
    const files = [
      { path: 'p.yaml', text: POLICY },
      ...(cases.length === 0 ? [] : [{ path: 'golden.yaml', text: golden(cases) }]),
    ];
    return runCommand(words, { readPolicies: async () => ({ files, errors: [] }) });
  }

  it('reads bodies as the configuration of a server says', async () => {
    const body = 'request: { format: json, path: /ask, body: { by: zebra, q: see } }';
    const elsewhere = [`{ name: n, ${body}, expect: { then: allow } }`];
    const file = join(dir, 'server.yaml');
    writeFileSync(file, 'formats: [{ path: /ask, format: json, textPaths: [q] }]\n');
    assert.equal((await run(elsewhere)).code, 1);
    assert.equal((await run(elsewhere, '--config', file)).code, 0);
    const missing = await run(elsewhere, '--config', join(dir, 'none.yaml'));
    assert.equal(missing.code, 2);
    assert.match(missing.err, /there is no such file/);
  });

  it('says what holds, and which rules no case reached', async () => {
    assert.deepEqual(await run([HOLDS]), {
      code: 0,
      out: 'coverage: 1 of 2 rules; in no case: p/lion\n1 passed, 0 failed\n',
      err: '',
    });
  });

  it('says where and why a case fails, and ends with 1', async () => {
    const { code, out } = await run([HOLDS, FAILS]);
    assert.equal(code, 1);
    assert.match(
      out,
      /^policies\/golden\.yaml:5:5: golden_failed: case `fails`: expected `block`, but it passed unchanged; no rule matched;/,
    );
    assert.match(out, /\n1 passed, 1 failed\n$/);
  });

  it('takes --coverage-min to its edge', async () => {
    assert.equal((await run([HOLDS], '--coverage-min', '50')).code, 0);
    const short = await run([HOLDS], '--coverage-min', '51%');
    assert.equal(short.code, 1);
    assert.match(short.err, /50 % of the rules came to act, less than the 51 % asked for/);
    assert.equal((await run([HOLDS], '--coverage-min', '101')).code, 2);
  });

  it('leaves what is marked as slow to the slow stage, and says so', async () => {
    const slow = FAILS.replace('request:', 'stage: slow, request:');
    const fast = await run([HOLDS, slow]);
    assert.equal(fast.code, 0);
    assert.match(fast.out, /\n1 case is of the slow stage: --stage slow\n1 passed, 0 failed\n$/);
    const { code, out } = await run([HOLDS, slow], '--stage', 'slow');
    assert.equal(code, 4);
    assert.match(out, /\nslow stage: 1 passed, 1 failed\n$/);
  });

  it('takes a stage and cuttings that there are', async () => {
    assert.equal((await run([HOLDS], '--stage', 'slowly')).code, 2);
    for (const count of ['-1', '1.5', '', '1000001'])
      assert.equal((await run([HOLDS], '--stage', 'slow', '--cuttings', count)).code, 2);
    assert.equal((await run([HOLDS], '--stage', 'slow', '--cuttings', '0')).code, 0);
  });

  it('wants a case', async () => {
    const { code, err } = await run([]);
    assert.equal(code, 2);
    assert.match(err, /there is no golden case in `policies`; add/);
  });

  it('writes JUnit XML and SARIF', async () => {
    const junit = join(dir, 'junit.xml');
    const sarif = join(dir, 'golden.sarif');
    await run([HOLDS, FAILS], '--junit', junit, '--sarif', sarif);
    const xml = readFileSync(junit, 'utf8');
    assert.match(xml, /<testsuite name="p" tests="2" failures="1">/);
    assert.match(
      xml,
      /name="a &lt;b&gt; &amp; &quot;c&quot;" file="policies\/golden\.yaml" line="4"\/>/,
    );
    assert.match(
      xml,
      /<failure message="expected `block`, but it passed unchanged; no rule matched">/,
    );
    const { version, runs } = JSON.parse(readFileSync(sarif, 'utf8'));
    assert.equal(version, '2.1.0');
    const [result, ...more] = runs[0].results;
    assert.deepEqual(more, []);
    assert.equal(result.ruleId, 'golden_failed');
    assert.deepEqual(result.locations[0].physicalLocation, {
      artifactLocation: { uri: 'policies/golden.yaml' },
      region: { startLine: 5, startColumn: 5 },
    });
    assert.deepEqual(
      runs[0].tool.driver.rules.map(({ id }: { id: string }) => id),
      ['golden_failed'],
    );
    const unwritable = await run([HOLDS], '--junit', join(dir, 'no', 'such'));
    assert.equal(unwritable.code, 2);
    assert.match(unwritable.err, /ENOENT; name another file/);
  });

  it('lint says it with a place, as text and as SARIF, and its exit code', async () => {
    const plain = await runWords([HOLDS], ['lint', 'policies']);
    assert.equal(plain.code, 0);
    assert.match(plain.out, /^policies\/p\.yaml:5:5: note: plain_refusal: rule `p\/zebra` refuses/);
    assert.match(plain.out, /\n0 warnings, 3 notes\n$/);
    assert.equal((await runWords([HOLDS], ['lint', 'policies', '--strict'])).code, 1);
    const sarif = await runWords([], ['lint', 'policies', '--format', 'sarif']);
    assert.equal(sarif.code, 1);
    const levels = JSON.parse(sarif.out).runs[0].results.map(
      ({ level }: { level: string }) => level,
    );
    assert.deepEqual(levels, ['warning', 'note', 'note']);
  });

  it('schema prints one that takes what the compiler takes', async () => {
    const { code, out } = await runWords([], ['schema']);
    assert.equal(code, 0);
    const schema = JSON.parse(out);
    for (const text of [POLICY, golden([HOLDS, FAILS])]) assert.ok(Check(schema, parse(text)));
    assert.ok(!Check(schema, parse(POLICY.replace('inspect', 'inspct'))));
  });
});
