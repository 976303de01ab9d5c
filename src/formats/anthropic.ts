/** The Messages API (`POST …/v1/messages`): JSON requests, JSON or event-stream answers. */
import { Buffer } from 'node:buffer';
import { MESSAGES_NAMES, MESSAGES_REQUEST, readContent } from './anthropic-content.ts';
import {
  isMessageFrame,
  MESSAGE_END,
  type MessageFrame,
  type MessageMemory,
  readMessageEvent,
} from './anthropic-events.ts';
import {
  messageRefusalEvents,
  messageRefusalResponse,
  refusalMessage,
  textBlockEvents,
} from './anthropic-refusal.ts';
import type { AppendForm, BodyReader, Edit, Format, Frame, Refusal } from './frame.ts';
import { type Opened, unreadable } from './frame-reading.ts';
import { type JsonObject, memberOf } from './json.ts';
import { appendingEdit, JsonDocumentReader } from './json-document.ts';
import { jsonFrame, unreadableFrame } from './json-frame.ts';
import { type EventSource, JsonStreamReader } from './json-stream.ts';
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from './limits.ts';
import type { Pace } from './pace.ts';
import { KeyCounter, PieceCollector } from './piece-collector.ts';
import { RequestReader } from './request-body.ts';
import { SmallMap } from './small-map.ts';

/** The format with limits of its own. */
export function anthropicMessagesWith(limits: FormatLimits): Format {
  return Object.freeze({
    name: 'anthropic.messages' as const,
    reader(direction: 'request' | 'response', streamed: boolean): BodyReader {
      if (direction === 'request') return new RequestReader(limits, MESSAGES_REQUEST);
      return streamed ? new MessageStreamReader(limits) : new MessageReader(limits);
    },
    refusalResponse: messageRefusalResponse,
  });
}

export const anthropicMessages: Format = anthropicMessagesWith(DEFAULT_FORMAT_LIMITS);

const IMPOSSIBLE: AppendForm = { kind: 'impossible' };
/** An answer may have many blocks of text, with calls between them: what is appended comes behind them all. */
const LATER: AppendForm = { kind: 'later', text: MESSAGE_END };

/** Members of an answer that repeat words of the protocol. */
const METADATA: ReadonlySet<string> = new Set(['id', 'type', 'role', 'model', 'stop_reason']);

class MessageReader extends JsonDocumentReader {
  constructor(limits: FormatLimits) {
    super(limits, MESSAGES_NAMES);
  }

  protected read(root: JsonObject, bytes: Uint8Array, pace: Pace | undefined): Opened {
    const isAnswer = ['content', 'error', 'input_tokens'].some(
      (name) => memberOf(root, name) !== undefined,
    );
    if (!isAnswer) return unreadable(bytes, 'not_a_message');
    const collector = new PieceCollector(bytes, new KeyCounter(), pace);
    collector.each(
      root.members,
      ({ key, value }) => {
        if (key === 'content') readContent(value, 'answer', 'assistant', collector);
        else if (METADATA.has(key)) collector.metadata(value, 'other', 'assistant');
        else collector.standAlone(value, 'other', 'assistant');
      },
      () => collector.end(root, MESSAGE_END, 'assistant'),
    );
    const frame = (): Frame => {
      const { pieces, literals, tools, entries, unreadable: reason } = collector;
      if (reason !== undefined) return unreadableFrame(bytes, reason);
      return jsonFrame({ raw: bytes, data: bytes, pieces, literals, tools, entries, ends: [] });
    };
    return { collector, frame };
  }

  /** A whole refusal in place of the answer, as long as nothing of that has left. */
  refuse(refusal: Refusal): readonly Uint8Array[] {
    return this.begun ? [] : [Buffer.from(refusalMessage(refusal), 'utf8')];
  }

  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    if (text !== MESSAGE_END) return TEXT_OF_BLOCK.test(text) ? LATER : IMPOSSIBLE;
    const last = before?.pieces.findLast((piece) => TEXT_OF_BLOCK.test(piece.text));
    return (last && appendingEdit(last.text, addition, before)) ?? IMPOSSIBLE;
  }
}

/** A block of the answer itself, in a document or in a stream. */
const TEXT_OF_BLOCK = /^(?:answer\/)?block\/\d+\/content$/;

/** An answer as an event stream. */
class MessageStreamReader extends JsonStreamReader {
  readonly #memory: MessageMemory = {
    blocks: new Map(),
    calls: new Map(),
    calledNames: new SmallMap(),
    state: 'new',
  };
  readonly #keys = new KeyCounter();
  /** Name of the model as first read: the same however the bytes arrive. */
  #model = '';
  /** What has left. */
  readonly #openBlocks = new Set<number>();
  #begun = false;
  #finished = false;
  #outputTokens = 0;

  constructor(limits: FormatLimits) {
    super(limits, MESSAGES_NAMES);
  }

  protected read(root: JsonObject, source: EventSource, pace: Pace | undefined): Opened {
    const collector = new PieceCollector(source.data, this.#keys, pace, 'at_once');
    const event = readMessageEvent(root, source.data, collector, this.#memory);
    return { collector, frame: () => this.#frame(event, source, collector) };
  }

  #frame(
    event: ReturnType<typeof readMessageEvent>,
    source: EventSource,
    collector: PieceCollector,
  ): Frame {
    if (event.unreadable !== undefined) return unreadableFrame(source.raw, event.unreadable);
    const { facts, ends, stopReasons } = event;
    if (facts.model !== undefined) this.#model ||= facts.model;
    const { pieces, literals, tools, entries } = collector;
    const swaps = (_edits: readonly Edit[], unfinished: boolean) =>
      unfinished
        ? stopReasons.filter((node) => node.kind !== 'null').map((node) => ({ node, json: 'null' }))
        : [];
    const terminal = facts.event === 'message_stop';
    const { raw, data, lines } = source;
    const parts = { raw, data, lines, pieces, literals, tools, entries, ends, terminal, swaps };
    const frame: MessageFrame = Object.assign(jsonFrame(parts), { message: facts });
    return frame;
  }

  override sent(frame: Frame): void {
    super.sent(frame);
    if (!isMessageFrame(frame)) return;
    const { event, index, outputTokens } = frame.message;
    if (outputTokens !== undefined) this.#outputTokens = outputTokens;
    if (event === 'message_start') this.#begun = true;
    else if (event === 'message_stop') this.#finished = true;
    else if (event === 'content_block_start') this.#openBlocks.add(index!);
    else if (event === 'content_block_stop') this.#openBlocks.delete(index!);
  }

  refuse(refusal: Refusal): readonly Uint8Array[] {
    if (this.#finished) return [];
    const seen = {
      begun: this.#begun,
      model: this.#model,
      openBlocks: [...this.#openBlocks],
      outputTokens: this.#outputTokens,
    };
    return this.following(messageRefusalEvents(seen, refusal));
  }

  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    if (text !== MESSAGE_END) return TEXT_OF_BLOCK.test(text) ? LATER : IMPOSSIBLE;
    // A second end is none: what was put off came before the first.
    if (before === undefined) return IMPOSSIBLE;
    const index = Math.max(-1, ...this.#memory.blocks.keys()) + 1;
    return { kind: 'frame', bytes: Buffer.concat(textBlockEvents(index, addition)) };
  }
}
