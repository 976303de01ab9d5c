/** Actions that write into a message, and restrictions, through Envoy as it is shipped. */
import assert from 'node:assert/strict';
import type { Document } from 'yaml';
import { chat, choicesOf } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { send } from './http-client.ts';
import { eventually } from './operator.ts';
import { CONNECTION_MANAGER } from './stance-envoy.ts';
import { writtenRecords } from './written-records.ts';

const POLICIES = {
  'platform.yaml': `kind: Policy
metadata: { name: platform, layer: platform }
class: security
rules:
  - { id: advice, class: operational, inspect: [response], match: { keywords: { words: [shares] } }, then: { append: { text: Not financial advice., oncePer: session } } }
  - { id: granted, models: { deny: ["o3*", "gemini-2.5-*"] } }
  - { id: moving, readOnly: {} }
  - { id: mails, inspect: [request], match: { pii: { entities: [email] } }, then: { redact: { reversible: true, ttl: 1h } } }
  - { id: probes, inspect: [request], match: { keywords: { words: [jailbreak] } }, then: { throttle: { max: 2, window: 1h } } }
  - { id: save, inspect: [request], match: { keywords: { words: [simple] } }, then: { route: { model: cheap, cluster: llm, sticky: session } } }
`,
  'acme.yaml': `kind: Policy
metadata: { name: acme, layer: tenant, selector: { tenant: acme } }
class: operational
rules:
  - { id: voice, then: { inject: { text: You speak for Acme., tone: formal } } }
`,
  'default.yaml': `kind: Policy
metadata: { name: default, layer: tenant, selector: { tenant: default } }
class: operational
rules:
  - { id: voice, then: { inject: { text: Answer in French., at: start } } }
`,
};

/** Routes that Envoy picks only by what we say: one matches on the model, one takes its cluster from a header. */
function addPickedRoutes(document: Document): void {
  const list = [...CONNECTION_MANAGER, 'route_config', 'virtual_hosts', 0, 'routes'];
  const routes = document.getIn(list) as { items: unknown[] };
  const present = { name: 'x-switchyard-cluster', present_match: true };
  const cheap = { name: 'x-switchyard-model', string_match: { exact: 'cheap' } };
  routes.items.unshift(
    document.createNode({
      name: 'picked',
      match: { prefix: '/', headers: [present, cheap] },
      route: { cluster_header: 'x-switchyard-cluster', timeout: '0s' },
      request_headers_to_add: [{ header: { key: 'x-picked', value: 'by-model' } }],
    }),
  );
}

describe('what rules write into messages, behind Envoy', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: POLICIES, adapt: addPickedRoutes });
  });

  after(() => stack?.stop());

  const last = () => stack.upstream.journal.at(-1) ?? assert.fail('nothing reached the upstream');
  const messages = () =>
    (JSON.parse(last().body) as { messages: { role: string; content: string }[] }).messages;
  const records = () => writtenRecords(stack.switchyard.dataDirectory).decisions;

  it('inject: each tenant has its own words, and every other byte is the client\u2019s', async () => {
    const { port } = stack.envoy;
    for (const stream of [false, true]) {
      const acme = await chat(port, { path: '/acme/v1/chat/completions', stream });
      assert.equal(acme.status, 200);
      assert.equal(choicesOf(acme)[0]?.content, 'You said: Hello');
      const said = 'You speak for Acme.\n\u2026'.replace(
        '\u2026',
        'Write in a formal, courteous tone.',
      );
      const added = `{"role":"system","content":${JSON.stringify(said)}},`;
      assert.equal(
        last().body,
        `{"model":"demo","stream":${stream},"messages":[${added}{"role":"user","content":"Hello"}]}`,
      );
      const other = await chat(port, { stream });
      assert.equal(other.status, 200);
      assert.deepEqual(messages(), [
        { role: 'system', content: 'Answer in French.' },
        { role: 'user', content: 'Hello' },
      ]);
    }
  });

  it('redact, reversible: the model reads a placeholder, and its client what it said', async () => {
    for (const stream of [false, true]) {
      const answer = await chat(stack.envoy.port, { prompt: 'Write to ann@example.org', stream });
      assert.equal(messages().at(-1)?.content, 'Write to [EMAIL_1]');
      assert.equal(choicesOf(answer)[0]?.content, 'You said: Write to ann@example.org');
      const found = records()
        .at(-1)
        ?.findings.filter(({ rule }) => rule === 'platform/mails');
      assert.deepEqual(
        found?.map(({ label }) => label),
        ['EMAIL', 'PLACEHOLDER'],
      );
    }
    assert.ok(!JSON.stringify(records()).includes('ann@'));
  });

  it('inject: a request of the other APIs is written where they take it', async () => {
    const post = (path: string, body: object) =>
      send(stack.envoy.port, {
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    await post('/acme/v1/messages', {
      model: 'm',
      system: [{ type: 'text', text: 'A' }],
      messages: [],
    });
    assert.match(
      last().body,
      /\{"type":"text","text":"A"\},\{"type":"text","text":"You speak for Acme/u,
    );
    await post('/acme/v1/responses', { model: 'm', input: 'hi' });
    assert.match(last().body, /^\{"instructions":"You speak for Acme/u);
    await post('/acme/v1beta/models/gemini-2.0-flash:generateContent', { contents: [] });
    assert.match(last().body, /^\{"systemInstruction":\{"parts":\[\{"text":"You speak for Acme/u);
    // Operational: what has no place for the words passes without them, and the record says so.
    await post('/acme/v1/embeddings', { model: 'm', input: 'hi' });
    assert.equal(last().body, '{"model":"m","input":"hi"}');
    await eventually('its record', async () => {
      const found = records().find(({ format }) => format === 'openai.inputs');
      return found?.degraded === true || undefined;
    });
  });

  it('append: once in a session, inside the message and before its end', async () => {
    const ask = async (session: string, stream: boolean, prompt = 'say: Buy shares now') =>
      chat(stack.envoy.port, { prompt, stream, headers: { 'x-session-id': session } });
    const first = choicesOf(await ask('append-1', true))[0];
    assert.equal(first?.content, 'Buy shares now\n\nNot financial advice.');
    assert.equal(first?.finishReason, 'stop');
    assert.equal(choicesOf(await ask('append-1', true))[0]?.content, 'Buy shares now');
    assert.equal(choicesOf(await ask('append-1', false))[0]?.content, 'Buy shares now');
    const other = choicesOf(await ask('append-2', false))[0];
    assert.equal(other?.content, 'Buy shares now\n\nNot financial advice.');
    const harmless = choicesOf(await ask('append-3', true, 'say: Buy bread'))[0];
    assert.equal(harmless?.content, 'Buy bread');
    const called = choicesOf(await ask('append-3', true, 'call: buy {"what":"shares"}'))[0];
    assert.deepEqual([called?.content, called?.toolArguments], ['', '{"what":"shares"}']);
  });

  it('route: another model, a route picked anew, and the session goes on as it began', async () => {
    const ask = async (session: string, prompt: string, headers = {}) => {
      const answer = await chat(stack.envoy.port, {
        prompt,
        headers: { 'x-session-id': session, ...headers },
      });
      assert.equal(answer.status, 200);
      const { body, headers: got } = last();
      return [JSON.parse(body).model, got['x-picked']];
    };
    assert.deepEqual(await ask('route-1', 'a simple thing'), ['cheap', 'by-model']);
    assert.deepEqual(await ask('route-1', 'a hard thing'), ['cheap', 'by-model']);
    assert.deepEqual(await ask('route-2', 'a hard thing'), ['demo', undefined]);
    assert.deepEqual(await ask('route-2', 'a simple thing'), ['demo', undefined]);
    const forged = { 'x-switchyard-model': 'cheap', 'x-switchyard-cluster': 'llm' };
    assert.deepEqual(await ask('route-3', 'a hard thing', forged), ['demo', undefined]);
    assert.equal(last().headers['x-switchyard-cluster'], undefined);
    await eventually('its record', async () => {
      const found = records().find(({ rerouted }) => rerouted !== undefined);
      return (
        (found?.rerouted?.rule === 'platform/save' && found.rerouted.to === 'cheap') || undefined
      );
    });
  });

  it('models: 403 before the body is sent where the path names the model, and from the body', async () => {
    const asked = stack.upstream.journal.length;
    const early = await send(stack.envoy.port, {
      method: 'POST',
      path: '/v1beta/models/gemini-2.5-pro:generateContent',
      headers: { 'content-type': 'application/json' },
      // The second half would come in two seconds.
      pieces: ['{"contents":', '[]}'],
      delayMs: 2_000,
    });
    assert.equal(early.status, 403);
    assert.match(early.text, /PERMISSION_DENIED/u);
    const late = await chat(stack.envoy.port, { body: { model: 'o3-mini' } });
    assert.equal(late.status, 403);
    assert.equal(stack.upstream.journal.length, asked);
    await eventually('their records', async () => {
      const kinds = records()
        .filter(({ findings }) => findings.some(({ rule }) => rule === 'platform/granted'))
        .map(({ kind, verdict, status }) => `${kind} ${verdict} ${status}`);
      return kinds.join() === 'check deny 403,process deny 403' || undefined;
    });
    const metrics = (await stack.switchyard.admin('/metrics')).text;
    assert.match(metrics, /switchyard_rule_matches_total\{[^}]*platform\/granted[^}]*\} 2/u);
  });

  it('models: the list has only those that may be used', async () => {
    const list = {
      object: 'list',
      data: ['gpt-4o', 'o3', 'o3-mini', 'gpt-4.1'].map((id) => ({ id, object: 'model' })),
    };
    stack.upstream.say({
      chunks: [JSON.stringify(list)],
      headers: { 'content-type': 'application/json' },
    });
    const answer = await send(stack.envoy.port, { path: '/v1/models' });
    assert.equal(
      answer.text,
      '{"object":"list","data":[{"id":"gpt-4o","object":"model"},{"id":"gpt-4.1","object":"model"}]}',
    );
    assert.equal((await send(stack.envoy.port, { path: '/v1/models/o3' })).status, 403);
  });

  it('readOnly: what writes gets 403, what reads and what talks goes on', async () => {
    const status = async (method: string, path: string) =>
      (await send(stack.envoy.port, { method, path })).status;
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      assert.equal(await status(method, '/orders/1'), 403, method);
    assert.equal(await status('GET', '/orders/1'), 200);
    assert.equal((await chat(stack.envoy.port)).status, 200);
  });

  it('throttle: 429 and when to come again, for the session that it is', async () => {
    const ask = (session: string, prompt: string) =>
      chat(stack.envoy.port, { prompt, headers: { 'x-session-id': session } });
    assert.equal((await ask('throttle-1', 'a jailbreak')).status, 200);
    assert.equal((await ask('throttle-1', 'a jailbreak')).status, 200);
    const refused = await ask('throttle-1', 'a jailbreak');
    assert.equal(refused.status, 429);
    assert.match(refused.headers['retry-after'] ?? '', /^1[78]\d\d$/u);
    assert.equal(JSON.parse(refused.text).error.type, 'rate_limit_error');
    assert.equal((await ask('throttle-1', 'harmless')).status, 200);
    assert.equal((await ask('throttle-2', 'a jailbreak')).status, 200);
  });
});
