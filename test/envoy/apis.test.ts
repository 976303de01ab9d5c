/** Every API that is read, through a real Envoy: masked in its stream, refused in its own words. */
import assert from 'node:assert/strict';
import { encodeScript, SCRIPT_HEADER } from '../../demo/script.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { send } from './http-client.ts';

const POLICY = `
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: rival, inspect: [response], match: { keywords: { words: [Bank A] } }, then: { rewrite: { with: another bank } } }
  - { id: zebra, inspect: [request], match: { keywords: { words: [Project Zebra] } }, then: { block: { message: I cannot talk about that. } } }
`;

const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

interface Api {
  readonly name: string;
  readonly path: string;
  readonly ask: (prompt: string) => unknown;
  /** An answer that says the name over two deltas. */
  readonly chunks: readonly string[];
  readonly contentType: string;
  /** Where the message stands in the API's own error. */
  readonly refusal: (body: Record<string, never>) => unknown;
}

const messages = (content: string) => ({ messages: [{ role: 'user', content }] });
const errorMessage = (body: { error?: { message?: string } }) => body.error?.message;

const APIS: readonly Api[] = [
  {
    name: 'Anthropic Messages',
    path: '/v1/messages',
    ask: (prompt) => ({ model: 'm', max_tokens: 9, stream: true, ...messages(prompt) }),
    contentType: 'text/event-stream',
    chunks: [
      event('message_start', {
        type: 'message_start',
        message: {
          id: 'm1',
          type: 'message',
          role: 'assistant',
          model: 'm',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 1, output_tokens: 1 },
        },
      }),
      event('content_block_start', {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'text', text: '' },
      }),
      ...['Ask Ba', 'nk A now'].map((text) =>
        event('content_block_delta', {
          type: 'content_block_delta',
          index: 0,
          delta: { type: 'text_delta', text },
        }),
      ),
      event('content_block_stop', { type: 'content_block_stop', index: 0 }),
      event('message_delta', {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: 4 },
      }),
      event('message_stop', { type: 'message_stop' }),
    ],
    refusal: errorMessage,
  },
  {
    name: 'Gemini, as events',
    path: '/v1beta/models/m:streamGenerateContent?alt=sse',
    ask: (prompt) => ({ contents: [{ role: 'user', parts: [{ text: prompt }] }] }),
    contentType: 'text/event-stream',
    chunks: ['Ask Ba', 'nk A now'].map(
      (text) =>
        `data: ${JSON.stringify({ candidates: [{ index: 0, content: { role: 'model', parts: [{ text }] } }] })}\r\n\r\n`,
    ),
    refusal: errorMessage,
  },
  {
    name: 'Gemini, as an array',
    path: '/v1/models/m:streamGenerateContent',
    ask: (prompt) => ({ contents: [{ role: 'user', parts: [{ text: prompt }] }] }),
    contentType: 'application/json',
    chunks: [
      `[${JSON.stringify({ candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'Ask Ba' }] } }] })}`,
      `,\r\n${JSON.stringify({ candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'nk A now' }] } }] })}]`,
    ],
    refusal: errorMessage,
  },
  {
    name: 'MCP',
    path: '/mcp',
    ask: (prompt) => ({
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: { name: 'find', arguments: { q: prompt } },
    }),
    contentType: 'application/json',
    chunks: [
      JSON.stringify({
        jsonrpc: '2.0',
        id: 7,
        result: { content: [{ type: 'text', text: 'Ask Bank A now' }] },
      }),
    ],
    refusal: errorMessage,
  },
  {
    name: 'NDJSON',
    path: '/api/generate',
    ask: (prompt) => ({ prompt }),
    contentType: 'application/x-ndjson',
    chunks: [
      `${JSON.stringify({ response: 'Ask Bank A now' })}\n`,
      `${JSON.stringify({ done: true })}\n`,
    ],
    refusal: errorMessage,
  },
];

describe('each API through Envoy', function () {
  this.timeout(60_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: { 'guard.yaml': POLICY } });
  });

  after(async () => {
    await stack?.stop();
  });

  for (const api of APIS) {
    const ask = (prompt: string, script: object) =>
      send(stack.envoy.port, {
        method: 'POST',
        path: api.path,
        headers: {
          'content-type': api.name === 'NDJSON' ? 'application/x-ndjson' : 'application/json',
          [SCRIPT_HEADER]: encodeScript(script),
        },
        body: JSON.stringify(api.ask(prompt)),
      });

    it(`masks ${api.name}, the same for every cut`, async () => {
      const headers = { 'content-type': api.contentType };
      const whole = await ask('hello', { chunks: api.chunks, headers });
      assert.equal(whole.status, 200);
      assert.match(whole.text, /another bank/u);
      assert.doesNotMatch(whole.text, /nk A/u);
      for (const cutBytes of [1, 7]) {
        const cut = await ask('hello', { chunks: api.chunks, headers, cutBytes });
        assert.equal(cut.text, whole.text);
      }
    });

    it(`refuses ${api.name} in its own words`, async () => {
      const answer = await ask('What is Project Zebra?', { chunks: ['never'] });
      // Clients of MCP read an error from no other status.
      assert.equal(answer.status, api.name === 'MCP' ? 200 : 400);
      assert.equal(api.refusal(JSON.parse(answer.text)), 'I cannot talk about that.');
    });
  }
});
