/**
 * What the first bytes of an input look like, for an author who did not say. The server never guesses:
 * there the path and the content type decide.
 */
import { Buffer } from 'node:buffer';
import type { Format } from '../../formats/frame.ts';
import type { Direction } from '../../policy/set.ts';

/** What a client would take the bytes for. */
export type Framing = 'events' | 'lines' | 'document' | 'array' | 'text';

export interface Shape {
  readonly framing: Framing;
  /** The API whose words they are, and which side of it speaks. */
  readonly api: { readonly format: Format['name']; readonly direction: Direction } | undefined;
}

/** Bytes after which a guess is made of what there is. */
export const LOOKED_AT_BYTES_MAX = 65_536;

const FIELD = /^(?:data|event|id|retry)?:/;
const FIELD_BEGUN = /^(?:d|da|dat|data|e|ev|eve|even|event|i|id|r|re|ret|retr|retry)?$/;
const GEMINI_ARRAY =
  /^\[\s*\{\s*"(?:candidates|promptFeedback|usageMetadata|modelVersion|responseId)"/;

/** Undefined while more bytes could say more; never when `ended`. */
export function shapeOf(bytes: Uint8Array, ended: boolean): Shape | undefined {
  const enough = ended || bytes.length >= LOOKED_AT_BYTES_MAX;
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/^\ufeff?\s*/, '');
  if (text.startsWith('{') || text.startsWith('[')) return jsonShape(text, ended);
  if (FIELD.test(text)) return eventShape(text, enough);
  if (!enough && FIELD_BEGUN.test(text)) return undefined;
  return { framing: 'text', api: undefined };
}

function jsonShape(text: string, ended: boolean): Shape | undefined {
  // The only API that streams JSON.
  if (GEMINI_ARRAY.test(text))
    return { framing: 'array', api: { format: 'gemini', direction: 'response' } };
  const [first = '', second = ''] = text.split(/\r?\n/, 2);
  const line = parsed(first);
  if (line !== undefined && /^\s*[[{]/.test(second)) return { framing: 'lines', api: undefined };
  // A document is judged whole: nothing is lost by reading it to its end.
  if (!ended) return undefined;
  const value = parsed(text);
  return { framing: 'document', api: value === undefined ? apiOfBroken(text) : apiOf(value) };
}

function eventShape(text: string, enough: boolean): Shape | undefined {
  const data = /^data: ?(.*)\r?\n/m.exec(text)?.[1];
  const value = data === undefined ? undefined : parsed(data);
  if (data === undefined && !enough) return undefined;
  const api = value === undefined ? undefined : apiOf(value);
  return { framing: 'events', api: api && { ...api, direction: 'response' } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const ANTHROPIC_EVENT =
  /^(?:message_(?:start|delta|stop)|content_block_(?:start|delta|stop)|ping|message)$/;

/** The API that has such an object; of a batch, that of its first. */
function apiOf(value: unknown): Shape['api'] {
  if (Array.isArray(value)) return value.length === 0 ? undefined : apiOf(value[0]);
  if (typeof value !== 'object' || value === null) return undefined;
  const { jsonrpc, object, type, model } = value as Record<string, unknown>;
  const has = (name: string): boolean => Object.hasOwn(value, name);
  const says = (format: Format['name'], direction: Direction) => ({ format, direction });
  if (jsonrpc === '2.0') return says('mcp', has('method') ? 'request' : 'response');
  if (has('choices'))
    return says(object === 'text_completion' ? 'openai.completions' : 'openai.chat', 'response');
  if (has('candidates') || has('promptFeedback')) return says('gemini', 'response');
  if (has('contents')) return says('gemini', 'request');
  if (object === 'response' || (typeof type === 'string' && type.startsWith('response.')))
    return says('openai.responses', 'response');
  if (typeof type === 'string' && ANTHROPIC_EVENT.test(type))
    return says('anthropic.messages', 'response');
  if (has('messages')) {
    const anthropic =
      has('system') || has('anthropic_version') || /^claude/i.test(String(model ?? ''));
    return says(anthropic ? 'anthropic.messages' : 'openai.chat', 'request');
  }
  if (has('prompt') && has('model')) return says('openai.completions', 'request');
  return has('input') ? says('openai.responses', 'request') : undefined;
}

/** JSON that is cut short still shows the names at its beginning. */
function apiOfBroken(text: string): Shape['api'] {
  const names = [...text.slice(0, LOOKED_AT_BYTES_MAX).matchAll(/"(\w+)"\s*:/g)];
  return apiOf(
    Object.fromEntries(names.map(([, name]) => [name, name === 'jsonrpc' ? '2.0' : ''])),
  );
}
