/** Who asks is what the route says, never what the client says (SEMANTICS §3). */
import assert from 'node:assert/strict';
import { chat } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { eventually } from './operator.ts';
import { writtenRecords } from './written-records.ts';

const forTenant = (tenant: string, words: string): string => `kind: Policy
metadata: { name: ${tenant}-words, layer: tenant, selector: { tenant: ${tenant} } }
class: security
rules:
  - { id: ${tenant}-words, inspect: [request], match: { keywords: { words: [${words}] } }, then: block }
`;

const CONDITIONAL = `kind: Policy
metadata: { name: by-condition, layer: platform }
class: security
rules:
  - { id: acme-only, when: 'tenant == "acme"', inspect: [request], match: { keywords: { words: [Okapi] } }, then: block }
`;

/** Every spelling in which a client could try to say who it is. */
const FORGED = [
  'x-tenant',
  'tenant',
  'x-switchyard-tenant',
  'x-switchyard-policy',
  'x-switchyard-app',
];

describe('a tenant behind Envoy', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    const policies = {
      'acme.yaml': forTenant('acme', 'Zebra'),
      'default.yaml': forTenant('default', 'Giraffe'),
      'condition.yaml': CONDITIONAL,
    };
    stack = await startStack({ policies });
  });

  after(() => stack?.stop());

  const ask = async (
    path: string,
    prompt: string,
    headers: Record<string, string> = {},
  ): Promise<number> =>
    (await chat(stack.envoy.port, { path: `${path}v1/chat/completions`, prompt, headers })).status;

  it('gets its own verdict on the same prompt', async () => {
    assert.equal(await ask('/acme/', 'About Zebra'), 400);
    assert.equal(await ask('/', 'About Zebra'), 200);
    assert.equal(await ask('/acme/', 'About Giraffe'), 200);
    assert.equal(await ask('/', 'About Giraffe'), 400);
    assert.equal(await ask('/acme/', 'About Okapi'), 400);
    assert.equal(await ask('/', 'About Okapi'), 200);
  });

  for (const name of FORGED)
    it(`is not changed by a forged \`${name}\``, async () => {
      const toAcme = { [name]: 'acme' };
      const toDefault = { [name]: 'default' };
      assert.equal(await ask('/', 'About Zebra', toAcme), 200);
      assert.equal(await ask('/', 'About Okapi', toAcme), 200);
      assert.equal(await ask('/', 'About Giraffe', toAcme), 400);
      assert.equal(await ask('/acme/', 'About Zebra', toDefault), 400);
      assert.equal(await ask('/acme/', 'About Okapi', toDefault), 400);
      assert.equal(await ask('/acme/', 'About Giraffe', toDefault), 200);
    });

  it('is the route\u2019s in every record of both filters', async () => {
    const asked = stack.upstream.journal.length;
    await ask('/acme/', 'Hello', { 'x-tenant': 'default', 'x-switchyard-tenant': 'default' });
    assert.equal(stack.upstream.journal.length, asked + 1);
    await eventually('its records', async () => {
      const { decisions } = writtenRecords(stack.switchyard.dataDirectory);
      const last = decisions.at(-1);
      const both = decisions.filter(({ exchange }) => exchange === last?.exchange);
      if (both.length !== 2) return undefined;
      const isAcme = both.every(({ facts }) => facts.tenant === 'acme');
      return (last?.verdict === 'allow' && isAcme) || undefined;
    });
  });
});
