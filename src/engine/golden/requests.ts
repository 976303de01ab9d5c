/** A request in the words of each API, from what an author wrote. */
import { FORMAT_SAMPLES } from '../../formats/detect.ts';
import type { GoldenFormat, GoldenRequest } from '../../policy/golden/schema.ts';
import { rawBody, type WrittenBody } from './answers.ts';

export interface WrittenRequest {
  readonly method: string;
  readonly path: string;
  /** Undefined: it has none. */
  readonly body: WrittenBody | undefined;
}

const MODEL = 'golden';
const NO_PARAMETERS = { type: 'object', properties: {} };

/** What people, agents and tools say in it. */
type Words = GoldenRequest;
type Body = (words: Words, streamed: boolean) => unknown;

const openaiChat: Body = (words, streamed) => ({
  model: words.model ?? MODEL,
  ...(streamed && { stream: true }),
  messages: [
    ...said(words.system, (content) => ({ role: 'system', content })),
    ...said(words.assistant, (content) => ({ role: 'assistant', content })),
    ...said(words.user, (content) => ({ role: 'user', content })),
    ...said(words.tool_result, (content) => ({ role: 'tool', tool_call_id: 'call_1', content })),
  ],
  ...tools(words, ({ name, description }) => ({
    type: 'function',
    function: { name, ...(description && { description }), parameters: NO_PARAMETERS },
  })),
});

const openaiResponses: Body = (words, streamed) => ({
  model: words.model ?? MODEL,
  ...(streamed && { stream: true }),
  ...(words.system !== undefined && { instructions: words.system }),
  input: [
    ...said(words.assistant, (content) => ({ role: 'assistant', content })),
    ...said(words.user, (content) => ({ role: 'user', content })),
    ...said(words.tool_result, (output) => ({
      type: 'function_call_output',
      call_id: 'call_1',
      output,
    })),
  ],
  ...tools(words, ({ name, description }) => ({
    type: 'function',
    name,
    ...(description && { description }),
    parameters: NO_PARAMETERS,
  })),
});

const anthropicMessages: Body = (words, streamed) => ({
  model: words.model ?? MODEL,
  max_tokens: 100,
  ...(streamed && { stream: true }),
  ...(words.system !== undefined && { system: words.system }),
  messages: [
    ...said(words.assistant, (content) => ({ role: 'assistant', content })),
    ...said(words.user, (content) => ({ role: 'user', content })),
    ...said(words.tool_result, (content) => ({
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content }],
    })),
  ],
  ...tools(words, ({ name, description }) => ({
    name,
    ...(description && { description }),
    input_schema: NO_PARAMETERS,
  })),
});

const gemini: Body = (words) => ({
  ...(words.system !== undefined && { systemInstruction: { parts: [{ text: words.system }] } }),
  contents: [
    ...said(words.assistant, (text) => ({ role: 'model', parts: [{ text }] })),
    ...said(words.user, (text) => ({ role: 'user', parts: [{ text }] })),
    ...said(words.tool_result, (result) => ({
      role: 'user',
      parts: [{ functionResponse: { name: 'tool', response: { result } } }],
    })),
  ],
  ...(words.tools && {
    tools: [
      {
        functionDeclarations: words.tools.map(({ name, description }) => ({
          name,
          ...(description && { description }),
        })),
      },
    ],
  }),
});

const mcp: Body = ({ tool_call: call }) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: call?.name ?? 'tool',
    arguments: call?.arguments ?? {},
  },
});

const BODIES: Readonly<Partial<Record<GoldenFormat, Body>>> = {
  'openai.chat': openaiChat,
  'openai.responses': openaiResponses,
  'openai.completions': ({ model, user }, streamed) => ({
    model: model ?? MODEL,
    prompt: user ?? '',
    ...(streamed && { stream: true }),
  }),
  'anthropic.messages': anthropicMessages,
  gemini,
  mcp,
  json: ({ user }) => ({ text: user ?? '' }),
  ndjson: ({ user }) => ({ text: user ?? '' }),
};

/** `streamed`: the answer is to come in deltas. */
export function requestBody(
  format: GoldenFormat,
  words: GoldenRequest,
  streamed: boolean,
): WrittenRequest {
  // Whoever listens to events of no API asks with a GET.
  const method = words.method ?? (format === 'sse' ? 'GET' : 'POST');
  const path = words.path ?? pathOf(format, words.model, streamed);
  if (method === 'GET' || method === 'HEAD') return { method, path, body: undefined };
  if (words.body !== undefined) return { method, path, body: rawBody(format, words.body) };
  if (format === 'text')
    return { method, path, body: { contentType: 'text/plain', text: words.user ?? '' } };
  const body = BODIES[format]?.(words, streamed) ?? {};
  const text = JSON.stringify(body);
  if (format === 'ndjson')
    return { method, path, body: { contentType: 'application/x-ndjson', text: `${text}\n` } };
  return { method, path, body: { contentType: 'application/json', text } };
}

/** Gemini has the model, and how it answers, in the path. */
function pathOf(format: GoldenFormat, model: string | undefined, streamed: boolean): string {
  const sample = FORMAT_SAMPLES.find(({ name }) => name === format)?.path ?? '/';
  if (format !== 'gemini') return sample;
  const named = sample.replace('any', model ?? MODEL);
  return streamed
    ? `${named.replace(':generateContent', ':streamGenerateContent')}?alt=sse`
    : named;
}

const said = <Message>(
  text: string | undefined,
  message: (text: string) => Message,
): readonly Message[] => (text === undefined ? [] : [message(text)]);

function tools(
  { tools: listed }: Words,
  definition: (tool: NonNullable<Words['tools']>[number]) => unknown,
): { readonly tools?: readonly unknown[] } {
  return listed === undefined ? {} : { tools: listed.map(definition) };
}
