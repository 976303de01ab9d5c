/** Which format a body has, by what its headers say. What is not known for certain is opaque. */
import type { Direction } from '../policy/set.ts';
import { anthropicMessages } from './anthropic.ts';
import type { Format } from './frame.ts';
import { GEMINI_PATH, geminiAt, geminiStreams } from './gemini.ts';
import { genericJson } from './generic-json.ts';
import { genericSse } from './generic-sse.ts';
import { type TextPath, textPath } from './json-leaves.ts';
import { MCP_PATH, mcpAt } from './mcp.ts';
import { ndjson } from './ndjson.ts';
import { opaque } from './opaque.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiCompletions } from './openai-completions.ts';
import { openaiInputs } from './openai-inputs.ts';
import { openaiResponses } from './openai-responses.ts';
import { plainText } from './text.ts';

export interface BodyDescription {
  /** `:path` of the request, query included. */
  readonly path: string;
  /** Value of `content-type`; '' when absent. */
  readonly contentType: string | undefined;
  readonly direction: Direction;
  /** Format of the request, for its response; read from the path when absent. */
  readonly requestFormat?: Format;
}

export interface DetectedFormat {
  readonly format: Format;
  /** The answer comes in parts that are judged one by one. */
  readonly streamed: boolean;
}

/** What a line may look at to make its format: a body's description, its media type in lower case. */
export interface Spoken extends BodyDescription {
  readonly media: string;
}

/** Where an API is served. Its requests are documents, its answers documents or event streams. */
export interface ApiLine {
  readonly name: Format['name'];
  /** Matches the path without its query. */
  readonly path: RegExp;
  /** A path of it, for who tries a policy and has none. */
  readonly sample: string;
  readonly format: (spoken: Spoken) => Format;
  /** Whether an answer comes in parts, where those are not event streams alone. */
  readonly streams?: (spoken: Spoken) => boolean;
}

/** A format that the media type alone names, on paths of no API. */
interface MediaLine {
  readonly media: RegExp;
  /** Its usual name. */
  readonly sample: string;
  readonly direction?: Direction;
  readonly format: Format;
}

/** Creating a response, and asking for a stored one, its items or its end. */
const RESPONSES_PATH = /\/(?:v1|openai)\/responses(?:\/[\w-]+(?:\/(?:cancel|input_items))?)?\/?$/i;

/** The API itself, and the same bodies on Vertex AI. */
const MESSAGES_PATH =
  /\/v1\/messages(?:\/count_tokens)?\/?$|\/publishers\/anthropic\/models\/[^/]+:(?:r|streamR)awPredict$/i;

/** One line per API; the first that matches counts. */
const APIS: readonly ApiLine[] = [
  {
    name: 'openai.chat',
    path: /\/chat\/completions\/?$/i,
    sample: '/v1/chat/completions',
    format: () => openaiChat,
  },
  {
    name: 'openai.completions',
    path: /\/completions\/?$/i,
    sample: '/v1/completions',
    format: () => openaiCompletions,
  },
  {
    name: 'openai.inputs',
    path: /\/(?:embeddings|moderations)\/?$/i,
    sample: '/v1/embeddings',
    format: () => openaiInputs,
  },
  {
    name: 'gemini',
    path: GEMINI_PATH,
    sample: '/v1beta/models/any:generateContent',
    format: geminiAt,
    streams: geminiStreams,
  },
  { name: 'mcp', path: MCP_PATH, sample: '/mcp', format: mcpAt },
  {
    name: 'openai.responses',
    path: RESPONSES_PATH,
    sample: '/v1/responses',
    format: () => openaiResponses,
  },
  {
    name: 'anthropic.messages',
    path: MESSAGES_PATH,
    sample: '/v1/messages',
    format: () => anthropicMessages,
  },
];

/** One line per media type. */
const MEDIA: readonly MediaLine[] = [
  { media: /^text\/plain$/, sample: 'text/plain', format: plainText },
  {
    media: /^text\/event-stream$/,
    sample: 'text/event-stream',
    direction: 'response',
    format: genericSse,
  },
  {
    media: /^application\/(?:x-)?(?:ndjson|jsonl|jsonlines)$/,
    sample: 'application/x-ndjson',
    format: ndjson,
  },
];

const EVENTS = 'text/event-stream';
const JSON_TEXT = /^application\/json$|\+json$/;
const OPAQUE: DetectedFormat = Object.freeze({ format: opaque, streamed: true });

/** A path whose format an operator names. */
export interface FormatRoute {
  /** The path without its query; with a last `*`, all that begin so. */
  readonly path: string;
  readonly format: Format['name'];
  /** Where text stands in `json`; everywhere when absent. See `textPath`. */
  readonly textPaths?: readonly string[];
}

/** Formats that a route may name. */
export const ROUTE_FORMATS: readonly Format['name'][] = [...APIS.map(({ name }) => name), 'json'];

/** The table with an operator's own lines before it. Throws RangeError for a format or path that is none. */
export function apiLines(routes: readonly FormatRoute[]): readonly ApiLine[] {
  return [...routes.map(routeLine), ...APIS];
}

function routeLine({ path, format, textPaths }: FormatRoute): ApiLine {
  const prefix = path.endsWith('*');
  const literalPath = prefix ? path.slice(0, -1) : path;
  const literal = literalPath.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const matcher = new RegExp(`^${literal}${prefix ? '' : '$'}`);
  if (format === 'json') {
    const paths = textPaths?.map(textPath);
    if (paths?.includes(undefined)) throw new RangeError('a text path cannot be read');
    const json = genericJson(paths as readonly TextPath[] | undefined);
    return { name: format, path: matcher, sample: literalPath, format: () => json };
  }
  const api = APIS.find(({ name }) => name === format);
  if (api === undefined) throw new RangeError('no path can have this format');
  return { ...api, path: matcher };
}

/** How a body of a format may be met: on a path of its API, or under its media type on a path of none. */
export interface FormatSample {
  readonly name: Format['name'];
  readonly path: string;
  readonly media: string;
}

/** One for every format. `json` is met only where a route names it. */
export const FORMAT_SAMPLES: readonly FormatSample[] = [
  ...APIS.map(({ name, sample }) => ({ name, path: sample, media: 'application/json' })),
  { name: 'json', path: '/', media: 'application/json' },
  ...MEDIA.map(({ format, sample }) => ({ name: format.name, path: '/', media: sample })),
  { name: 'opaque', path: '/', media: 'application/octet-stream' },
];

/** `lines`: the table, with an operator's lines if there are any. */
export function detectFormat(
  body: BodyDescription,
  lines: readonly ApiLine[] = APIS,
): DetectedFormat {
  const { media, utf8 } = parseContentType(body.contentType ?? '');
  if (!utf8) return OPAQUE;
  const { requestFormat, direction } = body;
  const path = plainPath(body.path);
  const api = lines.find((line) =>
    requestFormat === undefined ? line.path.test(path) : line.name === requestFormat.name,
  );
  if (api !== undefined) {
    const spoken = { ...body, media };
    // A server may well parse a request that is not labelled as JSON, so neither does the label matter here.
    if (direction === 'request') return { format: api.format(spoken), streamed: false };
    if (media === EVENTS) return { format: api.format(spoken), streamed: true };
    if (JSON_TEXT.test(media))
      return { format: api.format(spoken), streamed: api.streams?.(spoken) ?? false };
    // SDKs read an event stream under any label: taken for plain text, words would hide between deltas.
    return OPAQUE;
  }
  const line = MEDIA.find(
    (one) => one.media.test(media) && (one.direction ?? direction) === direction,
  );
  return line === undefined ? OPAQUE : { format: line.format, streamed: direction === 'response' };
}

/** The API that speaks on a path, to refuse in its words; undefined on paths of none. */
export function formatOfPath(path: string, lines: readonly ApiLine[] = APIS): Format | undefined {
  const only = plainPath(path);
  const spoken = { path, contentType: undefined, direction: 'request' as const, media: '' };
  return lines.find((line) => line.path.test(only))?.format(spoken);
}

/** The name of that API, for who asks by conditions. */
export function apiAt(
  path: string,
  lines: readonly ApiLine[] = APIS,
): { readonly api?: Format['name'] } {
  const only = plainPath(path);
  const line = lines.find((one) => one.path.test(only));
  return line === undefined ? {} : { api: line.name };
}

/** Without the dots and spaces at its end. Linear, as a path is as long as its client likes. */
function withoutTail(segment: string): string {
  let end = segment.length;
  while (end > 0 && (segment[end - 1] === '.' || segment[end - 1] === ' ')) end -= 1;
  return segment.slice(0, end);
}

/** Encoded twice is as often as any chain of servers decodes. */
const DECODINGS = 2;

/** Characters that mean themselves wherever they stand in a path. */
const LITERAL: readonly boolean[] = Array.from({ length: 128 }, (_, unit) =>
  /[A-Za-z0-9\-_~:!$&'()*+,=@[\]]/.test(String.fromCharCode(unit)),
);
const [SLASH, DOT, QUERY, FRAGMENT] = [0x2f, 0x2e, 0x3f, 0x23];

/** The path without its query, where it is spelt as servers spell it; undefined where there is something to take out. */
function literalPath(path: string): string | undefined {
  let before = 0;
  let end = 0;
  for (; end < path.length; end++) {
    const unit = path.charCodeAt(end);
    if (unit === QUERY || unit === FRAGMENT) break;
    if (unit === SLASH ? before === SLASH || before === DOT : unit !== DOT && !LITERAL[unit])
      return undefined;
    if (end === 0 && unit !== SLASH) return undefined;
    before = unit;
  }
  if (before === DOT || (before === SLASH && end > 1) || end === 0) return undefined;
  return end === path.length ? path : path.slice(0, end);
}

/**
 * A path as any server may read it: escapes, empty and dot segments, parameters and trailing dots count for
 * nothing, so that no spelling makes the request of an API a plain text. Without its query.
 */
export function plainPath(path: string): string {
  return literalPath(path) ?? respeltPath(path);
}

/** The same of any path. */
export function respeltPath(path: string): string {
  let plain = path.split(/[?#]/, 1)[0]!;
  for (let round = 0; round < DECODINGS; round += 1)
    plain = plain.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  const segments: string[] = [];
  for (const segment of plain.split(/[/\\]/)) {
    if (segment === '..') segments.pop();
    const name = withoutTail(segment.split(';', 1)[0]!);
    if (name !== '') segments.push(name);
  }
  return `/${segments.join('/')}`;
}

const UTF8_NAMES: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

/** Media type in lower case, and whether its charset (default UTF-8) is one that is read here. */
function parseContentType(header: string): ContentType {
  return header === 'application/json' || header === '' ? USUAL[header] : readContentType(header);
}

interface ContentType {
  readonly media: string;
  readonly utf8: boolean;
}

const USUAL = {
  'application/json': { media: 'application/json', utf8: true },
  '': { media: '', utf8: true },
} as const satisfies Readonly<Record<string, ContentType>>;

function readContentType(header: string): ContentType {
  const [media, ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  // Readers differ in which of several they take, and some allow white space or an encoded value.
  const utf8 = parameters
    .filter((parameter) => parameter.startsWith('charset'))
    .every((parameter) => {
      const [name, value = ''] = parameter.split('=', 2);
      return name === 'charset' && UTF8_NAMES.has(value.replaceAll('"', '').trim());
    });
  return { media: media!, utf8 };
}
