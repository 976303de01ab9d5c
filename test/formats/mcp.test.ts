import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Frame } from '../../src/formats/frame.ts';
import { DEFAULT_FORMAT_LIMITS } from '../../src/formats/limits.ts';
import { mcpWith } from '../../src/formats/mcp.ts';
import { ID_BYTES_MAX } from '../../src/formats/mcp-message.ts';
import { HEADER_MISMATCH_CODE, POLICY_ERROR_CODE } from '../../src/formats/mcp-refusal.ts';
import { bytesOf, framesOf, textOf } from './chat-bodies.ts';
import { type Call, cutAt, GUARD, IDLE, run, STRICT } from './exchange-run.ts';

const CALL: Call = { path: '/mcp' };
const JSON_TYPE = { responseType: 'application/json' };

const rpc = (rest: object) => JSON.stringify({ jsonrpc: '2.0', ...rest });
const toolCall = (args: object, id: unknown = 7) =>
  rpc({ id, method: 'tools/call', params: { name: 'look', arguments: args } });
const result = (content: object, id: unknown = 7) => ({ jsonrpc: '2.0', id, result: content });
const textResult = (text: string, id: unknown = 7) =>
  result({ content: [{ type: 'text', text }], isError: false }, id);
const event = (message: object) => `event: message\ndata: ${JSON.stringify(message)}\n\n`;
const progress = (message: string) => ({
  jsonrpc: '2.0',
  method: 'notifications/progress',
  params: { progressToken: 1, progress: 1, message },
});
const messagesIn = (text: string) =>
  text
    .split(/\r?\n\r?\n/)
    .map((one) => /^data: ?(.*)$/m.exec(one)?.[1] ?? '')
    .filter((data) => data !== '')
    .map((data) => JSON.parse(data));

const read = (direction: 'request' | 'response', body: string, streamed = false): Frame[] =>
  framesOf(mcpWith(DEFAULT_FORMAT_LIMITS).reader(direction, streamed), bytesOf(body));
const seen = (frame: Frame) => frame.pieces.map((piece) => `${piece.place} = ${piece.value}`);

describe('mcp message', () => {
  it('tells whose words stand where', () => {
    assert.deepEqual(seen(read('request', toolCall({ q: 'x', n: 1 }))[0]!), [
      'tool_call = look',
      'tool_call = {"q":"x","n":1}',
    ]);
    const body = result({
      tools: [{ name: 't', description: 'does', inputSchema: { properties: { obey: {} } } }],
      content: [
        { type: 'text', text: 'hello' },
        { type: 'image', mimeType: 'image/png', data: 'aGk=' },
        { type: 'resource', resource: { uri: 'file:///a', text: 'inside' } },
      ],
      structuredContent: { a: 'b' },
      contents: [{ uri: 'u', mimeType: 'text/plain', text: 'page' }],
      instructions: 'be kind',
      messages: [{ role: 'user', content: { type: 'text', text: 'prompt' } }],
    });
    assert.deepEqual(seen(read('response', JSON.stringify(body))[0]!), [
      'tool_definition = {"name":"t","description":"does","inputSchema":{"properties":{"obey":{}}}}',
      'tool_result = hello',
      'tool_result = file:///a',
      'tool_result = inside',
      'tool_result = {"a":"b"}',
      'retrieved = u',
      'retrieved = page',
      'system = be kind',
      'retrieved = prompt',
    ]);
  });

  it('reads what only looks like media', () => {
    const frame = read(
      'response',
      JSON.stringify(result({ content: [{ type: 'text', data: 'BankA', blob: 'BankB' }] })),
    )[0]!;
    assert.deepEqual(seen(frame), ['tool_result = BankA', 'tool_result = BankB']);
  });

  for (const [body, unreadable] of [
    ['{"jsonrpc":"2.0","id":1,"method":"ping"}', undefined],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"x"}]', undefined],
    ['{"error":"invalid_token"}', undefined],
    ['[]', 'not_json_rpc'],
    ['[7]', 'not_json_rpc'],
    ['{}', 'not_json_rpc'],
    ['{"jsonrpc":"2.0"}', 'not_json_rpc'],
    ['{"jsonrpc":"1.0","method":"x"}', 'not_json_rpc'],
    ['{"jsonrpc":"2.0","method":"x","result":{}}', 'not_json_rpc'],
    ['{"jsonrpc":"2.0","method":"x","method":"y"}', 'ambiguous_message'],
    ['{"jsonrpc":"2.0","method":"x","Method":"y"}', 'ambiguous_message'],
    ['{"jsonrpc":"2.0","method":"x","params":{"name":"a","name":"b"}}', 'ambiguous_message'],
    [
      '{"jsonrpc":"2.0","method":"x","params":{"argument\u017f":{},"arguments":{}}}',
      'ambiguous_message',
    ],
    ['7', 'not_an_object'],
    ['{', 'not_json'],
  ] as const)
    it(`takes ${body} for ${unreadable ?? 'readable'}`, () => {
      assert.equal(read('request', body)[0]!.unreadable, unreadable);
    });
});

describe('mcp exchange', () => {
  it('is masked in arguments, names and numbers included, and in nothing else', () => {
    const body =
      '{"jsonrpc":"2.0", "id":1e0, "method":"tools/call", "params":{"name":"look","arguments":{"Bank \\u0041" : "a@b.co"}}}';
    assert.equal(
      run(GUARD, { ...CALL, request: body }).request,
      body.replace('Bank \\u0041', 'another bank').replace('a@b.co', '[EMAIL_1]'),
    );
  });

  it('leaves as the same bytes for every cut of the wire (law a)', () => {
    const bytes = bytesOf(
      ': hi\r\n\r\n' +
        event(progress('at Bank A')) +
        `id: 7\ndata: ${JSON.stringify(textResult('mail joe@acme.example, Bank A.'))}\r\n\r\n`,
    );
    const call = { ...CALL, request: toolCall({}) };
    const whole = run(GUARD, call, [bytes]).response;
    assert.equal(
      whole,
      textOf(bytes).replaceAll('Bank A', 'another bank').replace('joe@acme.example', '[EMAIL_1]'),
    );
    for (let cut = 1; cut < bytes.length; cut += 1)
      assert.equal(run(GUARD, call, cutAt(bytes, [cut])).response, whole, `cut at ${cut}`);
  });

  it('leaves byte for byte when nothing matches, as a document and as events', () => {
    const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 4 });
    fc.assert(
      fc.property(texts, fc.array(fc.nat(2000), { maxLength: 6 }), (parts, cuts) => {
        const events = bytesOf(
          [...parts.map(progress), textResult(parts.join(' '))].map(event).join(''),
        );
        const call = { ...CALL, request: toolCall({}) };
        assert.equal(run(IDLE, call, cutAt(events, cuts)).response, textOf(events));
        const whole = bytesOf(JSON.stringify(textResult(parts.join(' ')), null, 1));
        const document = run(IDLE, { ...call, ...JSON_TYPE }, cutAt(whole, cuts));
        assert.equal(document.response, textOf(whole));
      }),
      { numRuns: 60 },
    );
  });

  it('refuses a tool call as a failed one, with the id as it was written', () => {
    for (const id of [7, 'a"b', '1e3']) {
      const { refusal } = run(GUARD, {
        ...CALL,
        request: toolCall({ q: 'Project Zebra' }, id),
      }).port;
      assert.equal(refusal?.status, 200);
      const body = JSON.parse(refusal!.body);
      assert.equal(body.id, id);
      assert.equal(body.result.isError, true);
      assert.deepEqual(body.result.content, [{ type: 'text', text: 'No.' }]);
    }
  });

  it('echoes an id of the greatest length, and none that is longer', () => {
    const idOf = (length: number) => {
      const request = toolCall({ q: 'Project Zebra' }, 'i'.repeat(length - 2));
      return JSON.parse(run(GUARD, { ...CALL, request }).port.refusal!.body).id;
    };
    assert.equal(idOf(ID_BYTES_MAX).length, ID_BYTES_MAX - 2);
    assert.equal(idOf(ID_BYTES_MAX + 1), null);
  });

  it('refuses as an error with the status of the rule, and what is no tool call with an error', () => {
    const request = rpc({ id: 3, method: 'prompts/get', params: { name: 'Project Zebra' } });
    const strict = run(STRICT, { ...CALL, request }).port.refusal!;
    assert.equal(strict.status, 403);
    const { id, error } = JSON.parse(strict.body);
    assert.deepEqual([id, error.code, error.message], [3, POLICY_ERROR_CODE, 'No.']);
    const spoken = run(GUARD, { ...CALL, request }).port.refusal!;
    assert.equal(spoken.status, 200);
    assert.equal(JSON.parse(spoken.body).error.message, 'No.');
  });

  it('refuses with status 200 whose clients read an error from no other, unless the rule has its own', () => {
    const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
    const early = toolCall({});
    const late = rpc({ id: 7, method: 'tools/call', params: { name: 'look', _meta: meta } });
    const refusal = { message: 'No.', decisionId: 'd', code: 'content_policy_violation' };
    const statusOf = (request: string, status: number, code = refusal.code) => {
      const format = mcpWith(DEFAULT_FORMAT_LIMITS);
      framesOf(format.reader('request', false), bytesOf(request));
      return format.refusalResponse({ ...refusal, code }, status, 'error', false).status;
    };
    assert.equal(statusOf(early, 400), 200);
    assert.equal(statusOf(late, 400), 400);
    assert.equal(statusOf(`[${early},${late}]`, 400), 400);
    assert.equal(statusOf(early, 403), 403);
    assert.equal(statusOf(early, 400, 'unreadable_body'), 400);
    assert.equal(statusOf(rpc({ method: 'notifications/initialized' }), 400), 400);
  });

  it('refuses a batch with an answer for each request in it', () => {
    const ping = '{"jsonrpc":"2.0","id":"p","method":"ping"}';
    const request = `[${toolCall({ q: 'Project Zebra' })},${ping},${rpc({ method: 'n' })}]`;
    const bodies = JSON.parse(run(GUARD, { ...CALL, request }).port.refusal!.body);
    assert.deepEqual(
      bodies.map((body: { id: unknown; result?: object }) => [body.id, body.result !== undefined]),
      [
        [7, true],
        ['p', false],
      ],
    );
  });

  it('refuses a batch of one in a batch', () => {
    const request = `[${toolCall({ q: 'Project Zebra' })}]`;
    const bodies = JSON.parse(run(GUARD, { ...CALL, request }).port.refusal!.body);
    assert.deepEqual([bodies.length, bodies[0].id], [1, 7]);
  });

  it('answers in place of a result that is refused, behind what came before it', () => {
    const bytes = bytesOf(
      event(progress('reading, ')) + event(textResult('All about Project Zebra')),
    );
    for (let cut = 1; cut < bytes.length; cut += 7) {
      const { response, port } = run(
        GUARD,
        { ...CALL, request: toolCall({}) },
        cutAt(bytes, [cut]),
      );
      const messages = messagesIn(response);
      assert.deepEqual(messages[0], progress('reading, '), `cut at ${cut}`);
      assert.equal(messages.length, 2);
      assert.equal(messages[1].id, 7);
      assert.equal(messages[1].result.isError, true);
      assert.deepEqual(messages[1].result.content, [{ type: 'text', text: 'No.' }]);
      assert.ok(port.ended.has('response'));
    }
  });

  it('answers a request whose progress is refused, and no request twice', () => {
    const request = toolCall({});
    const bytes = bytesOf(event(progress('fine, ')) + event(progress('so: Project Zebra')));
    const refused = messagesIn(run(GUARD, { ...CALL, request }, [bytes]).response);
    assert.equal(refused.at(-1).result.isError, true);
    const after = bytesOf(event(textResult('done, ')) + event(progress('so: Project Zebra')));
    const messages = messagesIn(run(GUARD, { ...CALL, request }, [after]).response);
    assert.deepEqual(messages, [textResult('done, ')]);
  });

  it('refuses a document that is refused whole', () => {
    const { refusal } = run(GUARD, { ...CALL, ...JSON_TYPE, request: toolCall({}) }, [
      bytesOf(JSON.stringify(textResult('Project Zebra'))),
    ]).port;
    assert.equal(JSON.parse(refusal!.body).result.isError, true);
    assert.equal(JSON.parse(refusal!.body).id, 7);
  });

  for (const [headers, refused] of [
    [{ 'mcp-method': 'tools/call', 'mcp-name': 'look' }, false],
    [{ 'mcp-name': '=?base64?bG9vaw==?=' }, false],
    [{ 'mcp-method': 'tools/list' }, true],
    [{ 'mcp-method': 'TOOLS/CALL' }, true],
    [{ 'mcp-name': 'other' }, true],
    [{ 'mcp-name': '=?base64?b3RoZXI=?=' }, true],
    [{ 'mcp-protocol-version': '2025-11-25' }, true],
    [{ 'mcp-protocol-version': '2026-07-28' }, false],
    [{ 'mcp-session-id': 'a,b' }, false],
    [{ 'mcp-session-id': 'a, b' }, true],
    [{ 'mcp-param-region': 'us-west1' }, false],
    [{ 'mcp-param-anything': 'us-west1', 'mcp-param-deep': '=?base64?w7w=?=' }, false],
    [{ 'mcp-param-count': '42', 'mcp-param-same': '42.0', 'mcp-param-on': 'true' }, false],
    [{ 'mcp-param-region': 'us-west2' }, true],
    [{ 'mcp-param-region': 'US-WEST1' }, true],
    [{ 'mcp-param-count': '4.2e1' }, true],
    [{ 'mcp-param-listed': 'in a list' }, true],
    [{ 'mcp-param-name': 'look' }, true],
  ] as const)
    it(`${refused ? 'refuses' : 'lets pass'} a call under ${JSON.stringify(headers)}`, () => {
      const request = rpc({
        id: 7,
        method: 'tools/call',
        params: {
          name: 'look',
          arguments: {
            region: 'us-west1',
            count: 42,
            inner: { on: true, deep: 'ü', list: ['in a list'] },
          },
          _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
        },
      });
      const { port } = run(GUARD, { ...CALL, request, requestHeaders: headers });
      assert.equal(port.refusal?.status, refused ? 400 : undefined);
      if (refused) assert.equal(JSON.parse(port.refusal!.body).error.code, HEADER_MISMATCH_CODE);
    });

  it('refuses a batch of which one message is not the one in the headers', () => {
    const request = `[${toolCall({})},${rpc({ id: 8, method: 'ping' })}]`;
    const requestHeaders = { 'mcp-method': 'tools/call' };
    assert.equal(run(GUARD, { ...CALL, request, requestHeaders }).port.refusal?.status, 400);
  });

  for (const [version, body, refused] of [
    ['2026-07-28', { id: 7, method: 'ping' }, true],
    ['2025-11-25', { id: 7, method: 'ping' }, false],
    ['2026-07-28', { method: 'notifications/x' }, false],
    ['2026-07-28', { id: 7, result: {} }, false],
  ] as const)
    it(`${refused ? 'refuses' : 'lets pass'} under ${version} ${JSON.stringify(body)}`, () => {
      const requestHeaders = { 'mcp-protocol-version': version };
      const { port } = run(GUARD, { ...CALL, request: rpc(body), requestHeaders });
      assert.equal(port.refusal?.status, refused ? 400 : undefined);
    });

  it('reads what servers ask of clients, and what clients answer', () => {
    const sampling = rpc({
      id: 's1',
      method: 'sampling/createMessage',
      params: {
        systemPrompt: 'be kind',
        messages: [{ role: 'user', content: { type: 'text', text: 'hello' } }],
      },
    });
    assert.deepEqual(seen(read('response', sampling)[0]!), [
      'system = be kind',
      'tool_result = hello',
    ]);
    const elicited = result({
      resultType: 'input_required',
      inputRequests: {
        'my key': {
          method: 'elicitation/create',
          params: { message: 'who', requestedSchema: { properties: { 'full name': {} } } },
        },
      },
    });
    assert.deepEqual(seen(read('response', JSON.stringify(elicited))[0]!), [
      'tool_result = input_required',
      'tool_result = my key',
      'tool_result = elicitation/create',
      'tool_result = who',
      'tool_result = full name',
    ]);
    const answered = {
      action: 'accept',
      content: { 'full name': 'Ann B', card: 4111111111111111 },
    };
    for (const body of [
      rpc({ id: 's1', result: answered }),
      rpc({ id: 9, method: 'tools/call', params: { name: 'f', inputResponses: { k: answered } } }),
    ]) {
      const values = read('request', body)[0]!.pieces.map(({ value }) => value);
      for (const word of ['full name', 'Ann B', '4111111111111111'])
        assert.ok(values.includes(word), `${word} in ${body}`);
    }
  });

  it('answers what is refused in a stream that was resumed, or that nobody asked for', () => {
    const bytes = bytesOf(
      `id: 4\n${event(textResult('done, ', 5))}id: 5\n${event(textResult('Project Zebra', 'six'))}`,
    );
    const { response, port } = run(GUARD, { ...CALL, request: '{"jsonrpc":"2.0","method":"n"}' }, [
      bytes,
    ]);
    const [first, second, ...rest] = messagesIn(response);
    assert.deepEqual([first, rest], [textResult('done, ', 5), []]);
    assert.deepEqual([second.id, second.error.message], ['six', 'No.']);
    assert.ok(port.ended.has('response'));
  });
});
