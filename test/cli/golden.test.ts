/** `switchyard test`, by its exit code and what it writes. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProgram } from '../../src/cli/program.ts';
import { runProgram } from '../../src/cli/run.ts';
import { nothing } from '../../src/cli/trial/run.ts';
import { trialMeans } from './means.ts';

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

describe('switchyard test', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'sy-'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  async function run(cases: readonly string[], ...words: readonly string[]) {
    let out = '';
    let err = '';
    const writeError = (text: string): void => {
      err += text;
    };
    const files = [
      { path: 'p.yaml', text: POLICY },
      ...(cases.length === 0 ? [] : [{ path: 'golden.yaml', text: golden(cases) }]),
    ];
    const program = buildProgram({
      version: '1.2.3',
      env: {},
      write: (text) => {
        out += text;
      },
      writeError,
      readPolicies: async () => ({ files, errors: [] }),
      trial: {
        means: async () => trialMeans,
        standardInput: nothing,
        writeBytes() {},
        terminal: { out: false, error: false },
      },
    });
    const code = await runProgram(program, ['test', 'policies', ...words], writeError);
    return { code, out, err };
  }

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
});
