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

const CHAT_PATH = /\/chat\/completions\/?$/;
const OPAQUE: DetectedFormat = Object.freeze({ format: opaque, streamed: true });

export function detectFormat(body: BodyDescription): DetectedFormat {
  const type = parseContentType(body.contentType ?? '');
  if (!type.utf8) return OPAQUE;
  const chat =
    body.requestFormat === undefined
      ? CHAT_PATH.test(pathOnly(body.path))
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

function pathOnly(path: string): string {
  return path.split(/[?#]/, 1)[0]!;
}

const UTF8_NAMES: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

/** Media type in lower case, and whether its charset (default UTF-8) is one that is read here. */
function parseContentType(header: string): { readonly media: string; readonly utf8: boolean } {
  const [media, ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  const name = charset?.slice('charset='.length).replaceAll('"', '').trim();
  return { media: media!, utf8: name === undefined || UTF8_NAMES.has(name) };
}
