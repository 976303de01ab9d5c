/** The Responses API (`POST …/v1/responses`): JSON requests, JSON or event-stream answers. */
import { Buffer } from 'node:buffer';
import type { AppendForm, BodyReader, Edit, Format, Frame, Refusal } from './frame.ts';
import { type Opened, unreadable } from './frame-reading.ts';
import type { JsonObject } from './json.ts';
import { appendingEdit, JsonDocumentReader } from './json-document.ts';
import { jsonFrame, type Swap, unreadableFrame } from './json-frame.ts';
import { type EventSource, JsonStreamReader } from './json-stream.ts';
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from './limits.ts';
import type { Pace } from './pace.ts';
import { KeyCounter, PieceCollector } from './piece-collector.ts';
import { RequestReader } from './request-body.ts';
import {
  isResponsesAnswer,
  RESPONSES_NAMES,
  RESPONSES_REQUEST,
  readResponse,
} from './responses-body.ts';
import {
  type ResponseEnvelope,
  type ResponseFacts,
  type ResponseMemory,
  type ResponseReading,
  readResponseEvent,
} from './responses-events.ts';
import type { Repeat } from './responses-items.ts';
import {
  refusedResponse,
  responseEvent,
  responseRefusalEvents,
  responsesRefusalResponse,
  unseenResponse,
} from './responses-refusal.ts';
import { touchedBy } from './splice.ts';
import { type Anchored, MoveLedger } from './text-moves.ts';

/** The format with limits of its own. */
export function openaiResponsesWith(limits: FormatLimits): Format {
  return Object.freeze({
    name: 'openai.responses' as const,
    reader(direction: 'request' | 'response', streamed: boolean): BodyReader {
      if (direction === 'request') return new RequestReader(limits, RESPONSES_REQUEST);
      return streamed ? new ResponseStreamReader(limits) : new ResponseReader(limits);
    },
    refusalResponse: responsesRefusalResponse,
  });
}

export const openaiResponses: Format = openaiResponsesWith(DEFAULT_FORMAT_LIMITS);

const IMPOSSIBLE: AppendForm = { kind: 'impossible' };

class ResponseReader extends JsonDocumentReader {
  constructor(limits: FormatLimits) {
    super(limits, RESPONSES_NAMES);
  }

  protected read(root: JsonObject, bytes: Uint8Array, pace: Pace | undefined): Opened {
    const collector = new PieceCollector(bytes, new KeyCounter(), pace);
    if (!isResponsesAnswer(root, collector)) return unreadable(bytes, 'not_a_response');
    const repeats: Repeat[] = [];
    const anchored: Anchored[] = [];
    readResponse(root, 'output', { collector, repeats, anchored, last: true });
    return { collector, frame: () => this.#frame(bytes, collector, repeats, anchored) };
  }

  #frame(
    bytes: Uint8Array,
    collector: PieceCollector,
    repeats: readonly Repeat[],
    anchored: readonly Anchored[],
  ): Frame {
    const { pieces, literals, tools, entries, unreadable: reason } = collector;
    if (reason !== undefined) return unreadableFrame(bytes, reason);
    const ledger = new MoveLedger(ANNOTATED);
    const swaps = (edits: readonly Edit[]) => [
      ...repeated(repeats, edits),
      ...(anchored.length === 0 ? [] : ledger.swaps(pieces, edits, anchored, bytes)),
    ];
    return jsonFrame({
      raw: bytes,
      data: bytes,
      pieces,
      literals,
      tools,
      entries,
      ends: [],
      swaps,
    });
  }

  /** A whole refusal in place of the answer, as long as nothing of that has left. */
  refuse(refusal: Refusal): readonly Uint8Array[] {
    return this.begun ? [] : [Buffer.from(refusedResponse(refusal), 'utf8')];
  }

  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    if (!text.endsWith('/content')) return IMPOSSIBLE;
    return appendingEdit(text, addition, before) ?? IMPOSSIBLE;
  }
}

/** Token by token, a changed text is spelled no more. Clients count on an array. */
function repeated(repeats: readonly Repeat[], edits: readonly Edit[]): readonly Swap[] {
  if (repeats.length === 0) return [];
  const touched = touchedBy(edits);
  const gone = repeats.filter(({ from, to }) => touched(from, to));
  const nodes = new Set(gone.map(({ node }) => node));
  return [...nodes].map((node) => ({ node, json: '[]' }));
}

interface ResponseFrame extends Frame {
  readonly response: ResponseFacts;
  /** Place among the events of the stream, from 0. */
  readonly ordinal: number;
}

function isResponseFrame(frame: Frame): frame is ResponseFrame {
  return 'response' in frame;
}

/** Texts of a stream that annotations point into. */
const ANNOTATED = /^output\/\d+\/part\/\d+\/content$/;
const CONTENT_TEXT = /^(output\/(\d+))\/part\/(\d+)\/content$/;
const NOTHING = new Uint8Array(0);

/** An answer as an event stream. */
class ResponseStreamReader extends JsonStreamReader {
  readonly #memory: ResponseMemory;
  readonly #keys = new KeyCounter();
  readonly #ledger = new MoveLedger(ANNOTATED);
  #frames = 0;
  /** As first read: the same however the bytes arrive. */
  #envelope: ResponseEnvelope | undefined;
  /** Ordinals of the events in front of which one of our own was put, ascending. */
  readonly #insertions: number[] = [];
  /** What has left. */
  #begun = false;
  #finished = false;
  #items = 0;
  #sequence = 0;

  constructor(limits: FormatLimits) {
    super(limits, RESPONSES_NAMES);
    const { textsMax } = limits;
    this.#memory = {
      items: new Map(),
      calls: new Map(),
      parts: new Set(),
      over: new Set(),
      textsMax,
    };
  }

  protected read(root: JsonObject, source: EventSource, pace: Pace | undefined): Opened {
    const collector = new PieceCollector(source.data, this.#keys, pace);
    const event = readResponseEvent(root, source.data, collector, this.#memory);
    return { collector, frame: () => this.#frame(event(), source, collector) };
  }

  #frame(event: ResponseReading, source: EventSource, collector: PieceCollector): Frame {
    if (event.unreadable !== undefined) return unreadableFrame(source.raw, event.unreadable);
    const { facts, ends, terminal, repeats, anchored } = event;
    this.#envelope ??= facts.envelope;
    const ordinal = this.#frames;
    this.#frames += 1;
    const { pieces, literals, tools, entries } = collector;
    const moved = () => (facts.sequence === undefined ? 0 : this.#insertedUpTo(ordinal));
    const swaps = (edits: readonly Edit[], _unfinished: boolean, data: Uint8Array) => {
      const by = moved();
      const number = facts.sequence;
      const renumbered =
        number === undefined || by === 0
          ? []
          : [{ node: number.node, json: String(number.value + by) }];
      return [
        ...repeated(repeats, edits),
        ...renumbered,
        ...this.#ledger.swaps(pieces, edits, anchored, data),
      ];
    };
    const { raw, data, lines } = source;
    const response: ResponseFrame = Object.assign(
      jsonFrame({ raw, data, lines, pieces, literals, tools, entries, ends, terminal, swaps }),
      {
        stale: () => moved() > 0 || this.#ledger.moves(anchored),
        response: facts,
        ordinal,
      },
    );
    // A refusal has an end of its own.
    return terminal ? Object.assign(response, { renderUnfinished: () => NOTHING }) : response;
  }

  override sent(frame: Frame, unfinished = false): void {
    super.sent(frame);
    if (frame.terminal && !unfinished) this.#finished = true;
    if (!isResponseFrame(frame)) return;
    this.#ledger.leave(frame.pieces);
    const { event, sequence, outputIndex, envelope } = frame.response;
    if (envelope !== undefined) this.#begun = true;
    if (event === 'response.output_item.added')
      this.#items = Math.max(this.#items, (outputIndex ?? 0) + 1);
    if (sequence !== undefined)
      this.#sequence = sequence.value + this.#insertedUpTo(frame.ordinal) + 1;
  }

  refuse(refusal: Refusal): readonly Uint8Array[] {
    if (this.#finished) return [];
    const { envelope } = unseenResponse(refusal);
    const seen = {
      begun: this.#begun,
      envelope: this.#envelope ?? envelope,
      items: this.#items,
      sequence: this.#sequence,
    };
    return this.following(responseRefusalEvents(seen, refusal));
  }

  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    const edit = text.endsWith('/content') ? appendingEdit(text, addition, before) : undefined;
    if (edit !== undefined) return edit;
    const [, item, output, content] = CONTENT_TEXT.exec(text) ?? [];
    if (item === undefined || before === undefined || !isResponseFrame(before)) return IMPOSSIBLE;
    const number = before.response.sequence;
    const members = {
      item_id: this.#memory.items.get(item) ?? '',
      output_index: Number(output),
      content_index: Number(content),
      delta: addition,
      logprobs: [],
    };
    if (number === undefined)
      return { kind: 'frame', bytes: responseEvent('response.output_text.delta', members) };
    const sequence = number.value + this.#insertedUpTo(before.ordinal);
    this.#insertions.push(before.ordinal);
    const bytes = responseEvent('response.output_text.delta', {
      sequence_number: sequence,
      ...members,
    });
    return { kind: 'frame', bytes };
  }

  #insertedUpTo(ordinal: number): number {
    let before = 0;
    for (const at of this.#insertions) if (at <= ordinal) before += 1;
    return before;
  }
}
