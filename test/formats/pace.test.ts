/** Reading in slices: wherever a reader is stopped, what it has read in the end is what it reads in one go. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { anthropicMessages } from '../../src/formats/anthropic.ts';
import type { BodyReader, Edit, Format, Frame } from '../../src/formats/frame.ts';
import { geminiAt } from '../../src/formats/gemini.ts';
import { genericJson } from '../../src/formats/generic-json.ts';
import {
  JsonScanner,
  LITERAL_BYTES_MAX,
  NAME_BYTES_MAX,
  readJson,
} from '../../src/formats/json.ts';
import { mcpAt } from '../../src/formats/mcp.ts';
import { ndjson } from '../../src/formats/ndjson.ts';
import { openaiChat } from '../../src/formats/openai-chat.ts';
import { openaiCompletions } from '../../src/formats/openai-completions.ts';
import { openaiInputs } from '../../src/formats/openai-inputs.ts';
import { openaiResponses } from '../../src/formats/openai-responses.ts';
import { BYTES_PER_UNIT } from '../../src/formats/pace.ts';
import { KeyCounter, PieceCollector } from '../../src/formats/piece-collector.ts';

/** Names and words that readers go by, so that random documents lead everywhere. */
const NAMES =
  `messages role content tool_calls function_call function arguments input name id type text choices index delta
  message finish_reason logprobs token top_logprobs bytes audio data annotations start_index system tools thinking
  signature source media_type parts thought functionCall args contents candidates jsonrpc method params result prompt
  output image_url url embedding object error reasoning model stream x`.split(/\s+/);
const WORDS =
  `user assistant tool system text tool_use message 2.0 tools/call bob image/png a b`.split(' ');

const text = fc.oneof(
  fc.constantFrom(...WORDS),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('\\"\\\\\n', 'é😀\ud83d', 'A'.repeat(300)),
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', maxDepth: 6 },
    text,
    fc.constantFrom(0, 1, 4111111111111111, true, null),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('tree'), { maxKeys: 6 }),
  ),
}));
const token = fc.record({ token: text, top_logprobs: fc.array(fc.record({ token: text })) });
const message = fc.record(
  { role: fc.constantFrom(...WORDS), content: fc.oneof(text, tree), tool_calls: tree, x: tree },
  { requiredKeys: [] },
);
const choice = fc.record(
  {
    index: fc.constantFrom(0, 1),
    message,
    delta: message,
    logprobs: fc.record({ content: fc.array(token) }),
    finish_reason: fc.constantFrom(null, 'stop'),
    x: tree,
  },
  { requiredKeys: [] },
);
const root = fc.oneof(
  tree,
  fc.record(
    {
      messages: fc.array(message),
      contents: tree,
      input: tree,
      prompt: tree,
      content: tree,
      choices: fc.array(choice),
      candidates: tree,
      jsonrpc: fc.constant('2.0'),
      id: fc.constant(1),
      method: fc.constantFrom('tools/call', 'ping'),
      params: tree,
      tools: tree,
      x: tree,
    },
    { requiredKeys: [] },
  ),
);

const spoken = { media: 'application/json', direction: 'response' } as const;
const IN_ARRAYS = new WeakSet<Format>();

function geminiArray(): Format {
  const format = geminiAt({ path: '/v1/models/m:streamGenerateContent', ...spoken });
  IN_ARRAYS.add(format);
  return format;
}

const FORMATS: readonly (() => Format)[] = [
  () => openaiChat,
  () => openaiCompletions,
  () => openaiInputs,
  () => openaiResponses,
  () => anthropicMessages,
  () => geminiAt({ path: '/v1/models/m:generateContent', ...spoken }),
  geminiArray,
  () => mcpAt({}),
  () => genericJson(undefined),
  () => genericJson([['messages', '[]', 'content'], ['x']]),
  () => ndjson,
];

/** One body of several values, as the format has them. */
function bodyOf(format: Format, streamed: boolean, values: readonly string[]): string {
  if (format === ndjson) return values.join('\n \n');
  if (!streamed) return values[0]!;
  if (format.name === 'gemini' && IN_ARRAYS.has(format)) return `[${values.join(',\n')}]`;
  return values.map((json) => `data: ${json}\n\n`).join('');
}

/** Long texts by format; `LONG` becomes one. */
const LONG_TEXTS: readonly {
  readonly format: () => Format;
  readonly direction: 'request' | 'response';
  readonly streamed: boolean;
  readonly around: string;
}[] = [
  {
    format: () => openaiResponses,
    direction: 'request',
    streamed: false,
    around: '{"model":"m","instructions":"LONG","input":[{"role":"user","content":"LONG"}]}',
  },
  {
    format: () => openaiResponses,
    direction: 'response',
    streamed: false,
    around:
      '{"id":"r","object":"response","output":[{"type":"message","id":"i","role":"assistant","content":[{"type":"output_text","text":"LONG","annotations":[],"logprobs":[{"token":"LONG","logprob":0,"bytes":[1]},{"token":"b","logprob":0}]}]}]}',
  },
  {
    format: () => openaiResponses,
    direction: 'response',
    streamed: true,
    around:
      '{"type":"response.output_text.delta","sequence_number":1,"item_id":"i","output_index":0,"content_index":0,"delta":"LONG","logprobs":[{"token":"LONG","logprob":0}]}',
  },
  {
    format: () => geminiAt({ path: '/v1/models/m:generateContent', ...spoken }),
    direction: 'request',
    streamed: false,
    around: '{"contents":[{"role":"user","parts":[{"text":"LONG"},{"text":"LONG"}]}]}',
  },
  {
    format: () => geminiAt({ path: '/v1/models/m:generateContent', ...spoken }),
    direction: 'response',
    streamed: false,
    around:
      '{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"LONG"},{"text":"b"}]},"logprobsResult":{"chosenCandidates":[{"token":"LONG"},{"token":"b"}]}}]}',
  },
  {
    format: () =>
      geminiAt({
        path: '/v1/models/m:streamGenerateContent?alt=sse',
        media: 'text/event-stream',
        direction: 'response',
      }),
    direction: 'response',
    streamed: true,
    around: '{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"LONG"}]}}]}',
  },
  {
    format: geminiArray,
    direction: 'response',
    streamed: true,
    around: '{"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"LONG"}]}}]}',
  },
  {
    format: () => ndjson,
    direction: 'response',
    streamed: true,
    around: '{"message":{"content":"LONG"}}',
  },
  {
    format: () => anthropicMessages,
    direction: 'response',
    streamed: true,
    around:
      '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"LONG"}}',
  },
  {
    format: () => mcpAt({}),
    direction: 'request',
    streamed: false,
    around:
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"f","arguments":{"a":"LONG"}}}',
  },
  {
    format: () => mcpAt({}),
    direction: 'response',
    streamed: true,
    around: '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"LONG"}]}}',
  },
];

const times = <One>(count: number, one: (index: number) => One): readonly One[] =>
  Array.from({ length: count }, (_, index) => one(index));

/** Bodies that are made of many small members. */
const MANY: readonly {
  readonly format: () => Format;
  readonly direction: 'request' | 'response';
  readonly streamed: boolean;
  readonly body: unknown;
}[] = [
  {
    format: () => openaiChat,
    direction: 'request',
    streamed: false,
    body: {
      messages: times(9_000, (index) => ({ [`n${index}`]: ['ab', 1] })),
      tools: times(9_000, (index) => ({ [`n${index}`]: ['ab', 1] })),
    },
  },
  {
    format: () => anthropicMessages,
    direction: 'request',
    streamed: false,
    body: {
      messages: times(4_000, () => ({ role: 'user', content: [{ type: 'text', text: 'a b' }] })),
      tools: times(9_000, () => ({ name: 'f' })),
    },
  },
  {
    format: () => geminiAt({ path: '/v1/models/m:generateContent', ...spoken }),
    direction: 'request',
    streamed: false,
    body: {
      contents: times(4_000, () => ({ role: 'user', parts: [{ text: 'a' }, { text: 'b' }] })),
      tools: times(9_000, () => ({ functionDeclarations: [{ name: 'f' }] })),
    },
  },
  {
    format: () => geminiAt({ path: '/v1/models/m:generateContent', ...spoken }),
    direction: 'response',
    streamed: false,
    body: {
      candidates: [
        {
          content: {
            role: 'model',
            parts: times(9_000, (index) =>
              index % 3 === 0
                ? { functionCall: { name: 'f', args: { a: 1 } }, thoughtSignature: 'YWJj' }
                : { text: 'a' },
            ),
          },
          groundingMetadata: { webSearchQueries: times(9_000, () => 'a') },
          safetyRatings: times(9_000, () => ({ category: 'A' })),
        },
      ],
    },
  },
  {
    format: () => mcpAt({}),
    direction: 'request',
    streamed: false,
    body: times(4_000, (id) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'f', arguments: { a: 1 } },
    })),
  },
  {
    format: () => mcpAt({}),
    direction: 'response',
    streamed: true,
    body: {
      jsonrpc: '2.0',
      id: 1,
      result: {
        content: times(9_000, () => ({ type: 'text', text: 'a' })),
        tools: times(9_000, () => ({ name: 'f' })),
      },
    },
  },
  {
    format: () => openaiResponses,
    direction: 'request',
    streamed: false,
    body: {
      model: 'm',
      input: times(4_000, () => ({
        role: 'user',
        content: [{ type: 'input_text', text: 'a' }],
      })),
      tools: times(9_000, () => ({ type: 'function', name: 'f' })),
    },
  },
  {
    format: () => openaiResponses,
    direction: 'response',
    streamed: false,
    body: {
      object: 'response',
      output: [
        {
          type: 'message',
          content: [
            {
              type: 'output_text',
              text: 'a',
              annotations: times(9_000, () => ({ start_index: 0, end_index: 1 })),
            },
            ...times(9_000, () => ({ type: 'output_text', text: 'a' })),
          ],
        },
      ],
      usage: times(9_000, () => ({ a: 1 })),
    },
  },
  {
    format: () => openaiResponses,
    direction: 'response',
    streamed: true,
    body: {
      type: 'response.output_item.done',
      output_index: 0,
      item: { type: 'message', content: times(9_000, () => ({ type: 'output_text', text: 'a' })) },
    },
  },
];

function* drained(
  reader: BodyReader,
  pace: { left: number },
  units: () => number,
): Generator<readonly Frame[]> {
  while (reader.unread) {
    pace.left = units();
    yield reader.readOn!();
  }
}

/** What a reader makes of bytes that come in two parts. `units`: undefined to read in one go. */
function framesOf(reader: BodyReader, bytes: Uint8Array, units?: () => number): readonly Frame[] {
  const pace = { left: units?.() ?? 0 };
  if (units !== undefined) reader.readAt?.(pace);
  const frames: Frame[] = [];
  const half = bytes.length >> 1;
  for (const give of [
    () => reader.push(bytes.subarray(0, half)),
    () => reader.push(bytes.subarray(half)),
    () => reader.end(),
  ]) {
    frames.push(...give());
    if (units !== undefined) for (const more of drained(reader, pace, units)) frames.push(...more);
  }
  return frames;
}

/** The same, a little at a time. */
function renderedSlowly(frame: Frame, edits: readonly Edit[]): string | undefined {
  const pace = { left: 0 };
  const steps = frame.rendering?.(edits, pace);
  for (let step = steps?.next(); step !== undefined; step = steps!.next()) {
    if (step.done) return Buffer.from(step.value).toString('latin1');
    pace.left = 3;
  }
  return undefined;
}

/** Everything that a frame says. */
function told(frame: Frame): unknown {
  const edits: Edit[] = frame.pieces.flatMap(({ value }, piece) =>
    value.length === 0 ? [] : [{ piece, start: 0, end: 1, replacement: '"é' }],
  );
  const { bytes, pieces, ends, ended, unreadable, terminal, request } = frame;
  const said = { bytes, pieces, ends, ended, unreadable, terminal, request };
  const rendered = Buffer.from(frame.render(edits)).toString('latin1');
  assert.equal(renderedSlowly(frame, edits) ?? rendered, rendered);
  return { ...said, rendered };
}

const paces = fc.infiniteStream(fc.integer({ min: 1, max: 60 }));
const drawn = (stream: Iterator<number>) => (): number => stream.next().value as number;

describe('a body that is read in slices', () => {
  FORMATS.forEach((format, place) => {
    it(`is read as in one go: ${format().name} (${place})`, () => {
      fc.assert(
        fc.property(
          fc.array(root, { minLength: 1, maxLength: 2 }),
          fc.constantFrom('request', 'response'),
          fc.boolean(),
          paces,
          (roots, direction, streamed, pace) => {
            const bodies = roots.map((value) => JSON.stringify(value));
            const body = bodyOf(format(), streamed && direction === 'response', bodies);
            const bytes = Buffer.from(body);
            const reader = () => format().reader(direction as 'request' | 'response', streamed);
            const whole = framesOf(reader(), bytes).map(told);
            const sliced = framesOf(reader(), bytes, drawn(pace)).map(told);
            assert.deepEqual(sliced, whole);
          },
        ),
        { numRuns: 150 },
      );
    });
  });

  it('has the same JSON, or the same fault', () => {
    const limits = { depthMax: 5, nodesMax: 30 };
    const damaged = fc.tuple(tree, fc.nat(), fc.constantFrom('', '"', '}', ',', '\\', '\n  ', '1'));
    fc.assert(
      fc.property(
        fc.oneof(
          tree.map((value) => [value, 0, ''] as const),
          damaged,
        ),
        paces,
        (made, stream) => {
          const [value, at, planted] = made;
          const json = JSON.stringify(value, undefined, at % 3);
          const cut = at % (json.length + 1);
          const bytes = Buffer.from(json.slice(0, cut) + planted + json.slice(cut));
          const scanner = new JsonScanner(bytes, limits);
          const units = drawn(stream);
          const pace = { left: 0 };
          let reading = scanner.read(pace);
          while (reading === undefined) {
            pace.left = units();
            reading = scanner.read(pace);
          }
          assert.deepEqual(reading, readJson(bytes, limits));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('has the same text where it is long, whatever stands at the cuts', () => {
    const units = ['\\n', '\\u00e9', '\\ud83d\\ude00', '\\\\', 'é', '😀', 'a', '\\"', '\xff', '€'];
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...units), { minLength: 1, maxLength: 7 }),
        fc.nat(9),
        fc.constantFrom(LITERAL_BYTES_MAX - 2, 3 * LITERAL_BYTES_MAX),
        (pattern, shift, length) => {
          const unit = Buffer.concat(
            pattern.map((part) => Buffer.from(part, part === '\xff' ? 'latin1' : 'utf8')),
          );
          const inner = Buffer.alloc(Math.ceil(length / unit.length) * unit.length, unit);
          const head = Buffer.from(`{"messages":[{"role":"user","content":"${'x'.repeat(shift)}`);
          const bytes = Buffer.concat([head, inner, Buffer.from('"}]}')]);
          const whole = framesOf(openaiChat.reader('request', false), bytes);
          const sliced = framesOf(openaiChat.reader('request', false), bytes, () => 1_000);
          assert.deepEqual(sliced.map(told), whole.map(told));
        },
      ),
      { numRuns: 40 },
    );
  });

  LONG_TEXTS.forEach(({ format, direction, streamed, around }) => {
    const said = streamed ? 'event' : 'document';
    it(`has the same long texts in a ${direction} of ${format().name}, ${said}`, () => {
      for (const unit of ['\\n', '\\ud83d\\ude00', 'é'])
        for (const length of [LITERAL_BYTES_MAX / 2, 3 * LITERAL_BYTES_MAX]) {
          const inner = unit.repeat(Math.ceil(length / unit.length));
          const json = around.replaceAll('LONG', inner);
          const bytes = Buffer.from(bodyOf(format(), streamed, [json]));
          const reader = (): BodyReader => format().reader(direction, streamed);
          const whole = framesOf(reader(), bytes);
          assert.ok(whole.some(({ pieces }) => pieces.some(({ value }) => value.length > 1_000)));
          for (const units of [50, 1_000])
            assert.deepEqual(framesOf(reader(), bytes, () => units).map(told), whole.map(told));
        }
    });

    // A text that its tokens spell once more is needed at once.
    if (around.includes('logprob')) return;
    it(`stops where its pace ends in long texts in a ${direction} of ${format().name}, ${said}`, () => {
      const json = around.replaceAll('LONG', '\\u00e9'.repeat(40_000));
      const bytes = Buffer.from(bodyOf(format(), streamed, [json]));
      const reader = format().reader(direction, streamed);
      const pace = { left: 500 };
      reader.readAt?.(pace);
      reader.push(bytes);
      reader.end();
      let slices = 0;
      for (const _ of drained(reader, pace, () => 500)) slices++;
      // Reading the JSON takes one for so many bytes, decoding them a ninth of that; in one go it would take none.
      assert.ok(slices > (bytes.length / (500 * BYTES_PER_UNIT)) * 1.06, `${slices}`);
    });
  });

  it('does what one visit puts off in the order in which it was asked for', () => {
    const pace = { left: 0 };
    const collector = new PieceCollector(Buffer.from('""'), new KeyCounter(), pace);
    const seen: string[] = [];
    collector.each(
      ['a', 'b'],
      (outer) => {
        for (const part of ['1', '2'])
          collector.each(
            ['x', 'y'],
            (inner) => void seen.push(outer + part + inner),
            () => void seen.push('-'),
          );
      },
      () => void seen.push('end'),
    );
    assert.deepEqual(seen, []);
    while (!collector.readOn()) pace.left = 1;
    assert.equal(seen.join(' '), 'a1x a1y - a2x a2y - b1x b1y - b2x b2y - end');
  });

  it('has what stands in signed values signed, and nothing else, also where they stand in one another', () => {
    const pace = { left: 0 };
    const collector = new PieceCollector(Buffer.from('"a"'), new KeyCounter(), pace);
    const add = (text: string): void => {
      const literal = { kind: 'string', start: 0, end: 3, simple: true } as const;
      collector.add(literal, text, 'user', true);
    };
    collector.each(['before', 'outer', 'behind'], (part) => {
      if (part !== 'outer') add(part);
      else
        collector.allSealed(() => {
          collector.each(['first', 'inner', 'last'], (inner) => {
            if (inner === 'inner') collector.allSealed(() => add(inner));
            else add(inner);
          });
        });
    });
    while (!collector.readOn()) pace.left = 1;
    assert.deepEqual(
      collector.pieces.map(({ text, sealed }) => [text, sealed === true]),
      [
        ['before', false],
        ['first', true],
        ['inner', true],
        ['last', true],
        ['behind', false],
      ],
    );
  });

  it('stops where its pace ends between lines, whatever is in them', () => {
    for (const line of ['\n', '1\n', '{"a":["b","c"]}\n']) {
      const bytes = Buffer.from(line.repeat(20_000));
      const reader = ndjson.reader('request', false);
      const pace = { left: 1_000 };
      reader.readAt?.(pace);
      const frames = [...reader.pushOwn!(bytes)];
      let slices = 0;
      for (const more of drained(reader, pace, () => 1_000)) {
        slices++;
        frames.push(...more);
        assert.ok(pace.left > -50, `${pace.left}`);
      }
      assert.ok(slices >= (20_000 * 8) / 1_000 - 1, `${slices}`);
      assert.equal(frames.length, 20_000);
    }
  });

  MANY.forEach(({ format, direction, streamed, body }) => {
    const said = streamed ? 'event' : 'document';
    it(`stops where its pace ends, not much later, in a ${direction} of ${format().name}, ${said}`, () => {
      const bytes = Buffer.from(bodyOf(format(), streamed, [JSON.stringify(body)]));
      const reader = format().reader(direction, streamed);
      const pace = { left: 1_000 };
      let slices = 0;
      reader.readAt?.(pace);
      const frames = [...reader.push(bytes), ...reader.end()];
      for (const more of drained(reader, pace, () => 1_000)) {
        slices++;
        frames.push(...more);
        assert.ok(pace.left > -50, `${pace.left}`);
      }
      assert.deepEqual(
        frames.map(({ unreadable }) => unreadable),
        [undefined],
      );
      // As much for looking at each member as for reading the JSON.
      assert.ok(slices > (2 * bytes.length) / (1_000 * BYTES_PER_UNIT), `${slices}`);
    });
  });
});

describe('names of members', () => {
  it('are read as their API spells them up to NAME_BYTES_MAX', () => {
    const escaped = (bytes: number): string => `\\u006d${'a'.repeat(bytes - 2 - 6)}`;
    for (const bytes of [NAME_BYTES_MAX - 1, NAME_BYTES_MAX, NAME_BYTES_MAX + 1]) {
      const json = Buffer.from(`{"${escaped(bytes)}":1}`);
      const reading = readJson(json, { depthMax: 4, nodesMax: 4 });
      assert.ok(reading.ok && reading.root.kind === 'object');
      const decoded = (JSON.parse(json.toString()) as Record<string, number>) ?? {};
      const written = escaped(bytes);
      const key = reading.root.members[0]!.key;
      assert.equal(key, bytes > NAME_BYTES_MAX ? written : Object.keys(decoded)[0]);
    }
  });
});
