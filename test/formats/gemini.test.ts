import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Frame } from '../../src/formats/frame.ts';
import { type GeminiCall, geminiWith } from '../../src/formats/gemini.ts';
import { DEFAULT_FORMAT_LIMITS } from '../../src/formats/limits.ts';
import { bytesOf, framesOf, shapeOf, sse, textOf } from './chat-bodies.ts';
import {
  type Call,
  cutAt,
  GUARD,
  IDLE,
  rewriting,
  run,
  STRICT,
  textCutAt,
} from './exchange-run.ts';

const STREAM = '/v1beta/models/gemini-2.5-flash:streamGenerateContent';
const EVENTS: Call = { path: `${STREAM}?alt=sse` };
const ARRAY: Call = { path: STREAM, responseType: 'application/json; charset=UTF-8' };
const WHOLE: Call = {
  path: '/v1/models/gemini-2.5-flash:generateContent',
  responseType: 'application/json',
};

const chunk = (parts: readonly object[], rest: object = {}) => ({
  candidates: [{ content: { parts, role: 'model' }, ...rest }],
  modelVersion: 'gemini-2.5-flash',
  responseId: 'r1',
});
const textChunk = (text: string, rest: object = {}) => chunk([{ text }], rest);
const STOP = { finishReason: 'STOP', index: 0 };

/** Chunks in either of the ways that a stream comes. */
const events = (chunks: readonly object[]) => bytesOf(sse(...chunks));
const array = (chunks: readonly object[]) =>
  bytesOf(`[${chunks.map((one) => JSON.stringify(one, null, 2)).join(',\r\n')}\n]\n`);

/** Chunks as a client takes them from what left. */
const readEvents = (text: string) =>
  text
    .split(/\r?\n\r?\n/)
    .filter((event) => event.startsWith('data:'))
    .map((event) => JSON.parse(event.slice(5)));
const readArray = (text: string) => JSON.parse(text);

const WAYS = [
  { name: 'events', call: EVENTS, write: events, read: readEvents },
  { name: 'array', call: ARRAY, write: array, read: readArray },
] as const;

interface Chunk {
  readonly candidates?: readonly {
    readonly index?: number;
    readonly content?: {
      readonly parts?: readonly { readonly text?: string; readonly thought?: boolean }[];
    };
    readonly finishReason?: string | null;
  }[];
}

/** The text of a candidate as an SDK puts it together. */
function textIn(chunks: readonly Chunk[], index = 0): string {
  return chunks
    .flatMap((one) => one.candidates ?? [])
    .filter((candidate) => (candidate.index ?? 0) === index)
    .flatMap((candidate) => candidate.content?.parts ?? [])
    .map((part) => (part.thought === true ? '' : (part.text ?? '')))
    .join('');
}

const seen = (frame: Frame) =>
  frame.pieces.map((piece) => `${piece.place} ${piece.text} = ${piece.value}`);

const reader = (direction: 'request' | 'response', transport: GeminiCall['transport']) =>
  geminiWith(DEFAULT_FORMAT_LIMITS, { transport }).reader(direction, transport !== 'document');

const TEXT = 'Ask Bank A or mail joe.doe@acme.example now. Banks Abroad.';
const MASKED = 'Ask another bank or mail [EMAIL_1] now. Banks Abroad.';

describe('gemini request', () => {
  it('tells whose words stand where, in camel and in snake case', () => {
    const body = {
      system_instruction: { parts: [{ text: 'be kind' }] },
      contents: [
        {
          role: 'user',
          parts: [{ text: 'hello' }, { inlineData: { mimeType: 'image/png', data: 'aGk=' } }],
        },
        {
          role: 'model',
          parts: [
            { functionCall: { name: 'look', args: { q: 'x', n: 7 } }, thoughtSignature: 'c2ln' },
          ],
        },
        { role: 'user', parts: [{ function_response: { name: 'look', response: { out: 'y' } } }] },
        {
          parts: [{ text: 'no role' }, { executableCode: { language: 'PYTHON', code: 'print()' } }],
        },
      ],
      tools: [{ functionDeclarations: [{ name: 'look', description: 'looks' }] }],
      generationConfig: { temperature: 0 },
    };
    const [frame] = framesOf(reader('request', 'document'), bytesOf(JSON.stringify(body)));
    assert.deepEqual(seen(frame!), [
      'system system/part/0/content = be kind',
      'user content/0/part/0/content = hello',
      'tool_call other/0 = look',
      'tool_call tool_call/1 = {"q":"x","n":7}',
      'tool_result other/2 = look',
      'tool_result tool_result/3 = {"out":"y"}',
      'user content/3/part/0/content = no role',
      'user content/3/part/1/code = print()',
      'tool_definition tool_definition/4 = {"functionDeclarations":[{"name":"look","description":"looks"}]}',
    ]);
  });

  it('is masked in place, down to names and numbers of arguments', () => {
    const body =
      '{ "contents" : [{"role":"user","parts":[{"text":"to joe@acme.example"}]},' +
      ' {"role":"model","parts":[{"functionCall":{"name":"f","args":{"Bank \\u0041": ["joe@acme.example", 1.50]}}}]}] }';
    assert.equal(
      run(GUARD, { ...WHOLE, request: body }).request,
      body.replaceAll('joe@acme.example', '[EMAIL_1]').replace('Bank \\u0041', 'another bank'),
    );
  });

  it('knows the model and the way of the answer from the path', () => {
    const at = (transport: GeminiCall['transport']) =>
      framesOf(
        geminiWith(DEFAULT_FORMAT_LIMITS, { model: 'm', transport }).reader('request', false),
        bytesOf('{}'),
      )[0]!.request;
    assert.deepEqual(at('array'), { model: 'm', modelInDoubt: false, stream: true });
    assert.deepEqual(at('document'), { model: 'm', modelInDoubt: false, stream: false });
  });
});

describe('gemini answer', () => {
  it('names texts by candidate and kind, and reads arguments as they are written', () => {
    const frames = framesOf(
      reader('response', 'events'),
      events([
        chunk([{ text: 'hm', thought: true }, { text: 'a' }]),
        { candidates: [{ index: 1, content: { parts: [{ text: 'b' }] } }] },
        chunk([{ functionCall: { id: 'x1', name: 'look', args: { q: 'x' } } }]),
        chunk([
          {
            functionCall: {
              name: 'f',
              partialArgs: [{ jsonPath: '$.a', stringValue: 'p', willContinue: true }],
            },
          },
        ]),
        chunk([{ functionCall: { partialArgs: [{ jsonPath: '$.a', stringValue: 'q' }] } }]),
        chunk([
          { functionCall: { name: 'f', partialArgs: [{ jsonPath: '$.a', stringValue: 'r' }] } },
        ]),
        chunk([{ codeExecutionResult: { outcome: 'OUTCOME_OK', output: '7' } }], STOP),
      ]),
    );
    assert.deepEqual(frames.flatMap(seen), [
      'assistant candidate/0/thought = hm',
      'assistant candidate/0/content = a',
      'assistant candidate/1/content = b',
      'tool_call other/0 = look',
      'tool_call tool_call/1 = {"q":"x"}',
      'tool_call other/2 = f',
      'tool_call candidate/0/argument/0 = p',
      'tool_call other/3 = $.a',
      'tool_call candidate/0/argument/0 = q',
      'tool_call other/4 = $.a',
      'tool_call other/5 = f',
      'tool_call candidate/0/argument/1 = r',
      'tool_call other/6 = $.a',
      'tool_result candidate/0/output = 7',
    ]);
  });

  it('has the same frames for every cut of the array', () => {
    const bytes = array([textChunk('a "]},{[ \\'), textChunk('é😀'), textChunk('z', STOP)]);
    const shapes = framesOf(reader('response', 'array'), bytes).map(shapeOf);
    assert.equal(shapes.map((shape) => shape.bytes).join(''), textOf(bytes));
    assert.deepEqual(
      shapes.map(({ unreadable, terminal }) => ({ unreadable, terminal })),
      [false, false, false, true, false].map((terminal) => ({ unreadable: undefined, terminal })),
    );
    for (let cut = 1; cut < bytes.length; cut += 1)
      assert.deepEqual(
        framesOf(reader('response', 'array'), bytes.subarray(0, cut), bytes.subarray(cut)).map(
          shapeOf,
        ),
        shapes,
        `cut at byte ${cut}`,
      );
  });

  for (const [body, unreadable] of [
    ['[{"a":1} {"b":2}]', 'not_json'],
    ['[{"a":1},]', 'not_json'],
    ['[7]', 'not_json'],
    ['"x"', 'not_json'],
    ['[{"a":1}]{', 'not_json'],
    ['[{"a":1', 'not_json'],
    ['[{"a":1}}', 'not_json'],
    ['[{"a":[}]', 'not_json'],
    ['[]', undefined],
    [' [ ] ', undefined],
    ['{"error":{"code":400}}', undefined],
  ] as const)
    it(`takes ${body} for ${unreadable ?? 'readable'}`, () => {
      const frames = framesOf(reader('response', 'array'), bytesOf(body));
      assert.equal(frames.map((frame) => textOf(frame.bytes)).join(''), body);
      assert.equal(frames.find((frame) => frame.unreadable)?.unreadable, unreadable);
    });

  it('gives out an element that is too long in parts that cannot be read', () => {
    const limits = { ...DEFAULT_FORMAT_LIMITS, frameBytesMax: 32 };
    const format = geminiWith(limits, { transport: 'array' });
    const reads = (body: string) =>
      framesOf(format.reader('response', true), bytesOf(body)).map(({ bytes, unreadable }) => [
        bytes.length,
        unreadable,
      ]);
    assert.deepEqual(reads(`[{"a":"${'x'.repeat(23)}"},{}]`), [
      [32, undefined],
      [3, undefined],
      [1, undefined],
    ]);
    assert.deepEqual(reads(`[{"a":"${'x'.repeat(24)}"},{}]`), [
      [32, 'frame_too_large'],
      [1, 'frame_too_large'],
      [3, undefined],
      [1, undefined],
    ]);
  });

  for (const { name, call, write, read } of WAYS) {
    describe(`as ${name}`, () => {
      it('leaves as the same bytes for every cut of the wire (law a)', () => {
        const bytes = write([
          textChunk('Ask Ba'),
          textChunk('nk A or mail joe.doe@ac'),
          textChunk('me.example now.', STOP),
        ]);
        const whole = run(GUARD, call, [bytes]).response;
        assert.equal(textIn(read(whole)), 'Ask another bank or mail [EMAIL_1] now.');
        for (let cut = 1; cut < bytes.length; cut += 1)
          assert.equal(run(GUARD, call, cutAt(bytes, [cut])).response, whole, `cut at ${cut}`);
      });

      it('has the same text for every cut into chunks (law b)', () => {
        for (let cut = 1; cut < TEXT.length; cut += 1) {
          const [first, second] = [TEXT.slice(0, cut), TEXT.slice(cut)];
          const { response } = run(GUARD, call, [
            write([textChunk(first), textChunk(second, STOP)]),
          ]);
          assert.equal(textIn(read(response)), MASKED, `cut at unit ${cut}`);
        }
      });

      it('obeys both laws for random texts and cuts', () => {
        const words = fc.constantFrom(
          'Bank',
          ' ',
          'A',
          'Ban',
          'k A',
          'joe',
          '@',
          'acme.co',
          'é',
          '😀',
          '"',
          '\\',
          '.',
        );
        fc.assert(
          fc.property(
            fc.array(words, { maxLength: 14 }),
            fc.array(fc.nat(1000), { maxLength: 6 }),
            fc.array(fc.nat(5000), { maxLength: 5 }),
            (parts, chunkCuts, byteCuts) => {
              const text = parts.join('');
              const one = run(GUARD, call, [write([textChunk(text)])]).response;
              const bytes = write(textCutAt(text, chunkCuts).map((part) => textChunk(part)));
              const once = run(GUARD, call, [bytes]).response;
              assert.equal(run(GUARD, call, cutAt(bytes, byteCuts)).response, once);
              assert.equal(textIn(read(once)), textIn(read(one)));
            },
          ),
          { numRuns: 150 },
        );
      });

      it('is refused inside with the text before the match, as candidates that ended so', () => {
        const text = 'We mail a@b.co about Project Zebra soon';
        for (let cut = 1; cut < text.length; cut += 1) {
          const chunks = [textChunk(text.slice(0, cut)), textChunk(text.slice(cut), STOP)];
          const { response, port } = run(GUARD, call, [write(chunks)]);
          const left = read(response);
          assert.equal(textIn(left), 'We mail [EMAIL_1] about ', `cut at unit ${cut}`);
          const last = left.at(-1).candidates[0];
          assert.equal(last.finishReason, 'PROHIBITED_CONTENT');
          assert.equal(last.finishMessage, 'No.');
          // Without a reason: the prompt was not what was refused.
          assert.deepEqual(left.at(-1).promptFeedback, { blockReasonMessage: 'No.' });
          assert.equal(left.at(-1).responseId, 'r1');
          assert.ok(!response.includes('"STOP"'));
          assert.ok(port.ended.has('response'));
        }
      });

      it('drops a call whose arguments are cut short', () => {
        const call1 = { functionCall: { name: 'f', args: { a: 'first', b: 'Project Zebra' } } };
        const { response } = run(GUARD, call, [
          write([textChunk('So: '), chunk([{ text: 'calling: ' }, call1], STOP)]),
        ]);
        const left = read(response);
        assert.equal(textIn(left), 'So: calling: ');
        assert.ok(!response.includes('Zebra'));
        assert.equal(left[1].candidates[0].content.parts[1].functionCall, null);
      });

      it('is refused before its first byte with the status and words of the rule', () => {
        const bytes = write([textChunk('Project Zebra', STOP)]);
        const { port } = run(STRICT, call, [bytes]);
        assert.equal(port.refusal?.status, 403);
        const { error } = JSON.parse(port.refusal!.body);
        assert.deepEqual(
          [error.code, error.message, error.status],
          [403, 'No.', 'PERMISSION_DENIED'],
        );
      });

      it('is appended to, in its last chunk or behind it', () => {
        const format = geminiWith(DEFAULT_FORMAT_LIMITS, {
          transport: name === 'array' ? 'array' : 'events',
        });
        const own = format.reader('response', true);
        const frames = own.push(write([textChunk('a'), textChunk('b', STOP)]));
        const inside = own.append('candidate/0/content', '!', frames[1]);
        assert.equal(inside.kind, 'edit');
        const behind = own.append('candidate/0/content', '!', frames[2]);
        assert.equal(behind.kind, 'frame');
        const addition = behind.kind === 'frame' ? textOf(behind.bytes) : '';
        const all = frames.map((frame) => textOf(frame.bytes));
        const whole = [...all.slice(0, 2), addition, ...all.slice(2)].join('');
        assert.equal(textIn(read(whole)), 'ab!');
        assert.equal(own.append('candidate/0/thought', '!', frames[2]).kind, 'impossible');
      });
    });
  }

  it('says nothing behind an array that is closed, and opens one where nothing has left', () => {
    const refusal = { message: 'No.', decisionId: 'd1', code: 'policy' };
    const own = reader('response', 'array');
    const frames = own.push(array([textChunk('a')]));
    assert.equal(JSON.parse(own.refuse(refusal).map(textOf).join('')).length, 1);
    own.sent(frames[0]!);
    const open = textOf(frames[0]!.bytes) + own.refuse(refusal).map(textOf).join('');
    assert.equal(JSON.parse(open).length, 2);
    own.sent(frames[1]!);
    assert.deepEqual(own.refuse(refusal), []);
  });

  it('takes log probabilities back where the text is changed, and only there', () => {
    const logprobs = (token: string) => ({ logprobsResult: { chosenCandidates: [{ token }] } });
    const { response } = run(GUARD, EVENTS, [
      events([textChunk('fine', logprobs('fine')), textChunk('. Bank A.', logprobs('. Bank A.'))]),
    ]);
    const [first, second] = readEvents(response);
    assert.deepEqual(first.candidates[0].logprobsResult, logprobs('fine').logprobsResult);
    assert.equal(second.candidates[0].logprobsResult, null);
  });

  it('is ended where a signed call would have to be changed, and changed where only text is', () => {
    const signed = (part: object) => chunk([{ ...part, thoughtSignature: 'c2ln' }]);
    const call = { functionCall: { name: 'f', args: { to: 'joe@acme.example' } } };
    const refused = run(GUARD, EVENTS, [events([textChunk('So, '), signed(call)])]);
    assert.equal(textIn(readEvents(refused.response)), 'So, ');
    assert.ok(!refused.response.includes('acme'));
    assert.ok(refused.response.includes('PROHIBITED_CONTENT'));
    const masked = run(GUARD, EVENTS, [events([signed({ text: 'to joe@acme.example' })])]);
    assert.equal(textIn(readEvents(masked.response)), 'to [EMAIL_1]');
  });

  it('is one text over the parts of a document', () => {
    const body = JSON.stringify(chunk([{ text: 'Ask Ba' }, { text: 'nk A, Bank' }], STOP));
    const { response } = run(GUARD, WHOLE, [bytesOf(body)]);
    assert.equal(textIn([JSON.parse(response)]), 'Ask another bank, Bank');
  });

  it('refuses a prompt with a block reason, in the way that was asked for', () => {
    const request = JSON.stringify({ contents: [{ parts: [{ text: 'Project Zebra' }] }] });
    const bodies = [EVENTS, ARRAY, WHOLE].map(
      (call) => run(GUARD, { ...call, request }).port.refusal!,
    );
    assert.deepEqual(
      bodies.map((refusal) => refusal.status),
      [200, 200, 200],
    );
    const [[event], [element], whole] = [
      readEvents(bodies[0]!.body),
      readArray(bodies[1]!.body),
      JSON.parse(bodies[2]!.body),
    ];
    for (const one of [event, element, whole]) {
      assert.equal(one.promptFeedback.blockReason, 'PROHIBITED_CONTENT');
      assert.equal(one.promptFeedback.blockReasonMessage, 'No.');
      assert.equal(one.candidates, undefined);
    }
    assert.equal(bodies[0]!.headers['content-type'], 'text/event-stream');
  });
});

const RECORDED = join(import.meta.dirname, '../../../shared/corpora/streams/gemini');

describe('recorded gemini streams', () => {
  if (!existsSync(RECORDED)) return;
  for (const file of readdirSync(RECORDED).filter((name) => name.endsWith('.sse'))) {
    const bytes = readFileSync(join(RECORDED, file));
    const chunks: object[] = readEvents(textOf(bytes));
    const text = textIn(chunks as Chunk[]);

    it(`${file.slice(15, 65)} leaves byte for byte under 1,000 cuttings`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), (cuts) => {
          const frames = framesOf(reader('response', 'events'), ...cutAt(bytes, cuts));
          assert.ok(Buffer.concat(frames.map((frame) => frame.render([]))).equals(bytes));
          assert.ok(frames.every((frame) => frame.unreadable === undefined));
        }),
        { numRuns: 1_000 },
      );
    });

    it(`${file.slice(15, 65)} leaves byte for byte through a set that matches nothing`, () => {
      fc.assert(
        fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), (cuts) => {
          assert.equal(run(IDLE, EVENTS, cutAt(bytes, cuts)).response, textOf(bytes));
        }),
        { numRuns: 40 },
      );
    });

    it(`${file.slice(15, 65)} has all other frames as they were when one word is rewritten`, () => {
      const word = text.match(/\b[a-z]{6,}\b/g)!.at(7)!;
      const { response } = run(rewriting(word, 'WORD'), EVENTS, [bytes]);
      const [before, after] = [textOf(bytes), response].map((body) => body.split(/(?<=\n\r?\n)/));
      assert.equal(after!.length, before!.length);
      const boundary = new RegExp(`\\b${word}\\b`, 'gi');
      assert.ok(textIn(readEvents(response)) === text.replace(boundary, 'WORD'));
      const changed = before!.filter((frame, index) => frame !== after![index]);
      assert.ok(changed.length > 0 && changed.length < before!.length);
      const expected = before!.map((frame) => frame.replace(boundary, 'WORD'));
      assert.deepEqual(
        after!.filter((frame, index) => frame !== expected[index]),
        [],
      );
    });
  }
});
