/** Which format a body has, by what its headers say. What is not known for certain is opaque. */
import type { Direction } from '../policy/set.ts';
import type { Format } from './frame.ts';
import { opaque } from './opaque.ts';
import { openaiChat } from './openai-chat.ts';
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

const OPAQUE: DetectedFormat = Object.freeze({ format: opaque, streamed: true });

export function detectFormat(body: BodyDescription): DetectedFormat {
  const type = parseContentType(body.contentType ?? '');
  if (!type.utf8) return OPAQUE;
  const chat =
    body.requestFormat === undefined
      ? isChatPath(body.path)
      : body.requestFormat.name === 'openai.chat';
  if (!chat) {
    return type.media === 'text/plain'
      ? { format: plainText, streamed: body.direction === 'response' }
      : OPAQUE;
  }
  // A server may well parse a chat request that is not labelled as JSON, so neither does the label matter here.
  if (body.direction === 'request') return { format: openaiChat, streamed: false };
  if (type.media === 'text/event-stream') return { format: openaiChat, streamed: true };
  if (type.media === 'application/json' || type.media.endsWith('+json'))
    return { format: openaiChat, streamed: false };
  // SDKs read an event stream under any label: taken for plain text, words would hide between deltas.
  return OPAQUE;
}

/** Without the dots and spaces at its end. Linear, as a path is as long as its client likes. */
function withoutTail(segment: string): string {
  let end = segment.length;
  while (end > 0 && (segment[end - 1] === '.' || segment[end - 1] === ' ')) end -= 1;
  return segment.slice(0, end);
}

/** Encoded twice is as often as any chain of servers decodes. */
const DECODINGS = 2;

/**
 * Whether any server may take the path for the chat API: case, escapes, empty and dot segments, parameters
 * and trailing dots count for nothing, so that no spelling makes a chat request a plain text.
 */
function isChatPath(path: string): boolean {
  let plain = path.split(/[?#]/, 1)[0]!;
  for (let round = 0; round < DECODINGS; round += 1)
    plain = plain.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  const segments: string[] = [];
  for (const segment of plain.toLowerCase().split(/[/\\]/)) {
    if (segment === '..') segments.pop();
    const name = withoutTail(segment.split(';', 1)[0]!);
    if (name !== '') segments.push(name);
  }
  return segments.at(-1) === 'completions' && segments.at(-2) === 'chat';
}

const UTF8_NAMES: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

/** Media type in lower case, and whether its charset (default UTF-8) is one that is read here. */
function parseContentType(header: string): { readonly media: string; readonly utf8: boolean } {
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
