/** Calls of tools in the words of each API: made from names and arguments, read as clients do. */
import { eventsIn, messageStart, typedEvents } from './apis.ts';
import { chatStream } from './rig.ts';

export interface MadeCall {
  readonly name: string;
  /** The arguments as JSON, in stretches. */
  readonly deltas: readonly string[];
}

export interface HeardCall {
  readonly name: string;
  readonly input: string;
}

export interface ToolApi {
  readonly name: string;
  readonly path: string;
  /** Of a streamed answer, where that is none of events. */
  readonly streamType?: string;
  /** A request that defines these tools. */
  asking(tools: readonly string[], stream: boolean): object;
  /** A request whose conversation has such a call and its result. */
  recalling(call: MadeCall, result: string): object;
  /** An answer that calls them, one after the other. */
  stream(calls: readonly MadeCall[], text?: string): Uint8Array;
  document(calls: readonly MadeCall[]): object;
  /** Every call of an answer that left, each once for every time it was told, in order. */
  heard(answer: string, streamed: boolean): readonly HeardCall[];
  /** The names of the tools that a request defines. */
  defined(request: string): readonly string[];
  refused(answer: string): boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: bodies as they come, read by the tests alone.
type Body = any;

const whole = ({ name, deltas }: MadeCall): HeardCall => ({ name, input: deltas.join('') });
const dataOf = (stream: string): Body[] =>
  stream
    .split('\n\n')
    .flatMap((event) => event.split('\n'))
    .filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]')
    .map((line) => JSON.parse(line.slice(6)));

const chatCall = (call: MadeCall, index: number) => ({
  id: `call_${index}`,
  type: 'function',
  function: { name: call.name, arguments: whole(call).input },
});

export const chatTools: ToolApi = {
  name: 'openai.chat',
  path: '/v1/chat/completions',
  asking: (tools, stream) => ({
    model: 'm',
    stream,
    messages: [{ role: 'user', content: 'hi' }],
    tools: tools.map((name) => ({ type: 'function', function: { name, parameters: {} } })),
    tool_choice: 'auto',
  }),
  recalling: (call, content) => ({
    model: 'm',
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: null, tool_calls: [chatCall(call, 0)] },
      { role: 'tool', tool_call_id: 'call_0', content },
    ],
  }),
  stream: (calls, text = '') =>
    chatStream([
      { delta: { role: 'assistant', content: text } },
      ...calls.flatMap(({ name, deltas }, index) => [
        {
          delta: {
            tool_calls: [
              { index, id: `call_${index}`, type: 'function', function: { name, arguments: '' } },
            ],
          },
        },
        ...deltas.map((part) => ({
          delta: { tool_calls: [{ index, function: { arguments: part } }] },
        })),
      ]),
      { delta: {}, finish: 'tool_calls' },
    ]),
  document: (calls) => ({
    id: 'c1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: null, tool_calls: calls.map(chatCall) },
        finish_reason: 'tool_calls',
      },
    ],
  }),
  heard(answer, streamed) {
    if (!streamed)
      return (JSON.parse(answer).choices?.[0].message.tool_calls ?? []).map((call: Body) => ({
        name: call.function.name,
        input: call.function.arguments,
      }));
    const calls: { name: string; input: string }[] = [];
    for (const chunk of dataOf(answer))
      for (const call of chunk.choices?.[0]?.delta?.tool_calls ?? []) {
        calls[call.index] ??= { name: '', input: '' };
        calls[call.index]!.name += call.function?.name ?? '';
        calls[call.index]!.input += call.function?.arguments ?? '';
      }
    return calls.filter(() => true);
  },
  defined: (request) => (JSON.parse(request).tools ?? []).map((tool: Body) => tool.function.name),
  refused: (answer) => answer.includes('content_filter'),
};

const responseCall = (call: MadeCall, index: number) => ({
  id: `fc_${index}`,
  type: 'function_call',
  call_id: `call_${index}`,
  status: 'completed',
  name: call.name,
  arguments: whole(call).input,
});

const responseOf = (calls: readonly MadeCall[], status: string) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 7,
  status,
  model: 'm',
  output: calls.map(responseCall),
});

const heardItem = (item: Body): HeardCall[] =>
  item?.type === 'function_call' ? [{ name: item.name, input: item.arguments }] : [];

export const responsesTools: ToolApi = {
  name: 'openai.responses',
  path: '/v1/responses',
  asking: (tools, stream) => ({
    model: 'm',
    stream,
    input: 'hi',
    tools: tools.map((name) => ({ type: 'function', name, parameters: {} })),
  }),
  recalling: (call, output) => ({
    model: 'm',
    input: [responseCall(call, 0), { type: 'function_call_output', call_id: 'call_0', output }],
  }),
  stream: (calls) =>
    typedEvents(
      [
        { type: 'response.created', response: responseOf([], 'in_progress') },
        ...calls.flatMap((call, output_index) => {
          const at = { item_id: `fc_${output_index}`, output_index };
          const item = responseCall(call, output_index);
          return [
            {
              type: 'response.output_item.added',
              output_index,
              item: { ...item, arguments: '', status: 'in_progress' },
            },
            ...call.deltas.map((delta) => ({
              type: 'response.function_call_arguments.delta',
              ...at,
              delta,
            })),
            {
              type: 'response.function_call_arguments.done',
              ...at,
              arguments: item.arguments,
            },
            { type: 'response.output_item.done', output_index, item },
          ];
        }),
        { type: 'response.completed', response: responseOf(calls, 'completed') },
      ].map((event, index) => ({ ...event, sequence_number: index })),
    ),
  document: (calls) => responseOf(calls, 'completed'),
  heard(answer, streamed) {
    if (!streamed) return (JSON.parse(answer).output ?? []).flatMap(heardItem);
    const names = new Map<number, string>();
    const inputs = new Map<number, string>();
    const heard: HeardCall[] = [];
    for (const event of eventsIn(answer)) {
      const at = event.output_index;
      if (event.type === 'response.output_item.added' && event.item.type === 'function_call')
        names.set(at, event.item.name);
      if (event.type === 'response.function_call_arguments.delta')
        inputs.set(at, (inputs.get(at) ?? '') + event.delta);
      if (event.type === 'response.function_call_arguments.done')
        heard.push({ name: names.get(at) ?? '', input: event.arguments });
      if (event.type === 'response.output_item.done') heard.push(...heardItem(event.item));
      for (const item of event.response?.output ?? []) heard.push(...heardItem(item));
    }
    for (const [at, name] of names) heard.push({ name, input: inputs.get(at) ?? '' });
    return heard;
  },
  defined: (request) => (JSON.parse(request).tools ?? []).map((tool: Body) => tool.name),
  refused: (answer) => answer.includes('content_filter'),
};

const block = (call: MadeCall, index: number) => ({
  type: 'tool_use',
  id: `toolu_${index}`,
  name: call.name,
  input: JSON.parse(whole(call).input),
});

export const messagesTools: ToolApi = {
  name: 'anthropic.messages',
  path: '/v1/messages',
  asking: (tools, stream) => ({
    model: 'm',
    stream,
    max_tokens: 9,
    messages: [{ role: 'user', content: 'hi' }],
    tools: tools.map((name) => ({ name, input_schema: { type: 'object' } })),
    tool_choice: { type: 'auto' },
  }),
  recalling: (call, content) => ({
    model: 'm',
    max_tokens: 9,
    messages: [
      { role: 'assistant', content: [block(call, 0)] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_0', content }] },
    ],
  }),
  stream: (calls) =>
    typedEvents([
      messageStart,
      ...calls.flatMap((call, index) => [
        {
          type: 'content_block_start',
          index,
          content_block: { type: 'tool_use', id: `toolu_${index}`, name: call.name, input: {} },
        },
        ...call.deltas.map((partial_json) => ({
          type: 'content_block_delta',
          index,
          delta: { type: 'input_json_delta', partial_json },
        })),
        { type: 'content_block_stop', index },
      ]),
      {
        type: 'message_delta',
        delta: { stop_reason: 'tool_use', stop_sequence: null },
        usage: { output_tokens: 12 },
      },
      { type: 'message_stop' },
    ]),
  document: (calls) => ({
    ...messageStart.message,
    content: calls.map(block),
    stop_reason: 'tool_use',
  }),
  heard(answer, streamed) {
    if (!streamed)
      return (JSON.parse(answer).content ?? [])
        .filter((part: Body) => part.type === 'tool_use')
        .map((part: Body) => ({ name: part.name, input: JSON.stringify(part.input) }));
    const calls: { name: string; input: string }[] = [];
    for (const event of eventsIn(answer)) {
      if (event.type === 'content_block_start' && event.content_block.type === 'tool_use')
        calls[event.index] = { name: event.content_block.name, input: '' };
      if (event.delta?.type === 'input_json_delta')
        calls[event.index]!.input += event.delta.partial_json;
    }
    return calls.filter(() => true);
  },
  defined: (request) => (JSON.parse(request).tools ?? []).map((tool: Body) => tool.name),
  refused: (answer) => answer.includes('"refusal"') || answer.includes('invalid_request_error'),
};

const functionCall = (call: MadeCall) => ({
  functionCall: { name: call.name, args: JSON.parse(whole(call).input) },
});

const candidate = (calls: readonly MadeCall[], finishReason?: string) => ({
  candidates: [
    {
      content: { role: 'model', parts: calls.map(functionCall) },
      ...(finishReason === undefined ? {} : { finishReason }),
      index: 0,
    },
  ],
  modelVersion: 'm',
});

const heardParts = (body: Body): HeardCall[] =>
  (body.candidates?.[0]?.content?.parts ?? [])
    .filter((part: Body) => part.functionCall)
    .map((part: Body) => ({
      name: part.functionCall.name,
      input: JSON.stringify(part.functionCall.args),
    }));

export const geminiTools: ToolApi = {
  name: 'gemini',
  path: '/v1beta/models/m:streamGenerateContent?alt=sse',
  asking: (tools) => ({
    contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
    tools: [{ functionDeclarations: tools.map((name) => ({ name, description: 'd' })) }],
    toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
  }),
  recalling: (call, output) => ({
    contents: [
      { role: 'model', parts: [functionCall(call)] },
      {
        role: 'user',
        parts: [{ functionResponse: { name: call.name, response: { output } } }],
      },
    ],
  }),
  stream: (calls) =>
    Buffer.from(
      [...calls.map((call) => candidate([call])), candidate([], 'STOP')]
        .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
        .join(''),
    ),
  document: (calls) => candidate(calls, 'STOP'),
  heard: (answer, streamed) =>
    streamed ? dataOf(answer).flatMap(heardParts) : heardParts(JSON.parse(answer)),
  defined: (request) =>
    (JSON.parse(request).tools ?? []).flatMap((tool: Body) =>
      (tool.functionDeclarations ?? []).map((one: Body) => one.name),
    ),
  refused: (answer) => /SAFETY|PROHIBITED_CONTENT|blockReason|"error"/.test(answer),
};

/** The same without `alt=sse`: an array that comes in pieces. */
export const geminiArrayTools: ToolApi = {
  ...geminiTools,
  name: 'gemini.array',
  path: '/v1beta/models/m:streamGenerateContent',
  streamType: 'application/json',
  stream: (calls) =>
    Buffer.from(
      `[${[...calls.map((call) => candidate([call])), candidate([], 'STOP')]
        .map((chunk) => JSON.stringify(chunk))
        .join(',\r\n')}]\n`,
    ),
  heard(answer, streamed) {
    const body: Body = JSON.parse(answer);
    // What is refused before anything has left is answered with one error.
    return streamed && Array.isArray(body) ? body.flatMap(heardParts) : heardParts(body);
  },
};

export const TOOL_APIS: readonly ToolApi[] = [
  chatTools,
  responsesTools,
  messagesTools,
  geminiTools,
  geminiArrayTools,
];
