/** Content never leaves by the back door (invariant 9): planted tokens are nowhere but in the traffic. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OtlpReceiver, startOtlpReceiver } from '../telemetry/otlp-receiver.ts';
import { requireEnvoy, type Stack, type Switchyard, startStack } from './harness.ts';
import { PlantedTokens, type Surface } from './planted-tokens.ts';
import {
  PLANTED_CONFIG,
  PLANTED_POLICIES,
  SHAPES,
  type Shape,
  sendShape,
} from './planted-traffic.ts';

const sabotaged = (name: string): string =>
  fileURLToPath(new URL(`./sabotage/${name}.ts`, import.meta.url));

/** Of a trace that is sampled: its exchanges have spans. */
const sampled = (): string =>
  `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;

let receiver: OtlpReceiver;

const start = (program?: string): Promise<Stack> =>
  startStack({
    policies: PLANTED_POLICIES,
    config: `${PLANTED_CONFIG}\ntracing: { endpoint: 'http://127.0.0.1:${receiver.port}/v1/traces', batchMs: 20 }\n`,
    args: ['--log-level', 'debug'],
    ...(program !== undefined && { program: sabotaged(program) }),
  });

interface Written {
  readonly kind: string;
  readonly exchange?: string;
  readonly requestId?: string;
  readonly code?: string;
  readonly findings?: readonly unknown[];
}

describe('content', function () {
  this.timeout(120_000);

  before(function () {
    requireEnvoy(this);
  });

  beforeEach(async () => {
    receiver = await startOtlpReceiver();
  });
  afterEach(() => receiver.stop());

  it('is in no log, metric, span, record or page, whatever becomes of the exchange', async () => {
    const planted = new PlantedTokens();
    const stack = await start();
    try {
      for (let round = 0; round < 2; round++)
        for (const one of SHAPES) {
          const traceparent = round === 0 ? undefined : sampled();
          const answer = await sendShape(stack.envoy.port, one, planted, traceparent);
          assert.equal(answer.status, one.status, `${one.name}: ${answer.error} ${answer.text}`);
        }
      assert.ok(planted.count >= 1_000, `only ${planted.count} tokens`);

      // The search sees them where they belong, so it would see them elsewhere.
      const travelled = planted.foundIn(JSON.stringify(stack.upstream.journal));
      assert.ok(travelled.size > 600, `only ${travelled.size} tokens reached the upstream`);

      const records = await writtenRecords(stack.switchyard);
      const codes = new Set(records.map(({ code }) => code));
      for (const code of ['allowed', 'policy', 'rule_error', 'unreadable_body', 'body_too_large'])
        assert.ok(codes.has(code), `no exchange ended as ${code}`);
      assert.deepEqual(planted.search(await surfaces(stack, records)), []);
      assert.deepEqual(planted.search(await commands(stack.switchyard, records)), []);
      assert.deepEqual(planted.search(await probes(stack.switchyard, planted)), []);
    } finally {
      await stack.stop();
    }
    assert.deepEqual(planted.search([{ name: 'output', text: stack.switchyard.output() }]), []);
    // What was left was sent at the end.
    const traces = new Set(receiver.spans.map(({ trace }) => trace));
    assert.equal(traces.size, SHAPES.length);
    assert.ok(receiver.spans.some(({ events }) => events.length > 0));
    assert.deepEqual(planted.search([spansSent()]), []);
  });

  const FAULTS = [
    'request-headers',
    'request-body',
    'response-headers',
    'response-body',
    'nowhere',
  ] as const;

  it('is in nothing that is told about a throw', async () => {
    const planted = new PlantedTokens();
    const stack = await start('throwing');
    const { mint } = planted;
    const faulty = (
      fault: string,
      prompt: string,
      headers: Record<string, string> = {},
    ): Shape => ({
      name: fault,
      status: 0,
      draw: () => ({
        request: { path: `/v1/chat/completions?key=${mint()}&fault=${fault}` },
        body: { messages: [{ role: 'user', content: `${prompt} ${mint()}` }] },
        headers,
      }),
    });
    try {
      for (const fault of FAULTS) {
        const answer = await sendShape(stack.envoy.port, faulty(fault, 'hello'), planted);
        if (fault === 'nowhere') assert.equal(answer.status, 200);
        else assert.ok(answer.status >= 500, `${fault}: ${answer.status}`);
      }
      const inside = faulty('none', `throw-inspection secret-${mint()}`);
      assert.ok((await sendShape(stack.envoy.port, inside, planted)).status >= 500);
      const closing = faulty('none', 'hello', { 'x-user': `throw-close ${mint()}` });
      assert.ok((await sendShape(stack.envoy.port, closing, planted)).status >= 500);
      const records = await writtenRecords(stack.switchyard);
      assert.ok(records.some(({ code }) => code === 'internal_error'));
      assert.deepEqual(planted.search(await surfaces(stack, records)), []);
    } finally {
      await stack.stop();
    }
  });

  for (const fault of ['later', 'rejected'])
    it(`is not in the last words of a crash (${fault})`, async () => {
      const planted = new PlantedTokens();
      const stack = await start('throwing');
      try {
        await sendShape(
          stack.envoy.port,
          {
            name: fault,
            status: 0,
            draw: () => ({ request: { path: `/v1?${planted.mint()}&fault=${fault}` } }),
          },
          planted,
        );
        assert.equal((await stack.switchyard.exited).code, 1);
        await new Promise((resolve) => setTimeout(resolve, 50));
        assert.match(stack.switchyard.output(), /"event":"crashed"/u);
        assert.deepEqual(planted.search([{ name: 'output', text: stack.switchyard.output() }]), []);
      } finally {
        await stack.stop();
      }
    });

  it('is found by the same search where a build leaks it', async () => {
    const planted = new PlantedTokens();
    const { mint } = planted;
    const secrets = { finding: mint(), model: mint(), app: mint(), prompt: mint() };
    const stack = await start('leaking');
    try {
      const leaky: Shape = {
        name: 'leaky',
        status: 200,
        draw: () => ({
          headers: { 'x-app': secrets.app },
          body: {
            model: secrets.model,
            messages: [{ role: 'user', content: `secret-${secrets.finding} ${secrets.prompt}` }],
          },
        }),
      };
      const answer = await sendShape(stack.envoy.port, leaky, planted, sampled());
      assert.equal(answer.status, 200);
      const records = await writtenRecords(stack.switchyard);
      const read = await surfaces(stack, records);
      const foundIn = (surface: RegExp): ReadonlySet<string> =>
        planted.foundIn(
          read
            .filter(({ name }) => surface.test(name))
            .map(textOf)
            .join('\n'),
        );
      assert.ok(foundIn(/^\/decisions\//u).has(secrets.finding), 'the text of a finding');
      assert.ok(foundIn(/^\/decisions\/ID$/u).has(secrets.finding), 'the same, in a page');
      assert.ok(foundIn(/^\/decisions\//u).has(secrets.model), 'a fact that the client chose');
      assert.ok(foundIn(/^\/metrics$/u).has(secrets.app), 'a header as a label');
      assert.ok(foundIn(/^output$/u).has(secrets.prompt), 'a body in the log, as base64');
      await receiver.until(({ name }) => name.endsWith('/Process'));
      assert.ok(planted.foundIn(spansSent().text).has(secrets.finding), 'the same in a span');
    } finally {
      await stack.stop();
    }
  });
});

const textOf = ({ text }: Surface): string => text;

const spansSent = (): Surface => ({ name: 'spans', text: receiver.raw.join('\n') });

/** Everything that somebody can read without being part of the exchange. */
async function surfaces(stack: Stack, records: readonly Written[]): Promise<readonly Surface[]> {
  const { switchyard, envoy } = stack;
  const read: Surface[] = [];
  for (const path of ['/metrics', '/status', '/status?format=text', '/healthz', '/readyz'])
    read.push({ name: path, text: (await switchyard.admin(path)).text });
  for (const id of new Set(records.flatMap(({ exchange, requestId }) => [exchange, requestId])))
    if (id) read.push({ name: '/decisions/ID', text: await page(switchyard, `/decisions/${id}`) });
  read.push({ name: "Envoy's access log", text: JSON.stringify(await envoy.accessLog()) });
  read.push({ name: "Envoy's log", text: envoy.output() });
  read.push(...(await dataFiles(switchyard)));
  read.push({ name: 'output', text: switchyard.output() });
  return read;
}

/** What the command says of the server, and of the exchange with the most findings. */
async function commands(
  switchyard: Switchyard,
  records: readonly Written[],
): Promise<readonly Surface[]> {
  const richest = records.reduce((best, one) =>
    (one.findings?.length ?? 0) > (best.findings?.length ?? 0) ? one : best,
  );
  const said: Surface[] = [];
  for (const args of [['status'], ['why', richest.exchange ?? '']]) {
    const { code, output } = await switchyard.cli(...args);
    assert.equal(code, 0, output);
    said.push({ name: args.join(' '), text: output });
  }
  return said;
}

/** What the admin listener says to requests that are themselves full of tokens. */
async function probes(switchyard: Switchyard, planted: PlantedTokens): Promise<readonly Surface[]> {
  const { mint } = planted;
  const said: Surface[] = [];
  for (const path of [
    `/decisions/${mint()}`,
    `/decisions/%${mint()}`,
    `/${mint()}`,
    `/status?format=${mint()}`,
    `/v1/${mint()}`,
  ])
    said.push({ name: path, text: await page(switchyard, path) });
  for (const body of [`{"${mint()}": ${mint()}`, JSON.stringify({ [mint()]: mint() }), mint()])
    for (const to of ['promote', 'rollback', 'canary', 'activate'])
      for (const where of [{ socketPath: switchyard.adminSocket }, { port: switchyard.adminPort }])
        said.push({
          name: `POST /v1/${to}`,
          text: await page(switchyard, `/v1/${to}`, {
            ...where,
            method: 'POST',
            body,
            headers: { 'content-type': 'application/json', authorization: `Bearer ${mint()}` },
          }),
        });
  said.push({
    name: 'another Host',
    text: await page(switchyard, '/status', { headers: { host: `${mint()}.example` } }),
  });
  said.push({ name: 'output', text: switchyard.output() }, ...(await dataFiles(switchyard)));
  return said;
}

interface PageOptions {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly socketPath?: string;
  readonly port?: number;
}

/** Status, headers and body of one answer of the admin listener. */
function page(switchyard: Switchyard, path: string, options: PageOptions = {}): Promise<string> {
  const { body, socketPath, port, ...rest } = options;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      ...(socketPath === undefined
        ? { host: '127.0.0.1', port: port ?? switchyard.adminPort }
        : { socketPath }),
      path,
      agent: false,
      ...rest,
    });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      let text = `${incoming.statusCode} ${JSON.stringify(incoming.rawHeaders)} `;
      incoming.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.on('end', () => resolve(text));
    });
    outgoing.end(body);
  });
}

async function dataFiles({ dataDirectory }: Switchyard): Promise<readonly Surface[]> {
  const entries = await readdir(dataDirectory, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return { name: path.slice(dataDirectory.length), text: await readFile(path, 'latin1') };
      }),
  );
}

/** All records on disk; asking for one makes the server write what it has in hand. */
async function writtenRecords(switchyard: Switchyard): Promise<readonly Written[]> {
  await switchyard.admin('/decisions/none');
  const files = (await dataFiles(switchyard)).filter(({ name }) => name.startsWith('/decisions/'));
  assert.ok(files.length > 0);
  return files
    .flatMap(({ text }) => text.split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Written);
}
