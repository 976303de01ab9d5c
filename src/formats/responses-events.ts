/** Reads the events of a streamed response: items and parts open, go on in deltas, and are repeated whole. */
import { readProviderBytes } from './anthropic-content.ts';
import type { JsonMember, JsonNode, JsonObject, JsonScalar } from './json.ts';
import { memberOf } from './json.ts';
import type { PieceCollector } from './piece-collector.ts';
import { readResponse } from './responses-body.ts';
import {
  calledIn,
  callKey,
  type ItemSink,
  type Repeat,
  readItem,
  readPart,
  readRepeats,
} from './responses-items.ts';
import { type Anchored, type Anchors, findAnchors } from './text-moves.ts';
import { type Named, plainWord } from './tool-parts.ts';

/** Highest index of an item, of a part or of a summary. */
export const INDEX_MAX = 4_095;

/** What every event of one answer belongs to. */
export interface ResponseEnvelope {
  readonly id: string;
  readonly createdAt: number;
  readonly model: string;
}

/** What the events before this one have said; never beyond `textsMax` entries each. */
export interface ResponseMemory {
  /** Ids of items, by output index. */
  readonly items: Map<string, string>;
  /** What is called, by the key of its item. */
  readonly calls: Map<string, Named>;
  /** Parts that have begun: their key prefixes. */
  readonly parts: Set<string>;
  /** Texts, parts and items that are over: their key prefixes. */
  readonly over: Set<string>;
  readonly textsMax: number;
}

/** What an event says besides its text. */
export interface ResponseFacts {
  readonly event: string;
  /** Where its number stands, and the number. */
  readonly sequence?: { readonly node: JsonScalar; readonly value: number };
  readonly outputIndex?: number;
  readonly envelope?: ResponseEnvelope;
}

export interface ResponseReading {
  readonly facts: ResponseFacts;
  readonly ends: readonly string[];
  readonly terminal: boolean;
  readonly repeats: readonly Repeat[];
  readonly anchored: readonly Anchored[];
  /** Why the event cannot be trusted, if so. */
  readonly unreadable?: string;
}

/** Collects every string of one event; what it says when all is collected. */
export function readResponseEvent(
  root: JsonObject,
  data: Uint8Array,
  collector: PieceCollector,
  memory: ResponseMemory,
): () => ResponseReading {
  return new ResponseEventReader(data, collector, memory).read(root);
}

const TERMINAL: ReadonlySet<string> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
  'response.cancelled',
]);

/** Members of any event that name or number something. */
const NAMES: ReadonlySet<string> = new Set([
  'type',
  'item_id',
  'output_index',
  'content_index',
  'summary_index',
  'annotation_index',
  'sequence_number',
  'obfuscation',
]);

class ResponseEventReader {
  readonly #data: Uint8Array;
  readonly #collector: PieceCollector;
  readonly #memory: ResponseMemory;
  readonly #repeats: Repeat[] = [];
  readonly #anchored: Anchored[] = [];
  #unreadable: string | undefined;

  constructor(data: Uint8Array, collector: PieceCollector, memory: ResponseMemory) {
    this.#data = data;
    this.#collector = collector;
    this.#memory = memory;
  }

  read(root: JsonObject): () => ResponseReading {
    const event = this.#collector.word(root, 'type');
    const output = this.#index(root, 'output_index');
    const item = `output/${output ?? '-'}`;
    const part = this.#partKey(root, item, event);
    const ends: string[] = [];
    let envelope: ResponseEnvelope | undefined;
    const from = this.#collector.pieces.length;
    const visit = ({ key, value, shadowed }: JsonMember): void => {
      // Readers differ in which of two they take, and clients put together what they take from each event.
      if (shadowed) this.#unreadable ??= 'ambiguous_names';
      if (key === 'response' && value.kind === 'object') {
        envelope = this.#envelope(value);
        readResponse(value, 'final', this.#sink(true));
      } else if (key === 'item') this.#item(event, item, value, ends);
      else if (key === 'part') this.#part(event, item, part, value, ends);
      else if (key === 'delta' && value.kind === 'string') this.#delta(event, item, part, value);
      else if (DONE_TEXT.has(key) && value.kind === 'string' && event.endsWith('.done'))
        this.#done(event, item, part, value, ends);
      else if (key === 'partial_image_b64')
        readProviderBytes(value, `${item}/image`, 'assistant', this.#collector);
      else if (NAMES.has(key)) this.#collector.metadata(value, 'other', 'assistant');
      else if (key !== 'logprobs' || value.kind !== 'array')
        this.#collector.standAlone(value, 'other', 'assistant');
    };
    this.#collector.each(root.members, visit, () => {
      this.#logprobs(root, event, part, from);
      const annotation = memberOf(root, 'annotation');
      if (annotation !== undefined) {
        const anchors: Anchors[] = [];
        findAnchors(annotation, anchors, this.#collector);
        this.#anchored.push({ into: `${part}/content`, anchors });
      }
    });
    const sequence = this.#sequence(root);
    return () => {
      const terminal = TERMINAL.has(event);
      if (terminal) ends.push('output/');
      const unreadable = this.#unreadable ?? this.#collector.unreadable;
      return {
        facts: {
          event,
          ...(sequence === undefined ? {} : { sequence }),
          ...(output === undefined ? {} : { outputIndex: output }),
          ...(envelope === undefined ? {} : { envelope }),
        },
        ends,
        terminal,
        repeats: this.#repeats,
        anchored: this.#anchored,
        ...(unreadable === undefined ? {} : { unreadable }),
      };
    };
  }

  #sink(last: boolean): ItemSink {
    const collector = this.#collector;
    return { collector, repeats: this.#repeats, anchored: this.#anchored, last };
  }

  #item(event: string, key: string, node: JsonNode, ends: string[]): void {
    const { items, over } = this.#memory;
    if (event === 'response.output_item.added') {
      if (items.has(key) || over.has(key)) this.#unreadable ??= 'bad_output_index';
      const id = node.kind === 'object' ? this.#collector.word(node, 'id') : '';
      this.#remember(items.size);
      items.set(key, id.slice(0, ID_UNITS_MAX));
      if (node.kind === 'object') {
        const type = plainWord(node, 'type', this.#collector);
        this.#memory.calls.set(key, calledIn(node, type, this.#collector));
      }
      readItem(node, key, 'assistant', this.#sink(false));
      return;
    }
    readItem(node, 'done', 'assistant', this.#sink(true));
    this.#end(key, ends, `${key}/`);
  }

  #part(event: string, item: string, key: string, node: JsonNode, ends: string[]): void {
    const { parts, over } = this.#memory;
    if (event.endsWith('_part.added')) {
      if (parts.has(key) || over.has(key) || over.has(item)) this.#unreadable ??= 'bad_part_index';
      this.#remember(parts.size);
      parts.add(key);
      readPart(node, key, 'assistant', this.#sink(false));
      return;
    }
    readPart(node, 'done', 'assistant', this.#sink(true));
    this.#end(key, ends, `${key}/`);
  }

  #delta(event: string, item: string, part: string, literal: JsonNode & { kind: 'string' }): void {
    const { stem, text, place, encoding } = textOf(event, item, part);
    if (stem === 'audio') {
      readProviderBytes(literal, text, place, this.#collector);
      return;
    }
    const { over } = this.#memory;
    if (over.has(text) || over.has(part) || over.has(item))
      this.#unreadable ??= 'text_after_finish';
    const piece = this.#collector.add(literal, text, place, false, encoding);
    if (place === 'tool_call') this.#tellCall(item, stem, piece, false);
  }

  /** What the event says of a call: what it is called with, of which only some stems are a stretch. */
  #tellCall(item: string, stem: string, input: number, last: boolean): void {
    if (!CALLED_WITH.test(stem)) return;
    const named: Named = this.#memory.calls.get(item) ?? { name: '', doubt: 'name' };
    const part = { kind: 'call' as const, ...named, input };
    if (last) this.#collector.wholeTool(part);
    else this.#collector.tool({ ...part, key: callKey(item), named: true, last });
  }

  /** The whole text once more, which ends it. */
  #done(
    event: string,
    item: string,
    part: string,
    literal: JsonNode & { kind: 'string' },
    ends: string[],
  ): void {
    const { stem, text, place, encoding } = textOf(event, item, part);
    const field = text.slice(text.lastIndexOf('/') + 1);
    const piece = this.#collector.add(literal, `done/${field}`, place, true, encoding);
    if (place === 'tool_call') this.#tellCall(item, stem, piece, true);
    this.#end(text, ends);
  }

  #end(key: string, ends: string[], prefix = key): void {
    this.#remember(this.#memory.over.size);
    this.#memory.over.add(key);
    ends.push(prefix);
  }

  #remember(size: number): void {
    if (size >= this.#memory.textsMax) this.#unreadable ??= 'too_many_texts';
  }

  /** Where a part of an item stands; its own key where the event is of no part. */
  #partKey(root: JsonObject, item: string, event: string): string {
    const isSummary = event.includes('summary');
    const index = this.#index(root, isSummary ? 'summary_index' : 'content_index');
    return `${item}/${isSummary ? 'summary' : 'part'}/${index ?? '-'}`;
  }

  #index(root: JsonObject, name: string): number | undefined {
    const node = memberOf(root, name);
    if (node === undefined || node.kind === 'null') return undefined;
    const value = this.#whole(node);
    if (value !== undefined && value <= INDEX_MAX) return value;
    this.#unreadable ??= 'bad_output_index';
    return undefined;
  }

  #sequence(root: JsonObject): { node: JsonScalar; value: number } | undefined {
    const node = memberOf(root, 'sequence_number');
    const value = this.#whole(node);
    return value === undefined ? undefined : { node: node as JsonScalar, value };
  }

  #envelope(response: JsonObject): ResponseEnvelope {
    return {
      id: this.#collector.word(response, 'id'),
      createdAt: this.#whole(memberOf(response, 'created_at')) ?? 0,
      model: this.#collector.word(response, 'model'),
    };
  }

  #logprobs(root: JsonObject, event: string, part: string, from: number): void {
    const logprobs = memberOf(root, 'logprobs');
    if (logprobs?.kind !== 'array') return;
    const done = event.endsWith('.done');
    const text = done ? 'done/logprobs' : `${part}/logprobs`;
    const said = this.#collector.pieces.findIndex(
      (piece, at) => at >= from && piece.text.endsWith('/content'),
    );
    readRepeats(logprobs, from, { said, text, sink: this.#sink(done) });
  }

  /** A whole number from 0, or undefined. */
  #whole(node: JsonNode | undefined): number | undefined {
    if (node?.kind !== 'number' || node.end - node.start > DIGITS_MAX) return undefined;
    const value = Number(String.fromCharCode(...this.#data.subarray(node.start, node.end)));
    return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  }
}

/** Members in which a `done` event repeats a text. */
const DONE_TEXT: ReadonlySet<string> = new Set([
  'text',
  'refusal',
  'arguments',
  'input',
  'code',
  'transcript',
]);
const ID_UNITS_MAX = 256;
/** Decimal digits of a safe integer, at most. */
const DIGITS_MAX = 16;

interface NamedText {
  /** What goes on: `output_text`, `function_call_arguments`. */
  readonly stem: string;
  readonly text: string;
  readonly place: 'assistant' | 'tool_call';
  readonly encoding: 'plain' | 'json';
}

/** The text that an event goes on with or ends. */
function textOf(event: string, item: string, part: string): NamedText {
  const stem = event.replace(/^response\./, '').replace(/\.(?:delta|done)$/, '');
  const ofCall = stem.includes('call');
  const place = ofCall ? 'tool_call' : 'assistant';
  const encoding = stem.endsWith('arguments') ? 'json' : 'plain';
  return { stem, text: `${ofCall ? item : part}/${fieldOf(stem)}`, place, encoding };
}

/** The same names that items and parts have for their texts (responses-items.ts). */
function fieldOf(stem: string): string {
  if (stem === 'output_text') return 'content';
  if (stem === 'reasoning_text' || stem === 'reasoning_summary_text') return 'text';
  const ofCall = /call_(arguments|input|code)$/.exec(stem)?.[1];
  return ofCall ?? (PLAIN_STEM.test(stem) ? stem : 'unknown');
}

/** Stems of what a tool is called with. */
const CALLED_WITH = /call_(?:arguments|input|code)$/;
const PLAIN_STEM = /^[a-z_.]{1,64}$/;
