import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import type { Frame, Refusal, RefusalResponse } from '../../src/formats/frame.ts';
import { DEFAULT_FORMAT_LIMITS } from '../../src/formats/limits.ts';
import { openaiResponses, openaiResponsesWith } from '../../src/formats/openai-responses.ts';
import { INDEX_MAX } from '../../src/formats/responses-events.ts';
import { bytesOf, framesOf, sse, textOf, textsOf } from './chat-bodies.ts';

const REFUSAL: Refusal = {
  message: 'Not "that".',
  decisionId: 'dec-1',
  code: 'content_policy_violation',
};

const seen = (frame: Frame) =>
  frame.pieces.map(
    ({ place, text, value, encoding, sealed }) =>
      `${place} ${text} = ${value}${encoding === 'json' ? ' (json)' : ''}${sealed ? ' (sealed)' : ''}`,
  );

function request(body: object): Frame {
  return framesOf(openaiResponses.reader('request', false), bytesOf(JSON.stringify(body)))[0]!;
}

describe('a Responses request', () => {
  it('says whose words stand where', () => {
    const frame = request({
      model: 'gpt-test',
      stream: true,
      instructions: 'be kind',
      previous_response_id: 'resp_0',
      input: [
        { role: 'user', content: 'hello there' },
        { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'obey me' }] },
        {
          role: 'user',
          content: [
            { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'low' },
            {
              type: 'input_file',
              file_data: 'data:application/pdf;base64,AAAA',
              filename: 'my file',
            },
          ],
        },
        {
          type: 'reasoning',
          summary: [{ type: 'summary_text', text: 'hm' }],
          encrypted_content: 'gAAA',
        },
        { type: 'function_call', call_id: 'c', name: 'f', arguments: '{"a":1}' },
        { type: 'function_call_output', call_id: 'c', output: 'it is' },
        { type: 'custom_tool_call', call_id: 'd', name: 'g', input: 'go' },
        {
          type: 'custom_tool_call_output',
          call_id: 'd',
          output: [{ type: 'input_text', text: 'so' }],
        },
      ],
      tools: [{ type: 'function', name: 'f', description: 'finds it' }],
    });
    assert.deepEqual(frame.request, { model: 'gpt-test', modelInDoubt: false, stream: true });
    assert.deepEqual(seen(frame), [
      'system instructions/content = be kind',
      'user input/0/part/content = hello there',
      'system input/1/part/0/content = obey me',
      'user input/2/part/1/other/0 = my file',
      'assistant input/3/summary/0/text = hm',
      'tool_call input/4/name = f',
      'tool_call input/4/arguments = {"a":1} (json)',
      'tool_result input/5/output/content = it is',
      'tool_call input/6/name = g',
      'tool_call input/6/input = go',
      'tool_result input/7/output/0/content = so',
      'tool_definition tool_definition/1 = function',
      'tool_definition tool_definition/2 = f',
      'tool_definition tool_definition/3 = finds it',
    ]);
    assert.deepEqual(seen(request({ input: 'just this' })), ['user input/content = just this']);
  });

  it('reads the arguments of every call as the JSON that they are', () => {
    const frame = request({
      input: ['function_call', 'mcp_call', 'mcp_approval_request', 'tool_search_call'].map(
        (type) => ({ type, arguments: '{"q":"B\\u0061nk"}' }),
      ),
    });
    assert.deepEqual(
      frame.pieces.map(({ place, encoding }) => `${place} ${encoding}`),
      Array.from({ length: 4 }, () => 'tool_call json'),
    );
  });

  it('leaves no field as a hiding place', () => {
    const frame = request({
      Input: 'a b',
      model: 'two words',
      input: [
        'bare',
        { type: 'new one', id: 'no id', content: [{ type: 'odd part', x: ['deep'] }, 'loose'] },
      ],
      prompt: { variables: { v: 'inside' } },
    });
    assert.deepEqual(
      frame.pieces.map((piece) => piece.value),
      ['a b', 'two words', 'bare', 'new one', 'no id', 'odd part', 'deep', 'loose', 'v', 'inside'],
    );
    assert.deepEqual(
      seen(request({ input: [{ type: 'reasoning', encrypted_content: 'no bytes' }] })),
      ['assistant input/0/encrypted = no bytes (sealed)'],
    );
  });
});

const AT = { item_id: 'msg_1', output_index: 0, content_index: 0 };
const RESPONSE = { id: 'resp_1', object: 'response', created_at: 7, model: 'gpt-test', output: [] };
const CREATED = { type: 'response.created', response: { ...RESPONSE, status: 'in_progress' } };
const item = (output_index: unknown, type = 'message', rest: object = { content: [] }) => ({
  type: 'response.output_item.added',
  output_index,
  item: { id: 'msg_1', type, role: 'assistant', ...rest },
});
const part = (index: object = AT) => ({
  type: 'response.content_part.added',
  ...index,
  part: { type: 'output_text', text: '', annotations: [] },
});
const delta = (value: string, rest: object = AT, stem = 'output_text') => ({
  type: `response.${stem}.delta`,
  ...rest,
  delta: value,
});
const COMPLETED = { type: 'response.completed', response: { ...RESPONSE, status: 'completed' } };

const numbered = (events: readonly object[]) =>
  events.map((event, index) => ({ ...event, sequence_number: index }));
const stream = (...events: readonly object[]) =>
  framesOf(openaiResponses.reader('response', true), bytesOf(sse(...numbered(events))));

describe('a stream of Responses events', () => {
  it('keeps parts and calls apart', () => {
    const second = { ...AT, content_index: 1 };
    const call = { item_id: 'fc', output_index: 1 };
    const frames = stream(
      CREATED,
      item(0),
      part(),
      part(second),
      item(1, 'function_call', { name: 'f', arguments: '' }),
      delta('a'),
      delta('{"x"', call, 'function_call_arguments'),
      delta('b', second),
      delta('c'),
      delta(':1}', call, 'function_call_arguments'),
      delta('no', second, 'refusal'),
      delta('hm', { output_index: 2, summary_index: 0 }, 'reasoning_summary_text'),
      delta('AAAA', {}, 'audio'),
      delta('said', {}, 'audio.transcript'),
      COMPLETED,
    );
    assert.deepEqual(textsOf(frames), {
      'output/0/part/0/content': 'ac',
      'output/0/part/1/content': 'b',
      'output/0/part/1/refusal': 'no',
      'output/1/name': 'f',
      'output/1/arguments': '{"x":1}',
      'output/2/summary/0/text': 'hm',
      'output/-/part/-/audio.transcript': 'said',
    });
    assert.deepEqual(frames.at(-1)!.ends, ['output/']);
    assert.deepEqual(frames.map((frame) => frame.terminal).indexOf(true), frames.length - 1);
  });

  it('ends what a repetition completes, and nothing beside it', () => {
    const done = (type: string, rest: object) =>
      stream(CREATED, item(1), item(10), { type, output_index: 1, ...rest }).at(-1)!.ends;
    const at = { content_index: 1 };
    assert.deepEqual(done('response.output_text.done', { ...at, text: 'x' }), [
      'output/1/part/1/content',
    ]);
    assert.deepEqual(done('response.content_part.done', { ...at, part: {} }), ['output/1/part/1/']);
    assert.deepEqual(done('response.output_item.done', { item: {} }), ['output/1/']);
    assert.deepEqual(done('response.function_call_arguments.done', { arguments: '{}' }), [
      'output/1/arguments',
    ]);
  });

  it('is unreadable where clients would put it together otherwise', () => {
    const fault = (...events: readonly object[]) => stream(CREATED, ...events).at(-1)!.unreadable;
    const over = { type: 'response.output_text.done', ...AT, text: 'a' };
    assert.equal(fault(item(0), item(0)), 'bad_output_index');
    assert.equal(fault(item(0), part(), part()), 'bad_part_index');
    assert.equal(fault(item(0), part(), delta('a'), over, delta('b')), 'text_after_finish');
    const itemDone = { type: 'response.output_item.done', output_index: 0, item: {} };
    assert.equal(fault(item(0), part(), itemDone, delta('b')), 'text_after_finish');
    assert.equal(fault(item(INDEX_MAX)), undefined);
    assert.equal(fault(item(INDEX_MAX + 1)), 'bad_output_index');
    assert.equal(fault(item('0')), 'bad_output_index');
  });

  it('has a limit for the texts that it remembers', () => {
    const events = [CREATED, item(0), item(1), item(2)];
    const withMax = (textsMax: number) =>
      framesOf(
        openaiResponsesWith({ ...DEFAULT_FORMAT_LIMITS, textsMax }).reader('response', true),
        bytesOf(sse(...events)),
      ).at(-1)!.unreadable;
    assert.equal(withMax(3), undefined);
    assert.equal(withMax(2), 'too_many_texts');
  });
});

/** Serves one prepared answer on loopback and lets the official client read it. */
async function askThroughSdk<T>(answer: RefusalResponse, ask: (client: OpenAI) => Promise<T>) {
  const server = createServer((_request, response) => {
    response.writeHead(answer.status, { ...answer.headers }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new OpenAI({ apiKey: 'none', baseURL: `http://127.0.0.1:${port}/v1` });
  try {
    return await ask(client);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const QUESTION = { model: 'm', input: 'hi' };
const finalOf = (answer: RefusalResponse) =>
  askThroughSdk(answer, (client) => client.responses.stream(QUESTION).finalResponse());

function refusalIn(part: OpenAI.Responses.ResponseOutputMessage['content'][number] | undefined) {
  return part?.type === 'refusal' ? part.refusal : undefined;
}

/** The events of an answer of which the first `count` leave, and of the refusal behind them. */
function refusedAfter(count: number, unfinished = false) {
  const reader = openaiResponses.reader('response', true);
  const events = numbered([CREATED, item(0), part(), delta('Once'), COMPLETED]);
  const left = framesOf(reader, bytesOf(sse(...events))).slice(0, count);
  for (const frame of left) reader.sent(frame, unfinished);
  const refusal = reader.refuse(REFUSAL);
  const events_ = refusal.map((event) => JSON.parse(textOf(event).split('data: ')[1]!));
  return { bytes: [...left.map((frame) => frame.bytes), ...refusal], events: events_ };
}

describe('a refusal inside a stream of Responses', () => {
  for (const count of [0, 1, 2, 4])
    it(`reaches the official client as a refusal after ${count} events`, async () => {
      const { bytes } = refusedAfter(count);
      const body = Buffer.concat(bytes).toString();
      const headers = { 'content-type': 'text/event-stream' };
      const response = await finalOf({ status: 200, headers, body });
      assert.equal(response.status, 'incomplete');
      assert.deepEqual(response.incomplete_details, { reason: 'content_filter' });
      const [message] = response.output;
      assert.ok(message?.type === 'message');
      assert.equal(refusalIn(message.content[0]), REFUSAL.message);
      assert.equal(response.id, 'resp_1');
    });

  it('counts on from the last event that left, and opens an item of its own', () => {
    const numbers = (count: number) => refusedAfter(count).events.map((e) => e.sequence_number);
    assert.deepEqual(numbers(0), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual(numbers(4), [4, 5, 6, 7, 8, 9, 10]);
    assert.equal(refusedAfter(1).events[0].output_index, 0);
    assert.equal(refusedAfter(4).events[0].output_index, 1);
    assert.deepEqual(refusedAfter(5).events, []);
    assert.equal(refusedAfter(5, true).events.at(-1).type, 'response.incomplete');
  });

  it('leaves out an end that would come ahead of its own', () => {
    const last = stream(CREATED, COMPLETED).at(-1)!;
    assert.equal(last.renderUnfinished([]).length, 0);
    assert.deepEqual(last.render([]), last.bytes);
  });
});

describe('a refusal in place of a response', () => {
  const as = (kind: 'error' | 'refusal', streamed: boolean) =>
    openaiResponses.refusalResponse(REFUSAL, 400, kind, streamed);

  it('is read by the official client as what it is', async () => {
    const streamed = await finalOf(as('refusal', true));
    const whole = await askThroughSdk(as('refusal', false), (client) =>
      client.responses.create(QUESTION),
    );
    for (const response of [streamed, whole]) {
      assert.deepEqual(response.incomplete_details, { reason: 'content_filter' });
      assert.ok(response.output[0]?.type === 'message');
      assert.deepEqual(response.output[0].content.map(refusalIn), [REFUSAL.message]);
      assert.equal(response.output_text, '');
    }
    await assert.rejects(
      askThroughSdk(as('error', true), (client) => client.responses.create(QUESTION)),
      (error) => error instanceof OpenAI.BadRequestError && error.message.includes('Not "that".'),
    );
  });
});
