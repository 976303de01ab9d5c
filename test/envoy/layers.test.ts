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
    'use: [{ module: privacy, when: \'model != "open"\' }]\n',
  ),
  'privacy.yaml': `kind: Module
metadata: { name: privacy, version: 1.0.0 }
class: security
rules:
  - { id: mail, inspect: [request], match: { pii: { entities: [email] } }, then: redact }
`,
  'model.yaml': policy(
    'name: strict-model, layer: model, selector: { tenant: acme, model: strict }',
    block('no-bonds', 'Zebra bond'),
  ),
};

describe('layers behind Envoy', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: POLICIES });
  });

  after(() => stack?.stop());

  const ask = async (path: string, model: string, prompt = PROMPT): Promise<string> => {
    const asked = stack.upstream.journal.length;
    const answer = await chat(stack.envoy.port, {
      path: `${path}v1/chat/completions`,
      prompt,
      body: { model },
      headers: { 'x-tenant': 'acme', 'x-switchyard-tenant': 'acme' },
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

  it('let a tenant lift what is overridable, and nothing else', async () => {
    assert.equal(await ask('/acme/', 'demo', 'What is Project Quagga?'), 'never');
    assert.equal(await ask('/', 'demo', 'What is Project Quagga?'), 'never');
  });
});
