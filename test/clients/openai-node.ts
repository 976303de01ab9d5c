/** `openai` for Node: chat completions and responses. */
import OpenAI from 'openai';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import type {
  Response,
  ResponseCreateParamsNonStreaming,
  ResponseInput,
} from 'openai/resources/responses/responses';
import {
  type Answered,
  type Client,
  type Manner,
  parsed,
  type Question,
  type Said,
  TOOL,
  thrownBy,
} from './said.ts';

export function openaiClients(origin: string): readonly Client[] {
  const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: 'none' });
  const manners: readonly Manner[] = ['document', 'stream', 'collect'];
  return [
    {
      name: 'openai (Node), chat completions',
      api: 'chat',
      manners,
      ask: (manner, question) => heard((text) => askChat(client, manner, question, text)),
    },
    {
      name: 'openai (Node), responses',
      api: 'responses',
      manners,
      ask: (manner, question) => heard((text) => askResponses(client, manner, question, text)),
    },
  ];
}

/** Collects text as it streams, so that what came before an error is known. */
interface Listener {
  text: string;
}

async function heard(ask: (listener: Listener) => Promise<Answered>): Promise<Said> {
  const listener = { text: '' };
  try {
    return await ask(listener);
  } catch (error) {
    return thrownBy(OpenAI.APIError, error, listener.text);
  }
}

const MODEL = 'gpt-test';

function chatBody(question: Question): Omit<ChatCompletionCreateParamsNonStreaming, 'stream'> {
  const messages: ChatCompletionMessageParam[] = [{ role: 'user', content: question.prompt }];
  if (question.toolResult !== undefined)
    messages.push(
      {
        role: 'assistant',
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: TOOL.name, arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: question.toolResult },
    );
  return {
    model: MODEL,
    messages,
    ...(question.tools && { tools: [{ type: 'function', function: TOOL }] }),
  };
}

async function askChat(
  client: OpenAI,
  manner: Manner,
  question: Question,
  listener: Listener,
): Promise<Answered> {
  const body = chatBody(question);
  const usage = { stream_options: { include_usage: true } } as const;
  switch (manner) {
    case 'document':
      return readCompletion(await client.chat.completions.create(body));
    case 'stream': {
      const stream = await client.chat.completions.create({ ...body, ...usage, stream: true });
      const chunks: ChatCompletionChunk[] = [];
      for await (const chunk of stream) {
        chunks.push(chunk);
        const [choice] = chunk.choices;
        if (choice?.index === 0) listener.text += choice.delta.content ?? '';
      }
      return readChunks(chunks);
    }
    case 'collect': {
      const stream = client.chat.completions.stream({ ...body, ...usage });
      stream.on('content', (delta) => {
        listener.text += delta;
      });
      return readCompletion(await stream.finalChatCompletion());
    }
  }
}

function readCompletion(completion: ChatCompletion): Answered {
  const { message, finish_reason: finish } = completion.choices[0]!;
  return {
    text: message.content ?? '',
    refusal: message.refusal ?? '',
    finish,
    calls: (message.tool_calls ?? []).flatMap((call) =>
      call.type === 'function'
        ? [{ name: call.function.name, arguments: parsed(call.function.arguments) }]
        : [],
    ),
    ...(completion.usage && {
      usage: { input: completion.usage.prompt_tokens, output: completion.usage.completion_tokens },
    }),
  };
}

/** As users put the deltas of one choice together who iterate. */
function readChunks(chunks: readonly ChatCompletionChunk[]): Answered {
  const calls: { name: string; text: string }[] = [];
  let text = '';
  let refusal = '';
  let finish = '';
  for (const { choices } of chunks)
    for (const { index, delta, finish_reason } of choices) {
      if (index > 0) continue;
      text += delta.content ?? '';
      refusal += delta.refusal ?? '';
      finish = finish_reason ?? finish;
      for (const call of delta.tool_calls ?? []) {
        const one = (calls[call.index] ??= { name: '', text: '' });
        one.name += call.function?.name ?? '';
        one.text += call.function?.arguments ?? '';
      }
    }
  const usage = chunks.at(-1)?.usage;
  return {
    text,
    refusal,
    finish,
    calls: calls.map((call) => ({ name: call.name, arguments: parsed(call.text) })),
    ...(usage && { usage: { input: usage.prompt_tokens, output: usage.completion_tokens } }),
  };
}

function responsesBody(question: Question): Omit<ResponseCreateParamsNonStreaming, 'stream'> {
  const input: ResponseInput = [{ role: 'user', content: question.prompt }];
  if (question.toolResult !== undefined)
    input.push(
      { type: 'function_call', call_id: 'call_1', name: TOOL.name, arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1', output: question.toolResult },
    );
  return {
    model: MODEL,
    input,
    ...(question.tools && { tools: [{ type: 'function', ...TOOL, strict: false }] }),
  };
}

async function askResponses(
  client: OpenAI,
  manner: Manner,
  question: Question,
  listener: Listener,
): Promise<Answered> {
  const body = responsesBody(question);
  switch (manner) {
    case 'document':
      return readResponse(await client.responses.create(body));
    case 'stream': {
      const stream = await client.responses.create({ ...body, stream: true });
      let last: Response | undefined;
      const calls: { name: string; arguments: unknown }[] = [];
      let refusal = '';
      for await (const event of stream) {
        if (event.type === 'response.output_text.delta') listener.text += event.delta;
        if (event.type === 'response.refusal.delta') refusal += event.delta;
        if (event.type === 'response.output_item.done' && event.item.type === 'function_call')
          calls.push({ name: event.item.name, arguments: parsed(event.item.arguments) });
        if (event.type === 'response.completed' || event.type === 'response.incomplete')
          last = event.response;
      }
      if (last === undefined) throw new Error('the stream had no last event');
      const { usage, finish } = readResponse(last);
      return { text: listener.text, refusal, finish, calls, ...(usage && { usage }) };
    }
    case 'collect': {
      const stream = client.responses.stream(body);
      stream.on('response.output_text.delta', ({ delta }) => {
        listener.text += delta;
      });
      return readResponse(await stream.finalResponse());
    }
  }
}

function readResponse(response: Response): Answered {
  const parts = response.output.flatMap((item) => (item.type === 'message' ? item.content : []));
  return {
    text: response.output_text,
    refusal: parts.map((part) => (part.type === 'refusal' ? part.refusal : '')).join(''),
    finish: response.incomplete_details?.reason ?? response.status ?? '',
    calls: response.output.flatMap((item) =>
      item.type === 'function_call' ? [{ name: item.name, arguments: parsed(item.arguments) }] : [],
    ),
    ...(response.usage && {
      usage: { input: response.usage.input_tokens, output: response.usage.output_tokens },
    }),
  };
}
