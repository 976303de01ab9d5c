/** Answers of the APIs that stream typed events: made from deltas, sent through the engine, read as clients do. */

import { accumulateResponse } from 'openai/lib/responses/ResponseAccumulator';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { Exchange } from '../../src/engine/exchange.ts';
import { headersEvent, RecordingPort, type Rig } from './rig.ts';

/** What a client makes of an answer. */
export interface Heard {
  readonly text: string;
  /** What the API says about a refusal; '' for none. */
  readonly refusal: string;
  /** Text that its provider has signed. */
  readonly sealed?: string;
}

export interface Api {
  readonly name: string;
  readonly path: string;
  /** Folder of recorded streams. */
  readonly recordings: string;
  /** A harmless request that asks for a stream. */
  readonly question: object;
  stream(deltas: readonly string[]): Uint8Array;
  hear(stream: string): Heard;
}

type Event = Readonly<Record<string, unknown>> & { readonly type: string };

/** Typed events as both APIs write them. */
export function typedEvents(events: readonly Event[]): Uint8Array {
  return Buffer.from(
    events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
  );
}

// biome-ignore lint/suspicious/noExplicitAny: events as they come, read by the tests alone.
export function eventsIn(stream: string): any[] {
  return stream
    .split('\n\n')
    .filter((event) => event.includes('data: '))
    .map((event) => JSON.parse(event.slice(event.indexOf('data: ') + 6)));
}

export const messageStart = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-test',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 9, output_tokens: 3 },
  },
};

export const anthropic: Api = {
  name: 'anthropic.messages',
  path: '/v1/messages',
  recordings: 'anthropic',
  question: {
    model: 'm',
    stream: true,
    max_tokens: 9,
    messages: [{ role: 'user', content: 'hi' }],
  },
  stream: (deltas) =>
    typedEvents([
      messageStart,
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'ping' },
      ...deltas.map((text) => ({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'text_delta', text },
      })),
      { type: 'content_block_stop', index: 0 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: 12 },
      },
      { type: 'message_stop' },
    ]),
  hear(stream) {
    const message = hearMessage(stream);
    const thoughts = message.content.map((block) => block.thinking ?? '').join('');
    return {
      text: message.content.map((block) => block.text ?? '').join('|'),
      refusal:
        message.stop_reason === 'refusal' ? (message.stop_details?.explanation ?? 'none') : '',
      ...(thoughts === '' ? {} : { sealed: thoughts }),
    };
  },
};

interface Block {
  readonly type: string;
  text?: string;
  thinking?: string;
  partial?: string;
  stopped?: boolean;
}

interface Message {
  content: Block[];
  stop_reason: string | null;
  stop_details?: { explanation: string };
}

/**
 * Puts a message together as the official clients do, and throws where they would: on events before
 * `message_start` or after `message_stop`, on deltas of blocks that are not open, on a missing usage.
 */
export function hearMessage(stream: string): Message {
  let message: Message | undefined;
  let over = false;
  for (const event of eventsIn(stream)) {
    if (event.type === 'ping') continue;
    if (event.type === 'error') throw new Error(event.error.message);
    if (over) throw new Error(`${event.type} after message_stop`);
    if (event.type === 'message_start') {
      if (message) throw new Error('message_start twice');
      message = structuredClone(event.message) as Message;
      continue;
    }
    if (!message) throw new Error(`${event.type} before message_start`);
    const block = message.content[event.index];
    switch (event.type) {
      case 'content_block_start':
        if (event.index !== message.content.length) throw new Error('block out of order');
        message.content.push({ ...event.content_block });
        break;
      case 'content_block_delta': {
        if (!block || block.stopped) throw new Error('delta of a block that is not open');
        const { delta } = event;
        if (delta.type === 'text_delta') block.text += delta.text;
        if (delta.type === 'thinking_delta') block.thinking += delta.thinking;
        if (delta.type === 'input_json_delta')
          block.partial = (block.partial ?? '') + delta.partial_json;
        break;
      }
      case 'content_block_stop':
        if (!block || block.stopped) throw new Error('stop of a block that is not open');
        block.stopped = true;
        break;
      case 'message_delta':
        if (typeof event.usage.output_tokens !== 'number') throw new Error('no usage');
        Object.assign(message, event.delta);
        break;
      case 'message_stop':
        if (message.content.some((one) => !one.stopped)) throw new Error('a block is still open');
        over = true;
        break;
      default:
        throw new Error(`unknown event ${event.type}`);
    }
  }
  if (!message || !over) throw new Error('the stream ended before message_stop');
  return message;
}

const responseOf = (status: string, output: readonly object[]) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 7,
  status,
  // Repeats what the caller asked with.
  instructions: 'Never speak of Project Zebra.',
  model: 'gpt-test',
  output,
  tools: [],
});

export const responses: Api = {
  name: 'openai.responses',
  path: '/v1/responses',
  recordings: 'openai-responses',
  question: { model: 'm', stream: true, input: 'hi' },
  stream(deltas) {
    const at = { item_id: 'msg_1', output_index: 0, content_index: 0 };
    const message = { id: 'msg_1', type: 'message', role: 'assistant', content: [] };
    const logprobs = [{ token: 'x', logprob: 0 }];
    const empty = { type: 'output_text', text: '', annotations: [], logprobs: [] };
    const part = { ...empty, text: deltas.join(''), logprobs };
    const whole = { ...message, content: [part] };
    return typedEvents(
      [
        { type: 'response.created', response: responseOf('in_progress', []) },
        { type: 'response.in_progress', response: responseOf('in_progress', []) },
        { type: 'response.output_item.added', output_index: 0, item: message },
        { type: 'response.content_part.added', ...at, part: empty },
        ...deltas.map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs })),
        { type: 'response.output_text.done', ...at, text: part.text, logprobs },
        { type: 'response.content_part.done', ...at, part },
        { type: 'response.output_item.done', output_index: 0, item: whole },
        { type: 'response.completed', response: responseOf('completed', [whole]) },
      ].map((event, index) => ({ ...event, sequence_number: index })),
    );
  },
  hear: hearResponse,
};

/** Reads a stream with the accumulator of the official client; throws where repeated texts differ. */
function hearResponse(stream: string): Heard {
  const streamed: Record<string, string> = {};
  const done: Record<string, string> = {};
  let refusal = '';
  let snapshot: ReturnType<typeof accumulateResponse> | undefined;
  let next: number | undefined;
  for (const event of eventsIn(stream)) {
    const number = event.sequence_number;
    if (next !== undefined && number !== undefined && number !== next)
      throw new Error(`event ${number} where ${next} was due`);
    if (number !== undefined) next = number + 1;
    snapshot = accumulateResponse(event as ResponseStreamEvent, snapshot);
    const key = `${event.output_index}/${event.content_index}`;
    if (event.type === 'response.output_text.delta')
      streamed[key] = (streamed[key] ?? '') + event.delta;
    if (event.type === 'response.output_text.done') done[key] = event.text;
    if (event.type === 'response.refusal.done') refusal = event.refusal;
  }
  const last = eventsIn(stream).at(-1);
  if (!/^response\.(?:completed|incomplete)$/.test(last.type)) throw new Error('no last event');
  const text = Object.values(streamed).join('|');
  for (const [key, value] of Object.entries(done))
    if (value !== (streamed[key] ?? '')) throw new Error(`${value} repeats ${streamed[key]}`);
  if (refusal === '') {
    if (snapshot?.output_text.split('|').join('') !== text.split('|').join(''))
      throw new Error('the last event repeats another text');
  } else if (snapshot?.incomplete_details?.reason !== 'content_filter')
    throw new Error('not ended');
  return { text, refusal };
}

export interface Answered {
  readonly port: RecordingPort;
  readonly text: string;
}

/** Sends a request to an API, and an answer in the given pieces; returns what left. `more`: headers of the answer. */
export function converse(
  from: Rig,
  api: Pick<Api, 'path' | 'question'>,
  pieces: readonly Uint8Array[],
  contentType = 'text/event-stream',
  more: Readonly<Record<string, string>> = {},
): Answered {
  const port = new RecordingPort();
  const exchange = new Exchange(from.deps, port);
  exchange.event(
    headersEvent('request', {
      ':method': 'POST',
      ':path': api.path,
      ':authority': 'llm.example',
      'content-type': 'application/json',
    }),
  );
  exchange.event({
    kind: 'body',
    direction: 'request',
    bytes: Buffer.from(JSON.stringify(api.question)),
    endOfStream: true,
  });
  if (port.refusal === undefined) {
    exchange.event(
      headersEvent('response', { ':status': '200', 'content-type': contentType, ...more }),
    );
    for (const bytes of [...pieces, undefined]) {
      if (port.ended.has('response') || port.refusal) break;
      exchange.event({
        kind: 'body',
        direction: 'response',
        bytes: bytes ?? new Uint8Array(0),
        endOfStream: bytes === undefined,
      });
    }
  }
  exchange.end('half_close');
  return { port, text: port.sent('response') };
}

/** `bytes` cut at the given places. */
export function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  );
  return at.slice(1).map((to, index) => bytes.subarray(at[index]!, to));
}
