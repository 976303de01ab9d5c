/** What a request allows to be called must not come to allow more where a tool is taken out of it. */
import assert from 'node:assert/strict';
import { Exchange } from '../../src/engine/exchange.ts';
import { compile, giveChunk, headersEvent, RecordingPort, rig } from './rig.ts';

const REMOVE = compile(`
kind: Policy
metadata: { name: scope, layer: platform }
class: security
rules:
  - { id: gone, match: { tool: { in: [transfer, wire] } }, then: remove }
`);

interface Asking {
  readonly path: string;
  readonly body: object;
}

const chat = (tools: readonly string[], more: object): Asking => ({
  path: '/v1/chat/completions',
  body: {
    model: 'm',
    messages: [{ role: 'user', content: 'hi' }],
    ...(tools.length > 0 && {
      tools: tools.map((name) => ({ type: 'function', function: { name } })),
    }),
    ...more,
  },
});
const functions = (names: readonly string[], more: object): Asking => ({
  path: '/v1/chat/completions',
  body: {
    model: 'm',
    messages: [{ role: 'user', content: 'hi' }],
    functions: names.map((name) => ({ name })),
    ...more,
  },
});
const responses = (tools: readonly object[], more: object): Asking => ({
  path: '/v1/responses',
  body: { model: 'm', input: 'hi', tools, ...more },
});
const messages = (tools: readonly string[], more: object): Asking => ({
  path: '/v1/messages',
  body: {
    model: 'm',
    max_tokens: 9,
    messages: [{ role: 'user', content: 'hi' }],
    tools: tools.map((name) => ({ name, input_schema: { type: 'object' } })),
    ...more,
  },
});
const gemini = (declared: readonly string[], more: object): Asking => ({
  path: '/v1beta/models/m:generateContent',
  body: {
    contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
    tools: [{ functionDeclarations: declared.map((name) => ({ name })) }],
    ...more,
  },
});

const named = (name: string) => ({ type: 'function', name });
const inChat = (name: string) => ({ type: 'function', function: { name } });
const calling = (config: object, more: object = {}) => ({
  toolConfig: { functionCallingConfig: config, ...more },
});

/** What is asked, and what arrives; `undefined`: the same but for the tool. */
const CASES: readonly (readonly [what: string, asked: Asking, expected: Asking])[] = [
  [
    'one that must be called',
    chat(['transfer', 'a'], { tool_choice: inChat('transfer') }),
    chat(['a'], { tool_choice: 'none' }),
  ],
  [
    'another that must be called',
    chat(['transfer', 'a'], { tool_choice: inChat('a') }),
    chat(['a'], { tool_choice: inChat('a') }),
  ],
  [
    'any that must be called',
    chat(['a', 'transfer'], { tool_choice: 'required', parallel_tool_calls: false }),
    chat(['a'], { tool_choice: 'required', parallel_tool_calls: false }),
  ],
  [
    'some of those that are allowed',
    chat(['transfer', 'a', 'wire', 'b'], {
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: {
          mode: 'auto',
          tools: [inChat('transfer'), inChat('a'), inChat('wire')],
        },
      },
    }),
    chat(['a', 'b'], {
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'auto', tools: [inChat('a')] },
      },
    }),
  ],
  [
    'all of those that are allowed',
    chat(['transfer', 'a', 'wire'], {
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'required', tools: [inChat('transfer'), inChat('wire')] },
      },
    }),
    chat(['a'], { tool_choice: 'none' }),
  ],
  [
    'the only one',
    chat(['transfer'], { tool_choice: inChat('transfer'), parallel_tool_calls: true }),
    chat([], {}),
  ],
  [
    'a function that must be called',
    functions(['a', 'transfer'], { function_call: { name: 'transfer' } }),
    functions(['a'], { function_call: 'none' }),
  ],
  [
    'another function that must be called',
    functions(['a', 'transfer'], { function_call: { name: 'a' } }),
    functions(['a'], { function_call: { name: 'a' } }),
  ],
  [
    'the only one of two lists',
    functions(['a'], {
      tools: [inChat('transfer')],
      tool_choice: 'required',
      function_call: { name: 'a' },
    }),
    functions(['a'], { function_call: { name: 'a' } }),
  ],
  [
    'one that must be called',
    responses([named('transfer'), named('a')], { tool_choice: named('transfer') }),
    responses([named('a')], { tool_choice: 'none' }),
  ],
  [
    'some of those that are allowed',
    responses([named('a'), named('transfer')], {
      tool_choice: {
        type: 'allowed_tools',
        mode: 'required',
        tools: [named('a'), named('transfer')],
      },
    }),
    responses([named('a')], {
      tool_choice: { type: 'allowed_tools', mode: 'required', tools: [named('a')] },
    }),
  ],
  [
    'all of those that are allowed',
    responses([named('a'), named('transfer')], {
      tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [named('transfer')] },
    }),
    responses([named('a')], { tool_choice: 'none' }),
  ],
  [
    'one that must be called',
    messages(['a', 'transfer'], {
      tool_choice: { type: 'tool', name: 'transfer', disable_parallel_tool_use: true },
    }),
    messages(['a'], { tool_choice: { type: 'none' } }),
  ],
  [
    'any that must be called',
    messages(['a', 'transfer'], { tool_choice: { type: 'any' } }),
    messages(['a'], { tool_choice: { type: 'any' } }),
  ],
  [
    'some of those that are allowed',
    gemini(
      ['a', 'transfer', 'b', 'wire'],
      calling({ mode: 'ANY', allowedFunctionNames: ['transfer', 'a', 'wire'] }),
    ),
    gemini(['a', 'b'], calling({ mode: 'ANY', allowedFunctionNames: ['a'] })),
  ],
  [
    'all of those that are allowed',
    gemini(
      ['a', 'transfer', 'wire'],
      calling(
        { mode: 'ANY', allowedFunctionNames: ['transfer', 'wire'] },
        { retrievalConfig: { languageCode: 'en' } },
      ),
    ),
    gemini(['a'], calling({ mode: 'NONE' }, { retrievalConfig: { languageCode: 'en' } })),
  ],
  [
    'all of those that are allowed, in snake case',
    gemini(['a', 'transfer'], {
      tool_config: {
        function_calling_config: { mode: 'ANY', allowed_function_names: ['transfer'] },
      },
    }),
    gemini(['a'], { tool_config: { function_calling_config: { mode: 'NONE' } } }),
  ],
];

function sentFor(path: string, body: string): string {
  const port = new RecordingPort();
  const exchange = new Exchange(rig(REMOVE).deps, port);
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/json' };
  exchange.event(headersEvent('request', { ...headers, ':authority': 'llm.example' }));
  giveChunk(exchange, 'request', Buffer.from(body), true);
  assert.equal(port.refusal, undefined);
  return port.sent('request');
}

describe('what may be called when a tool is taken out', () => {
  for (const [what, asked, expected] of CASES)
    it(`${what}: ${asked.path}`, () => {
      const sent = sentFor(asked.path, JSON.stringify(asked.body));
      assert.deepEqual(JSON.parse(sent), expected.body);
    });

  it('is not taken from a second list of the same name, of which a server may read either', () => {
    const { body, path } = chat(['a'], { tool_choice: inChat('transfer') });
    const twice = `${JSON.stringify(body).slice(0, -1)},"tools":[${JSON.stringify(inChat('transfer'))}]}`;
    const sent = sentFor(path, twice);
    assert.ok(sent.includes('"tool_choice":"none"'), sent);
    assert.ok(!sent.includes('transfer'), sent);
  });
});
