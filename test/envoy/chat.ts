/** Chat completions as a test's client sends and reads them. */
import { encodeScript, SCRIPT_HEADER, type Script } from '../../demo/script.ts';
import { type Answer, type RequestOptions, send } from './http-client.ts';

export interface ChatOptions {
  readonly prompt?: string;
  readonly stream?: boolean;
  /** What the upstream says to this request alone. */
  readonly script?: Script;
  /** Further members of the request body, such as `n`. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default `/v1/chat/completions`. */
  readonly path?: string;
  readonly http?: RequestOptions;
}

/** Sends one chat request to the loopback port; never rejects. */
export function chat(port: number, options: ChatOptions = {}): Promise<Answer> {
  const body = {
    model: 'demo',
    stream: options.stream ?? false,
    messages: [{ role: 'user', content: options.prompt ?? 'Hello' }],
    ...options.body,
  };
  const script =
    options.script === undefined ? {} : { [SCRIPT_HEADER]: encodeScript(options.script) };
  return send(port, {
    method: 'POST',
    path: options.path ?? '/v1/chat/completions',
    headers: { 'content-type': 'application/json', ...script, ...options.headers },
    body: JSON.stringify(body),
    ...options.http,
  });
}

export interface ChoiceText {
  readonly content: string;
  readonly toolArguments: string;
  readonly finishReason: string;
}

interface Piece {
  readonly index?: number;
  readonly delta?: ChoiceDelta;
  readonly message?: ChoiceDelta;
  readonly finish_reason?: string | null;
}

interface ChoiceDelta {
  readonly content?: string | null;
  readonly tool_calls?: readonly { readonly function?: { readonly arguments?: string } }[];
}

/** The `data:` payloads of a stream, `[DONE]` and comments left out. Throws on a payload that is not JSON. */
export function streamPayloads(text: string): readonly Record<string, unknown>[] {
  return text
    .split(/\r?\n\r?\n/)
    .flatMap((frame) => frame.split(/\r?\n/))
    .filter((line) => line.startsWith('data:') && line.slice(5).trim() !== '[DONE]')
    .map((line) => JSON.parse(line.slice(5)) as Record<string, unknown>);
}

/** What each choice of an answer says, streamed or whole, by index. */
export function choicesOf(answer: Answer): readonly ChoiceText[] {
  const isStream = String(answer.headers['content-type']).startsWith('text/event-stream');
  const payloads = isStream
    ? streamPayloads(answer.text)
    : [JSON.parse(answer.text) as Record<string, unknown>];
  const said: ChoiceText[] = [];
  for (const payload of payloads)
    for (const piece of (payload.choices ?? []) as readonly Piece[]) {
      const index = piece.index ?? 0;
      const before = said[index] ?? { content: '', toolArguments: '', finishReason: '' };
      const delta = piece.delta ?? piece.message;
      const spoken = (delta?.tool_calls ?? [])
        .map((call) => call.function?.arguments ?? '')
        .join('');
      said[index] = {
        content: before.content + (delta?.content ?? ''),
        toolArguments: before.toolArguments + spoken,
        finishReason: piece.finish_reason ?? before.finishReason,
      };
    }
  return said;
}
