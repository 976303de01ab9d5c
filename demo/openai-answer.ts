/** Puts a script in the shape of OpenAI's chat completions, streamed or whole. */
import type { Script } from './script.ts';

export interface ChatRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly choices: number;
  /** The last user message; '' when there is none. */
  readonly prompt: string;
}

/** Choices per answer at most: it is a demo. */
const CHOICES_MAX = 16;
const CREATED_S = 1_700_000_000;

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: { text?: unknown }) => (typeof part?.text === 'string' ? part.text : ''))
    .join('');
}

/** Reads a request body leniently: what is missing or wrong has a default. */
export function readChatRequest(body: string): ChatRequest {
  let json: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null) json = parsed as Record<string, unknown>;
  } catch {
    // A body that is not JSON gets the answer to an empty prompt.
  }
  const messages = Array.isArray(json.messages) ? (json.messages as Record<string, unknown>[]) : [];
  const user = messages.findLast((message) => message?.role === 'user');
  const options = json.stream_options as { include_usage?: unknown } | undefined;
  return {
    model: typeof json.model === 'string' ? json.model : 'demo',
    stream: json.stream === true,
    includeUsage: options?.include_usage === true,
    choices: Math.min(CHOICES_MAX, Math.max(1, Number(json.n ?? 1) || 1)),
    prompt: textOf(user?.content),
  };
}

function deltasOf(script: Script): readonly string[] {
  return script.deltas ?? (script.text ?? '').match(/\s*\S+\s*$|\s*\S+|\s+/g) ?? [];
}

function event(json: object): string {
  return `data: ${JSON.stringify(json)}\n\n`;
}

/** One string per server-sent event; several choices take turns, delta by delta. */
export function streamedAnswer(request: ChatRequest, script: Script): readonly string[] {
  const head = {
    id: 'chatcmpl-demo',
    object: 'chat.completion.chunk',
    created: CREATED_S,
    model: request.model,
  };
  const chunk = (index: number, delta: object, finish: string | null): string =>
    event({ ...head, choices: [{ index, delta, finish_reason: finish }] });
  const indexes = Array.from({ length: request.choices }, (_, index) => index);
  const events = indexes.map((index) => chunk(index, { role: 'assistant', content: '' }, null));
  for (const delta of deltasOf(script))
    for (const index of indexes) events.push(chunk(index, { content: delta }, null));
  const call = script.toolCall;
  if (call !== undefined)
    for (const index of indexes) {
      const open = { name: call.name, arguments: '' };
      const start = { index: 0, id: `call_${index}`, type: 'function', function: open };
      events.push(chunk(index, { tool_calls: [start] }, null));
      for (const delta of call.argumentDeltas)
        events.push(
          chunk(index, { tool_calls: [{ index: 0, function: { arguments: delta } }] }, null),
        );
    }
  const finish = call === undefined ? 'stop' : 'tool_calls';
  for (const index of indexes) events.push(chunk(index, {}, finish));
  if (request.includeUsage) events.push(event({ ...head, choices: [], usage: USAGE }));
  events.push('data: [DONE]\n\n');
  return events;
}

const USAGE = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };

/** The whole answer as one JSON text. */
export function wholeAnswer(request: ChatRequest, script: Script): string {
  const content = deltasOf(script).join('');
  const call = script.toolCall;
  const choices = Array.from({ length: request.choices }, (_, index) => ({
    index,
    message: {
      role: 'assistant',
      content: call === undefined ? content : content || null,
      ...(call === undefined
        ? {}
        : {
            tool_calls: [
              {
                id: `call_${index}`,
                type: 'function',
                function: { name: call.name, arguments: call.argumentDeltas.join('') },
              },
            ],
          }),
    },
    finish_reason: call === undefined ? 'stop' : 'tool_calls',
  }));
  const head = {
    id: 'chatcmpl-demo',
    object: 'chat.completion',
    created: CREATED_S,
    model: request.model,
  };
  return JSON.stringify({ ...head, choices, usage: USAGE });
}
