/**
 * The layers of a policy set behind Envoy: the same prompt, and a verdict for each who asks it (MISSION rows 17, 18,
 * 124), whatever the files are called (19), and the record that says who overrode whom (25).
 */
import assert from 'node:assert/strict';
import { chat } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { eventually, statusOf, statusWhere } from './operator.ts';
import { writtenRecords } from './written-records.ts';

const PROMPT = 'Compare the Zebra bond with a stock tip from bob@acme.example';

const block = (id: string, word: string, more = ''): string =>
  `  - { id: ${id}, inspect: [request], match: { keywords: { words: [${word}] } }, then: { block: { message: refused by ${id} } }${more} }\n`;

const policy = (metadata: string, rules: string, head = ''): string =>
  `kind: Policy\nmetadata: { ${metadata} }\nclass: security\n${head}rules:\n${rules}`;

/** The platform forbids advice unless a tenant takes it upon itself; tenant acme does, but not for its model. */
const POLICIES = {
  'platform.yaml': policy(
    'name: platform, layer: platform',
    block('advice', 'stock tip', ', overridable: true') + block('never', 'Project Quagga'),
  ),
  'acme.yaml': policy(
    'name: acme, layer: tenant, selector: { tenant: acme }',
    `  - { id: advises, inspect: [request], match: { keywords: { words: [stock tip] } }, then: allow }
  - { id: quagga-too, inspect: [request], match: { keywords: { words: [Project Quagga] } }, then: allow }
  - { id: no-weather, overridable: true, inspect: [request], match: { keywords: { words: [weather] } }, then: { block: { message: refused by no-weather } } }
  - { id: no-sport, inspect: [request], match: { keywords: { words: [sport] } }, then: { block: { message: refused by no-sport } } }
  - { id: closed, overridable: true, when: 'app == "desk" || app == "kiosk"', then: { block: { message: refused by closed } } }
`,
    'use: [{ module: privacy, when: \'model != "open"\' }, { module: eu, when: \'region == "eu"\' }]\n',
  ),
  'privacy.yaml': `kind: Module
metadata: { name: privacy, version: 1.0.0 }
class: security
rules:
  - { id: mail, inspect: [request], match: { pii: { entities: [email] } }, then: redact }
`,
  'eu.yaml': `kind: Module
metadata: { name: eu, version: 3.1.0 }
class: security
rules:
  - { id: iban, inspect: [request], match: { pii: { entities: [iban] } }, then: redact }
`,
  'bravo.yaml': policy(
    'name: bravo, layer: tenant, selector: { tenant: bravo }',
    `  - { id: advises, inspect: [request], match: { keywords: { words: [stock tip] } }, then: allow }
${block('no-names', 'bob@acme.example')}`,
  ),
  'desk.yaml': policy(
    'name: desk, layer: app, selector: { tenant: acme, app: desk }',
    `${block('not-here', 'stock tip')}  - { id: weather, inspect: [request], match: { keywords: { words: [weather] } }, then: allow }
  - { id: sport, inspect: [request], match: { keywords: { words: [sport] } }, then: allow }
  - { id: open, when: 'model != "closed"', then: allow }
`,
  ),
  'model.yaml': policy(
    'name: strict-model, layer: model, selector: { tenant: acme, model: strict }',
    block('no-bonds', 'Zebra bond'),
  ),
};

/** A region as a gateway in front would name it. */
const CONFIG = `facts:
  tenant:
    - { from: map, entries: [{ pathPrefix: /bravo/, value: bravo }] }
    - { from: grpcMetadata, name: x-switchyard-tenant }
  app: [{ from: header, name: x-app, trusted: true }]
  region: [{ from: header, name: x-region, trusted: true }]
  model: [{ from: body }]
`;

describe('layers behind Envoy', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: POLICIES, config: CONFIG });
  });

  after(() => stack?.stop());

  const written = () => writtenRecords(stack.switchyard.dataDirectory).decisions;

  const ask = async (path: string, model: string, prompt = PROMPT, app = ''): Promise<string> => {
    const asked = stack.upstream.journal.length;
    const answer = await chat(stack.envoy.port, {
      path: `${path}v1/chat/completions`,
      prompt,
      body: { model },
      headers: { 'x-tenant': 'acme', 'x-switchyard-tenant': 'acme', 'x-app': app },
    });
    if (answer.status === 400) {
      assert.equal(stack.upstream.journal.length, asked, 'a refused request went on');
      return /refused by ([a-z-]+)/.exec(answer.text)?.[1] ?? 'refused';
    }
    assert.equal(answer.status, 200, answer.text);
    const body = String(stack.upstream.journal.at(-1)?.body);
    return /with a (.*?)"/.exec(body)?.[1] ?? body;
  };

  it('give one prompt four verdicts: by platform, tenant, model, and module', async () => {
    assert.equal(await ask('/', 'demo'), 'advice');
    assert.equal(await ask('/acme/', 'demo'), 'stock tip from [EMAIL_1]');
    assert.equal(await ask('/acme/', 'open'), 'stock tip from bob@acme.example');
    assert.equal(await ask('/acme/', 'strict'), 'no-bonds');
  });

  it('give one prompt of two tenants, an app and a model four verdicts', async () => {
    const verdicts = [
      await ask('/acme/', 'demo'),
      await ask('/bravo/', 'demo'),
      await ask('/acme/', 'demo', PROMPT, 'desk'),
      await ask('/acme/', 'strict'),
    ];
    assert.deepEqual(verdicts, ['stock tip from [EMAIL_1]', 'no-names', 'not-here', 'no-bonds']);
    // The app is one of its tenant.
    assert.equal(await ask('/bravo/', 'demo', PROMPT, 'desk'), 'no-names');
  });

  it('compose a module by region, and say on request exactly what composes (MISSION row 18)', async () => {
    const composes = async (query: string) => {
      const { status, text } = await stack.switchyard.admin(`/effective?${query}`);
      assert.equal(status, 200, text);
      const { modules } = JSON.parse(text).composes as { modules: { name: string }[] };
      return modules.map(({ name }) => name);
    };
    const pays = async (region: string) => {
      const prompt = 'Pay DE89370400440532013000 to bob@acme.example';
      const path = '/acme/v1/chat/completions';
      await chat(stack.envoy.port, { path, prompt, headers: { 'x-region': region } });
      return /Pay (.*?)"/.exec(String(stack.upstream.journal.at(-1)?.body))?.[1];
    };
    assert.equal(await pays('eu'), '[IBAN_1] to [EMAIL_1]');
    assert.deepEqual(await composes('tenant=acme&region=eu&model=demo'), ['eu', 'privacy']);
    assert.equal(await pays('us'), 'DE89370400440532013000 to [EMAIL_1]');
    assert.deepEqual(await composes('tenant=acme&region=us&model=demo'), ['privacy']);
    assert.deepEqual(await composes('tenant=acme&region=eu&model=open'), ['eu']);
    assert.deepEqual(await composes('tenant=other&region=eu'), []);
    assert.equal((await stack.switchyard.admin('/effective?tennant=acme')).status, 400);
    assert.equal((await stack.switchyard.admin('/effective?cohort=canary')).status, 409);
  });

  it('let a tenant lift what is overridable, and nothing else', async () => {
    assert.equal(await ask('/acme/', 'demo', 'What is Project Quagga?'), 'never');
    assert.equal(await ask('/', 'demo', 'What is Project Quagga?'), 'never');
  });

  it('let an app lift what its tenant left to it, and nothing else', async () => {
    const desk = (prompt: string) => ask('/acme/', 'demo', prompt, 'desk');
    assert.equal(await ask('/acme/', 'demo', 'The weather?'), 'no-weather');
    assert.match(await desk('The weather?'), /The weather/u);
    assert.equal(await desk('Is weather a sport?'), 'no-sport');
    assert.equal(await desk('What is Project Quagga?'), 'never');
    // Of a kiosk no app speaks.
    assert.equal(await ask('/acme/', 'demo', 'The sea?', 'kiosk'), 'closed');
    assert.equal(await ask('/acme/', 'closed', 'The sea?', 'desk'), 'closed');
  });

  it('are told by the record of a decision: what matched, and which rule overrode which', async () => {
    const recordOf = async (path: string, prompt: string, app: string) => {
      const before = written().length;
      await ask(path, 'demo', prompt, app);
      const record = await eventually('its record', async () =>
        written()
          .slice(before)
          .findLast(({ kind }) => kind === 'process'),
      );
      const { findings, lifted } = record;
      const found = findings.map(({ rule, enforced, by }) => ({ rule, enforced, by }));
      return { record, found, lifted };
    };
    const weather = await recordOf('/acme/', 'Weather, sun', 'desk');
    assert.deepEqual(weather.found, [{ rule: 'desk/weather', enforced: true, by: undefined }]);
    assert.deepEqual(weather.lifted, [
      { rule: 'platform/advice', by: 'desk/open' },
      { rule: 'acme/closed', by: 'desk/open' },
      { rule: 'acme/no-weather', by: 'desk/open' },
    ]);
    const tip = await recordOf('/acme/', 'A stock tip', '');
    assert.deepEqual(tip.found, [
      { rule: 'acme/advises', enforced: true, by: undefined },
      { rule: 'platform/advice', enforced: false, by: 'acme/advises' },
    ]);
    // Refused by a condition alone, which stands in no text.
    const closed = await recordOf('/acme/', 'The sea?', 'kiosk');
    assert.deepEqual(closed.found, [{ rule: 'acme/closed', enforced: true, by: undefined }]);
    const [said, why] = [tip.record, closed.record].map(({ exchange }) =>
      stack.switchyard.cli('why', exchange),
    );
    assert.match(
      (await said)?.output ?? '',
      /acme\/advises: allow, KEYWORD at 2–11 of message\/0\/content\n {2}platform\/advice: block, lifted by acme\/advises/u,
    );
    assert.match(
      (await why)?.output ?? '',
      /denied: policy.*acme\/closed: block, its condition held/su,
    );
    const bare = await stack.switchyard.cli('why', weather.record.exchange);
    assert.match(bare.output, /acme\/closed: lifted by desk\/open, for the whole exchange/u);
  });

  it('are the same set, and say the same, when their files have other names in another order', async () => {
    const { switchyard } = stack;
    const { blue } = await statusOf(switchyard);
    for (const [index, [name, text]] of Object.entries(POLICIES).entries()) {
      await switchyard.save(`${9 - index}-${name}`, text);
      await switchyard.remove(name);
    }
    const { lastReadMs = 0 } = (await statusOf(switchyard)).directory ?? {};
    const after = await statusWhere(
      switchyard,
      'the renamed files',
      ({ directory }) => directory?.errors.length === 0 && (directory.lastReadMs ?? 0) > lastReadMs,
    );
    assert.equal(after.blue?.digest, blue?.digest);
    const verdicts = [
      await ask('/', 'demo'),
      await ask('/acme/', 'demo'),
      await ask('/bravo/', 'demo'),
      await ask('/acme/', 'demo', PROMPT, 'desk'),
      await ask('/acme/', 'strict'),
    ];
    assert.deepEqual(verdicts, [
      ...['advice', 'stock tip from [EMAIL_1]', 'no-names', 'not-here', 'no-bonds'],
    ]);
  });
});
