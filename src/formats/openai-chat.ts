/** The chat completions API (`POST …/chat/completions`): JSON requests, JSON or event-stream answers. */
import { Buffer } from 'node:buffer';
import { readChatAnswer, type StreamMemory } from './chat-answer.ts';
import {
  type ChatFrame,
  type Envelope,
  isChatFrame,
  type RequestFacts,
  readableFrame,
  silentFrame,
  unreadableFrame,
} from './chat-frame.ts';
import {
  chatRefusalResponse,
  contentEvent,
  envelopeOf,
  type OpenChoice,
  refusalCompletion,
  refusalEvents,
} from './chat-refusal.ts';
import { readChatRequest, requestFacts } from './chat-request.ts';
import type { AppendForm, BodyReader, Format, Frame, Refusal } from './frame.ts';
import { readJson } from './json.ts';
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from './limits.ts';
import { KeyCounter, PieceCollector } from './piece-collector.ts';
import { type DataLine, EventSplitter, type RawEvent, readEvent } from './sse.ts';
import { WholeBody } from './whole-body.ts';

/** The format with limits of its own. */
export function openaiChatWith(limits: FormatLimits): Format {
  return Object.freeze({
    name: 'openai.chat' as const,
    reader(direction: 'request' | 'response', streamed: boolean): BodyReader {
      if (direction === 'request') return new ChatRequestReader(limits);
      return streamed ? new ChatStreamReader(limits) : new ChatCompletionReader(limits);
    },
    refusalResponse: chatRefusalResponse,
  });
}

export const openaiChat: Format = openaiChatWith(DEFAULT_FORMAT_LIMITS);

/** The model that a request names; undefined when it names none or cannot be read. Reads the whole body. */
export function readModel(request: Uint8Array): string | undefined {
  return factsIn(request)?.model;
}

/** Whether a request asks for an event stream. Reads the whole body. */
export function asksForStream(request: Uint8Array): boolean {
  return factsIn(request)?.stream ?? false;
}

function factsIn(request: Uint8Array): RequestFacts | undefined {
  const json = readJson(request, DEFAULT_FORMAT_LIMITS);
  if (!json.ok || json.root.kind !== 'object') return undefined;
  return requestFacts(json.root, request);
}

/** Model name and wish for a stream of a chat request's frame, without reading it again. */
export function requestFactsOf(frame: Frame): RequestFacts | undefined {
  return isChatFrame(frame) ? frame.chat.request : undefined;
}

const CONTENT_TEXT = /^choice\/(\d+)\/content$/;

/** Inserts at the end of the last piece of `text` in `frame`; undefined when it has none. */
function appendingEdit(text: string, addition: string, frame: Frame): AppendForm | undefined {
  const piece = frame.pieces.findLastIndex((candidate) => candidate.text === text);
  if (piece === -1) return undefined;
  const at = frame.pieces[piece]!.value.length;
  return { kind: 'edit', edit: { piece, start: at, end: at, replacement: addition } };
}

function newMemory(limits: FormatLimits): StreamMemory {
  return {
    texts: new Set(),
    finished: new Set(),
    fieldNumbers: new Map(),
    textsMax: limits.textsMax,
  };
}

/** A body that is one JSON text. */
abstract class OneFrameReader implements BodyReader {
  protected readonly limits: FormatLimits;
  readonly #body: WholeBody;

  constructor(limits: FormatLimits) {
    this.limits = limits;
    this.#body = new WholeBody(limits.bodyBytesMax);
  }

  protected abstract read(bytes: Uint8Array): ChatFrame;

  abstract refuse(refusal: Refusal): readonly Uint8Array[];

  abstract append(text: string, addition: string, before: Frame | undefined): AppendForm;

  abstract sent(frame: Frame): void;

  get pendingBytes(): number {
    return this.#body.pendingBytes;
  }

  push(bytes: Uint8Array): readonly Frame[] {
    return this.#body.push(bytes).map((part) => unreadableFrame(part, 'body_too_large'));
  }

  end(): readonly Frame[] {
    const rest = this.#body.end();
    if (rest === undefined) return [];
    return [this.#body.oversized ? unreadableFrame(rest, 'body_too_large') : this.read(rest)];
  }
}

class ChatRequestReader extends OneFrameReader {
  protected read(bytes: Uint8Array): ChatFrame {
    const json = readJson(bytes, this.limits);
    if (!json.ok) return unreadableFrame(bytes, json.reason);
    if (json.root.kind !== 'object') return unreadableFrame(bytes, 'not_an_object');
    const collector = new PieceCollector(bytes, new KeyCounter());
    readChatRequest(json.root, collector);
    if (collector.unreadable !== undefined) return unreadableFrame(bytes, collector.unreadable);
    return readableFrame({
      raw: bytes,
      data: bytes,
      pieces: collector.pieces,
      literals: collector.literals,
      ends: [],
      facts: { choices: [], request: requestFacts(json.root, bytes) },
    });
  }

  /** Half a request cannot be ended as a refusal; it is answered instead. */
  refuse(): readonly Uint8Array[] {
    return [];
  }

  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    if (before === undefined || !text.endsWith('/content')) return { kind: 'impossible' };
    return appendingEdit(text, addition, before) ?? { kind: 'impossible' };
  }

  sent(): void {}
}

class ChatCompletionReader extends OneFrameReader {
  #begun = false;

  protected read(bytes: Uint8Array): ChatFrame {
    const json = readJson(bytes, this.limits);
    if (!json.ok) return unreadableFrame(bytes, json.reason);
    if (json.root.kind !== 'object') return unreadableFrame(bytes, 'not_an_object');
    const collector = new PieceCollector(bytes, new KeyCounter());
    const answer = readChatAnswer(json.root, bytes, collector, newMemory(this.limits), false);
    if (answer.unreadable !== undefined) return unreadableFrame(bytes, answer.unreadable);
    if (!answer.hasChoices && !answer.hasError)
      return unreadableFrame(bytes, 'not_a_chat_completion');
    return readableFrame({
      raw: bytes,
      data: bytes,
      pieces: collector.pieces,
      literals: collector.literals,
      ends: answer.ends,
      facts: answer.facts,
    });
  }

  /** A whole refusal in place of the answer, as long as nothing of that has left. */
  refuse(refusal: Refusal): readonly Uint8Array[] {
    return this.#begun ? [] : [Buffer.from(refusalCompletion(refusal), 'utf8')];
  }

  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    if (before === undefined || !CONTENT_TEXT.test(text)) return { kind: 'impossible' };
    return appendingEdit(text, addition, before) ?? { kind: 'impossible' };
  }

  sent(): void {
    this.#begun = true;
  }
}

const CR = 0x0d;
const LF = 0x0a;

/** An answer as an event stream. */
class ChatStreamReader implements BodyReader {
  readonly #limits: FormatLimits;
  readonly #events: EventSplitter;
  readonly #memory: StreamMemory;
  readonly #keys = new KeyCounter();
  /** Envelope of the first chunk read: the same however the bytes arrive. */
  #firstEnvelope: Envelope | undefined;
  #sentEnvelope: Envelope | undefined;
  /** What has left: choice index → whether it has finished. */
  readonly #sentChoices = new Map<number, 'open' | 'finished'>();
  #sentTerminal = false;
  /** The end marker was read. */
  #over = false;
  /** What must come first so that our own event begins on a line of its own. */
  #lead: '' | '\n' | '\n\n' = '';

  constructor(limits: FormatLimits) {
    this.#limits = limits;
    this.#events = new EventSplitter(limits.frameBytesMax);
    this.#memory = newMemory(limits);
  }

  get pendingBytes(): number {
    return this.#events.pendingBytes;
  }

  push(bytes: Uint8Array): readonly Frame[] {
    return this.#events.push(bytes).map((event) => this.#frame(event));
  }

  end(): readonly Frame[] {
    return this.#events.end().map((event) => this.#frame(event));
  }

  sent(frame: Frame, unfinished = false): void {
    this.#lead = leadAfter(frame.bytes);
    if (!isChatFrame(frame)) return;
    if (frame.terminal) this.#sentTerminal = true;
    const { envelope, choices } = frame.chat;
    if (envelope !== undefined && (choices.length > 0 || this.#sentEnvelope === undefined))
      this.#sentEnvelope = envelope;
    for (const choice of choices) {
      if (choice.finished && !unfinished) this.#sentChoices.set(choice.index, 'finished');
      else if (!this.#sentChoices.has(choice.index)) this.#sentChoices.set(choice.index, 'open');
    }
  }

  refuse(refusal: Refusal): readonly Uint8Array[] {
    if (this.#sentTerminal) return [];
    const open: OpenChoice[] = [...this.#sentChoices]
      .filter(([, state]) => state === 'open')
      .map(([index]) => ({ index, begun: true }));
    if (open.length === 0) open.push({ index: 0, begun: this.#sentChoices.has(0) });
    const envelope = this.#sentEnvelope ?? this.#firstEnvelope ?? envelopeOf(refusal);
    const events = refusalEvents(envelope, open, refusal);
    return this.#lead === '' ? events : [Buffer.from(this.#lead), ...events];
  }

  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    const choice = CONTENT_TEXT.exec(text)?.[1];
    if (choice === undefined) return { kind: 'impossible' };
    const edit = before === undefined ? undefined : appendingEdit(text, addition, before);
    if (edit !== undefined) return edit;
    const own = before !== undefined && isChatFrame(before) ? before.chat.envelope : undefined;
    const envelope = own ?? this.#sentEnvelope ?? this.#firstEnvelope;
    if (envelope === undefined) return { kind: 'impossible' };
    const event = contentEvent(envelope, Number(choice), addition);
    return { kind: 'frame', bytes: event };
  }

  #frame(event: RawEvent): ChatFrame {
    if (event.oversized) return unreadableFrame(event.bytes, 'frame_too_large');
    const { lines, foreign } = readEvent(event.bytes, event.first);
    if (foreign) return unreadableFrame(event.bytes, 'not_an_event');
    const only = lines[0];
    if (only === undefined) return silentFrame(event.bytes, false);
    return lines.length === 1
      ? this.#chunk(event.bytes, event.bytes, undefined, only.rawStart, only.rawStart + only.length)
      : this.#joinedChunk(event.bytes, lines);
  }

  #joinedChunk(raw: Uint8Array, lines: readonly DataLine[]): ChatFrame {
    const last = lines.at(-1)!;
    const data = new Uint8Array(last.dataStart + last.length).fill(LF);
    for (const line of lines)
      data.set(raw.subarray(line.rawStart, line.rawStart + line.length), line.dataStart);
    return this.#chunk(raw, data, lines, 0, data.length);
  }

  #chunk(
    raw: Uint8Array,
    data: Uint8Array,
    lines: readonly DataLine[] | undefined,
    from: number,
    to: number,
  ): ChatFrame {
    if (to - from <= BLANK_DATA_BYTES_MAX) {
      const text = Buffer.from(data.subarray(from, to)).toString('latin1').trim();
      if (text === '') return silentFrame(raw, false);
      if (text === '[DONE]') {
        this.#over = true;
        return silentFrame(raw, true);
      }
    }
    const json = readJson(data, this.#limits, from, to);
    if (!json.ok) return unreadableFrame(raw, json.reason);
    if (json.root.kind !== 'object') return unreadableFrame(raw, 'not_an_object');
    const collector = new PieceCollector(data, this.#keys);
    const answer = readChatAnswer(json.root, data, collector, this.#memory, true);
    if (answer.unreadable !== undefined) return unreadableFrame(raw, answer.unreadable);
    // Some clients read on, and put what follows behind what they have.
    if (this.#over && collector.pieces.length > 0) return unreadableFrame(raw, 'text_after_end');
    this.#firstEnvelope ??= answer.facts.envelope;
    return readableFrame({
      raw,
      data,
      ...(lines === undefined ? {} : { lines }),
      pieces: collector.pieces,
      literals: collector.literals,
      ends: answer.ends,
      facts: answer.facts,
    });
  }
}

/** Data this short may be blank or the end marker. */
const BLANK_DATA_BYTES_MAX = 16;

/**
 * Our own event must begin on a fresh line after a complete event. After a CR an LF may be missing,
 * which then belongs to that line end; after anything else the event is still open.
 */
function leadAfter(bytes: Uint8Array): '' | '\n' | '\n\n' {
  const last = bytes.at(-1);
  if (last === undefined) return '';
  const before = bytes.at(-2);
  if (last === CR && (before === CR || before === LF)) return '\n';
  if (last === LF && (before === LF || before === undefined)) return '';
  return '\n\n';
}
