import assert from 'node:assert/strict';
import { anthropicMessages, anthropicMessagesWith } from '../../src/formats/anthropic.ts';
import { BLOCKS_MAX } from '../../src/formats/anthropic-events.ts';
import type { Frame, Refusal } from '../../src/formats/frame.ts';
import { DEFAULT_FORMAT_LIMITS } from '../../src/formats/limits.ts';
import { bytesOf, framesOf, sse, textOf, textsOf } from './chat-bodies.ts';

const REFUSAL: Refusal = {
  message: 'Not "that".',
  decisionId: 'dec-1',
  code: 'content_policy_violation',
};

function request(body: object): Frame {
  return framesOf(anthropicMessages.reader('request', false), bytesOf(JSON.stringify(body)))[0]!;
}

const seen = (frame: Frame) =>
  frame.pieces.map(
    ({ place, text, value, sealed }) => `${place} ${text} = ${value}${sealed ? ' (sealed)' : ''}`,
  );

describe('a Messages request', () => {
  it('says whose words stand where', () => {
    const frame = request({
      model: 'claude-test',
      stream: true,
      max_tokens: 5,
      system: [{ type: 'text', text: 'be kind' }],
      messages: [
        { role: 'user', content: 'hello there' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'and this' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
            { type: 'document', source: { type: 'text', data: 'word' }, title: 'my title' },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm hm', signature: 'ErUB' },
            { type: 'redacted_thinking', data: 'ErUC' },
            { type: 'tool_use', id: 'toolu_1', name: 'find', input: { q: 'x y', n: 4 } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'toolu_1', content: 'it is' },
            { type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'so' }] },
          ],
        },
      ],
      tools: [{ name: 'find', description: 'finds it' }],
    });
    assert.deepEqual(frame.request, { model: 'claude-test', modelInDoubt: false, stream: true });
    assert.deepEqual(seen(frame), [
      'system system/block/0/content = be kind',
      'user message/0/content = hello there',
      'user message/1/block/0/content = and this',
      'retrieved message/1/block/2/source/0 = word',
      'retrieved message/1/block/2/other/1 = my title',
      'assistant message/2/block/0/thinking = hm hm (sealed)',
      'tool_call message/2/block/2/other/2 = find',
      'tool_call message/2/block/2/input/3 = {"q":"x y","n":4}',
      'tool_result message/3/block/0/content = it is',
      'tool_result message/3/block/1/block/0/content = so',
      'tool_definition tool_definition/4 = find',
      'tool_definition tool_definition/5 = finds it',
    ]);
    assert.ok(frame.pieces.every((piece) => piece.last));
  });

  it('leaves no field as a hiding place', () => {
    const frame = request({
      Messages: 'a b',
      model: 'two words',
      messages: [
        'bare text',
        {
          role: 'x y',
          content: [{ type: 'new thing', id: 'not an id', data: 'no bytes' }, 'loose'],
        },
        { role: 'user', content: { type: 'text', text: 'single' }, extra: ['deep down'] },
      ],
      system: { type: 'text', text: 'one' },
      metadata: { user_id: 'u 1' },
    });
    const values = frame.pieces.map((piece) => piece.value);
    const hidden =
      'a b|two words|bare text|x y|new thing|not an id|no bytes|loose|single|deep down|one|u 1';
    assert.deepEqual(values, hidden.split('|'));
  });

  it('is unreadable when it is no object, and cannot be ended or added to', () => {
    assert.equal(request([]).unreadable, 'not_an_object');
    const reader = anthropicMessages.reader('request', false);
    assert.deepEqual(reader.refuse(REFUSAL), []);
    assert.equal(reader.append('message/0/content', 'x', undefined).kind, 'impossible');
  });
});

const START = {
  type: 'message_start',
  message: { model: 'claude-test', usage: { output_tokens: 3 } },
};
const open = (index: unknown, content_block: object = { type: 'text', text: '' }) => ({
  type: 'content_block_start',
  index,
  content_block,
});
const text = (index: unknown, value: string) => ({
  type: 'content_block_delta',
  index,
  delta: { type: 'text_delta', text: value },
});
const stop = (index: number) => ({ type: 'content_block_stop', index });
const FINISH = { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: {} };
const LAST = { type: 'message_stop' };

const stream = (...events: readonly object[]) =>
  framesOf(anthropicMessages.reader('response', true), bytesOf(sse(...events)));

describe('a stream of Messages events', () => {
  it('keeps blocks apart, and ends each with its stop', () => {
    const frames = stream(
      START,
      open(0),
      open(1, { type: 'tool_use', id: 't', name: 'f', input: {} }),
      text(0, 'a'),
      { type: 'content_block_delta', index: 1, delta: { partial_json: '{"b"' } },
      text(0, 'c'),
      stop(0),
      { type: 'content_block_delta', index: 1, delta: { partial_json: ':1}' } },
      {
        type: 'content_block_delta',
        index: 1,
        delta: { type: 'citations_delta', citation: { cited_text: 'cited it' } },
      },
      { type: 'content_block_delta', index: 1, delta: { type: 'new_delta', novel: 'no' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'new_delta', novel: 'vel' } },
      stop(1),
      FINISH,
      LAST,
    );
    assert.deepEqual(textsOf(frames), {
      'block/0/content': 'ac',
      'block/1/name': 'f',
      'block/1/input': '{"b":1}',
      'block/1/other/0': 'cited it',
      'block/1/field/novel': 'novel',
      'message/end': '',
    });
    assert.deepEqual(
      frames.map((frame) => frame.ends).filter((ends) => ends.length > 0),
      [['block/0/'], ['block/1/'], ['block/']],
    );
    assert.deepEqual(
      frames.filter((frame) => frame.terminal),
      frames.slice(-1),
    );
    assert.ok(frames.every((frame) => frame.unreadable === undefined));
  });

  it('is unreadable where clients would put it together otherwise', () => {
    const fault = (...events: readonly object[]) => stream(START, ...events).at(-1)!.unreadable;
    assert.equal(fault(text(0, 'a')), 'bad_block_index');
    assert.equal(fault(open(0), open(0)), 'bad_block_index');
    assert.equal(fault(open(0), stop(0), text(0, 'a')), 'bad_block_index');
    assert.equal(fault(open(0), text('0', 'a')), 'bad_block_index');
    assert.equal(fault(open(-1)), 'bad_block_index');
    assert.equal(fault(open(0.5)), 'bad_block_index');
    assert.equal(fault(START), 'bad_event_order');
    assert.equal(fault(open(0), FINISH, text(0, 'a')), 'text_after_finish');
    assert.equal(fault(FINISH, LAST, open(0)), 'text_after_finish');
    assert.equal(fault(open(BLOCKS_MAX - 1)), undefined);
    assert.equal(fault(open(BLOCKS_MAX)), 'bad_block_index');
  });

  it('does not guess which of two values of one name a client takes', () => {
    const doubled = '{"type":"content_block_delta","index":0,"delta":{"text":"x y","Text":"z"}}';
    const raw = framesOf(
      anthropicMessages.reader('response', true),
      bytesOf(`${sse(START, open(0))}data: ${doubled}\n\n`),
    );
    assert.equal(raw.at(-1)!.unreadable, 'ambiguous_names');
  });

  it('passes over signatures, and reads what is none without changing it', () => {
    const signed = (signature: string) =>
      stream(START, open(0, { type: 'thinking', thinking: '', signature: '' }), {
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'signature_delta', signature },
      }).at(-1)!;
    assert.deepEqual(signed('ErUBCkYIARgC==').pieces, []);
    assert.deepEqual(seen(signed('not a signature')), [
      'assistant block/0/signature = not a signature (sealed)',
    ]);
  });

  it('has a limit for the length of an event', () => {
    const event = sse(START);
    const withMax = (frameBytesMax: number) =>
      framesOf(
        anthropicMessagesWith({ ...DEFAULT_FORMAT_LIMITS, frameBytesMax }).reader('response', true),
        bytesOf(event),
      )[0]!.unreadable;
    assert.equal(withMax(event.length), undefined);
    assert.equal(withMax(event.length - 1), 'frame_too_large');
  });
});

describe('a refusal inside a stream of Messages', () => {
  const refusedAfter = (count: number, unfinished = false) => {
    const events = [START, open(0), text(0, 'a'), open(1), stop(0), FINISH, LAST];
    const reader = anthropicMessages.reader('response', true);
    for (const frame of framesOf(reader, bytesOf(sse(...events))).slice(0, count))
      reader.sent(frame, unfinished);
    return reader.refuse(REFUSAL).map((event) => JSON.parse(textOf(event).split('data: ')[1]!));
  };

  it('begins what has not begun and stops what is open, in the order that clients ask for', () => {
    const types = (count: number) =>
      refusedAfter(count).map(({ type, index }) =>
        index === undefined ? type : `${type} ${index}`,
      );
    assert.deepEqual(types(0), ['message_start', 'message_delta', 'message_stop']);
    assert.deepEqual(types(1), ['message_delta', 'message_stop']);
    assert.deepEqual(types(3), ['content_block_stop 0', 'message_delta', 'message_stop']);
    assert.deepEqual(types(4), [
      'content_block_stop 0',
      'content_block_stop 1',
      'message_delta',
      'message_stop',
    ]);
    assert.deepEqual(types(5), ['content_block_stop 1', 'message_delta', 'message_stop']);
    assert.deepEqual(types(7), []);
  });

  it('says why, under which decision, and repeats the count that was seen', () => {
    const [delta] = refusedAfter(2).slice(-2);
    assert.deepEqual(delta.delta, {
      stop_reason: 'refusal',
      stop_sequence: null,
      stop_details: { type: 'refusal', category: null, explanation: REFUSAL.message },
    });
    assert.deepEqual(delta.usage, { output_tokens: 3 });
    assert.deepEqual(delta.switchyard, { decision: 'dec-1', code: REFUSAL.code });
    assert.equal(refusedAfter(0)[0].message.model, 'claude-test');
  });

  it('takes the reason to stop out of an event that leaves ahead of it', () => {
    const frame = stream(START, FINISH).at(-1)!;
    assert.match(textOf(frame.renderUnfinished([])), /"stop_reason":null/);
    assert.match(textOf(frame.render([])), /"stop_reason":"end_turn"/);
  });
});

describe('a refusal in place of a message', () => {
  it('is a message, a stream or an error', () => {
    const as = (kind: 'error' | 'refusal', streamed: boolean, status = 400) =>
      anthropicMessages.refusalResponse(REFUSAL, status, kind, streamed);
    const message = as('refusal', false);
    assert.equal(message.status, 200);
    assert.equal(JSON.parse(message.body).stop_details.explanation, REFUSAL.message);
    const streamed = as('refusal', true);
    assert.match(streamed.headers['content-type']!, /event-stream/);
    assert.match(streamed.body, /^event: message_start\n[\s\S]*event: message_stop\n/);
    const types = [400, 403, 413, 429, 451, 500, 502, 504].map(
      (status) => JSON.parse(as('error', true, status).body).error.type,
    );
    assert.deepEqual(types, [
      'invalid_request_error',
      'permission_error',
      'request_too_large',
      'rate_limit_error',
      'invalid_request_error',
      'api_error',
      'api_error',
      'timeout_error',
    ]);
    assert.equal(as('error', false).headers['x-should-retry'], 'false');
  });

  it('replaces a document of which nothing has left', () => {
    const reader = anthropicMessages.reader('response', false);
    assert.equal(JSON.parse(textOf(reader.refuse(REFUSAL)[0]!)).stop_reason, 'refusal');
    const [frame] = framesOf(reader, bytesOf('{"content":[]}'));
    reader.sent(frame!);
    assert.deepEqual(reader.refuse(REFUSAL), []);
  });
});
