import assert from 'node:assert/strict';
import { createCheck } from '../../src/engine/check.ts';
import { Exchange } from '../../src/engine/exchange.ts';
import type { CheckAnswer } from '../../src/protocol/check.ts';
import type { BodyMode } from '../../src/protocol/process.ts';
import { ask } from './requests.ts';
import {
  answer,
  chatStream,
  compile,
  headersEvent,
  policyOf,
  RecordingPort,
  type Rig,
  rig,
} from './rig.ts';

const chat = (model?: string) =>
  JSON.stringify({ ...(model && { model }), messages: [{ role: 'user', content: 'hi' }] });

/** What Check answers to a request without a body. */
function check(
  from: Rig,
  path: string,
  method = 'POST',
  extensions: Readonly<Record<string, string>> = {},
): CheckAnswer {
  const headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' };
  return createCheck(from.deps)(
    {
      method,
      path,
      authority: 'llm.example',
      headers: { get: (name) => headers[name], entries: () => Object.entries(headers) },
      contextExtension: (name) => extensions[name],
      metadata: () => undefined,
      sourcePrincipal: '',
      sourceIp: '',
      body: new Uint8Array(0),
    },
    () => undefined,
  );
}

describe('models', () => {
  const set = policyOf(
    '  - { id: grant, models: { allow: [gpt-4o*, "*/llama-*", gemini-2.0-flash], deny: [gpt-4o-audio] } }',
  );
  const GEMINI = (model: string) => `/v1beta/models/${model}:generateContent`;

  for (const [model, allowed] of [
    ['gpt-4o', true],
    ['gpt-4o-mini', true],
    ['GPT-4o-mini', true],
    ['models/gpt-4o', true],
    ['meta/llama-3', true],
    ['gpt-4o-audio', false],
    ['Models/GPT-4o-Audio', false],
    ['o3', false],
    ['xgpt-4o', false],
    ['llama-3', false],
  ] as const)
    it(`${allowed ? 'lets' : 'does not let'} ask ${model}`, () => {
      const from = rig(set);
      const { port } = ask(from, { body: chat(model), status: 200 });
      assert.equal(port.refusal?.status, allowed ? undefined : 403);
      const record = from.records.at(-1);
      assert.equal(record?.verdict, allowed ? 'allow' : 'deny');
      assert.deepEqual(
        record?.findings.map(({ rule }) => rule),
        allowed ? [] : ['p/grant'],
      );
    });

  it('with a list of what is allowed, asks for a name', () => {
    assert.equal(ask(rig(set), { body: chat() }).port.refusal?.status, 403);
    const denying = policyOf('  - { id: grant, models: { deny: [o3] } }');
    assert.equal(ask(rig(denying), { body: chat() }).port.refusal, undefined);
    const doubt = '{"model":"gpt-4o","model":"o3","messages":[]}';
    assert.equal(ask(rig(denying), { body: doubt }).port.refusal?.status, 400);
  });

  it('reads the model of a path, however that is spelled', () => {
    const body = '{"contents":[]}';
    const get = (path: string) => ask(rig(set), { path, body }).port.refusal?.status;
    assert.equal(get(GEMINI('gemini-2.0-flash')), undefined);
    assert.equal(get(GEMINI('gemini-2.5-pro')), 403);
    assert.equal(get('/v1beta/models/gemini-2%2e5-pro:generateContent'), 403);
    assert.equal(get('/v1beta//models/./gemini-2.5-pro:generateContent?alt=sse'), 403);
  });

  it('trusts no body that names another model than the path', () => {
    const path = '/openai/deployments/gpt-4o/chat/completions?api-version=1';
    assert.equal(ask(rig(set), { path, body: chat('gpt-4o') }).port.refusal, undefined);
    assert.equal(ask(rig(set), { path, body: chat() }).port.refusal, undefined);
    assert.equal(ask(rig(set), { path, body: chat('gpt-4o-mini') }).port.refusal?.status, 400);
  });

  it('is decided before the body where path or route name the model', () => {
    const from = rig(set);
    const denied = check(from, GEMINI('gemini-2.5-pro'));
    assert.ok(denied.kind === 'deny' && denied.status === 403);
    assert.match(denied.body, /PERMISSION_DENIED/);
    const [record] = from.records;
    assert.deepEqual([record?.kind, record?.verdict, record?.code], ['check', 'deny', 'policy']);
    assert.equal(record?.findings[0]?.rule, 'p/grant');
    assert.equal(check(rig(set), GEMINI('gemini-2.0-flash')).kind, 'allow');
    assert.equal(check(rig(set), '/v1/models/o3', 'GET').kind, 'deny');
    // What only the body says is left to Process.
    assert.equal(check(rig(set), '/v1/chat/completions').kind, 'allow');

    const byRoute = rig(set);
    const facts = { model: [{ from: 'contextExtension', name: 'model' } as const] };
    const routed: Rig = { ...byRoute, deps: { ...byRoute.deps, facts } };
    assert.equal(check(routed, '/v1/chat/completions', 'POST', { model: 'o3' }).kind, 'deny');
    assert.equal(check(routed, '/v1/chat/completions', 'POST', { model: 'gpt-4o' }).kind, 'allow');
  });

  it('is not mistaken for another, for which alone a rule is', () => {
    const closed = compile(`
kind: Policy
metadata: { name: p, layer: model, selector: { model: gemini-2.5-pro } }
class: security
rules:
  - { id: closed, when: 'method == "POST"', then: block }`);
    assert.equal(check(rig(closed), GEMINI('gemini-2.5-pro')).kind, 'deny');
    assert.equal(check(rig(closed), GEMINI('gemini-2.0-flash')).kind, 'allow');
    assert.equal(check(rig(closed), '/v1/chat/completions').kind, 'allow');
  });

  it('concerns no servers of tools, and nobody that `when` leaves out', () => {
    const mcp = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
    assert.equal(ask(rig(set), { path: '/mcp', body: mcp }).port.refusal, undefined);
    const some = policyOf(
      `  - { id: grant, when: 'tenant == "acme"', models: { allow: [gpt-4o] } }`,
    );
    assert.equal(ask(rig(some), { body: chat('o3') }).port.refusal, undefined);
    const acme = { 'x-switchyard-tenant': 'acme' };
    assert.equal(ask(rig(some), { body: chat('o3'), initial: acme }).port.refusal?.status, 403);
  });

  it('in shadow refuses nothing, and is lifted by an `allow` of higher priority', () => {
    const shadow = policyOf('  - { id: g, enforcement: shadow, models: { deny: [o3] } }');
    const from = rig(shadow);
    assert.equal(ask(from, { body: chat('o3') }).port.refusal, undefined);
    const lifted = policyOf(`  - { id: g, models: { deny: [o3] } }
  - { id: boss, priority: 1, when: 'tenant == "acme"', then: allow }`);
    const acme = { 'x-switchyard-tenant': 'acme' };
    assert.equal(ask(rig(lifted), { body: chat('o3'), initial: acme }).port.refusal, undefined);
    assert.equal(ask(rig(lifted), { body: chat('o3') }).port.refusal?.status, 403);
  });
});

describe('a list of models', () => {
  const set = policyOf('  - { id: grant, models: { deny: [o3*, "gemini-2.5-*"] } }');
  const json = 'application/json';

  /** What is left of an answer to GET on this path. */
  function listed(
    from: Rig,
    path: string,
    body: string,
    extra: Readonly<Record<string, string>> = {},
    mode: BodyMode = 'FULL_DUPLEX_STREAMED',
  ) {
    const port = new RecordingPort(mode);
    const exchange = new Exchange(from.deps, port);
    exchange.event(
      headersEvent('request', { ':method': 'GET', ':path': path }, { endOfStream: true }),
    );
    const headers = { ':status': '200', 'content-type': json, ...extra };
    exchange.event(headersEvent('response', headers));
    const bytes = Buffer.from(body);
    if (!port.refusal)
      exchange.event({ kind: 'body', direction: 'response', bytes, endOfStream: true });
    exchange.end('half_close');
    return port;
  }

  for (const [what, path, body, left] of [
    [
      'OpenAI',
      '/v1/models',
      '{"object":"list", "data":[ {"id":"o3"},{"id":"gpt-4o","created":1} , {"id":"o3-mini"}]}',
      '{"object":"list", "data":[{"id":"gpt-4o","created":1}]}',
    ],
    [
      'Anthropic, with the ends of the page',
      '/v1/models?limit=2',
      '{"data":[{"type":"model","id":"claude"},{"id":"o3"}],"first_id":"claude","last_id":"o3","has_more":false}',
      '{"data":[{"type":"model","id":"claude"}],"first_id":"claude","last_id":null,"has_more":false}',
    ],
    [
      'Gemini',
      '/v1beta/models',
      '{"models":[{"name":"models/gemini-2.5-pro"},{"name":"models/gemini-2.0-flash"}]}',
      '{"models":[{"name":"models/gemini-2.0-flash"}]}',
    ],
    ['all of them hidden', '/v1/models', '{"data":[{"id":"o3"}]}', '{"data":[]}'],
    ['nothing to hide', '/v1/models', '{"data":[ {"id":"a"} ]}', '{"data":[ {"id":"a"} ]}'],
    ['without a name', '/v1/models', '{"data":[{"x":1},{"id":"a"}]}', '{"data":[{"id":"a"}]}'],
    [
      'a name that stands twice',
      '/v1/models',
      '{"data":[{"id":"a","id":"o3"},{"id":"o3","id":"a"}]}',
      '{"data":[]}',
    ],
  ] as const)
    it(`is without those that may not be used: ${what}`, () => {
      const from = rig(set);
      assert.equal(listed(from, path, body).sent('response'), left);
      assert.equal(from.records.at(-1)?.verdict, body === left ? 'allow' : 'mutate');
    });

  it("that cannot be read, or not changed, is the class's to decide", () => {
    for (const body of ['<html>', '[]', '{"models":{}}', '{"other":[]}'])
      assert.equal(listed(rig(set), '/v1/models', body).refusal?.status, 502, body);
    const body = '{"data":[{"id":"o3"}]}';
    const encoded = { 'content-encoding': 'unknown' };
    assert.equal(listed(rig(set), '/v1/models', body, encoded).refusal?.status, 503);
    assert.equal(listed(rig(set), '/v1/models', body, {}, 'STREAMED').refusal?.status, 503);
    const open = rig(policyOf('  - { id: grant, models: { deny: [o3] } }', 'class: operational'));
    assert.equal(listed(open, '/v1/models', '<html>').sent('response'), '<html>');
    assert.equal(open.records.at(-1)?.degraded, true);
  });

  it('passes as it is where no rule holds, and what is no list', () => {
    const body = '{"data":[{"id":"o3"}]}';
    const other = policyOf(`  - { id: grant, when: 'tenant == "a"', models: { deny: [o3] } }`);
    assert.equal(listed(rig(other), '/v1/models', body).sent('response'), body);
    assert.equal(listed(rig(set), '/v1/files', body).sent('response'), body);
    const failed = { ':status': '401' };
    assert.equal(
      listed(rig(set), '/v1/models', '{"error":{}}', failed).sent('response'),
      '{"error":{}}',
    );
  });
});

describe('readOnly', () => {
  const set = policyOf('  - { id: window, readOnly: {} }');

  for (const [method, path, status] of [
    ['GET', '/orders', undefined],
    ['HEAD', '/orders', undefined],
    ['POST', '/orders', 403],
    ['PUT', '/orders/1', 403],
    ['PATCH', '/orders/1', 403],
    ['DELETE', '/orders/1', 403],
    ['POST', '/v1/chat/completions', undefined],
    ['DELETE', '/v1/responses/r_1', 403],
    ['POST', '/v1/responses', undefined],
    ['POST', '/mcp', undefined],
    ['DELETE', '/mcp', undefined],
  ] as const)
    it(`${method} ${path} ${status === undefined ? 'goes on' : 'is refused'}`, () => {
      const { port } = ask(rig(set), { method, path });
      assert.equal(port.refusal?.status, status);
      const { kind } = check(rig(set), path, method);
      assert.equal(kind, status === undefined ? 'allow' : 'deny');
    });

  it('takes the methods that are named', () => {
    const some = policyOf('  - { id: window, readOnly: { methods: [DELETE], message: Later. } }');
    assert.equal(ask(rig(some), { method: 'POST', path: '/orders' }).port.refusal, undefined);
    const { refusal } = ask(rig(some), { method: 'DELETE', path: '/orders' }).port;
    assert.match(refusal?.body ?? '', /Later\./);
  });

  describe('with tools', () => {
    const tools = policyOf(
      '  - { id: window, readOnly: { message: Later., tools: { notIn: ["get_*", search] } } }',
    );
    const named = (name: string) => ({ type: 'function', function: { name, parameters: {} } });
    const request = (...messages: readonly object[]) =>
      JSON.stringify({ messages, tools: [named('get_order'), named('pay')] });

    it('takes those that write out of the request, and leaves the others', () => {
      const { port, body } = ask(rig(tools), { body: request({ role: 'user', content: 'hi' }) });
      assert.equal(port.refusal, undefined);
      assert.deepEqual(JSON.parse(body).tools, [named('get_order')]);
    });

    it('lets a request recall a call that was made before', () => {
      const call = { id: 'c', type: 'function', function: { name: 'pay', arguments: '{}' } };
      const messages = [
        { role: 'assistant', tool_calls: [call] },
        { role: 'tool', tool_call_id: 'c', content: 'paid' },
      ];
      const { port } = ask(rig(tools), { body: request(...messages) });
      assert.equal(port.refusal, undefined);
    });

    for (const [name, refused] of [
      ['get_order', false],
      ['pay', true],
    ] as const)
      it(`${refused ? 'refuses' : 'passes'} a call of \`${name}\`, by the model and over MCP`, () => {
        const called = { index: 0, id: 'c', type: 'function', function: { name, arguments: '{}' } };
        const bytes = chatStream([
          { delta: { tool_calls: [called] } },
          { delta: {}, finish: 'tool_calls' },
        ]);
        const answered = answer(rig(tools), [bytes]);
        assert.equal(answered.port.refusal?.status, refused ? 403 : undefined);
        assert.equal(answered.text.includes(`"${name}"`), !refused);
        const body = JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name, arguments: {} },
        });
        const { port } = ask(rig(tools), { path: '/mcp', body });
        assert.equal(port.refusal?.body.includes('Later.') ?? false, refused);
      });

    it('still refuses the methods that write, from Check too', () => {
      assert.equal(ask(rig(tools), { method: 'PUT', path: '/orders/1' }).port.refusal?.status, 403);
      const answer = check(rig(tools), '/orders/1', 'PUT');
      assert.equal(answer.kind === 'deny' && answer.status, 403);
      assert.equal(check(rig(tools), '/orders/1', 'GET').kind, 'allow');
    });
  });
});
