/** The layers of a policy set behind Envoy: the same prompt, and a verdict for each who asks it (MISSION row 17). */
import assert from 'node:assert/strict';
import { chat } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';

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
    block('not-here', 'stock tip'),
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
});
