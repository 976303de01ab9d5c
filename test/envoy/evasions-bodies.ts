/** Bodies that the rows send, and how their readers read them. */
import type { Reply } from './evasions-row.ts';
import type { RequestOptions } from './http-client.ts';

/** The word that requests and answers are refused for. */
export const BLOCKED = 'Project Zebra';
/** The word that answers are rewritten for, and what stands there then. */
export const REWRITTEN = 'Bank A';
export const REPLACEMENT = 'another bank';

export const JSON_TYPE = { 'content-type': 'application/json' };
export const EVENTS = { 'content-type': 'text/event-stream' };

export const CHAT_PATH = '/v1/chat/completions';

export const messages = (content: unknown) => ({ messages: [{ role: 'user', content }] });

/** The body of a chat completion request. */
export const chatBody = (content: unknown, more: object = {}): string =>
  JSON.stringify({ model: 'm', ...messages(content), ...more });

/** A request to the chat completions API. */
export const chatRequest = (
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): RequestOptions => ({
  method: 'POST',
  path: CHAT_PATH,
  headers: { ...JSON_TYPE, ...headers },
  body,
});

export const completion = (message: object, more: object = {}): string =>
  JSON.stringify({
    id: 'c1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [
      { index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop', ...more },
    ],
  });

export const chunkOf = (delta: object, more: object = {}): string =>
  JSON.stringify({
    id: 'c1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, ...more }],
  });

/** One event of a chat stream. */
export const chunk = (delta: object, more: object = {}): string =>
  `data: ${chunkOf(delta, more)}\n\n`;

export const say = (content: string, index = 0): string => chunk({ content }, { index });

export const DONE = 'data: [DONE]\n\n';

export const event = (name: string, data: object): string =>
  `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`;

/** A chat stream of these events. */
export const stream = (...writes: readonly (string | Uint8Array)[]): Reply => ({
  headers: EVENTS,
  writes,
});

export const document = (
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Reply => ({ headers, writes: [body] });

interface Delta {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly tool_calls?: readonly { readonly function?: { readonly arguments?: string } }[];
}

function payloads(text: string): readonly Record<string, unknown>[] {
  return text
    .split(/\r\n|\r|\n/u)
    .filter((line) => line.startsWith('data:') && !line.includes('[DONE]'))
    .map((line) => JSON.parse(line.slice(5)) as Record<string, unknown>);
}

/** What a chat stream says, choice by choice, each on a line of its own. */
export function saidInStream(arrived: Buffer): string {
  return spoken(arrived, (delta) => `${delta.content ?? ''}`);
}

/** What the tool calls of a chat stream are called with. */
export function calledInStream(arrived: Buffer): string {
  return spoken(arrived, (delta) =>
    (delta.tool_calls ?? []).map((call) => call.function?.arguments ?? '').join(''),
  );
}

function spoken(arrived: Buffer, read: (delta: Delta) => string): string {
  const said: string[] = [];
  for (const payload of payloads(arrived.toString('utf8')))
    for (const { index = 0, delta = {} } of (payload.choices ?? []) as readonly {
      index?: number;
      delta?: Delta;
    }[])
      said[index] = (said[index] ?? '') + read(delta);
  return said.join('\n');
}

/** Everything that events of the other APIs add up to, in the order of their coming. */
export function addedInStream(arrived: Buffer): string {
  return payloads(arrived.toString('utf8'))
    .map((payload) => {
      const delta = payload.delta as { text?: string; partial_json?: string } | string | undefined;
      if (typeof delta === 'string') return delta;
      return delta?.text ?? delta?.partial_json ?? '';
    })
    .join('');
}
