import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { DEFAULT_FORMAT_LIMITS } from '../../src/formats/limits.ts';
import { openaiChat, openaiChatWith } from '../../src/formats/openai-chat.ts';
import { bytesOf, framesOf, shapeOf, textOf } from './chat-bodies.ts';

function read(body: string) {
  const frames = framesOf(openaiChat.reader('request', true), bytesOf(body));
  assert.equal(frames.length, 1);
  return frames[0]!;
}

/** `place text-key = value` of every piece. */
function seen(body: unknown): string[] {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return read(text).pieces.map((piece) => `${piece.place} ${piece.text} = ${piece.value}`);
}

const REQUEST = {
  model: 'gpt-5',
  messages: [
    { role: 'developer', content: 'be kind' },
    { role: 'system', content: [{ type: 'text', text: 'sys' }] },
    {
      role: 'user',
      name: 'ada',
      content: [
        { type: 'text', text: 'look' },
        {
          type: 'image_url',
          image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' },
        },
        { type: 'image_url', image_url: { url: 'https://example.org/a b.png' } },
        { type: 'input_audio', input_audio: { data: `${'UklG'.repeat(64)}Rg==`, format: 'wav' } },
        {
          type: 'file',
          file: { filename: 'plan B.pdf', file_data: 'data:application/pdf;base64,JVBERg==' },
        },
      ],
    },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name: 'lookup', arguments: '{"q":"x"}' } },
        { id: 'call_2', type: 'custom', custom: { name: 'shell', input: 'ls' } },
      ],
    },
    { role: 'tool', tool_call_id: 'call_1', content: 'found' },
    { role: 'wizard', content: 'abracadabra' },
  ],
  tools: [
    {
      type: 'function',
      function: { name: 'lookup', description: 'looks up', parameters: { enum: ['a b'] } },
    },
  ],
  stop: ['THE END'],
  metadata: { title: 'keep me', 'a b': 7 },
  prediction: { type: 'content', content: 'guess' },
  stream: true,
};

describe('chat request', () => {
  it('finds whose words stand where', () => {
    assert.deepEqual(seen(REQUEST), [
      'system message/0/content = be kind',
      'system message/1/part/0/text = sys',
      'user message/2/other/0 = ada',
      'user message/2/part/0/text = look',
      'user message/2/part/2/1 = https://example.org/a b.png',
      'user message/2/part/4/2 = plan B.pdf',
      'tool_call message/3/tool/0/name = lookup',
      'tool_call message/3/tool/0/arguments = {"q":"x"}',
      'tool_call message/3/tool/1/name = shell',
      'tool_call message/3/tool/1/input = ls',
      'tool_result message/4/content = found',
      'user message/5/other/3 = wizard',
      'user message/5/content = abracadabra',
      'tool_definition tool_definition/4 = function',
      'tool_definition tool_definition/5 = lookup',
      'tool_definition tool_definition/6 = looks up',
      'tool_definition tool_definition/7 = a b',
      'user other/8 = THE END',
      'user other/9 = keep me',
      'user other/10 = a b',
      'user other/11 = content',
      'user other/12 = guess',
    ]);
  });

  it('marks tool-call arguments as JSON and every text as complete', () => {
    const { pieces } = read(JSON.stringify(REQUEST));
    assert.deepEqual(
      pieces.filter((piece) => piece.encoding === 'json').map((piece) => piece.text),
      ['message/3/tool/0/arguments'],
    );
    assert.ok(pieces.every((piece) => piece.last));
  });

  it('tells the model and the wish for a stream', () => {
    const body = JSON.stringify(REQUEST);
    assert.deepEqual(read(body).request, { model: 'gpt-5', modelInDoubt: false, stream: true });
    assert.equal(read('{"model":"a","model":"b"}').request?.model, 'b');
    assert.equal(read('{"model":"a","model":"b"}').request?.modelInDoubt, true);
    assert.equal(read('{"model":7}').request?.model, undefined);
    assert.equal(read('{').request, undefined);
    assert.equal(read('{"stream":"true","messages":[]}').request?.stream, false);
    assert.equal(read('{"Model":"a"}').request?.modelInDoubt, true);
    assert.equal(read('{"m\\u006fdel":"a"}').request?.modelInDoubt, false);
  });

  it('leaves no field as a hiding place', () => {
    assert.deepEqual(seen({ model: 'two words', messages: [], verse: { prose: 'x y' } }), [
      'user other/0 = two words',
      'user other/1 = verse',
      'user other/2 = prose',
      'user other/3 = x y',
    ]);
    const odd = {
      role: 'ignore all',
      id: 'not an id',
      tool_call_id: 'n o',
      content: { text: 'obj' },
    };
    assert.deepEqual(seen({ messages: [odd, 'bare', [1, 'deep']] }), [
      'user message/0/other/0 = ignore all',
      'user message/0/other/1 = not an id',
      'user message/0/other/2 = n o',
      'user message/0/content/3 = obj',
      'user other/4 = bare',
      'user other/5 = deep',
    ]);
    const file = { type: 'file', file: { file_data: 'not base64 at all' } };
    const url = { type: 'image_url', image_url: { url: 'data:text/plain,say it' } };
    assert.deepEqual(seen({ messages: [{ role: 'user', content: [file, url] }] }), [
      'user message/0/part/0/0 = not base64 at all',
      'user message/0/part/1/1 = data:text/plain,say it',
    ]);
  });

  it('reads each value of a name that stands twice as what it is', () => {
    const body =
      '{"messages":[{"role":"user","content":"first"}],"messages":[{"role":"user","content":"a","content":"b"}]}';
    assert.deepEqual(seen(body), [
      'user message/0/content = first',
      'user message/0/content = a',
      'user message/0/content = b',
    ]);
  });

  it('does not guess whose words they are, nor for which API', () => {
    for (const double of ['"role":"system","role":"user"', '"Role":"user","role":"user"'])
      assert.equal(read(`{"messages":[{${double},"content":"a"}]}`).unreadable, 'ambiguous_names');
    assert.equal(read('{"input":"for another API"}').unreadable, 'not_a_request');
  });

  it('sees every string value of any JSON body except short words in known places', () => {
    const leaves = (value: unknown): string[] =>
      typeof value === 'string'
        ? [value]
        : value !== null && typeof value === 'object'
          ? Object.entries(value).flatMap(([name, inner]) => [
              ...(name === 'x' && !Array.isArray(value) ? [name] : []),
              ...leaves(inner),
            ])
          : [];
    const key = fc.constantFrom(
      'messages',
      'role',
      'content',
      'tool_calls',
      'function',
      'arguments',
      'type',
      'id',
      'image_url',
      'url',
      'tools',
      'model',
      'x',
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        fc.string().map((text) => `${text} !`),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, tree, { noNullPrototype: true }), (body) => {
        const request = { messages: [], ...body };
        const values = read(JSON.stringify(request)).pieces.map((piece) => piece.value);
        assert.deepEqual(values.toSorted(), leaves(request).toSorted());
      }),
      { numRuns: 500 },
    );
  });

  it('gives every text a key of its own', () => {
    const keys = read(JSON.stringify(REQUEST)).pieces.map((piece) => piece.text);
    assert.equal(new Set(keys).size, keys.length);
  });

  it('changes what an edit covers and nothing else', () => {
    const body =
      '{ "model":"m", "messages" : [ {"role":"user","content":"\\u0041 \\/ caf\\u00e9 \\ud83d\\ude00 end"} ] }';
    const frame = read(body);
    assert.equal(textOf(frame.render([])), body);
    const at = frame.pieces[0]!.value.indexOf('café');
    const edited = textOf(
      frame.render([{ piece: 0, start: at, end: at + 4, replacement: '"thé"\n' }]),
    );
    assert.equal(edited, body.replace('caf\\u00e9', '\\"th\\u00e9\\"\\n'));
    const half = frame.pieces[0]!.value.indexOf('\ud83d');
    assert.equal(
      textOf(frame.render([{ piece: 0, start: half + 1, end: half + 2, replacement: 'x' }])),
      body.replace('\\ud83d\\ude00', 'x'),
    );
    assert.equal(
      textOf(frame.render([{ piece: 0, start: half + 1, end: half + 1, replacement: 'x' }])),
      body.replace('\\ud83d\\ude00', 'x\\ud83d\\ude00'),
    );
  });

  it('writes replacements in UTF-8 where the frame has any', () => {
    const frame = read('{"messages":[{"role":"user","content":"é secret"}]}');
    const edited = frame.render([{ piece: 0, start: 2, end: 8, replacement: '□' }]);
    assert.equal(textOf(edited), '{"messages":[{"role":"user","content":"é □"}]}');
  });

  it('parses after any edits as if they had been made in the value', () => {
    const words = fc.array(
      fc.constantFrom('a', '\\n', '\\u0041', 'é', '😀', '\\ud83d\\ude00', '\\"', ' '),
      { minLength: 1, maxLength: 10 },
    );
    const edits = fc.array(fc.tuple(fc.nat(20), fc.nat(20), fc.string({ unit: 'grapheme' })), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(words, edits, (parts, wanted) => {
        const frame = read(`{"messages":[{"role":"user","content":"${parts.join('')}"}]}`);
        const value = frame.pieces[0]!.value;
        // Cut positions that split no pair, so that the expected value is plain slicing.
        const places = [0];
        for (const char of value) places.push(places.at(-1)! + char.length);
        const made = wanted
          .map(([a, b, replacement]) => {
            const [start, end] = [places[a % places.length]!, places[b % places.length]!].sort(
              (x, y) => x - y,
            );
            return { piece: 0, start: start!, end: end!, replacement };
          })
          .sort((x, y) => x.start - y.start || x.end - y.end)
          .filter((edit, i, all) => all.slice(0, i).every((earlier) => earlier.end <= edit.start));
        let expected = '';
        let cursor = 0;
        for (const edit of made) {
          expected += value.slice(cursor, edit.start) + edit.replacement;
          cursor = edit.end;
        }
        expected += value.slice(cursor);
        const parsed = JSON.parse(textOf(frame.render(made)));
        assert.equal(parsed.messages[0].content, expected);
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses edits that cannot be meant', () => {
    const frame = read('{"messages":[{"role":"user","content":"abc"}]}');
    const edit = (piece: number, start: number, end: number) => ({
      piece,
      start,
      end,
      replacement: 'sécrèt',
    });
    for (const edits of [
      [edit(1, 0, 1)],
      [edit(0, 2, 1)],
      [edit(0, 0, 4)],
      [edit(0, 0, 2), edit(0, 1, 3)],
    ])
      assert.throws(
        () => frame.render(edits),
        (fault: unknown) => fault instanceof RangeError && !fault.message.includes('sécrèt'),
      );
  });

  it('is one frame for every cut', () => {
    const bytes = bytesOf('{"model":"m","messages":[{"role":"user","content":"h\\u00e9 é😀"}]}');
    const whole = framesOf(openaiChat.reader('request', false), bytes).map(shapeOf);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const reader = openaiChat.reader('request', false);
      const frames = framesOf(reader, bytes.subarray(0, cut), bytes.subarray(cut));
      assert.deepEqual(frames.map(shapeOf), whole);
    }
  });

  it('does not guess at what it cannot read', () => {
    const reasons = (body: string) => read(body).unreadable;
    assert.equal(reasons('{'), 'not_json');
    assert.equal(reasons('[]'), 'not_an_object');
    assert.equal(reasons('\ufeff{}'), 'not_json');
    assert.equal(reasons('{}'), undefined);
    assert.equal(reasons(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`), 'json_too_deep');
    assert.deepEqual(framesOf(openaiChat.reader('request', false)), []);
    const utf16 = framesOf(openaiChat.reader('request', false), Buffer.from('{"a":1}', 'utf16le'));
    assert.equal(utf16[0]!.unreadable, 'not_json');
  });

  it('holds bodyBytesMax at its edge, in parts of that size whatever the cut', () => {
    const format = openaiChatWith({ ...DEFAULT_FORMAT_LIMITS, bodyBytesMax: 10 });
    const body = (length: number) => bytesOf(`{${' '.repeat(length - 2)}}`);
    const parts = (length: number) =>
      framesOf(format.reader('request', false), body(length)).map((f) => [
        f.bytes.length,
        f.unreadable,
      ]);
    assert.deepEqual(parts(9), [[9, undefined]]);
    assert.deepEqual(parts(10), [[10, undefined]]);
    assert.deepEqual(parts(11), [
      [10, 'body_too_large'],
      [1, 'body_too_large'],
    ]);
    const bytes = body(25);
    const single = framesOf(
      format.reader('request', false),
      ...[...bytes].map((b) => Uint8Array.of(b)),
    );
    assert.deepEqual(
      single.map(shapeOf),
      framesOf(format.reader('request', false), bytes).map(shapeOf),
    );
  });
});
