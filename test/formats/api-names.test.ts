import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MESSAGES_NAMES } from '../../src/formats/anthropic-content.ts';
import { ApiNames } from '../../src/formats/api-names.ts';
import { CHAT_ANSWER_NAMES } from '../../src/formats/chat-answer.ts';
import { CHAT_REQUEST } from '../../src/formats/chat-request.ts';
import { detectFormat } from '../../src/formats/detect.ts';
import type { Format, Frame } from '../../src/formats/frame.ts';
import { GEMINI_NAMES } from '../../src/formats/gemini-body.ts';
import { genericJson } from '../../src/formats/generic-json.ts';
import { textPath } from '../../src/formats/json-leaves.ts';
import { MCP_NAMES } from '../../src/formats/mcp-message.ts';
import { RESPONSES_NAMES } from '../../src/formats/responses-body.ts';
import { bytesOf, framesOf } from './chat-bodies.ts';

interface Sample {
  readonly path: string;
  readonly direction: 'request' | 'response';
  readonly names: ApiNames;
  readonly bodies: readonly object[];
}

const CALL = '{"q":"B\\u0061nk A"}';

const SAMPLES: readonly Sample[] = [
  {
    path: '/v1/chat/completions',
    direction: 'request',
    names: CHAT_REQUEST.names,
    bodies: [
      {
        stream: true,
        messages: [
          { role: 'system', content: 'be kind' },
          { role: 'user', content: [{ type: 'text', text: 'hello there' }] },
          {
            role: 'user',
            content: [
              { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
              { type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA' } },
            ],
          },
          {
            role: 'assistant',
            tool_calls: [
              { id: 'c', type: 'function', function: { name: 'look', arguments: CALL } },
              { id: 'd', type: 'custom', custom: { name: 'sh', input: 'ls -l' } },
            ],
          },
          { role: 'tool', tool_call_id: 'c', content: 'found it' },
        ],
        tools: [{ type: 'function', function: { name: 'look' } }],
      },
    ],
  },
  {
    path: '/v1/chat/completions',
    direction: 'response',
    names: CHAT_ANSWER_NAMES,
    bodies: [
      { id: 'x', choices: [{ index: 0, delta: { role: 'assistant', content: 'one ' } }] },
      { choices: [{ index: 0, delta: { content: 'two', reasoning_content: 'hm' } }] },
      {
        choices: [
          { index: 1, delta: { tool_calls: [{ index: 0, function: { arguments: CALL } }] } },
        ],
      },
      { choices: [{ index: 0, delta: { refusal: 'no' }, finish_reason: 'stop' }] },
    ],
  },
  {
    path: '/v1/responses',
    direction: 'request',
    names: RESPONSES_NAMES,
    bodies: [
      {
        instructions: 'be kind',
        input: [
          { role: 'developer', content: [{ type: 'input_text', text: 'obey me' }] },
          { role: 'user', content: [{ type: 'input_file', file_data: 'AAAA' }] },
          { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] },
          { type: 'function_call', call_id: 'c', name: 'f', arguments: CALL },
          { type: 'mcp_approval_request', id: 'm', name: 'f', arguments: CALL },
          { type: 'function_call_output', call_id: 'c', output: 'it is' },
        ],
        tools: [{ type: 'function', name: 'f' }],
      },
    ],
  },
  {
    path: '/v1/responses',
    direction: 'response',
    names: RESPONSES_NAMES,
    bodies: [
      {
        type: 'response.output_item.added',
        output_index: 0,
        item: { id: 'm', type: 'message', role: 'assistant', content: [] },
      },
      {
        type: 'response.content_part.added',
        output_index: 0,
        content_index: 0,
        part: { type: 'output_text', text: '' },
      },
      { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'one two' },
      { type: 'response.output_text.done', output_index: 0, content_index: 0, text: 'one two' },
    ],
  },
  {
    path: '/v1/messages',
    direction: 'request',
    names: MESSAGES_NAMES,
    bodies: [
      {
        system: 'be kind',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'document', source: { type: 'text', data: 'word' } },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
            ],
          },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'hm hm', signature: 'ErUB' },
              { type: 'tool_use', id: 'toolu_1', name: 'find', input: { q: 'x y', n: 4 } },
            ],
          },
          {
            role: 'user',
            content: [{ type: 'tool_result', tool_use_id: 't', content: 'it is' }],
          },
        ],
        tools: [{ q: 'finds it' }],
      },
    ],
  },
  {
    path: '/v1/messages',
    direction: 'response',
    names: MESSAGES_NAMES,
    bodies: [
      { type: 'message_start', message: { role: 'assistant', content: [], model: 'm' } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'one ' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'two' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
    ],
  },
  {
    path: '/v1beta/models/m:streamGenerateContent?alt=sse',
    direction: 'request',
    names: GEMINI_NAMES,
    bodies: [
      {
        systemInstruction: { parts: [{ text: 'be kind' }] },
        contents: [
          { role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: 'aGk=' } }] },
          {
            role: 'model',
            parts: [
              { functionCall: { name: 'look', args: { q: 'x', n: 7 } }, thoughtSignature: 'c2ln' },
            ],
          },
          { role: 'user', parts: [{ functionResponse: { name: 'look', response: { q: 'y' } } }] },
        ],
      },
    ],
  },
  {
    path: '/v1beta/models/m:streamGenerateContent?alt=sse',
    direction: 'response',
    names: GEMINI_NAMES,
    bodies: [
      { candidates: [{ content: { role: 'model', parts: [{ text: 'one ' }] } }] },
      { candidates: [{ content: { parts: [{ text: 'two' }] }, finishReason: 'STOP' }] },
    ],
  },
  {
    path: '/mcp',
    direction: 'request',
    names: MCP_NAMES,
    bodies: [
      {
        jsonrpc: '2.0',
        id: 7,
        method: 'tools/call',
        params: { name: 'look', arguments: { q: 'x', n: 1 } },
      },
    ],
  },
  {
    path: '/mcp',
    direction: 'response',
    names: MCP_NAMES,
    bodies: [
      {
        jsonrpc: '2.0',
        id: 7,
        result: {
          content: [{ type: 'image', mimeType: 'image/png', data: 'aGk=' }],
          structuredContent: { q: 'b', n: 1 },
          instructions: 'be kind',
        },
      },
    ],
  },
];

function formatOf({ path, direction }: Sample): Format {
  const contentType = direction === 'request' ? 'application/json' : 'text/event-stream';
  return detectFormat({ path, contentType, direction }).format;
}

/** Ways in which one reader or another takes a name. */
const SPELLINGS: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toUpperCase(),
  (name) => name.charAt(0).toUpperCase() + name.slice(1),
  (name) => name.replaceAll('s', 'ſ'),
  (name) => name.replaceAll('k', '\u212a'),
  (name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  (name) => name.replaceAll(/(?<=.)_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
];

const isOwn = (names: ApiNames, key: string) => names.of(key.toUpperCase()) === key;

/** JSON in which the names of the API are spelled as `choose` says. */
function respelled(value: unknown, names: ApiNames, choose: (key: string) => string): string {
  if (Array.isArray(value))
    return `[${value.map((item) => respelled(item, names, choose)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, inner]) =>
      `${isOwn(names, key) ? choose(key) : JSON.stringify(key)}:${respelled(inner, names, choose)}`,
  );
  return `{${members.join(',')}}`;
}

function framesFor(sample: Sample, bodies: readonly string[]): Frame[] {
  const reader = formatOf(sample).reader(sample.direction, sample.direction === 'response');
  const text =
    sample.direction === 'request'
      ? bodies.join('')
      : bodies.map((body) => `data: ${body}\n\n`).join('');
  return framesOf(reader, bytesOf(text));
}

const shapes = (frames: readonly Frame[]) =>
  frames.map(({ pieces, ends, unreadable }) => ({ pieces, ends, unreadable }));

describe('names of an API', () => {
  for (const sample of SAMPLES) {
    const title = `${formatOf(sample).name}, ${sample.direction}`;

    it(`count however they are spelled: ${title}`, () => {
      const plain = shapes(
        framesFor(
          sample,
          sample.bodies.map((body) => JSON.stringify(body)),
        ),
      );
      assert.ok(plain.some(({ pieces }) => pieces.length > 0));
      assert.ok(plain.every(({ unreadable }) => unreadable === undefined));
      const choices = fc.infiniteStream(fc.tuple(fc.nat(SPELLINGS.length - 1), fc.boolean()));
      fc.assert(
        fc.property(choices, (stream) => {
          const bodies = sample.bodies.map((body) =>
            respelled(body, sample.names, (key) => {
              const [way, escaped] = stream.next().value;
              const spelled = JSON.stringify(SPELLINGS[way]!(key));
              if (!escaped) return spelled;
              return spelled.replaceAll(
                /[a-m]/g,
                (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`,
              );
            }),
          );
          assert.deepEqual(shapes(framesFor(sample, bodies)), plain);
        }),
        { numRuns: 60 },
      );
    });

    it(`are nowhere a hiding place when they stand twice: ${title}`, () => {
      for (const [at, body] of sample.bodies.entries())
        for (const first of [true, false])
          for (const spell of SPELLINGS.slice(0, 2))
            for (const place of placesIn(body, sample.names)) {
              const bodies = sample.bodies.map((one, index) =>
                index === at ? doubled(one, place, spell, first) : JSON.stringify(one),
              );
              const frames = framesFor(sample, bodies);
              const read = frames.some(
                ({ unreadable, pieces }) =>
                  unreadable !== undefined || pieces.some(({ value }) => value.includes('Zebra')),
              );
              assert.ok(read, bodies[at]);
            }
    });
  }

  it('of an operator count however a body spells them', () => {
    const paths = [textPath('my_text[].inPut')!, textPath('ab')!, textPath('a_b.c')!];
    const [frame] = framesOf(
      genericJson(paths).reader('request', false),
      bytesOf('{"MyText":[{"input":"one","IN_PUT":"two","x":"no"}],"AB":"three"}'),
    );
    assert.deepEqual(
      frame!.pieces.map(({ value }) => value),
      ['one', 'two', 'three'],
    );
  });

  it('must fold to different ones', () => {
    assert.throws(() => new ApiNames('ab a_b'), RangeError);
    assert.equal(new ApiNames('_meta toolCalls').of('tool_calls'), 'toolCalls');
    assert.equal(new ApiNames('_meta').of('meta'), 'meta');
    assert.equal(new ApiNames('').of('Ab_C'), 'Ab_C');
  });
});

/** Where the names of the API stand: keys and indexes from the root. */
function placesIn(value: unknown, names: ApiNames): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(!Array.isArray(value) && isOwn(names, key) ? [[key]] : []),
    ...placesIn(inner, names).map((below) => [key, ...below]),
  ]);
}

/** JSON in which the name at `place` stands twice: once with words that must not pass unseen. */
function doubled(
  value: unknown,
  place: readonly string[],
  spell: (name: string) => string,
  first: boolean,
): string {
  const [here, ...below] = place;
  if (Array.isArray(value))
    return `[${value.map((item, at) => (String(at) === here ? doubled(item, below, spell, first) : JSON.stringify(item))).join(',')}]`;
  const members = Object.entries(value as object).flatMap(([key, inner]) => {
    if (key !== here) return [`${JSON.stringify(key)}:${JSON.stringify(inner)}`];
    if (below.length > 0) return [`${JSON.stringify(key)}:${doubled(inner, below, spell, first)}`];
    const own = `${JSON.stringify(key)}:${JSON.stringify(inner)}`;
    const other = `${JSON.stringify(spell(key))}:${JSON.stringify(hiding(inner))}`;
    return first ? [other, own] : [own, other];
  });
  return `{${members.join(',')}}`;
}

/** A value of the same shape whose every string is a phrase that must not pass. */
function hiding(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? ['Project Zebra'] : value.map(hiding);
  if (typeof value !== 'object' || value === null) return 'Project Zebra';
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hiding(inner)]));
}
