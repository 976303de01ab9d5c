/** The chat completions API (`POST …/chat/completions`): JSON requests, JSON or event-stream answers. */
import { Buffer } from 'node:buffer';
import {
  type AnswerReading,
  CHAT_ANSWER_NAMES,
  readChatAnswer,
  type StreamMemory,
} from './chat-answer.ts';
import { ANNOTATED, ChatFrame, type Envelope, isChatFrame } from './chat-frame.ts';
import {
  type AnswerWords,
  CHAT_WORDS,
  chatRefusalResponse,
  envelopeOf,
  type OpenChoice,
} from './chat-refusal.ts';
import { CHAT_REQUEST } from './chat-request.ts';
import type { AppendForm, BodyReader, Format, Frame, Refusal } from './frame.ts';
import type { Opened } from './frame-reading.ts';
import type { JsonObject } from './json.ts';
import { appendingEdit, JsonDocumentReader } from './json-document.ts';
import { unreadableFrame } from './json-frame.ts';
import { type EventSource, JsonStreamReader } from './json-stream.ts';
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from './limits.ts';
import type { Pace } from './pace.ts';
import { KeyCounter, PieceCollector } from './piece-collector.ts';
import { type RequestForm, RequestReader } from './request-body.ts';
import { NONE } from './small-list.ts';
import { SmallMap } from './small-map.ts';
import { MoveLedger } from './text-moves.ts';

/** What tells the APIs apart that answer with choices. */
export interface ChoicesApi {
  readonly name: Format['name'];
  readonly request: RequestForm;
  readonly words: AnswerWords;
  /** See `StreamMemory`. */
  readonly choiceText: StreamMemory['choiceText'];
}

/** The format of one of them. */
export function choicesFormat(api: ChoicesApi, limits: FormatLimits): Format {
  return Object.freeze({
    name: api.name,
    reader(direction: 'request' | 'response', streamed: boolean): BodyReader {
      if (direction === 'request') return new RequestReader(limits, api.request);
      return streamed ? new ChatStreamReader(limits, api) : new ChatCompletionReader(limits, api);
    },
    refusalResponse: (
      refusal: Refusal,
      status: number,
      as: 'error' | 'refusal',
      streamed: boolean,
    ) => chatRefusalResponse(api.words, refusal, status, as, streamed),
  });
}

const CHAT: ChoicesApi = {
  name: 'openai.chat',
  request: CHAT_REQUEST,
  words: CHAT_WORDS,
  choiceText: 'text',
};

/** The format with limits of its own. */
export function openaiChatWith(limits: FormatLimits): Format {
  return choicesFormat(CHAT, limits);
}

export const openaiChat: Format = openaiChatWith(DEFAULT_FORMAT_LIMITS);

const CONTENT_TEXT = /^choice\/(\d+)\/content$/;

function newMemory(limits: FormatLimits, { choiceText }: ChoicesApi): StreamMemory {
  return {
    choiceText,
    texts: new SmallMap(),
    finished: NONE,
    fieldNumbers: undefined,
    calledNames: undefined,
    envelope: undefined,
    textsMax: limits.textsMax,
  };
}

class ChatCompletionReader extends JsonDocumentReader {
  readonly #api: ChoicesApi;

  constructor(limits: FormatLimits, api: ChoicesApi) {
    super(limits, CHAT_ANSWER_NAMES);
    this.#api = api;
  }

  protected read(root: JsonObject, bytes: Uint8Array, pace: Pace | undefined): Opened {
    const collector = new PieceCollector(bytes, new KeyCounter(), pace);
    const memory = newMemory(this.limits, this.#api);
    const reader = readChatAnswer(root, bytes, collector, memory, false);
    return { collector, frame: () => this.#frame(reader.reading(), bytes, collector) };
  }

  #frame(answer: AnswerReading, bytes: Uint8Array, collector: PieceCollector): Frame {
    if (answer.unreadable !== undefined) return unreadableFrame(bytes, answer.unreadable);
    if (!answer.hasChoices && !answer.hasError)
      return unreadableFrame(bytes, 'not_a_chat_completion');
    const { pieces, literals, tools, entries } = collector;
    return new ChatFrame(
      { raw: bytes, data: bytes, pieces, literals, tools, entries, ends: answer.ends },
      answer.facts,
      // No frame follows: only annotations of its own can point into what is changed.
      answer.facts.choices.some(({ anchored }) => anchored.length > 0)
        ? new MoveLedger(ANNOTATED)
        : undefined,
    );
  }

  /** A whole refusal in place of the answer, as long as nothing of that has left. */
  refuse(refusal: Refusal): readonly Uint8Array[] {
    return this.begun ? [] : [Buffer.from(this.#api.words.refusalCompletion(refusal), 'utf8')];
  }

  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    if (!CONTENT_TEXT.test(text)) return { kind: 'impossible' };
    return appendingEdit(text, addition, before) ?? { kind: 'impossible' };
  }
}

/** An answer as an event stream. */
class ChatStreamReader extends JsonStreamReader {
  readonly #words: AnswerWords;
  readonly #memory: StreamMemory;
  readonly #keys = new KeyCounter();
  readonly #ledger = new MoveLedger(ANNOTATED);
  /** Envelope of the first chunk read: the same however the bytes arrive. */
  #firstEnvelope: Envelope | undefined;
  #sentEnvelope: Envelope | undefined;
  /** What has left: choice index → whether it has finished. */
  readonly #sentChoices = new SmallMap<number, 'open' | 'finished'>();
  #sentTerminal = false;

  constructor(limits: FormatLimits, api: ChoicesApi) {
    super(limits, CHAT_ANSWER_NAMES);
    this.#words = api.words;
    this.#memory = newMemory(limits, api);
  }

  override sent(frame: Frame, unfinished = false): void {
    super.sent(frame);
    if (frame.terminal) this.#sentTerminal = true;
    if (!isChatFrame(frame)) return;
    const { envelope, choices } = frame.chat;
    this.#ledger.leave(frame.pieces);
    if (choices.length > 0 || this.#sentEnvelope === undefined) this.#sentEnvelope = envelope;
    for (const choice of choices) {
      if (choice.finished && !unfinished) this.#sentChoices.set(choice.index, 'finished');
      else if (this.#sentChoices.get(choice.index) === undefined)
        this.#sentChoices.set(choice.index, 'open');
    }
  }

  refuse(refusal: Refusal): readonly Uint8Array[] {
    if (this.#sentTerminal) return [];
    const open: OpenChoice[] = this.#sentChoices
      .entries()
      .filter(([, state]) => state === 'open')
      .map(([index]) => ({ index, begun: true }));
    if (open.length === 0) open.push({ index: 0, begun: this.#sentChoices.get(0) !== undefined });
    const envelope = this.#sentEnvelope ?? this.#firstEnvelope ?? envelopeOf(refusal);
    return this.following(this.#words.refusalEvents(envelope, open, refusal));
  }

  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    const choice = CONTENT_TEXT.exec(text)?.[1];
    if (choice === undefined) return { kind: 'impossible' };
    const edit = appendingEdit(text, addition, before);
    if (edit !== undefined) return edit;
    const own = before !== undefined && isChatFrame(before) ? before.chat.envelope : undefined;
    const envelope = own ?? this.#sentEnvelope ?? this.#firstEnvelope;
    if (envelope === undefined) return { kind: 'impossible' };
    const event = this.#words.contentEvent(envelope, Number(choice), addition);
    return { kind: 'frame', bytes: event };
  }

  protected read(root: JsonObject, source: EventSource, pace: Pace | undefined): Opened {
    const collector = new PieceCollector(source.data, this.#keys, pace);
    const reader = readChatAnswer(root, source.data, collector, this.#memory, true);
    return { collector, frame: () => this.#frame(reader.reading(), source, collector) };
  }

  #frame(answer: AnswerReading, source: EventSource, collector: PieceCollector): Frame {
    if (answer.unreadable !== undefined) return unreadableFrame(source.raw, answer.unreadable);
    this.#firstEnvelope ??= answer.facts.envelope;
    const { pieces, literals, tools, entries } = collector;
    const { ends, ended, facts } = answer;
    const { raw, data, lines } = source;
    return new ChatFrame(
      { raw, data, lines, pieces, literals, tools, entries, ends, ended },
      facts,
      this.#ledger,
    );
  }
}
