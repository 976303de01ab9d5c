/** What the demo upstream can be told to say. */
/**
 * One answer. `deltas` and `toolCall` are put in the provider's shape; `chunks` are bytes as they are
 * (UTF-8), each its own write.
 */
export interface Script {
  /** Text of the answer; cut into words when it streams. */
  readonly text?: string;
  /** Text of the answer, cut as given; wins over `text`. */
  readonly deltas?: readonly string[];
  readonly toolCall?: { readonly name: string; readonly argumentDeltas: readonly string[] };
  /** The raw body, one write each; wins over everything above. */
  readonly chunks?: readonly string[];
  /** Writes the chunks this many times over. */
  readonly repeat?: number;
  /** Cuts the whole body anew, into writes of this many bytes. */
  readonly cutBytes?: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly trailers?: Readonly<Record<string, string>>;
  /** Pause before each write but the first. */
  readonly delayMs?: number;
  /** Encodes the body: when the request accepts it, or `encodeAlways`. */
  readonly encode?: 'gzip' | 'br' | 'zstd';
  readonly encodeAlways?: boolean;
  /** Says nothing more after this many writes, and keeps the connection open. */
  readonly stallAfter?: number;
  /** Breaks the connection after this many writes. */
  readonly abortAfter?: number;
}

const NOTHING: Script = Object.freeze({});

/** Header by which one request carries its own script: base64url of its JSON. */
export const SCRIPT_HEADER = 'x-demo-script';

export function encodeScript(script: Script): string {
  return Buffer.from(JSON.stringify(script)).toString('base64url');
}

/** Reads what `encodeScript` wrote; throws SyntaxError when it is not JSON. */
export function decodeScript(value: string): Script {
  const parsed: unknown = JSON.parse(Buffer.from(value, 'base64url').toString('utf8'));
  return typeof parsed === 'object' && parsed !== null ? (parsed as Script) : NOTHING;
}

const SAY = /^\s*say:\s?([\s\S]*)$/i;
const CALL = /^\s*call:\s?(\w+)\s+([\s\S]*)$/i;

/**
 * What a prompt tells the upstream to say: `say: TEXT`, `call: TOOL JSON`, else an echo.
 * The arguments of a call are cut every 5 characters.
 */
export function scriptOfPrompt(prompt: string): Script {
  const call = CALL.exec(prompt);
  if (call !== null)
    return {
      toolCall: {
        name: call[1] ?? '',
        argumentDeltas: (call[2] ?? '').match(/[\s\S]{1,5}/g) ?? [],
      },
    };
  const say = SAY.exec(prompt);
  return { text: say === null ? `You said: ${prompt}` : (say[1] ?? '') };
}
