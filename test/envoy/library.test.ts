/** The package as somebody installs it: the golden sets give in its process what they give through Envoy. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { projectDirectory } from '../../demo/project.ts';
import { encodeScript, SCRIPT_HEADER } from '../../demo/script.ts';
import { ensureBuild } from '../../setup/build.mjs';
import { answerBody, deltasOf } from '../../src/engine/golden/answers.ts';
import { requestBody } from '../../src/engine/golden/requests.ts';
import { compilePolicies, type PolicyFile } from '../../src/policy/compile.ts';
import type { GoldenCase } from '../../src/policy/golden/cases.ts';
import { GOLDEN_FORMAT_DEFAULT } from '../../src/policy/golden/schema.ts';
import { FACT_NAMES } from '../../src/policy/schema.ts';
import { sha256 } from '../policy/compiling.ts';
import { requireEnvoy, type Stack, startStack, temporaryDirectory } from './harness.ts';
import { send } from './http-client.ts';
import { saveAndServe } from './operator.ts';

const run = promisify(execFile);
const policies = join(projectDirectory, 'policies');

/** JSON of no API, where cases have it. */
const FORMATS = [{ path: '/orders*', format: 'json' }];
const CONFIG = `facts:
${FACT_NAMES.filter((fact) => fact !== 'model')
  .map((fact) => `  ${fact}: [{ from: header, name: x-${fact}, trusted: true }]`)
  .join('\n')}
  model: [{ from: body }]
formats: ${JSON.stringify(FORMATS)}
`;

/** The documents that are served together, and the exchanges of their golden cases. */
interface Sets {
  readonly documents: readonly PolicyFile[];
  readonly exchanges: readonly ExchangeGiven[];
}

interface ExchangeGiven {
  readonly name: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly method: string;
  readonly path: string;
  readonly contentType: string | undefined;
  readonly body: string | undefined;
  readonly answer: { readonly contentType: string; readonly chunks: readonly string[] };
}

/** What the two sides of an exchange got. */
interface Left {
  readonly status: number;
  readonly body: string;
  readonly asked: { readonly path: string; readonly body: string } | undefined;
}

function exchangeOf({ name, facts, request, response }: GoldenCase): ExchangeGiven {
  const format = request.format ?? response?.format ?? GOLDEN_FORMAT_DEFAULT;
  const asked = requestBody(format, request, response?.stream !== undefined);
  // Of a case that ends with the request the answer says nothing.
  const answered = answerBody(response?.format ?? format, response ?? { text: 'ok' }, [
    ...(response === undefined ? ['ok'] : deltasOf(response)),
  ]);
  return {
    name,
    facts: facts as Readonly<Record<string, string>>,
    method: asked.method,
    path: asked.path,
    contentType: asked.body?.contentType,
    body: asked.body?.text,
    answer: { contentType: answered.contentType, chunks: answered.text.split(/(?<=\n)/u) },
  };
}

function setOf(documents: readonly PolicyFile[]): Sets {
  const result = compilePolicies(documents, { sha256 });
  assert.ok(result.ok);
  for (const { route, atMs, request } of result.cases)
    assert.deepEqual([route, atMs, request.headers], ['', undefined, undefined]);
  return { documents, exchanges: result.cases.map(exchangeOf) };
}

async function documentsIn(folder: string): Promise<readonly PolicyFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  return Promise.all(
    names.map(async (path) => ({ path, text: await readFile(join(folder, path), 'utf8') })),
  );
}

/** Ids are new each time. */
const lasting = (text: string): string => text.replace(/[\da-f]{8}-[\da-f-]{27}/gu, 'id');

/** Runs the exchanges of every set by the package, and prints what left. */
const PROGRAM = `
import { readFileSync } from 'node:fs';
import { openPolicies } from 'switchyard';
const { sets, formats } = JSON.parse(readFileSync(0, 'utf8'));
async function* each(chunks) { for (const chunk of chunks) yield Buffer.from(chunk); }
const out = [];
for (const { documents, exchanges } of sets) {
  const policies = await openPolicies(documents, { formats });
  const left = [];
  for (const { facts, method, path, contentType, body, answer } of exchanges) {
    const headers = contentType === undefined ? {} : { 'content-type': contentType };
    const exchange = policies.begin({ method, path, headers, facts });
    const asked = await exchange.request(body === undefined ? undefined : Buffer.from(body));
    if (asked.refused) { left.push({ status: asked.status, body: asked.body }); continue; }
    const head = { status: 200, headers: { 'content-type': answer.contentType } };
    const whole = answer.contentType === 'application/json';
    const got = whole
      ? await exchange.answer(head, Buffer.from(answer.chunks.join('')))
      : await exchange.stream(head, each(answer.chunks));
    const parts = [];
    if (!got.refused) for await (const part of whole ? [got.body] : got.body) parts.push(part);
    left.push({
      status: got.status,
      body: got.refused ? got.body : Buffer.concat(parts).toString(),
      asked: { path: asked.path, body: Buffer.from(asked.body).toString() },
    });
  }
  out.push(left);
}
process.stdout.write(JSON.stringify(out));
`;

describe('the package', function () {
  this.timeout(180_000);
  let home: Awaited<ReturnType<typeof temporaryDirectory>>;

  before(async () => {
    await ensureBuild();
    home = await temporaryDirectory();
    const modules = join(home.path, 'node_modules');
    const manifest = JSON.parse(await readFile(join(projectDirectory, 'package.json'), 'utf8'));
    const packed = await run('npm', ['pack', '--json', '--pack-destination', home.path], {
      cwd: projectDirectory,
    });
    const [{ filename }] = JSON.parse(packed.stdout);
    await mkdir(join(modules, 'switchyard'), { recursive: true });
    const into = ['-C', join(modules, 'switchyard'), '--strip-components=1'];
    await run('tar', ['-xzf', join(home.path, filename), ...into]);
    // Its dependencies as an installation would have them, and nothing else of this project.
    for (const name of Object.keys(manifest.dependencies)) {
      await mkdir(dirname(join(modules, name)), { recursive: true });
      await symlink(join(projectDirectory, 'node_modules', name), join(modules, name));
    }
  });

  after(() => home?.remove());

  async function program(text: string, input = ''): Promise<string> {
    const file = join(home.path, 'program.mjs');
    await writeFile(file, text);
    const running = run(process.execPath, [file], { cwd: home.path, maxBuffer: 64 << 20 });
    running.child.stdin?.end(input);
    return (await running).stdout;
  }

  it('runs the example of its page', async () => {
    const page = await readFile(join(projectDirectory, 'docs', 'embedding.md'), 'utf8');
    const [, example, said] = /```js\n([\s\S]*?)```\n\n```\n([\s\S]*?)```/u.exec(page) ?? [];
    assert.equal(await program(example ?? ''), said);
  });

  it('says what is wrong with documents, and refuses what does not do what its golden set says', async () => {
    const policy = (rest: string) =>
      `kind: Policy\nmetadata: { name: p, layer: platform }\nclass: security\nrules: [{ id: r, ${rest} }]\n`;
    const golden = `---\nkind: GoldenSet\npolicy: p\ncases: [{ name: c, request: { user: hi }, expect: { then: block } }]\n`;
    const texts = [
      policy('then: stop'),
      `${policy('then: flag')}${golden}`,
      policy('limit: { of: requests, per: tenant, max: 1, window: 1d }'),
      policy('inspect: [request], match: { classifier: { name: c, threshold: 0.8 } }, then: block'),
    ];
    const out = await program(
      `import { openPolicies, PolicyError } from 'switchyard';
      for (const text of ${JSON.stringify(texts)})
        await openPolicies([{ path: 'p.yaml', text }]).catch((error) =>
          console.log(error instanceof PolicyError, error.errors.length, error.errors[0]));`,
    );
    const lines = out.trim().split('\n');
    assert.equal(lines.length, 4, out);
    assert.match(lines[0]!, /^true 1 p\.yaml:4:\d+: \w+: .*stop/u);
    assert.match(lines[1]!, /^true 1 p\.yaml:\d+:\d+: golden_failed: case `c`/u);
    assert.match(lines[2]!, /^true 1 p\.yaml:4:\d+: not_enforceable: .*`limit`/u);
    assert.match(lines[3]!, /^true 1 p\.yaml:4:\d+: not_enforceable: .*classifier/u);
  });

  it('hands out nothing of which the record cannot be written', async () => {
    const text = `kind: Policy\nmetadata: { name: p, layer: platform }\nclass: security\nrules: [{ id: r, inspect: [response], match: { keywords: { words: [zebra] } }, then: redact }]\n`;
    const out = await program(
      `import { openPolicies } from 'switchyard';
      const full = () => { throw new Error('disk full'); };
      const documents = [{ path: 'p.yaml', text: ${JSON.stringify(text)} }];
      for (const record of [undefined, full]) {
        const policies = await openPolicies(documents, { record });
        const exchange = policies.begin({ path: '/any', method: 'GET' });
        await exchange.request();
        const head = { status: 200, headers: { 'content-type': 'text/plain' } };
        const got = await exchange.answer(head, Buffer.from('a zebra')).catch(() => undefined);
        console.log(got === undefined ? 'nothing' : Buffer.from(got.body).toString());
      }`,
    );
    const [written, lost] = out.trim().split('\n');
    assert.equal(written, 'a [KEYWORD_1]');
    assert.doesNotMatch(lost ?? 'zebra', /zebra|KEYWORD/u);
  });

  describe('and Envoy', () => {
    let stack: Stack;
    let sets: readonly Sets[];
    let inProcess: readonly (readonly Left[])[];

    before(async function () {
      requireEnvoy(this);
      // The library asks no classifier, and refuses rules that would.
      const recipes = (await documentsIn(join(policies, 'cookbook'))).filter(
        ({ path }) => !path.endsWith('classifier.yaml'),
      );
      sets = [await documentsIn(policies), ...recipes.map((recipe) => [recipe])].map(setOf);
      inProcess = JSON.parse(await program(PROGRAM, JSON.stringify({ sets, formats: FORMATS })));
      stack = await startStack({
        policies: { 'set.yaml': '' },
        config: CONFIG,
      });
    });

    after(() => stack?.stop());

    const throughEnvoy = async (given: ExchangeGiven): Promise<Left> => {
      const { facts, method, path, contentType, body, answer } = given;
      const before = stack.upstream.journal.length;
      const headers = Object.entries(facts).filter(([fact]) => fact !== 'model');
      const got = await send(stack.envoy.port, {
        method,
        path,
        headers: {
          ...(contentType !== undefined && { 'content-type': contentType }),
          ...Object.fromEntries(headers.map(([fact, value]) => [`x-${fact}`, value])),
          [SCRIPT_HEADER]: encodeScript({
            chunks: answer.chunks,
            headers: { 'content-type': answer.contentType },
          }),
        },
        ...(body !== undefined && { body }),
      });
      assert.equal(got.error, '', given.name);
      const asked = stack.upstream.journal[before];
      return {
        status: got.status,
        body: lasting(got.text),
        asked: asked && { path: asked.path, body: asked.body },
      };
    };

    it('give every exchange of every golden set of this project the same end', async () => {
      let exchanges = 0;
      for (const [index, { documents, exchanges: given }] of sets.entries()) {
        const text = documents.map((one) => one.text).join('\n---\n');
        await saveAndServe(stack.switchyard, 'set.yaml', text);
        for (const [at, one] of given.entries()) {
          const left = inProcess[index]?.[at];
          const expected = left && {
            status: left.status,
            body: lasting(left.body),
            asked: left.asked,
          };
          assert.deepEqual(await throughEnvoy(one), expected, `${documents[0]?.path}: ${one.name}`);
          exchanges += 1;
        }
      }
      assert.ok(exchanges > 40, `${exchanges} exchanges`);
    });
  });
});
