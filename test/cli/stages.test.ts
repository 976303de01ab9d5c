/** MISSION row 27, as a pipeline sees it: the real command, its exit codes, and what it costs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../..', import.meta.url));
/** `npm test` builds first and tries what is shipped; a suite run by hand uses the sources. */
const program =
  process.env.SWITCHYARD_BUILT === '1'
    ? [join(project, 'dist', 'src', 'main.js')]
    : ['--import', 'tsx', join(project, 'src', 'main.ts')];

const rule = (more: string): string => `kind: Policy
metadata: { name: retail, layer: platform }
class: security
rules:
  - ${more}
`;
const MISSES =
  '{ id: rivals, inspect: [request, response], match: { keywords: { words: [Bank A] } }, then: block }';
const FINDS = MISSES.replace('words: [Bank A]', 'words: [Bank A], aliases: { Bank A: [B.A.] }');
/** Right for chat completions, and for no other API. */
const FINDS_IN_CHAT = FINDS.replace(
  'inspect',
  'when: \'request.path == "/v1/chat/completions"\', inspect',
);

const golden = (cases: readonly string[]): string =>
  `kind: GoldenSet\npolicy: retail\ncases:\n${cases.map((one) => `  - ${one}\n`).join('')}`;
const REGRESSION =
  '{ name: the initials are the rival, request: { user: Is B.A. better? }, expect: { then: block, rule: rivals } }';
const SAFE =
  '{ name: a holiday, request: { user: What is a bank holiday? }, expect: { then: allow } }';

describe('the stages of switchyard test', function () {
  this.timeout(60_000);
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'sy-stages-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  function run(policy: string, cases: readonly string[], ...words: readonly string[]) {
    writeFileSync(join(directory, 'retail.yaml'), rule(policy));
    writeFileSync(join(directory, 'golden.yaml'), golden(cases));
    const args = [...program, 'test', directory, ...words];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: project,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  }

  it('pass when a false negative is fixed, and fail with 1 when the fix is taken back', () => {
    const fixed = run(FINDS, [SAFE, REGRESSION], '--stage', 'all');
    assert.deepEqual([fixed.status, fixed.stderr], [0, '']);
    assert.match(fixed.stdout, /\n2 passed, 0 failed\nslow stage: 2 passed, 0 failed\n$/);
    const junit = join(directory, 'junit.xml');
    const reverted = run(MISSES, [SAFE, REGRESSION], '--stage', 'all', '--junit', junit);
    assert.equal(reverted.status, 1);
    assert.match(
      reverted.stdout,
      /golden\.yaml:5:5: golden_failed: case `the initials are the rival`: expected `block` by `retail\/rivals`, but it passed unchanged/,
    );
    assert.match(reverted.stdout, /\nthe slow stage did not run\n1 passed, 1 failed\n$/);
    assert.match(
      readFileSync(junit, 'utf8'),
      /<testsuites name="switchyard" tests="2" failures="1">/,
    );
  });

  it('end with 4 for what the slow stage alone finds', () => {
    const junit = join(directory, 'junit.xml');
    const slow = run(FINDS_IN_CHAT, [SAFE, REGRESSION], '--stage', 'all', '--junit', junit);
    assert.equal(slow.status, 4);
    assert.match(
      slow.stdout,
      /golden_failed: case `the initials are the rival`: in openai\.responses: expected `block`/,
    );
    assert.match(slow.stdout, /\n2 passed, 0 failed\nslow stage: 1 passed, 1 failed\n$/);
    const xml = readFileSync(junit, 'utf8');
    assert.match(xml, /<testsuite name="retail" tests="2" failures="0">/);
    assert.match(xml, /<testsuite name="retail, slow stage" tests="2" failures="1">/);
  });

  it('end with 2 for what is no input', () => {
    assert.equal(run(FINDS.replace('inspect', 'inspct'), [SAFE], '--stage', 'all').status, 2);
  });
});
