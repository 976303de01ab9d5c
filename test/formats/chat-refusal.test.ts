import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import type { BodyReader, Refusal, RefusalResponse } from '../../src/formats/frame.ts';
import { openaiChat } from '../../src/formats/openai-chat.ts';
import { bytesOf, chunkOf, framesOf, sse, textOf } from './chat-bodies.ts';

const REFUSAL: Refusal = {
  message: 'Not that "topic".\nSorry – é',
  decisionId: 'dec-1',
  code: 'content_policy_violation',
};

/** Serves one prepared answer on loopback and lets the official client read it. */
async function askThroughSdk<T>(answer: RefusalResponse, ask: (client: OpenAI) => Promise<T>) {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.writeHead(answer.status, { ...answer.headers }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new OpenAI({
    apiKey: 'none',
    baseURL: `http://127.0.0.1:${port}/v1`,
    maxRetries: 2,
  });
  try {
    return { result: await ask(client), requests };
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const QUESTION = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }] };

function streamAnswer(...parts: readonly Uint8Array[]): RefusalResponse {
  const headers = { 'content-type': 'text/event-stream' };
  return { status: 200, headers, body: Buffer.concat(parts).toString('utf8') };
}

/** Reads a stream, of which the first `count` frames leave. */
function sentThrough(body: string, count: number): { reader: BodyReader; left: Uint8Array[] } {
  const reader = openaiChat.reader('response', true);
  const frames = framesOf(reader, bytesOf(body)).slice(0, count);
  for (const frame of frames) reader.sent(frame);
  return { reader, left: frames.map((frame) => frame.bytes) };
}

const ANSWER = sse(
  chunkOf({ role: 'assistant', content: 'Once ' }),
  chunkOf({ content: 'upon' }),
  { ...chunkOf({ content: ' a' }), id: 'chatcmpl-2' },
  chunkOf({}, 'stop'),
  '[DONE]',
);

function chunksOf(bytes: readonly Uint8Array[]) {
  return textOf(Buffer.concat(bytes))
    .split(/\n\n/)
    .filter((event) => event.includes('{'))
    .map((event) => JSON.parse(event.replace(/^[\s\S]*?data: /, '')));
}

describe('refusal inside a stream', () => {
  it('ends an answer so that the official client reports a normal end', async () => {
    const { reader, left } = sentThrough(ANSWER, 2);
    const { result } = await askThroughSdk(
      streamAnswer(...left, ...reader.refuse(REFUSAL)),
      (client) => client.chat.completions.stream(QUESTION).finalChatCompletion(),
    );
    const choice = result.choices[0]!;
    assert.equal(choice.message.content, 'Once upon');
    assert.equal(choice.message.refusal, REFUSAL.message);
    assert.equal(choice.finish_reason, 'content_filter');
    assert.equal(result.id, 'chatcmpl-1');
  });

  it('speaks for every choice that is open, in the envelope of the last chunk that left', () => {
    const both = (finish: string | null) => ({
      ...chunkOf({}),
      choices: [
        { index: 0, delta: { content: 'a' }, finish_reason: finish },
        { index: 1, delta: { content: 'b' }, finish_reason: null },
      ],
    });
    const summary = (reader: BodyReader) =>
      chunksOf(reader.refuse(REFUSAL)).map(({ id, switchyard, choices: [c] }) => [
        id,
        switchyard.decision,
        c.index,
        c.delta,
        c.finish_reason,
      ]);
    const said = (index: number, id = 'chatcmpl-1') => [
      [id, 'dec-1', index, { refusal: REFUSAL.message }, null],
      [id, 'dec-1', index, {}, 'content_filter'],
    ];
    assert.deepEqual(summary(sentThrough(sse(both(null)), 1).reader), [...said(0), ...said(1)]);
    assert.deepEqual(summary(sentThrough(sse(both('stop')), 1).reader), said(1));
    assert.deepEqual(summary(sentThrough(ANSWER, 3).reader), said(0, 'chatcmpl-2'));
    const role = { role: 'assistant', refusal: REFUSAL.message };
    assert.deepEqual(summary(sentThrough(ANSWER, 0).reader), [
      ['chatcmpl-1', 'dec-1', 0, role, null],
      ['chatcmpl-1', 'dec-1', 0, {}, 'content_filter'],
    ]);
  });

  it('does not count a finish_reason that was held or left as null', () => {
    const body = sse({
      ...chunkOf({}),
      choices: [
        { index: 0, delta: { content: 'a' }, finish_reason: 'stop' },
        { index: 1, delta: { content: 'b' }, finish_reason: null },
      ],
    });
    const ended = (unfinished: boolean) => {
      const reader = openaiChat.reader('response', true);
      const [frame] = framesOf(reader, bytesOf(body));
      reader.sent(frame!, unfinished);
      const chunks = chunksOf(reader.refuse(REFUSAL));
      return chunks
        .filter((chunk) => chunk.choices[0].finish_reason !== null)
        .map((c) => c.choices[0].index);
    };
    assert.deepEqual(ended(true), [0, 1]);
    assert.deepEqual(ended(false), [1]);
  });

  it('says nothing after the end marker', () => {
    assert.deepEqual(sentThrough(ANSWER, 5).reader.refuse(REFUSAL), []);
  });

  it('begins on a line of its own, whatever left before', () => {
    const lead = (body: string, count: number) => {
      const first = textOf(sentThrough(body, count).reader.refuse(REFUSAL)[0]!);
      return first.startsWith('data') ? '' : first;
    };
    assert.equal(lead('data: {}\n\n', 1), '');
    assert.equal(lead('data: {}\r\n\r\n', 1), '\n');
    assert.equal(lead('data: {}\r\r', 1), '\n');
    assert.equal(lead('data: {}\r\n\r\n', 2), '');
    assert.equal(lead('data: {}', 1), '\n\n');
    assert.equal(lead('data: {}\r\n', 1), '\n\n');
  });

  it('is a whole completion where nothing of a whole one has left', () => {
    const reader = openaiChat.reader('response', false);
    const [frame] = framesOf(reader, bytesOf(JSON.stringify({ choices: [] })));
    const [completion] = reader.refuse(REFUSAL);
    assert.equal(JSON.parse(textOf(completion!)).choices[0].message.refusal, REFUSAL.message);
    reader.sent(frame!);
    assert.deepEqual(reader.refuse(REFUSAL), []);
    assert.deepEqual(openaiChat.reader('request', false).refuse(REFUSAL), []);
  });
});

describe('refusal in place of an answer', () => {
  it('is a bad request for the official client, asked once', async () => {
    for (const status of [400, 409, 429]) {
      const answer = openaiChat.refusalResponse(REFUSAL, status, 'error', false);
      const { result, requests } = await askThroughSdk(answer, (client) =>
        client.chat.completions.create(QUESTION).catch((fault: unknown) => fault),
      );
      assert.ok(result instanceof OpenAI.APIError);
      assert.equal(result.status, status);
      assert.equal(result.code, REFUSAL.code);
      assert.equal(result.type, 'invalid_request_error');
      assert.ok(result.message.includes(REFUSAL.message));
      assert.equal(result.headers?.get('x-switchyard-decision'), 'dec-1');
      assert.equal(requests, 1);
    }
  });

  it('is a completion with a refusal', async () => {
    const answer = openaiChat.refusalResponse(REFUSAL, 400, 'refusal', false);
    const { result } = await askThroughSdk(answer, (client) =>
      client.chat.completions.create(QUESTION),
    );
    assert.equal(result.choices[0]!.message.refusal, REFUSAL.message);
    assert.equal(result.choices[0]!.message.content, null);
    assert.equal(result.choices[0]!.finish_reason, 'content_filter');
  });

  it('is a stream with a refusal', async () => {
    const answer = openaiChat.refusalResponse(REFUSAL, 400, 'refusal', true);
    const { result } = await askThroughSdk(answer, (client) =>
      client.chat.completions.stream(QUESTION).finalChatCompletion(),
    );
    assert.equal(result.choices[0]!.message.refusal, REFUSAL.message);
    assert.equal(result.choices[0]!.message.role, 'assistant');
  });
});

describe('text added to an answer', () => {
  const KEY = 'choice/0/content';

  it('is an event before the one that ends the choice', async () => {
    const reader = openaiChat.reader('response', true);
    const frames = framesOf(reader, bytesOf(ANSWER));
    const form = reader.append(KEY, '\n\nBe well. é', frames[3]);
    assert.ok(form.kind === 'frame');
    const bytes = frames.map((frame) => frame.bytes).toSpliced(3, 0, form.bytes);
    const { result } = await askThroughSdk(streamAnswer(...bytes), (client) =>
      client.chat.completions.stream(QUESTION).finalChatCompletion(),
    );
    assert.equal(result.choices[0]!.message.content, 'Once upon a\n\nBe well. é');
    assert.equal(result.choices[0]!.finish_reason, 'stop');
  });

  it('is an edit of the ending event when that carries content itself', () => {
    const reader = openaiChat.reader('response', true);
    const frames = framesOf(reader, bytesOf(sse(chunkOf({ content: 'bye' }, 'stop'))));
    assert.deepEqual(reader.append(KEY, '!', frames[0]), {
      kind: 'edit',
      edit: { piece: 0, start: 3, end: 3, replacement: '!' },
    });
  });

  it('is an edit of a whole completion', () => {
    const reader = openaiChat.reader('response', false);
    const body = {
      choices: [
        { index: 0, message: { content: 'hi' } },
        { index: 1, message: { content: null } },
      ],
    };
    const [frame] = framesOf(reader, bytesOf(JSON.stringify(body)));
    const form = reader.append(KEY, ' there', frame);
    assert.ok(form.kind === 'edit');
    assert.equal(
      JSON.parse(textOf(frame!.render([form.edit]))).choices[0].message.content,
      'hi there',
    );
    assert.deepEqual(reader.append('choice/1/content', 'x', frame), { kind: 'impossible' });
  });

  it('is possible at the end of the body and before its marker, and only for content', () => {
    const reader = openaiChat.reader('response', true);
    const frames = framesOf(reader, bytesOf(sse(chunkOf({ content: 'a' }), '[DONE]')));
    for (const before of [undefined, frames[1]])
      assert.equal(reader.append(KEY, 'x', before).kind, 'frame');
    assert.equal(reader.append('choice/0/refusal', 'x', undefined).kind, 'impossible');
    assert.equal(
      openaiChat.reader('response', true).append(KEY, 'x', undefined).kind,
      'impossible',
    );
  });
});
