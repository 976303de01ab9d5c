/** `@anthropic-ai/sdk`: messages. */
import Anthropic from '@anthropic-ai/sdk';
import type {
  Message,
  MessageCreateParamsNonStreaming,
  MessageParam,
} from '@anthropic-ai/sdk/resources/messages';
import {
  type Answered,
  type Client,
  type Manner,
  parsed,
  type Question,
  TOOL,
  thrownBy,
} from './said.ts';

export function anthropicClient(origin: string): Client {
  const client = new Anthropic({ baseURL: origin, apiKey: 'none' });
  return {
    name: '@anthropic-ai/sdk',
    api: 'messages',
    manners: ['document', 'stream', 'collect'],
    ask: async (manner, question) => {
      const listener = { text: '' };
      try {
        return await ask(client, manner, question, listener);
      } catch (error) {
        return thrownBy(Anthropic.APIError, error, listener.text);
      }
    },
  };
}

function body(question: Question): MessageCreateParamsNonStreaming {
  const messages: MessageParam[] = [{ role: 'user', content: question.prompt }];
  if (question.toolResult !== undefined)
    messages.push(
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: 'toolu_1', name: TOOL.name, input: {} }],
      },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: question.toolResult }],
      },
    );
  const { name, description, parameters } = TOOL;
  return {
    model: 'claude-test',
    max_tokens: 500,
    messages,
    ...(question.tools && {
      tools: [{ name, description, input_schema: { ...parameters, type: 'object' as const } }],
    }),
  };
}

async function ask(
  client: Anthropic,
  manner: Manner,
  question: Question,
  listener: { text: string },
): Promise<Answered> {
  switch (manner) {
    case 'document':
      return readMessage(await client.messages.create(body(question)));
    case 'stream':
      return readEvents(client, question, listener);
    case 'collect': {
      const stream = client.messages.stream(body(question));
      stream.on('text', (delta) => {
        listener.text += delta;
      });
      return readMessage(await stream.finalMessage());
    }
  }
}

/** As users put events together who iterate. */
async function readEvents(
  client: Anthropic,
  question: Question,
  listener: { text: string },
): Promise<Answered> {
  const stream = await client.messages.create({ ...body(question), stream: true });
  const blocks: { name?: string; json: string; stopped: boolean }[] = [];
  const usage = { input: 0, output: 0 };
  let finish = '';
  let refusal = '';
  let over = false;
  for await (const event of stream) {
    switch (event.type) {
      case 'message_start':
        usage.input = event.message.usage.input_tokens;
        break;
      case 'content_block_start': {
        const { content_block: block } = event;
        const name = block.type === 'tool_use' ? { name: block.name } : {};
        blocks[event.index] = { ...name, json: '', stopped: false };
        break;
      }
      case 'content_block_delta':
        if (event.delta.type === 'text_delta') listener.text += event.delta.text;
        if (event.delta.type === 'input_json_delta')
          blocks[event.index]!.json += event.delta.partial_json;
        break;
      case 'content_block_stop':
        blocks[event.index]!.stopped = true;
        break;
      case 'message_delta':
        finish = event.delta.stop_reason ?? '';
        refusal = event.delta.stop_details?.explanation ?? '';
        usage.output = event.usage.output_tokens;
        break;
      case 'message_stop':
        over = true;
        break;
    }
  }
  if (!over || blocks.some(({ stopped }) => !stopped)) throw new Error('the stream did not end');
  const calls = blocks.flatMap(({ name, json }) =>
    name === undefined ? [] : [{ name, arguments: parsed(json) }],
  );
  return { text: listener.text, refusal, finish, calls, usage };
}

function readMessage(message: Message): Answered {
  return {
    text: message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    refusal: message.stop_details?.explanation ?? '',
    finish: message.stop_reason ?? '',
    calls: message.content.flatMap((block) =>
      block.type === 'tool_use' ? [{ name: block.name, arguments: block.input }] : [],
    ),
    usage: { input: message.usage.input_tokens, output: message.usage.output_tokens },
  };
}
