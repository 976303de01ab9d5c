import assert from 'node:assert/strict';
import { createCheck } from '../../src/engine/check.ts';
import {
  type Api,
  anthropic,
  converse,
  eventsIn,
  hearMessage,
  messageStart,
  responses,
  typedEvents,
} from './apis.ts';
import { compile, rig } from './rig.ts';

const SET = compile(`
kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: pii, inspect: [request, response], match: { pii: { entities: [email, credit_card] } }, then: redact }
  - { id: zebra, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: { block: { message: No. } } }
`);

const APPENDING = compile(`
kind: Policy
metadata: { name: notes, layer: platform }
class: operational
rules:
  - { id: ai, inspect: [response], match: { keywords: { words: [buy] } }, then: { append: { text: "(AI)" } } }
  - { id: money, inspect: [response], match: { keywords: { words: [shares] } }, then: { append: { text: "(no advice)" } } }
  - { id: mail, inspect: [response], match: { pii: { entities: [email] } }, then: redact }
`);

const APPENDING_AND_BLOCKING = compile(`
kind: Policy
metadata: { name: notes, layer: platform }
class: security
rules:
  - { id: ai, inspect: [response], match: { keywords: { words: [buy] } }, then: { append: { text: "(AI)" } } }
  - { id: zebra, inspect: [response], match: { keywords: { words: [Project Zebra] } }, then: { block: { message: No. } } }
`);

const document = (api: Api, body: object) =>
  converse(rig(SET), api, [Buffer.from(JSON.stringify(body))], 'application/json');

const start = (index: number, content_block: object) => ({
  type: 'content_block_start',
  index,
  content_block,
});
const delta = (index: number, type: string, rest: object) => ({
  type: 'content_block_delta',
  index,
  delta: { type, ...rest },
});
const stop = (index: number) => ({ type: 'content_block_stop', index });
const END = [
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
  { type: 'message_stop' },
];
const thinking = (deltas: readonly string[]) =>
  typedEvents([
    messageStart,
    start(0, { type: 'thinking', thinking: '', signature: '' }),
    ...deltas.map((text) => delta(0, 'thinking_delta', { thinking: text })),
    delta(0, 'signature_delta', { signature: 'ErUBCkYIARgCIkDG' }),
    stop(0),
    start(1, { type: 'text', text: '' }),
    delta(1, 'text_delta', { text: 'Done.' }),
    stop(1),
    ...END,
  ]);

describe('text that its provider has signed', () => {
  it('ends the answer where a rule would change it, at the same place for every cut', () => {
    const text = 'She is joe@acme.example I think';
    for (let cut = 1; cut < text.length; cut += 1) {
      const from = rig(SET);
      const sent = converse(from, anthropic, [thinking([text.slice(0, cut), text.slice(cut)])]);
      const message = hearMessage(sent.text);
      assert.equal(message.content[0]!.thinking, 'She is ', `cut at ${cut}`);
      assert.equal(message.stop_reason, 'refusal');
      assert.ok(!sent.text.includes('signature_delta'));
      assert.equal(from.records[0]!.code, 'unreadable_body');
      assert.deepEqual(from.records[0]!.unjudged, { reason: 'sealed_text', rules: ['guard/pii'] });
    }
  });

  it('passes unchanged where nothing matches, and stops at what is forbidden', () => {
    const calm = thinking(['I thi', 'nk.']);
    assert.equal(converse(rig(SET), anthropic, [calm]).text, Buffer.from(calm).toString());
    const from = rig(SET);
    const sent = converse(from, anthropic, [thinking(['On Project Ze', 'bra'])]);
    assert.equal(hearMessage(sent.text).content[0]!.thinking, 'On ');
    assert.equal(hearMessage(sent.text).stop_details?.explanation, 'No.');
    assert.equal(from.records[0]!.code, 'policy');
  });

  it('refuses a document and a request; what is forbidden outranks what cannot be changed', () => {
    const message = (...content: object[]) => ({ type: 'message', role: 'assistant', content });
    const thought = { type: 'thinking', thinking: 'a@b.co', signature: 'ErUB' };
    const answer = document(anthropic, message(thought));
    assert.equal(answer.port.refusal?.status, 502);
    assert.equal(JSON.parse(answer.port.refusal!.body).error.type, 'api_error');
    const both = document(anthropic, message(thought, { type: 'text', text: 'Project Zebra' }));
    assert.match(both.port.refusal!.body, /"No\."/);
    const oneText = document(anthropic, message({ ...thought, thinking: 'a@b.co, Project Zebra' }));
    assert.match(oneText.port.refusal!.body, /"No\."/);
    const question = { model: 'm', messages: [{ role: 'assistant', content: [thought] }] };
    const asked = converse(rig(SET), { path: anthropic.path, question }, []);
    assert.equal(asked.port.refusal?.status, 400);
    assert.equal(JSON.parse(asked.port.refusal!.body).error.type, 'invalid_request_error');
  });
});

describe('calls in a stream of Anthropic', () => {
  it('are masked through the escapes of their arguments, block by block', () => {
    const bytes = typedEvents([
      messageStart,
      start(0, { type: 'tool_use', id: 'toolu_1', name: 'mail', input: {} }),
      start(1, { type: 'tool_use', id: 'toolu_2', name: 'pay', input: {} }),
      delta(0, 'input_json_delta', { partial_json: '{"to":"joe\\u0040ac' }),
      delta(1, 'input_json_delta', { partial_json: '{"card":41111111' }),
      delta(0, 'input_json_delta', { partial_json: 'me.example"}' }),
      delta(1, 'input_json_delta', { partial_json: '11111111}' }),
      stop(0),
      stop(1),
      ...END,
    ]);
    const { content } = hearMessage(converse(rig(SET), anthropic, [bytes]).text);
    assert.deepEqual(
      content.map((block) => JSON.parse(block.partial!)),
      [{ to: '[EMAIL_1]' }, { card: '[CREDIT_CARD_1]' }],
    );
  });

  it('are stopped before the refusal', () => {
    const bytes = typedEvents([
      messageStart,
      start(0, { type: 'text', text: 'Now: ' }),
      start(1, { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }),
      delta(1, 'input_json_delta', { partial_json: '{"q":"Project Zebra"}' }),
      stop(1),
      stop(0),
      ...END,
    ]);
    const message = hearMessage(converse(rig(SET), anthropic, [bytes]).text);
    assert.deepEqual(
      message.content.map((block) => [block.stopped, block.partial ?? block.text]),
      [
        [true, 'Now: '],
        [true, '{"q":"'],
      ],
    );
    assert.equal(message.stop_reason, 'refusal');
  });
});

describe('documents of both APIs', () => {
  it('are changed in place, names and numbers of calls included', () => {
    const body = {
      type: 'message',
      content: [
        { type: 'text', text: 'To a@b.co', citations: [{ cited_text: 'a@b.co' }] },
        { type: 'tool_use', id: 't', name: 'pay', input: { card: 4111111111111111, to: 'a@b.co' } },
      ],
      stop_reason: 'tool_use',
      usage: { output_tokens: 5 },
    };
    const { text } = document(anthropic, body);
    const expected = JSON.stringify(body)
      .replaceAll('a@b.co', '[EMAIL_1]')
      .replace('4111111111111111', '"[CREDIT_CARD_1]"');
    assert.equal(text, expected);
  });

  it('lose the tokens that spell a changed text, and nothing else', () => {
    const output = [
      {
        type: 'message',
        role: 'assistant',
        content: [
          { type: 'output_text', text: 'To a@b.co', logprobs: [{ token: 'a@b.co' }] },
          { type: 'output_text', text: 'Bye', logprobs: [{ token: 'Bye' }] },
        ],
      },
      { type: 'function_call', name: 'f', arguments: '{"to":"a\\u0040b.co"}' },
    ];
    const body = { object: 'response', instructions: 'Not on Project Zebra', output };
    const { text } = document(responses, body);
    const heard = JSON.parse(text);
    assert.equal(heard.output[0].content[0].text, 'To [EMAIL_1]');
    assert.deepEqual(heard.output[0].content[0].logprobs, []);
    assert.deepEqual(heard.output[0].content[1], output[0]!.content![1]);
    assert.equal(heard.output[1].arguments, '{"to":"[EMAIL_1]"}');
    assert.equal(heard.instructions, body.instructions);
  });

  it('that are none of the API are refused', () => {
    for (const api of [anthropic, responses])
      assert.equal(document(api, { hello: 'world' }).port.refusal?.status, 502, api.name);
    assert.equal(document(anthropic, { input_tokens: 7 }).port.refusal, undefined);
  });
});

describe('what a rule appends', () => {
  it('comes once, as the last block of a message that streams', () => {
    const bytes = typedEvents([
      messageStart,
      start(0, { type: 'text', text: '' }),
      delta(0, 'text_delta', { text: 'Buy shares.' }),
      stop(0),
      start(1, { type: 'tool_use', id: 't', name: 'f', input: {} }),
      delta(1, 'input_json_delta', { partial_json: '{}' }),
      stop(1),
      start(2, { type: 'text', text: '' }),
      delta(2, 'text_delta', { text: 'Sell shares.' }),
      stop(2),
      ...END,
    ]);
    const { text } = converse(rig(APPENDING), anthropic, [bytes]);
    assert.deepEqual(
      hearMessage(text).content.map((block) => block.text),
      ['Buy shares.', undefined, 'Sell shares.', '\n\n(AI)\n\n(no advice)'],
    );
    for (let cut = 1; cut < bytes.length; cut += 13) {
      const cutUp = [bytes.subarray(0, cut), bytes.subarray(cut)];
      assert.equal(converse(rig(APPENDING), anthropic, cutUp).text, text);
    }
  });

  it('comes once, at the end of the last text of a message that is a document', () => {
    const content = [
      { type: 'text', text: 'Buy shares.' },
      { type: 'text', text: 'Or not.' },
      { type: 'tool_use', id: 't', name: 'f', input: {} },
    ];
    const body = Buffer.from(JSON.stringify({ type: 'message', content }));
    const { text } = converse(rig(APPENDING), anthropic, [body], 'application/json');
    assert.deepEqual(
      JSON.parse(text).content.map((block: { text?: string }) => block.text),
      ['Buy shares.', 'Or not.\n\n(AI)\n\n(no advice)', undefined],
    );
  });

  it('is in every repetition of a response, and the events count on', () => {
    const bytes = responses.stream(['Buy sha', 'res from a@b.co.']);
    const { text } = converse(rig(APPENDING), responses, [bytes]);
    const said = 'Buy shares from [EMAIL_1].\n\n(AI)\n\n(no advice)';
    assert.deepEqual(responses.hear(text), { text: said, refusal: '' });
    const events = eventsIn(text);
    assert.equal(events.length, eventsIn(Buffer.from(bytes).toString()).length + 1);
    assert.equal(events.at(-1).response.output[0].content[0].text, said);
    for (let cut = 1; cut < bytes.length; cut += 13) {
      const cutUp = [bytes.subarray(0, cut), bytes.subarray(cut)];
      assert.equal(converse(rig(APPENDING), responses, cutUp).text, text);
    }
  });

  it('moves the numbers of all later events, those of a refusal too', () => {
    const more = [
      { type: 'response.output_item.added', output_index: 1, item: { type: 'function_call' } },
      ...['{"q":"x', '","on":"Project Zebra"}'].map((arguments_) => ({
        type: 'response.function_call_arguments.delta',
        output_index: 1,
        delta: arguments_,
      })),
    ];
    const events = eventsIn(Buffer.from(responses.stream(['Buy it.'])).toString());
    const bytes = typedEvents(
      [...events.slice(0, -1), ...more, events.at(-1)].map((event, index) => ({
        ...event,
        sequence_number: index,
      })),
    );
    const numbers = (set: typeof SET) =>
      eventsIn(converse(rig(set), responses, [bytes]).text).map((event) => event.sequence_number);
    assert.deepEqual(numbers(APPENDING), [...Array(events.length + 4).keys()]);
    const blocking = numbers(APPENDING_AND_BLOCKING);
    assert.deepEqual(blocking, [...blocking.keys()]);
    assert.ok(blocking.length > events.length + 4);
  });

  it('adds nothing to an answer without words', () => {
    const bytes = typedEvents([
      messageStart,
      start(0, { type: 'tool_use', id: 't', name: 'f', input: {} }),
      stop(0),
      ...END,
    ]);
    const { text } = converse(rig(APPENDING), anthropic, [bytes]);
    assert.equal(text, Buffer.from(bytes).toString());
  });
});

describe('a refusal before the first byte', () => {
  const asked = (api: Api, question: object) =>
    converse(rig(SET), { path: api.path, question }, []).port.refusal!;

  it('of a request is in the words of the API that it calls', () => {
    const messages = [{ role: 'user', content: 'Project Zebra?' }];
    const one = asked(anthropic, { model: 'm', messages });
    assert.equal(one.status, 400);
    const { type, error } = JSON.parse(one.body);
    assert.deepEqual([type, error], ['error', { type: 'invalid_request_error', message: 'No.' }]);
    const other = asked(responses, { model: 'm', input: 'Project Zebra?' });
    assert.equal(JSON.parse(other.body).error.code, 'content_policy_violation');
  });

  it('holds where the body cannot be read', () => {
    for (const set of [undefined, SET]) {
      const { port } = converse(rig(set), { path: '/v1/messages', question: [] }, []);
      assert.equal(JSON.parse(port.refusal!.body).type, 'error');
    }
  });

  const checked = (path: string, body = '') => {
    const answer = createCheck(rig(undefined).deps)(
      {
        headers: { get: () => undefined, entries: () => [] },
        method: 'POST',
        path,
        authority: 'llm.example',
        sourcePrincipal: '',
        sourceIp: '',
        contextExtension: () => undefined,
        metadata: () => undefined,
        body: Buffer.from(body),
      },
      () => undefined,
    );
    assert.ok(answer.kind === 'deny');
    return JSON.parse(answer.body);
  };

  it('by Check, too', () => {
    assert.equal(checked('/v1/messages?beta=true').error.type, 'api_error');
  });

  it('by Check with the id of the MCP request, where Envoy sends the body', () => {
    const call = '{"jsonrpc":"2.0","id":"a1","method":"tools/call","params":{"name":"f"}}';
    assert.equal(checked('/mcp', call).id, 'a1');
    assert.deepEqual(
      checked('/mcp', `[${call},${call.replace('"a1"', '7')}]`).map(
        ({ id }: { id: unknown }) => id,
      ),
      ['a1', 7],
    );
    for (const [body, noId] of [
      ['', 'the body was not read'],
      [call.slice(0, 40), 'the body was not read'],
      ['{"jsonrpc":"2.0","method":"notifications/x"}', 'the body has no request'],
    ] as const) {
      const { id, error } = checked('/mcp', body);
      assert.deepEqual([id, error.data.noId], [null, noId]);
    }
  });
});
