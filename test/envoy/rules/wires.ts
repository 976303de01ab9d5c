/**
 * Every way in which text, tools and numbers come: a format, a direction, as a document or in parts. Each writes
 * what an example has, or says why there is no such thing, and hears what has left as a client would.
 */
import { answerBody, type WrittenBody } from '../../../src/engine/golden/answers.ts';
import { requestBody, type WrittenRequest } from '../../../src/engine/golden/requests.ts';
import { FORMAT_SAMPLES } from '../../../src/formats/detect.ts';
import type { Format } from '../../../src/formats/frame.ts';
import type { GoldenFormat } from '../../../src/policy/golden/schema.ts';
import { eventsIn, typedEvents } from '../../engine/apis.ts';
import { TOOL_APIS, type ToolApi } from '../../engine/tool-apis.ts';

/** What a body holds that a rule is about. */
export type Content =
  | { readonly has: 'words'; readonly text: string }
  /** The tools that are offered. */
  | { readonly has: 'definitions'; readonly names: readonly string[] }
  | {
      readonly has: 'call';
      readonly name: string;
      readonly input: Readonly<Record<string, unknown>>;
    }
  /** A call that was made before, and what came of it. */
  | { readonly has: 'result'; readonly name: string; readonly text: string }
  /** A member of the body itself. */
  | { readonly has: 'member'; readonly name: string; readonly value: number };

export type Column = 'request' | 'answer' | 'streamed answer';
export const COLUMNS: readonly Column[] = ['request', 'answer', 'streamed answer'];

/** A body, in the writes in which it is sent. */
export interface Written {
  readonly contentType: string;
  readonly chunks: readonly string[];
}

/** Why there is no such body. */
export type Absent = { readonly absent: string };

export interface Wire {
  readonly format: Format['name'];
  readonly column: Column;
  /** Of a format that streams in more than one way. */
  readonly variant?: string;
  /** Why there is no such body, whatever it would hold. */
  readonly none?: string;
  /** What is asked where the answer matters; the request that is judged has another body. */
  readonly asks: WrittenRequest;
  /** An answer that no rule is about, where the request matters. */
  readonly harmless: Written;
  write(content: Content): Written | Absent;
  /** The words, or the calls, of an answer in parts, put together. */
  hear(body: string, content: Content): unknown;
}

const JSON_TYPE = 'application/json';
const EVENTS = 'text/event-stream';

const one = ({ contentType, text }: WrittenBody): Written => ({ contentType, chunks: [text] });
const json = (body: unknown): Written => ({
  contentType: JSON_TYPE,
  chunks: [JSON.stringify(body)],
});
const events = (text: string): Written => ({
  contentType: EVENTS,
  chunks: text.split(/(?<=\n\n)/u),
});

/** Short deltas, so that what is looked for stands in several of them. */
export const deltasOf = (text: string): readonly string[] => text.match(/[\s\S]{1,5}/gu) ?? [];

/** A path that an operator named in the server's configuration. */
export const JSON_ROUTE = '/json';

const ROUTE: Readonly<Partial<Record<Format['name'], string>>> = { json: JSON_ROUTE };

const pathOf = (format: Format['name']): string =>
  ROUTE[format] ?? FORMAT_SAMPLES.find(({ name }) => name === format)?.path ?? '/';

const toolApi = (format: Format['name']): ToolApi | undefined =>
  TOOL_APIS.find(({ name }) => name === format);

const isGolden = (format: Format['name']): format is GoldenFormat =>
  format !== 'openai.inputs' && format !== 'opaque';

const NO_TOOLS = 'there are no tools in this format';
const CALLS_ELSEWHERE = 'calls are made in answers';

/** Formats whose requests are no JSON document. */
const UNSHAPED: ReadonlySet<Format['name']> = new Set(['ndjson', 'text']);

/** Whatever it holds. */
const bytes = (content: Content): Written => ({
  contentType: 'application/octet-stream',
  chunks: deltasOf(JSON.stringify(content)),
});

function requestOf(format: Format['name'], content: Content, streamed: boolean): Written | Absent {
  if (format === 'opaque') return bytes(content);
  const api = toolApi(format);
  switch (content.has) {
    case 'words':
      return wordsAsked(format, content.text, streamed);
    case 'definitions':
      if (format === 'mcp') return { absent: 'a client of MCP offers no tools' };
      return api === undefined ? { absent: NO_TOOLS } : json(api.asking(content.names, streamed));
    case 'call':
      if (format === 'mcp')
        return one(
          requestBody('mcp', { tool_call: { name: content.name, arguments: content.input } }, false)
            .body!,
        );
      return { absent: api === undefined ? NO_TOOLS : CALLS_ELSEWHERE };
    case 'result':
      if (format === 'mcp') return { absent: 'the result of a call is an answer' };
      return api === undefined
        ? { absent: NO_TOOLS }
        : json(api.recalling({ name: content.name, deltas: ['{"q":"tea"}'] }, content.text));
    default: {
      if (UNSHAPED.has(format)) return { absent: 'the body is no JSON document' };
      const asked = wordsAsked(format, 'hi', streamed) as Written;
      return json({ ...JSON.parse(asked.chunks.join('')), [content.name]: content.value });
    }
  }
}

function wordsAsked(format: Format['name'], text: string, streamed: boolean): Written {
  if (format === 'openai.inputs') return json({ model: 'golden', input: text });
  if (format === 'mcp')
    return one(
      requestBody(format, { tool_call: { name: 'find', arguments: { q: text } } }, false).body!,
    );
  if (!isGolden(format)) return bytes({ has: 'words', text });
  return one(requestBody(format, { user: text }, streamed).body!);
}

const TOOL_LIST = (names: readonly string[]) =>
  names.map((name) => ({ name, description: `Tool ${name}`, inputSchema: { type: 'object' } }));

const mcpList = (names: readonly string[]) => ({
  jsonrpc: '2.0',
  id: 1,
  result: { tools: TOOL_LIST(names) },
});

const listedItem = (names: readonly string[]) => ({
  type: 'mcp_list_tools',
  id: 'mcpl_1',
  server_label: 'crm',
  tools: names.map((name) => ({ name, description: `Tool ${name}`, input_schema: {} })),
});

const listedResponse = (
  names: readonly string[],
  status: string,
  output = [listedItem(names)],
) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 7,
  status,
  model: 'golden',
  output,
});

function documentOf(format: Format['name'], content: Content): Written | Absent {
  const api = toolApi(format);
  switch (content.has) {
    case 'words':
      // Of an API of numbers, an error has words.
      if (format === 'openai.inputs') return json({ error: { message: content.text, type: 'x' } });
      return isGolden(format) ? one(answerBody(format, { text: content.text })) : { absent: '' };
    case 'definitions':
      if (format === 'mcp') return json(mcpList(content.names));
      if (format === 'openai.responses') return json(listedResponse(content.names, 'completed'));
      return { absent: api === undefined ? NO_TOOLS : 'tools are offered in requests' };
    case 'call':
      if (api === undefined) return { absent: format === 'mcp' ? 'calls are requests' : NO_TOOLS };
      return json(api.document([{ name: content.name, deltas: [JSON.stringify(content.input)] }]));
    case 'result':
      return resultInAnswer(format);
    default:
      return MEMBER_OF_ANSWER;
  }
}

const resultInAnswer = (format: Format['name']): Absent => ({
  absent:
    format === 'mcp'
      ? 'the result of a call does not name its tool: the call itself is judged'
      : toolApi(format) === undefined
        ? NO_TOOLS
        : 'results stand in requests',
});

const MEMBER_OF_ANSWER: Absent = { absent: 'bounds are for what a request asks with' };

function streamOf(format: Format['name'], content: Content): Written | Absent {
  if (format === 'opaque') return bytes(content);
  const api = toolApi(format);
  switch (content.has) {
    case 'words': {
      const deltas = deltasOf(content.text);
      if (format === 'text') return { contentType: 'text/plain', chunks: deltas };
      if (format === 'json') return { ...sseOf(deltas) };
      if (!isGolden(format)) return { absent: '' };
      const { contentType, text } = answerBody(format, { stream: [...deltas] });
      return format === 'ndjson'
        ? { contentType, chunks: text.split(/(?<=\n)/u) }
        : { ...events(text), contentType };
    }
    case 'definitions':
      if (format === 'mcp')
        return events(`event: message\ndata: ${JSON.stringify(mcpList(content.names))}\n\n`);
      if (format === 'openai.responses') return events(listedStream(content.names));
      return { absent: api === undefined ? NO_TOOLS : 'tools are offered in requests' };
    case 'call':
      if (api === undefined) return { absent: format === 'mcp' ? 'calls are requests' : NO_TOOLS };
      return events(
        Buffer.from(
          api.stream([{ name: content.name, deltas: deltasOf(JSON.stringify(content.input)) }]),
        ).toString(),
      );
    case 'result':
      return resultInAnswer(format);
    default:
      return MEMBER_OF_ANSWER;
  }
}

const sseOf = (deltas: readonly string[]): Written => ({
  contentType: EVENTS,
  chunks: deltas.map((text) => `data: ${JSON.stringify({ text })}\n\n`),
});

function listedStream(names: readonly string[]): string {
  return Buffer.from(
    typedEvents(
      [
        { type: 'response.created', response: listedResponse([], 'in_progress', []) },
        { type: 'response.output_item.added', output_index: 0, item: listedItem([]) },
        { type: 'response.output_item.done', output_index: 0, item: listedItem(names) },
        { type: 'response.completed', response: listedResponse(names, 'completed') },
      ].map((event, index) => ({ ...event, sequence_number: index })),
    ),
  ).toString();
}

// biome-ignore lint/suspicious/noExplicitAny: bodies as they come, read by the tests alone.
type Body = any;

const dataOf = (stream: string): Body[] =>
  stream
    .split('\n')
    .filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]')
    .map((line) => JSON.parse(line.slice(6)));

const geminiText = (chunk: Body): string =>
  (chunk.candidates?.[0]?.content?.parts ?? []).map(({ text = '' }) => text).join('');

/** How a client joins the words of each format. */
const JOINED: Readonly<Partial<Record<Format['name'], (body: string) => string>>> = {
  'openai.chat': (body) =>
    dataOf(body)
      .map(({ choices }) => choices[0]?.delta.content ?? '')
      .join(''),
  'openai.completions': (body) =>
    dataOf(body)
      .map(({ choices }) => choices[0]?.text ?? '')
      .join(''),
  'openai.responses': (body) =>
    dataOf(body)
      .map(({ type, delta }) => (type === 'response.output_text.delta' ? delta : ''))
      .join(''),
  'anthropic.messages': (body) =>
    dataOf(body)
      .map(({ delta, content_block: block }) => delta?.text ?? block?.text ?? '')
      .join(''),
  gemini: (body) => dataOf(body).map(geminiText).join(''),
  mcp: (body) =>
    dataOf(body)[0]
      .result.content.map(({ text }: Body) => text)
      .join(''),
  json: (body) =>
    dataOf(body)
      .map(({ text }) => text)
      .join(''),
  sse: (body) =>
    dataOf(body)
      .map(({ text }) => text)
      .join(''),
  ndjson: (body) =>
    body
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line).text)
      .join(''),
  text: (body) => body,
};

const parsed = (input: string): unknown => JSON.parse(input === '' ? '{}' : input);

/** Lists of tools, each once for every time it is told. */
const listsIn = (body: Body): unknown[] => [
  ...(body.result?.tools ? [body.result.tools] : []),
  ...(body.item?.type === 'mcp_list_tools' ? [body.item.tools] : []),
  ...(body.response?.output ?? []).map(({ tools }: Body) => tools),
];

function hearStream(format: Format['name'], body: string, { has }: Content): unknown {
  if (has === 'words') return JOINED[format]?.(body);
  if (has === 'call')
    return toolApi(format)
      ?.heard(body, true)
      .map(({ name, input }) => ({ name, input: parsed(input) }));
  return eventsIn(body).flatMap(listsIn);
}

const geminiArray = (content: Content): Written | Absent => {
  const streamed = streamOf('gemini', content);
  if ('absent' in streamed) return streamed;
  const bodies = dataOf(streamed.chunks.join('')).map((body) => JSON.stringify(body));
  return {
    contentType: JSON_TYPE,
    chunks: bodies.map(
      (body, index) =>
        `${index === 0 ? '[' : ',\r\n'}${body}${index === bodies.length - 1 ? ']' : ''}`,
    ),
  };
};

/** As the events that it would have been. */
const asEvents = (array: string): string =>
  (JSON.parse(array) as unknown[]).map((body) => `data: ${JSON.stringify(body)}\n\n`).join('');

const GEMINI_STREAM = `${pathOf('gemini').replace('generateContent', 'streamGenerateContent')}`;

function asking(format: Format['name'], streamed: boolean): WrittenRequest {
  const path = format === 'gemini' && streamed ? `${GEMINI_STREAM}?alt=sse` : pathOf(format);
  if (format === 'sse' || format === 'opaque') return { method: 'GET', path, body: undefined };
  const { contentType, chunks } = wordsAsked(format, 'hi', streamed);
  return { method: 'POST', path, body: { contentType, text: chunks.join('') } };
}

function harmlessOf(format: Format['name']): Written {
  const ok: Content = { has: 'words', text: 'ok' };
  const written = NO_DOCUMENT[format] === undefined ? documentOf(format, ok) : streamOf(format, ok);
  return written as Written;
}

/** Formats of which an answer is no document, and why. */
const NO_DOCUMENT: Readonly<Partial<Record<Format['name'], string>>> = {
  sse: 'an event stream is a stream',
  ndjson: 'lines are judged as they come',
  text: 'plain text is judged as it comes',
  opaque: 'bytes are taken as they come',
};
const NO_STREAM: Readonly<Partial<Record<Format['name'], string>>> = {
  'openai.inputs': 'this API does not stream',
};
const NO_REQUEST: Readonly<Partial<Record<Format['name'], string>>> = {
  sse: 'a request is no event stream',
};

/** Formats of which a request says that its answer is to come in parts. */
const ASKS_FOR_STREAMS: ReadonlySet<Format['name']> = new Set([
  'openai.chat',
  'openai.completions',
  'openai.responses',
  'anthropic.messages',
  'gemini',
]);

function wiresOf(format: Format['name']): readonly Wire[] {
  const wire = (
    column: Column,
    write: Wire['write'],
    none: string | undefined,
    more: Partial<Wire> = {},
  ): Wire => ({
    format,
    column,
    asks: asking(format, column === 'streamed answer'),
    harmless: harmlessOf(format),
    write: none === undefined ? write : () => ({ absent: none }),
    hear: (body, content) => hearStream(format, body, content),
    ...(none === undefined ? {} : { none }),
    ...more,
  });
  const [noRequest, noDocument, noStream] = [NO_REQUEST, NO_DOCUMENT, NO_STREAM].map(
    (reasons) => reasons[format],
  );
  const asked = (streamed: boolean) => (content: Content) => requestOf(format, content, streamed);
  return [
    wire('request', asked(false), noRequest),
    ...(ASKS_FOR_STREAMS.has(format)
      ? [
          wire('request', asked(true), noRequest, {
            variant: 'for a stream',
            asks: asking(format, true),
          }),
        ]
      : []),
    wire('answer', (content) => documentOf(format, content), noDocument),
    wire('streamed answer', (content) => streamOf(format, content), noStream),
    ...(format === 'gemini'
      ? [
          wire('streamed answer', geminiArray, undefined, {
            variant: 'as an array',
            asks: { ...asking(format, true), path: GEMINI_STREAM },
            hear: (body, content) => hearStream(format, asEvents(body), content),
          }),
        ]
      : []),
  ];
}

/** All of them, in the order of the table of formats. */
export const WIRES: readonly Wire[] = FORMAT_SAMPLES.flatMap(({ name }) => wiresOf(name));
