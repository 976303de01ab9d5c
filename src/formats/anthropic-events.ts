/** Reads the events of a Messages answer: `message_start`, blocks with their deltas, `message_stop`. */
import {
  isCall,
  placeOfBlock,
  readContent,
  readInput,
  readProviderBytes,
} from './anthropic-content.ts';
import type { Frame } from './frame.ts';
import type { JsonNode, JsonObject } from './json.ts';
import { memberOf } from './json.ts';
import type { PieceCollector } from './piece-collector.ts';
import type { SmallMap } from './small-map.ts';
import { type Named, nameIn, plainWord } from './tool-parts.ts';

/** Most blocks of one answer that are told apart. */
export const BLOCKS_MAX = 4_096;

/** The empty text with which a message ends: what a rule appends comes there, once. */
export const MESSAGE_END = 'message/end';

/** What the events before this one have said. */
export interface MessageMemory {
  /** Blocks by index: those that deltas may still go on. */
  readonly blocks: Map<number, 'open' | 'stopped'>;
  /** What the blocks that call a tool call, by index, and the ids of those calls. */
  readonly calls: Map<number, Named>;
  readonly calledNames: SmallMap<string, string>;
  state: 'new' | 'begun' | 'finished';
}

/** What an event says besides its text. */
export interface MessageFacts {
  readonly event: string;
  /** The block that it begins or stops. */
  readonly index?: number;
  readonly model?: string;
  readonly outputTokens?: number;
}

export interface MessageFrame extends Frame {
  readonly message: MessageFacts;
}

export function isMessageFrame(frame: Frame): frame is MessageFrame {
  return 'message' in frame;
}

export interface EventReading {
  readonly facts: MessageFacts;
  readonly ends: readonly string[];
  /** Values of `stop_reason`, all duplicates. */
  readonly stopReasons: readonly JsonNode[];
  /** Why the event cannot be trusted, if so. */
  readonly unreadable?: string;
}

/** Collects every string of one event. */
export function readMessageEvent(
  root: JsonObject,
  data: Uint8Array,
  collector: PieceCollector,
  memory: MessageMemory,
): EventReading {
  return new MessageEventReader(data, collector, memory).read(root);
}

class MessageEventReader {
  readonly #data: Uint8Array;
  readonly #collector: PieceCollector;
  readonly #memory: MessageMemory;
  readonly #stopReasons: JsonNode[] = [];
  #unreadable: string | undefined;

  constructor(data: Uint8Array, collector: PieceCollector, memory: MessageMemory) {
    this.#data = data;
    this.#collector = collector;
    this.#memory = memory;
  }

  read(root: JsonObject): EventReading {
    const event = this.#collector.word(root, 'type');
    if (this.#memory.state === 'finished' && event.startsWith('content_block_'))
      return { facts: { event }, ends: [], stopReasons: [], unreadable: 'text_after_finish' };
    const { facts, ends } = this.#dispatch(event, root);
    if (event === 'message_delta' && this.#memory.state !== 'finished')
      this.#collector.end(root, MESSAGE_END, 'assistant');
    if (event === 'message_delta' || event === 'message_stop') this.#memory.state = 'finished';
    const unreadable = this.#unreadable ?? this.#collector.unreadable;
    return {
      facts: { event, ...facts },
      ends,
      stopReasons: this.#stopReasons,
      ...(unreadable === undefined ? {} : { unreadable }),
    };
  }

  #dispatch(
    event: string,
    root: JsonObject,
  ): { facts?: Omit<MessageFacts, 'event'>; ends: readonly string[] } {
    switch (event) {
      case 'message_start':
        return { facts: this.#messageStart(root), ends: [] };
      case 'content_block_start':
        return { facts: { index: this.#blockStart(root) }, ends: [] };
      case 'content_block_delta':
        this.#blockDelta(root);
        return { ends: [] };
      case 'content_block_stop': {
        const index = this.#index(root);
        this.#others(root, ['index']);
        this.#memory.blocks.set(index, 'stopped');
        return { facts: { index }, ends: [`block/${index}/`] };
      }
      case 'message_delta':
        return { facts: this.#messageDelta(root), ends: ['block/'] };
      default:
        this.#others(root, []);
        return { ends: [] };
    }
  }

  /** Readers differ in which of two they take, and clients put together what they take from each event. */
  #twice(): void {
    this.#unreadable ??= 'ambiguous_names';
  }

  /** Every member but those read already. */
  #others(object: JsonObject, read: readonly string[]): void {
    for (const { key, value, shadowed } of object.members) {
      if (shadowed) this.#twice();
      if (key === 'type') this.#collector.metadata(value, 'other', 'assistant');
      else if (!read.includes(key)) this.#collector.standAlone(value, 'other', 'assistant');
    }
  }

  #messageStart(root: JsonObject): Omit<MessageFacts, 'event'> {
    if (this.#memory.state !== 'new') this.#unreadable ??= 'bad_event_order';
    this.#memory.state = 'begun';
    this.#others(root, ['message']);
    const message = memberOf(root, 'message');
    if (message?.kind !== 'object') return {};
    for (const { key, value, shadowed } of message.members) {
      if (shadowed) this.#twice();
      if (key === 'content') readContent(value, 'start', 'assistant', this.#collector);
      else if (key === 'usage') this.#usage(value);
      else this.#collector.metadata(value, 'other', 'assistant');
    }
    const outputTokens = this.#outputTokens(message);
    const model = this.#collector.word(message, 'model');
    return { model, ...(outputTokens === undefined ? {} : { outputTokens }) };
  }

  /** Words such as `standard` beside the numbers. */
  #usage(node: JsonNode): void {
    if (node.kind !== 'object') this.#collector.metadata(node, 'other', 'assistant');
    else for (const { value } of node.members) this.#usage(value);
  }

  #outputTokens(holder: JsonObject): number | undefined {
    const usage = memberOf(holder, 'usage');
    const tokens = usage?.kind === 'object' ? memberOf(usage, 'output_tokens') : undefined;
    return tokens && this.#whole(tokens);
  }

  #blockStart(root: JsonObject): number {
    const { blocks } = this.#memory;
    const index = this.#whole(memberOf(root, 'index'));
    if (index === undefined || index >= BLOCKS_MAX || blocks.has(index)) {
      this.#unreadable ??= 'bad_block_index';
      return 0;
    }
    blocks.set(index, 'open');
    this.#others(root, ['index', 'content_block']);
    const block = memberOf(root, 'content_block');
    if (block?.kind === 'object') this.#openBlock(block, index);
    else if (block !== undefined) this.#collector.standAlone(block, 'other', 'assistant');
    return index;
  }

  /** What a block begins with goes on in its deltas. */
  #openBlock(block: JsonObject, index: number): void {
    const key = `block/${index}`;
    const type = this.#collector.word(block, 'type');
    const place = placeOfBlock(type, 'assistant');
    const inputs: (number | undefined)[] = [];
    for (const { key: name, value, shadowed } of block.members) {
      if (shadowed) this.#twice();
      if (name === 'text' && value.kind === 'string')
        this.#collector.add(value, `${key}/content`, place, false);
      else if (name === 'thinking' && value.kind === 'string')
        this.#collector.sealed(value, `${key}/thinking`, place, false);
      else if (name === 'name' && value.kind === 'string')
        this.#collector.add(value, `${key}/name`, place, true);
      else if (name === 'input') inputs.push(...readInput(value, `${key}/start`, this.#collector));
      else if (name === 'signature' || name === 'data')
        readProviderBytes(value, `${key}/${name}`, place, this.#collector);
      else if (name === 'content') readContent(value, `${key}/result`, place, this.#collector);
      else this.#collector.metadata(value, `${key}/other`, place);
    }
    if (isCall(type)) this.#openCall(block, index, inputs);
    else if (place === 'tool_result') {
      const name = this.#memory.calledNames.get(plainWord(block, 'tool_use_id', this.#collector));
      if (name !== undefined) this.#collector.wholeTool({ kind: 'result', name });
    }
  }

  #openCall(block: JsonObject, index: number, inputs: readonly (number | undefined)[]): void {
    const named = nameIn(block, this.#collector);
    this.#memory.calls.set(index, named);
    const id = plainWord(block, 'id', this.#collector);
    if (id !== '') this.#memory.calledNames.set(id, named.name);
    this.#tellCall(index, inputs[0], inputs.includes(undefined));
  }

  /** A block is over with its end, which `ends` says. */
  #tellCall(index: number, input: number | undefined, doubtful = false): void {
    const named = this.#memory.calls.get(index);
    if (named === undefined) return;
    this.#collector.tool({
      kind: 'call',
      key: `block/${index}/call`,
      ...(doubtful ? { doubt: 'input' as const } : {}),
      ...named,
      named: true,
      last: false,
      ...(input === undefined ? {} : { input }),
    });
  }

  #blockDelta(root: JsonObject): void {
    const index = this.#index(root);
    this.#others(root, ['index', 'delta']);
    const delta = memberOf(root, 'delta');
    if (delta?.kind !== 'object') {
      if (delta !== undefined) this.#collector.standAlone(delta, 'other', 'assistant');
      return;
    }
    const key = `block/${index}`;
    for (const { key: name, value, shadowed } of delta.members) {
      if (shadowed) this.#twice();
      if (name === 'type') this.#collector.metadata(value, 'other', 'assistant');
      else if (value.kind !== 'string')
        this.#collector.standAlone(value, `${key}/other`, 'assistant');
      else if (name === 'text') this.#collector.add(value, `${key}/content`, 'assistant', false);
      else if (name === 'partial_json')
        this.#tellCall(
          index,
          this.#collector.add(value, `${key}/input`, 'tool_call', false, 'json'),
        );
      else if (name === 'thinking')
        this.#collector.sealed(value, `${key}/thinking`, 'assistant', false);
      else if (name === 'signature')
        readProviderBytes(value, `${key}/signature`, 'assistant', this.#collector);
      else this.#collector.add(value, `${key}/${plainName(name)}`, 'assistant', false);
    }
  }

  #messageDelta(root: JsonObject): Omit<MessageFacts, 'event'> {
    this.#others(root, ['delta', 'usage']);
    const usage = memberOf(root, 'usage');
    if (usage !== undefined) this.#usage(usage);
    const delta = memberOf(root, 'delta');
    if (delta?.kind === 'object')
      for (const { key, value, shadowed } of delta.members) {
        if (key === 'stop_reason') this.#stopReasons.push(value);
        if (shadowed) this.#twice();
        if (key === 'stop_reason') this.#collector.metadata(value, 'other', 'assistant');
        else this.#collector.standAlone(value, 'other', 'assistant');
      }
    const outputTokens = this.#outputTokens(root);
    return outputTokens === undefined ? {} : { outputTokens };
  }

  /** The index of a block that is open. */
  #index(root: JsonObject): number {
    const index = this.#whole(memberOf(root, 'index'));
    if (index !== undefined && this.#memory.blocks.get(index) === 'open') return index;
    this.#unreadable ??= 'bad_block_index';
    return 0;
  }

  /** A whole number from 0, or undefined. */
  #whole(node: JsonNode | undefined): number | undefined {
    if (node?.kind !== 'number' || node.end - node.start > DIGITS_MAX) return undefined;
    const value = Number(String.fromCharCode(...this.#data.subarray(node.start, node.end)));
    return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  }
}

/** Decimal digits of a safe integer, at most. */
const DIGITS_MAX = 16;
const PLAIN_NAME = /^[A-Za-z_]\w{0,39}$/;

/** A field of a delta that is not known: texts of fields with odd names are read as one. */
function plainName(name: string): string {
  return PLAIN_NAME.test(name) ? `field/${name}` : 'field';
}
