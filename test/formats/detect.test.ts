import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  apiLines,
  detectFormat,
  formatOfPath,
  plainPath,
  ROUTE_FORMATS,
  respeltPath,
} from '../../src/formats/detect.ts';
import { opaque } from '../../src/formats/opaque.ts';
import { openaiChat } from '../../src/formats/openai-chat.ts';

const EVENTS = 'text/event-stream';
const CHAT = '/v1/chat/completions';

const ROWS: readonly (readonly ['request' | 'response', string, string, string])[] = [
  ['request', CHAT, 'application/json', 'openai.chat whole'],
  ['request', `${CHAT}?api-version=1`, 'application/json; charset=UTF-8', 'openai.chat whole'],
  ['request', `${CHAT}/`, '', 'openai.chat whole'],
  ['request', '/openai/deployments/x/chat/completions', 'text/plain', 'openai.chat whole'],
  ['request', CHAT, 'application/json; charset="utf-16"', 'opaque streamed'],
  ['request', '/v1/chat%2Fcompletions', 'application/json', 'openai.chat whole'],
  ['request', '/v1/%2563hat//x/../completions.;a', 'text/plain', 'openai.chat whole'],
  ['request', '/v1/completions', 'application/json', 'openai.completions whole'],
  ['request', '/openai/deployments/x/completions?api-version=1', '', 'openai.completions whole'],
  ['request', '/v1/embeddings', 'application/json', 'openai.inputs whole'],
  ['request', '/openai/deployments/x/embeddings', 'application/json', 'openai.inputs whole'],
  ['request', '/v1/moderations', 'text/plain', 'openai.inputs whole'],
  ['request', '/OpenAI/Deployments/x/Chat/Completions', 'text/plain', 'openai.chat whole'],
  ['request', '/V1/Responses', 'text/plain', 'openai.responses whole'],
  ['request', '/V1/Messages', 'text/plain', 'anthropic.messages whole'],
  ['request', '/v1beta/Models/m:GenerateContent', 'text/plain', 'gemini whole'],
  ['response', '/v1/Models/m:StreamGenerateContent', 'application/json', 'gemini streamed'],
  ['request', '/MCP', 'text/plain', 'mcp whole'],
  ['request', '/api/v1/responses', 'application/json', 'openai.responses whole'],
  ['request', '/v1/other?x=/chat/completions', 'application/json', 'opaque streamed'],
  ['request', '/v1/chat/completions/extra', 'application/json', 'opaque streamed'],
  ['request', '/v1/models/g:generateContent', 'application/json', 'gemini whole'],
  [
    'request',
    '/v1/projects/p/locations/l/publishers/google/models/g@1:streamGenerateContent',
    '',
    'gemini whole',
  ],
  ['request', '/v1beta/models/g:countTokens', 'application/json', 'opaque streamed'],
  ['request', '/v1beta/models/g%3AgenerateContent', 'application/json', 'gemini whole'],
  ['response', '/v1/models/g:generateContent', 'application/json', 'gemini whole'],
  ['response', '/v1/models/g:streamGenerateContent', 'application/json', 'gemini streamed'],
  ['response', '/v1/models/g:streamGenerateContent?alt=sse', EVENTS, 'gemini streamed'],
  ['response', '/v1/models/g:streamGenerateContent?alt=sse', 'text/plain', 'opaque streamed'],
  ['request', '/v1/messages?beta=true', 'application/json', 'anthropic.messages whole'],
  ['request', '/v1/messages/count_tokens', 'application/json', 'anthropic.messages whole'],
  ['request', '/v1/messages/batches', 'application/json', 'opaque streamed'],
  [
    'request',
    '/v1/projects/p/locations/l/publishers/anthropic/models/c@1:streamRawPredict',
    'application/json',
    'anthropic.messages whole',
  ],
  ['response', '/v1/messages', EVENTS, 'anthropic.messages streamed'],
  ['response', '/v1/messages', 'application/json', 'anthropic.messages whole'],
  ['response', '/v1/messages', 'application/vnd.amazon.eventstream', 'opaque streamed'],
  ['request', '/v1/responses', 'application/json', 'openai.responses whole'],
  ['request', '/openai/responses?api-version=1', '', 'openai.responses whole'],
  ['response', '/v1/responses/resp_1/input_items', 'application/json', 'openai.responses whole'],
  ['response', '/v1/responses/resp_1?stream=true', EVENTS, 'openai.responses streamed'],
  ['request', '/survey/responses', 'application/json', 'opaque streamed'],
  ['request', '/mcp', 'application/json', 'mcp whole'],
  ['response', '/tools/mcp/', EVENTS, 'mcp streamed'],
  ['request', '/mcpx', 'application/json', 'opaque streamed'],
  ['request', '/say', 'text/plain', 'text whole'],
  ['response', CHAT, 'text/event-stream; charset=utf-8', 'openai.chat streamed'],
  ['response', CHAT, 'Text/Event-Stream', 'openai.chat streamed'],
  ['response', CHAT, 'application/json', 'openai.chat whole'],
  ['response', CHAT, 'application/problem+json', 'openai.chat whole'],
  ['response', CHAT, 'text/plain', 'opaque streamed'],
  ['response', CHAT, 'text/html', 'opaque streamed'],
  ['response', CHAT, 'application/octet-stream', 'opaque streamed'],
  ['response', CHAT, '', 'opaque streamed'],
  ['response', '/say', 'text/plain', 'text streamed'],
  ['response', '/say', EVENTS, 'sse streamed'],
  ['request', '/say', EVENTS, 'opaque streamed'],
  ['response', '/say', 'application/json', 'opaque streamed'],
];

describe('format detection', () => {
  it('names the API of a path, whatever is sent there', () => {
    const names = ['/v1/messages?x', '/v1/responses', CHAT, '/say'].map(
      (path) => formatOfPath(path)?.name,
    );
    assert.deepEqual(names, ['anthropic.messages', 'openai.responses', 'openai.chat', undefined]);
  });

  for (const [direction, path, contentType, expected] of ROWS)
    it(`${direction} ${path} with ${contentType || 'no type'} is ${expected}`, () => {
      const { format, streamed } = detectFormat({ direction, path, contentType });
      assert.equal(`${format.name} ${streamed ? 'streamed' : 'whole'}`, expected);
    });

  it('follows the format of the request where that is known', () => {
    const body = { direction: 'response' as const, contentType: 'application/json' };
    const under = (path: string, requestFormat: typeof opaque) =>
      detectFormat({ ...body, path, requestFormat }).format.name;
    assert.equal(under('/rewritten', openaiChat), 'openai.chat');
    assert.equal(under(CHAT, opaque), 'opaque');
  });
});

describe('a path', () => {
  const parts = [
    '/',
    '//',
    '/.',
    '..',
    '.',
    'v1',
    'chat',
    ':',
    ';a',
    '%2e',
    '%25',
    '\\',
    ' ',
    '?',
    '#',
    'é',
    '\0',
  ];

  it('is the same whether it has to be spelt anew or not', () => {
    const path = fc.array(fc.constantFrom(...parts), { maxLength: 8 }).map((all) => all.join(''));
    fc.assert(
      fc.property(path, (spelt) => {
        assert.equal(plainPath(spelt), respeltPath(spelt));
      }),
      { numRuns: 20_000 },
    );
    for (const usual of [
      '/v1/chat/completions',
      '/v1/models?limit=2',
      '/v1beta/models/gemini-2.5:countTokens',
    ])
      assert.equal(plainPath(usual), respeltPath(usual));
  });
});

describe('formats of an operator', () => {
  const lines = apiLines([
    { path: '/tools', format: 'mcp' },
    { path: '/own/*', format: 'json', textPaths: ['q'] },
    { path: '/v1/chat/completions', format: 'json' },
  ]);
  const at = (path: string, contentType = 'application/json') => {
    const { format, streamed } = detectFormat({ direction: 'response', path, contentType }, lines);
    return `${format.name} ${streamed ? 'streamed' : 'whole'}`;
  };

  it('outrank those of the table, by whole path or by its beginning', () => {
    assert.equal(at('/tools?x=1'), 'mcp whole');
    assert.equal(at('/tools/more'), 'opaque streamed');
    assert.equal(at('/own/a/b', EVENTS), 'json streamed');
    assert.equal(at('/OWN/a'), 'opaque streamed');
    assert.equal(at(CHAT), 'json whole');
    assert.equal(at('/x/chat/completions'), 'openai.chat whole');
    assert.equal(formatOfPath('/tools', lines)?.name, 'mcp');
    assert.equal(formatOfPath('/tools'), undefined);
  });

  it('take every character of a path for itself', () => {
    const [line] = apiLines([{ path: '/a.b(c', format: 'mcp' }]);
    assert.ok(line!.path.test('/a.b(c'));
    assert.ok(!line!.path.test('/axb(c'));
  });

  it('are those that a path can have', () => {
    for (const format of ROUTE_FORMATS)
      assert.equal(apiLines([{ path: '/', format }])[0]!.name, format);
    assert.throws(() => apiLines([{ path: '/', format: 'opaque' }]), RangeError);
    assert.throws(() => apiLines([{ path: '/', format: 'json', textPaths: ['a['] }]), RangeError);
  });
});

describe('a body that nobody can read', () => {
  it('is one frame for each piece that has a byte', () => {
    const reader = opaque.reader('response', true);
    assert.deepEqual(reader.push(new Uint8Array()), []);
    assert.equal(reader.push(Uint8Array.of(1)).length, 1);
    assert.equal(reader.push(Uint8Array.of(1, 2)).length, 1);
  });
});
