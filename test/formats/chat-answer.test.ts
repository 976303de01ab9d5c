import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Frame } from '../../src/formats/frame.ts';
import { DEFAULT_FORMAT_LIMITS } from '../../src/formats/limits.ts';
import { openaiChat, openaiChatWith } from '../../src/formats/openai-chat.ts';
import { bytesOf, chunkOf, framesOf, shapeOf, sse, textOf, textsOf } from './chat-bodies.ts';

function stream(body: string): Frame[] {
  return framesOf(openaiChat.reader('response', true), bytesOf(body));
}

function whole(body: object | string): Frame {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return framesOf(openaiChat.reader('response', false), bytesOf(text))[0]!;
}

function seen(frame: Frame): string[] {
  return frame.pieces.map((piece) => `${piece.place} ${piece.text} = ${piece.value}`);
}

const call = (index: number, fn: object) => ({
  tool_calls: [{ index, id: 'call_1', type: 'function', function: fn }],
});

/** One of everything that a stream may hold, in every style of line end. */
const RICH = [
  '\ufeff: hello\n\n',
  sse({
    id: '',
    object: '',
    choices: [],
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }],
  }),
  sse(chunkOf({ role: 'assistant', content: '' })),
  sse(
    chunkOf({ content: 'Grüße 😀 "\\\n' }, null, {
      logprobs: { content: [{ token: 'Grüße' }, { token: ' 😀 "\\\n' }] },
    }),
  ),
  `event: message\r\nid: 7\r\ndata: ${JSON.stringify(chunkOf({ content: 'crlf' }))}\r\n\r\n`,
  `data: ${JSON.stringify(chunkOf({ reasoning_content: 'hm' }))}\r\r`,
  'data: {"choices":[{"index":0,\n: between\ndata: "delta":{"content":\ndata:"split"}}]}\n\n',
  sse(chunkOf(call(0, { name: 'f', arguments: '' }))),
  sse(chunkOf(call(0, { arguments: '{"a":"\\u0042' }))),
  '\n\n',
  sse(chunkOf({}, 'stop'), { ...chunkOf({}), choices: [], usage: { total_tokens: 3 } }, '[DONE]'),
].join('');

describe('chat answer as a stream', () => {
  it('names texts by choice and field', () => {
    const frames = stream(
      sse(
        chunkOf({ role: 'assistant', content: 'a', refusal: null }),
        chunkOf({ reasoning_content: 'r', refusal: 'no' }),
        chunkOf(call(0, { name: 'look', arguments: '{"' })),
        chunkOf(call(1, { arguments: 'x' })),
        chunkOf({
          tool_calls: [{ index: 2, type: 'custom', custom: { name: 'sh', input: 'ls' } }],
        }),
        chunkOf({ function_call: { name: 'old', arguments: '{}' } }),
        chunkOf({ reasoning_details: [{ index: 3, type: 'reasoning.text', text: 'deep' }] }),
        chunkOf({ 'odd name': 'o', 'odd name 2': 'p' }),
        chunkOf({ 'odd name 2': 'q' }),
        { choices: [{ index: 2, delta: { content: 'c' }, finish_reason: null }] },
        { choices: [{ delta: { content: 'd' } }, { delta: { content: 'e' } }] },
      ),
    );
    assert.deepEqual(frames.flatMap(seen), [
      'assistant choice/0/content = a',
      'assistant choice/0/reasoning_content = r',
      'assistant choice/0/refusal = no',
      'tool_call choice/0/tool/0/name = look',
      'tool_call choice/0/tool/0/arguments = {"',
      'tool_call choice/0/tool/1/arguments = x',
      'tool_call choice/0/tool/2/name = sh',
      'tool_call choice/0/tool/2/input = ls',
      'tool_call choice/0/function_call/name = old',
      'tool_call choice/0/function_call/arguments = {}',
      'assistant choice/0/reasoning_details/3/text = deep',
      'assistant other/0 = odd name',
      'assistant choice/0/~0 = o',
      'assistant other/1 = odd name 2',
      'assistant choice/0/~1 = p',
      'assistant other/2 = odd name 2',
      'assistant choice/0/~1 = q',
      'assistant choice/2/content = c',
      'assistant choice/0/content = d',
      'assistant choice/1/content = e',
    ]);
    const json = frames
      .flatMap((frame) => frame.pieces)
      .filter((piece) => piece.encoding === 'json');
    assert.ok(json.length === 3 && json.every((piece) => piece.text.endsWith('/arguments')));
    const alone = /^other\//;
    const over = frames.flatMap((f) => f.pieces.filter((p) => p.last !== alone.test(p.text)));
    // The names that stand beside what they are called with.
    assert.ok(over.length === 3 && over.every((piece) => piece.text.endsWith('/name')));
  });

  it('ends the name of a call where its arguments begin, not before', () => {
    const frames = stream(
      sse(
        chunkOf(call(0, { name: 'look', arguments: '' })),
        chunkOf(call(0, { name: '_up' })),
        chunkOf(call(1, { arguments: '{', name: 'ask' })),
        chunkOf(call(0, { arguments: '{"' })),
        chunkOf(call(0, { arguments: 'a' })),
        chunkOf({ function_call: { name: 'old' } }),
        chunkOf({ function_call: { arguments: '1' } }),
      ),
    );
    assert.deepEqual(
      frames.map((frame) => frame.ended),
      [[], [], [], ['choice/0/tool/0/name'], [], [], ['choice/0/function_call/name']],
    );
    const last = (frame: Frame) => frame.pieces.filter((piece) => piece.last).map((p) => p.text);
    assert.deepEqual(frames.flatMap(last), ['choice/0/tool/1/name']);
  });

  it('takes a name that is repeated behind its end, and no other', () => {
    const repeated = (name: string) =>
      stream(
        sse(
          chunkOf(call(0, { name: 'look', arguments: '{' })),
          chunkOf(call(0, { name, arguments: '}' })),
        ),
      );
    assert.deepEqual(repeated('look').flatMap(seen), [
      'tool_call choice/0/tool/0/name = look',
      'tool_call choice/0/tool/0/arguments = {',
      'tool_call other/0 = look',
      'tool_call choice/0/tool/0/arguments = }',
    ]);
    assert.ok(repeated('look')[1]!.pieces[0]!.last);
    assert.deepEqual(repeated('')[1]!.unreadable, undefined);
    assert.equal(repeated('loot')[1]!.unreadable, 'text_after_end');
  });

  it('leaves open what is too long for a name', () => {
    const long = (units: number) =>
      stream(sse(chunkOf(call(0, { name: 'n'.repeat(units), arguments: '{' }))))[0]!.pieces[0]!
        .last;
    assert.deepEqual([long(127), long(128), long(129)], [true, true, false]);
  });

  it('ends the texts of a choice with its finish_reason, all with the end marker', () => {
    const frames = stream(
      sse(chunkOf({ content: 'a' }), chunkOf({ content: 'b' }, 'stop'), '[DONE]'),
    );
    assert.deepEqual(
      frames.map((frame) => frame.ends),
      [[], ['choice/0/'], []],
    );
    assert.deepEqual(
      frames.map((frame) => frame.terminal),
      [false, false, true],
    );
    assert.deepEqual(
      frames.map((frame) => frame.pieces[0]?.last),
      [false, true, undefined],
    );
  });

  it('takes errors, annotations and unknown strings as texts of their own', () => {
    const frames = stream(
      sse(
        { error: { message: 'went wrong', type: 'server_error' } },
        { ...chunkOf({ annotations: [{ title: 'page' }] }), note: 'x y', provider: 'Azure' },
        { ...chunkOf({ content: 'z' }), provider: 'not one word' },
      ),
    );
    assert.deepEqual(frames.flatMap(seen), [
      'assistant other/0 = went wrong',
      'assistant other/1 = server_error',
      'assistant other/2 = page',
      'assistant other/3 = note',
      'assistant other/4 = x y',
      'assistant choice/0/content = z',
      'assistant other/5 = not one word',
    ]);
    assert.ok(frames.flatMap((f) => f.pieces).every((p) => p.last === p.text.startsWith('other/')));
  });

  it('skips what says nothing: filter severities, audio bytes, usage', () => {
    const filter = { content_filter_results: { hate: { filtered: false, severity: 'safe' } } };
    const frames = stream(sse(chunkOf({ audio: { id: 'audio_1', data: 'UklG' } }, null, filter)));
    assert.deepEqual(seen(frames[0]!), []);
    const smuggled = stream(
      sse(chunkOf({ audio: { data: 'not bytes' } }, null, { content_filter_results: 'a b' })),
    );
    assert.deepEqual(
      smuggled.flatMap((f) => f.pieces.map((p) => p.value)),
      ['not bytes', 'a b'],
    );
  });

  it('does not guess which of two values of one name a client takes', () => {
    for (const body of [
      '{"choices":[],"choices":[{"index":0,"delta":{"content":"y"}}]}',
      '{"choices":[{"index":0,"delta":{"content":"y","content":"z"}}]}',
      '{"choices":[{"index":0,"delta":{"content":"y","Content":"z"}}]}',
      '{"choices":[{"index":0,"Index":1,"delta":{"content":"y"}}]}',
      '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"toolCalls":1,"index":1}]}}]}',
    ])
      assert.equal(stream(`data: ${body}\n\n`)[0]!.unreadable, 'ambiguous_names', body);
  });

  it('does not guess at what it cannot read', () => {
    const reason = (body: string) => stream(body)[0]?.unreadable;
    const indexed = (index: unknown) => sse({ choices: [{ index, delta: { content: 'a' } }] });
    const tool = (index: unknown) =>
      sse(chunkOf({ tool_calls: [{ index, function: { name: 'a' } }] }));
    assert.equal(reason('data: {"a"\n\n'), 'not_json');
    assert.equal(reason('data: [DONE] and more\n\n'), 'not_json');
    assert.equal(reason('data: [1]\n\n'), 'not_an_object');
    assert.equal(reason('{"error":"plain JSON"}\n\n'), 'not_an_event');
    for (const bad of [-1, 1.5, 128, '0']) assert.equal(reason(indexed(bad)), 'bad_choice_index');
    for (const good of [0, 127, null]) assert.equal(reason(indexed(good)), undefined);
    for (const bad of [-1, 1024]) assert.equal(reason(tool(bad)), 'bad_tool_call_index');
    assert.equal(reason(tool(1023)), undefined);
    for (const silent of [': c\n\n', 'data:\n\n', 'data: \n\n', 'event: ping\n\n', '\n']) {
      assert.deepEqual(stream(silent).map(shapeOf), [
        { bytes: silent, pieces: [], ends: [], unreadable: undefined, terminal: false },
      ]);
    }
  });

  it('calls text after the end of its choice unreadable', () => {
    const frames = stream(
      sse(chunkOf({}, 'stop'), chunkOf({ content: '' }), chunkOf({ content: 'late' })),
    );
    assert.deepEqual(
      frames.map((f) => f.unreadable),
      [undefined, undefined, 'text_after_finish'],
    );
    const same = { index: 0, delta: { content: 'a' }, finish_reason: 'stop' };
    assert.equal(stream(sse({ choices: [same, same] }))[0]!.unreadable, 'text_after_finish');
  });

  it('holds textsMax and frameBytesMax at their edges', () => {
    const format = (limits: object) => openaiChatWith({ ...DEFAULT_FORMAT_LIMITS, ...limits });
    const chunks = sse(chunkOf({ a: '1', b: '2' }), chunkOf({ a: '3' }), chunkOf({ c: '4' }));
    const reasons = (textsMax: number) =>
      framesOf(format({ textsMax }).reader('response', true), bytesOf(chunks)).map(
        (f) => f.unreadable,
      );
    assert.deepEqual(reasons(3), [undefined, undefined, undefined]);
    assert.deepEqual(reasons(2), [undefined, undefined, 'too_many_texts']);
    const event = bytesOf(sse(chunkOf({ content: 'x' })));
    const sizes = (frameBytesMax: number) =>
      framesOf(format({ frameBytesMax }).reader('response', true), event).map((f) => f.unreadable);
    assert.deepEqual(sizes(event.length), [undefined]);
    assert.deepEqual(sizes(event.length - 1), ['frame_too_large', 'frame_too_large']);
  });

  it('gives the same frames for every cut, and every byte back', () => {
    const bytes = bytesOf(RICH);
    const expected = stream(RICH).map(shapeOf);
    assert.equal(expected.map((frame) => frame.bytes).join(''), RICH);
    assert.deepEqual(
      expected.filter((frame) => frame.unreadable !== undefined),
      [],
    );
    const reader = () => openaiChat.reader('response', true);
    assert.deepEqual(
      framesOf(reader(), ...[...bytes].map((b) => Uint8Array.of(b))).map(shapeOf),
      expected,
    );
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const frames = framesOf(reader(), bytes.subarray(0, cut), bytes.subarray(cut));
      assert.deepEqual(frames.map(shapeOf), expected, `cut at ${cut}`);
    }
  });

  it('reads the text of the rich stream', () => {
    assert.deepEqual(textsOf(stream(RICH)), {
      'choice/0/content': 'Grüße 😀 "\\\ncrlfsplit',
      'choice/0/reasoning_content': 'hm',
      'choice/0/tool/0/name': 'f',
      'choice/0/tool/0/arguments': '{"a":"\\u0042',
    });
  });

  it('gives out an event that lacks its blank line', () => {
    const frames = stream(`data: ${JSON.stringify(chunkOf({ content: 'cut' }))}`);
    assert.deepEqual(frames.flatMap(seen), ['assistant choice/0/content = cut']);
  });

  it('keeps the lines of an event in their place when it is edited', () => {
    const event =
      'id: 3\ndata: {"choices":[{"index":0,"logprobs":{\r\n: note\r\ndata: "x":1},\ndata:"delta":{"content":"a b"},"finish_reason":\ndata: "stop"}]}\n\n';
    const frame = stream(event)[0]!;
    const edits = [{ piece: 0, start: 0, end: 1, replacement: 'é' }];
    assert.equal(
      textOf(frame.renderUnfinished(edits)),
      'id: 3\ndata: {"choices":[{"index":0,"logprobs":null\r\n: note\r\ndata: ,\ndata:"delta":{"content":"\\u00e9 b"},"finish_reason":\ndata: null}]}\n\n',
    );
    assert.equal(textOf(frame.render([])), event);
  });

  it('drops logprobs of a choice whose text is changed, of no other', () => {
    const choice = (index: number) => ({
      index,
      delta: { content: 'ab' },
      logprobs: { content: [{ token: 'ab' }] },
    });
    const frame = stream(sse({ choices: [choice(0), choice(1)] }))[0]!;
    const edited = textOf(frame.render([{ piece: 1, start: 0, end: 2, replacement: '' }]));
    const { choices } = JSON.parse(edited.slice('data: '.length));
    assert.deepEqual(choices, [choice(0), { index: 1, delta: { content: '' }, logprobs: null }]);
  });

  it('edits change their text and nothing else', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(20), fc.string({ unit: 'grapheme' }), (a, b, replacement) => {
        for (const frame of stream(RICH)) {
          if (frame.pieces.length === 0) continue;
          const piece = frame.pieces[0]!;
          const start = Math.min(a, b, piece.value.length);
          const end = Math.min(Math.max(a, b), piece.value.length);
          const again = stream(textOf(frame.render([{ piece: 0, start, end, replacement }])));
          const after = again.find((candidate) => candidate.pieces.length > 0)!;
          assert.equal(after.unreadable, undefined);
          assert.deepEqual(after.ends, frame.ends);
          const got = after.pieces[0]!.value;
          assert.ok(got.includes(replacement) && !/[\ud800-\udfff]/u.test(got));
          assert.deepEqual(after.pieces.slice(1), frame.pieces.slice(1));
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('chat answer as a whole', () => {
  const message = {
    role: 'assistant',
    content: 'hello',
    refusal: null,
    reasoning_content: 'why',
    tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
  };
  const body = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    model: 'm',
    choices: [
      { index: 0, message, logprobs: { content: [{ token: 'hello' }] }, finish_reason: 'stop' },
    ],
    usage: { total_tokens: 1 },
  };

  it('finds its texts, all complete', () => {
    const frame = whole(body);
    assert.deepEqual(seen(frame), [
      'assistant choice/0/content = hello',
      'assistant choice/0/reasoning_content = why',
      'tool_call choice/0/tool/0/name = f',
      'tool_call choice/0/tool/0/arguments = {"a":1}',
    ]);
    assert.ok(frame.pieces.every((piece) => piece.last));
  });

  it('edits content and drops what repeats it', () => {
    const edited = whole(body).renderUnfinished([
      { piece: 0, start: 0, end: 5, replacement: 'bye' },
    ]);
    const expected = structuredClone(body) as { choices: Record<string, unknown>[] };
    Object.assign(expected.choices[0]!, { logprobs: null, finish_reason: null });
    expected.choices[0]!.message = { ...message, content: 'bye' };
    assert.deepEqual(JSON.parse(textOf(edited)), expected);
  });

  it('tells errors from what is no completion', () => {
    assert.deepEqual(seen(whole({ error: { message: 'no such model', param: null } })), [
      'assistant other/0 = no such model',
    ]);
    assert.equal(whole({ data: [] }).unreadable, 'not_a_chat_completion');
    assert.equal(whole({ choices: null, error: null }).unreadable, 'not_a_chat_completion');
    assert.equal(whole('oops').unreadable, 'not_json');
    const twice = { index: 0, message: { content: 'a' } };
    assert.equal(whole({ choices: [twice, twice] }).unreadable, 'text_after_finish');
  });
});

const RECORDINGS = join(import.meta.dirname, '../../../shared/corpora/streams/openai-chat');

describe('recorded chat streams', () => {
  if (!existsSync(RECORDINGS)) {
    it.skip(`no recordings at ${RECORDINGS}`);
    return;
  }
  for (const file of readdirSync(RECORDINGS).filter((name) => name.endsWith('.sse'))) {
    it(`reads ${file} as its makers did, in any cut`, () => {
      const body = readFileSync(join(RECORDINGS, file));
      const meta = JSON.parse(
        readFileSync(join(RECORDINGS, file.replace('.sse', '.meta.json')), 'utf8'),
      );
      const frames = framesOf(openaiChat.reader('response', true), body);
      const texts = Object.entries(textsOf(frames));
      const ending = (suffix: string) =>
        texts
          .filter(([key]) => key.endsWith(suffix))
          .map(([, value]) => value)
          .join('');
      if (texts.filter(([key]) => key.endsWith('/content')).length <= 1)
        assert.equal(ending('/content'), meta.text);
      assert.equal(ending('/arguments'), meta.tool_args);
      assert.equal(frames.filter((frame) => frame.unreadable !== undefined).length, 0);
      assert.equal(frames.filter((frame) => frame.terminal).length, 1);
      assert.ok(
        texts.every(([key]) => key.startsWith('choice/')),
        'no stray texts',
      );
      for (const size of [1, 7, 1024]) {
        const cut: Uint8Array[] = [];
        for (let at = 0; at < body.length; at += size) cut.push(body.subarray(at, at + size));
        const again = framesOf(openaiChat.reader('response', true), ...cut);
        assert.deepEqual(
          again.map((f) => f.bytes),
          frames.map((f) => f.bytes),
        );
        assert.deepEqual(textsOf(again), Object.fromEntries(texts));
        assert.ok(Buffer.concat(again.map((f) => f.render([]))).equals(body));
      }
    });
  }
});
