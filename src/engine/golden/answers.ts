/** An answer in the words of each API, from what an author wrote: whole, or in the deltas that he chose. */
import type { GoldenFormat, GoldenResponse } from '../../policy/golden/schema.ts';

export interface WrittenBody {
  readonly contentType: string;
  readonly text: string;
}

type ToolCall = NonNullable<GoldenResponse['tool_call']>;

/** What a model says: its words in deltas, and perhaps the call of a tool. */
interface Said {
  readonly deltas: readonly string[];
  readonly toolCall: ToolCall | undefined;
}

const JSON_TYPE = 'application/json';
const EVENTS = 'text/event-stream';
const MODEL = 'golden';

const event = (data: unknown, name?: string): string =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;

/** Arguments as the JSON text that a model writes. */
const argumentsOf = ({ arguments: given }: ToolCall): string =>
  typeof given === 'string' ? given : JSON.stringify(given ?? {});

/** Arguments where an API has them as an object. */
const argumentsObject = ({ arguments: given }: ToolCall): unknown =>
  typeof given === 'string' ? JSON.parse(given) : (given ?? {});

interface Answer {
  whole(said: Said): unknown;
  streamed(said: Said): string;
}

const openaiChat: Answer = {
  whole({ deltas, toolCall }) {
    const call = toolCall && {
      id: 'call_1',
      type: 'function',
      function: { name: toolCall.name, arguments: argumentsOf(toolCall) },
    };
    const message = {
      role: 'assistant',
      content: deltas.length === 0 ? null : deltas.join(''),
      ...(call && { tool_calls: [call] }),
    };
    return {
      id: 'golden',
      object: 'chat.completion',
      created: 0,
      model: MODEL,
      choices: [{ index: 0, message, finish_reason: call ? 'tool_calls' : 'stop' }],
    };
  },
  streamed({ deltas, toolCall }) {
    const chunk = (delta: unknown, finish: string | null = null): string =>
      event({
        id: 'golden',
        object: 'chat.completion.chunk',
        created: 0,
        model: MODEL,
        choices: [{ index: 0, delta, finish_reason: finish }],
      });
    const call = (part: unknown): string =>
      chunk({ tool_calls: [{ index: 0, ...(part as object) }] });
    return [
      chunk({ role: 'assistant', content: '' }),
      ...deltas.map((content) => chunk({ content })),
      ...(toolCall === undefined
        ? []
        : [
            call({
              id: 'call_1',
              type: 'function',
              function: { name: toolCall.name, arguments: '' },
            }),
            ...halves(argumentsOf(toolCall)).map((part) => call({ function: { arguments: part } })),
          ]),
      chunk({}, toolCall === undefined ? 'stop' : 'tool_calls'),
      'data: [DONE]\n\n',
    ].join('');
  },
};

const openaiCompletions: Answer = {
  whole: ({ deltas }) => completion(deltas.join(''), 'stop'),
  streamed: ({ deltas }) =>
    [
      ...deltas.map((text) => event(completion(text, null))),
      event(completion('', 'stop')),
      'data: [DONE]\n\n',
    ].join(''),
};

function completion(text: string, finish: string | null): unknown {
  return {
    id: 'golden',
    object: 'text_completion',
    created: 0,
    model: MODEL,
    choices: [{ index: 0, text, logprobs: null, finish_reason: finish }],
  };
}

const openaiResponses: Answer = {
  whole: ({ deltas, toolCall }) => response('completed', outputOf(deltas.join(''), toolCall)),
  streamed({ deltas, toolCall }) {
    let sequence = 0;
    const send = (type: string, more: object): string =>
      event({ type, sequence_number: sequence++, ...more }, type);
    const text = deltas.join('');
    const items = outputOf(text, toolCall);
    const at = { output_index: 0, item_id: 'msg_1', content_index: 0 };
    const part = { type: 'output_text', text: '', annotations: [] };
    const [message] = items;
    const calls = items.filter(({ type }) => type === 'function_call');
    return [
      send('response.created', { response: response('in_progress', []) }),
      ...(deltas.length === 0
        ? []
        : [
            send('response.output_item.added', {
              output_index: 0,
              item: { ...message, status: 'in_progress', content: [] },
            }),
            send('response.content_part.added', { ...at, part }),
            ...deltas.map((delta) => send('response.output_text.delta', { ...at, delta })),
            send('response.output_text.done', { ...at, text }),
            send('response.content_part.done', { ...at, part: { ...part, text } }),
            send('response.output_item.done', { output_index: 0, item: message }),
          ]),
      ...calls.flatMap((item) => {
        const where = { output_index: items.indexOf(item), item_id: item.id };
        const written = String(item.arguments);
        return [
          send('response.output_item.added', {
            output_index: where.output_index,
            item: { ...item, arguments: '', status: 'in_progress' },
          }),
          ...halves(written).map((delta) =>
            send('response.function_call_arguments.delta', { ...where, delta }),
          ),
          send('response.function_call_arguments.done', { ...where, arguments: written }),
          send('response.output_item.done', { output_index: where.output_index, item }),
        ];
      }),
      send('response.completed', { response: response('completed', items) }),
    ].join('');
  },
};

interface Item {
  readonly type: string;
  readonly id: string;
  readonly [key: string]: unknown;
}

function outputOf(text: string, toolCall: ToolCall | undefined): readonly Item[] {
  const message = {
    type: 'message',
    id: 'msg_1',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
  };
  const call = toolCall && {
    type: 'function_call',
    id: 'fc_1',
    call_id: 'call_1',
    status: 'completed',
    name: toolCall.name,
    arguments: argumentsOf(toolCall),
  };
  return [...(text === '' ? [] : [message]), ...(call ? [call] : [])];
}

function response(status: string, output: readonly unknown[]): unknown {
  return { id: 'resp_1', object: 'response', created_at: 0, model: MODEL, status, output };
}

const anthropicMessages: Answer = {
  whole({ deltas, toolCall }) {
    return {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: MODEL,
      content: [
        ...(deltas.length === 0 ? [] : [{ type: 'text', text: deltas.join('') }]),
        ...(toolCall === undefined ? [] : [toolUse(toolCall, argumentsObject(toolCall))]),
      ],
      stop_reason: toolCall === undefined ? 'end_turn' : 'tool_use',
      stop_sequence: null,
      usage: { input_tokens: 1, output_tokens: 1 },
    };
  },
  streamed({ deltas, toolCall }) {
    const send = (type: string, more: object): string => event({ type, ...more }, type);
    const block = (
      index: number,
      content: unknown,
      parts: readonly unknown[],
    ): readonly string[] => [
      send('content_block_start', { index, content_block: content }),
      ...parts.map((delta) => send('content_block_delta', { index, delta })),
      send('content_block_stop', { index }),
    ];
    const message = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: MODEL,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 1, output_tokens: 0 },
    };
    const texts =
      deltas.length === 0
        ? []
        : block(
            0,
            { type: 'text', text: '' },
            deltas.map((text) => ({ type: 'text_delta', text })),
          );
    const calls =
      toolCall === undefined
        ? []
        : block(
            deltas.length === 0 ? 0 : 1,
            toolUse(toolCall, {}),
            halves(argumentsOf(toolCall)).map((part) => ({
              type: 'input_json_delta',
              partial_json: part,
            })),
          );
    const stop_reason = toolCall === undefined ? 'end_turn' : 'tool_use';
    return [
      send('message_start', { message }),
      ...texts,
      ...calls,
      send('message_delta', {
        delta: { stop_reason, stop_sequence: null },
        usage: { output_tokens: 1 },
      }),
      send('message_stop', {}),
    ].join('');
  },
};

const toolUse = ({ name }: ToolCall, input: unknown): unknown => ({
  type: 'tool_use',
  id: 'toolu_1',
  name,
  input,
});

const gemini: Answer = {
  whole: ({ deltas, toolCall }) =>
    candidate(
      [...(deltas.length === 0 ? [] : [{ text: deltas.join('') }]), ...functionCall(toolCall)],
      true,
    ),
  streamed: ({ deltas, toolCall }) =>
    [
      ...deltas.map((text) => event(candidate([{ text }], false))),
      event(candidate(toolCall === undefined ? [{ text: '' }] : functionCall(toolCall), true)),
    ].join(''),
};

const functionCall = (toolCall: ToolCall | undefined): readonly unknown[] =>
  toolCall === undefined
    ? []
    : [{ functionCall: { name: toolCall.name, args: argumentsObject(toolCall) } }];

function candidate(parts: readonly unknown[], last: boolean): unknown {
  const content = { role: 'model', parts };
  return { candidates: [{ index: 0, content, ...(last && { finishReason: 'STOP' }) }] };
}

/** The result of a called tool: there is no model that speaks. */
const mcp: Answer = {
  whole: ({ deltas }) => ({
    jsonrpc: '2.0',
    id: 1,
    result: { content: [{ type: 'text', text: deltas.join('') }], isError: false },
  }),
  streamed: (said) => event(mcp.whole(said), 'message'),
};

const ANSWERS: Readonly<Partial<Record<GoldenFormat, Answer>>> = {
  'openai.chat': openaiChat,
  'openai.completions': openaiCompletions,
  'openai.responses': openaiResponses,
  'anthropic.messages': anthropicMessages,
  gemini,
  mcp,
  json: { whole: ({ deltas }) => ({ text: deltas.join('') }), streamed: () => '' },
};

/** The body of an answer. `deltas` take the place of the written ones. */
export function answerBody(
  format: GoldenFormat,
  written: GoldenResponse,
  deltas: readonly string[] = deltasOf(written),
): WrittenBody {
  const streamed = written.stream !== undefined;
  if (written.body !== undefined) return rawBody(format, written.body, streamed);
  const said: Said = { deltas, toolCall: written.tool_call };
  switch (format) {
    case 'text':
      return { contentType: 'text/plain', text: deltas.join('') };
    case 'sse':
      return {
        contentType: EVENTS,
        text: deltas.map((text) => event({ text })).join(''),
      };
    case 'ndjson':
      return {
        contentType: 'application/x-ndjson',
        text: deltas.map((text) => `${JSON.stringify({ text })}\n`).join(''),
      };
    default: {
      const answer = ANSWERS[format]!;
      if (streamed && format !== 'json')
        return { contentType: EVENTS, text: answer.streamed(said) };
      return { contentType: JSON_TYPE, text: JSON.stringify(answer.whole(said)) };
    }
  }
}

export function deltasOf({ text, stream }: GoldenResponse): readonly string[] {
  return stream ?? (text === undefined ? [] : [text]);
}

const MEDIA: Readonly<Partial<Record<GoldenFormat, string>>> = {
  text: 'text/plain',
  sse: EVENTS,
  ndjson: 'application/x-ndjson',
};

/** What the author wrote himself: a text as it is, anything else as JSON. */
export function rawBody(format: GoldenFormat, body: unknown, streamed = false): WrittenBody {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const events = streamed || (typeof body === 'string' && /^(?:event|data|:)/.test(body));
  return { contentType: MEDIA[format] ?? (events ? EVENTS : JSON_TYPE), text };
}

/** In two parts, so that a rule that reads what has not yet arrived is seen to wait. */
function halves(text: string): readonly string[] {
  const middle = Math.floor(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)].filter((part) => part !== '');
}
