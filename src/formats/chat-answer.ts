/** Reads the answer of a model: a chunk of a stream or a whole chat completion. */
import { ApiNames } from './api-names.ts';
import type { ChatFacts, ChoiceFacts, Envelope } from './chat-frame.ts';
import type { JsonMember, JsonNode, JsonObject, JsonString } from './json.ts';
import { memberOf } from './json.ts';
import { readTokens } from './logprobs.ts';
import type { PieceCollector } from './piece-collector.ts';
import { NONE, withOneMore } from './small-list.ts';
import type { SmallMap } from './small-map.ts';
import { type Anchors, findAnchors, tokenAnchorsIn } from './text-moves.ts';
import type { ToolEntry } from './tool-list.ts';
import { type Named, nameIn } from './tool-parts.ts';

/** Most choices that one request may ask for (`n` ≤ 128, OpenAI API reference). */
export const CHOICES_MAX = 128;
/** Most tool calls of one choice that are told apart. */
export const TOOL_CALLS_MAX = 1_024;

/** Some are here because they repeat on every chunk, some because clients put the texts together by them. */
export const CHAT_ANSWER_NAMES =
  new ApiNames(`id object created model choices usage system_fingerprint service_tier
  provider obfuscation error index delta message text finish_reason native_finish_reason stop_reason logprobs
  content_filter_results role content refusal reasoning reasoning_content type annotations tool_calls function_call
  audio data transcript function custom name arguments input top_logprobs token tokens logprob bytes start_index
  end_index text_offset`);

/** What the frames before this one have said; grows with the stream, never beyond its limits. */
export interface StreamMemory {
  /** Each by itself, so that all pieces of a text share its key. */
  readonly texts: SmallMap<string, string>;
  finished: number[];
  /** Numbers for field names that must not appear in a key. Most streams need none. */
  fieldNumbers: Map<string, number> | undefined;
  /** Names of what is called, by the key of their text. Only for streams that call. */
  calledNames: Map<string, CalledName> | undefined;
  /** That of the last frame: it says the same in all of them. */
  envelope: Envelope | undefined;
  readonly textsMax: number;
  /** The text that `text` of a choice is: `content` in the completions API. */
  readonly choiceText: 'text' | 'content';
}

/** The name of a tool. It comes whole; some providers repeat it in every chunk. */
interface CalledName {
  /** As far as it was read; undefined when it is longer than a name. */
  value: string | undefined;
  /** What the tool is called with has begun: nothing follows the name. */
  over: boolean;
}

export interface AnswerReading {
  readonly facts: ChatFacts;
  readonly ends: readonly string[];
  /** Keys of names that were over before this frame. */
  readonly ended: readonly string[];
  readonly hasChoices: boolean;
  readonly hasError: boolean;
  /** Why the frame cannot be trusted, if so. */
  readonly unreadable?: string;
}

/** Members that repeat on every chunk and are no text as long as they are one word. */
const METADATA: ReadonlySet<string> = new Set([
  'id',
  'object',
  'model',
  'system_fingerprint',
  'service_tier',
  'provider',
  'obfuscation',
]);

/**
 * Collects every string of an answer; what it says besides is there when all is collected. `streamed`: texts go on
 * in later chunks.
 */
export function readChatAnswer(
  root: JsonObject,
  data: Uint8Array,
  collector: PieceCollector,
  memory: StreamMemory,
  streamed: boolean,
): AnswerReader {
  const reader = new AnswerReader(root, data, collector, memory, streamed);
  reader.read();
  return reader;
}

export class AnswerReader {
  private readonly root: JsonObject;
  private readonly data: Uint8Array;
  private readonly collector: PieceCollector;
  private readonly memory: StreamMemory;
  private readonly streamed: boolean;
  private unreadable: string | undefined;
  /** Keys of the names whose calls have begun in this frame. */
  private begun: Set<string> | undefined;
  /** Pieces of the choice that is being read. */
  private pieces: number[] = NONE;
  /** What points into its content. */
  private annotations: JsonNode[] = NONE;
  private choice = 0;
  private choices: ChoiceFacts[] = NONE;
  /** Calls that this frame tells of, told when all of it was read. */
  private calls: CallDraft[] | undefined;

  constructor(
    root: JsonObject,
    data: Uint8Array,
    collector: PieceCollector,
    memory: StreamMemory,
    streamed: boolean,
  ) {
    this.root = root;
    this.data = data;
    this.collector = collector;
    this.memory = memory;
    this.streamed = streamed;
  }

  read(): void {
    const { collector } = this;
    collector.each(this.root.members, (member) => {
      const { key, value, shadowed } = member;
      if (shadowed) this.twice();
      if (key === 'choices' && value.kind === 'array')
        collector.each(value.items, (item, position) => {
          if (item.kind === 'object') this.readChoice(item, position);
          else this.alone(item);
        });
      else if (METADATA.has(key)) collector.metadata(value, 'other', 'assistant');
      else this.member(member);
    });
  }

  /** What was read, once all is collected. */
  reading(): AnswerReading {
    const { root, choices } = this;
    const ended = this.endedNames();
    this.tellCalls();
    const error = memberOf(root, 'error');
    return {
      facts: { choices, envelope: this.envelope(root) },
      ends: endsOf(choices),
      ended,
      hasChoices: memberOf(root, 'choices')?.kind === 'array',
      hasError: error !== undefined && error.kind !== 'null',
      ...(this.unreadable === undefined ? {} : { unreadable: this.unreadable }),
    };
  }

  private envelope(root: JsonObject): Envelope {
    const text = (node: JsonNode | undefined): string =>
      node?.kind === 'string' ? this.collector.valueOf(node) : '';
    const id = text(memberOf(root, 'id'));
    const created = this.number(memberOf(root, 'created')) ?? 0;
    const model = text(memberOf(root, 'model'));
    const last = this.memory.envelope;
    if (last?.id === id && last.created === created && last.model === model) return last;
    return (this.memory.envelope = { id, created, model });
  }

  /** Readers differ in which of two they take, and clients put together what they take from each chunk. */
  private twice(): void {
    this.unreadable ??= 'ambiguous_names';
  }

  private alone(node: JsonNode): void {
    this.collector.standAlone(node, 'other', 'assistant');
  }

  private member(member: JsonMember): void {
    this.collector.name(member, 'other', 'assistant');
    this.alone(member.value);
  }

  /** Called when the rest of the choice has been read; what is found belongs to it. */
  private readLogprobs(logprobs: JsonNode): void {
    const from = this.collector.pieces.length;
    const belongs = (): void => {
      for (let piece = from; piece < this.collector.pieces.length; piece += 1)
        this.pieces = withOneMore(this.pieces, piece);
    };
    const members = logprobs.kind === 'object' ? logprobs.members : NONE;
    if (logprobs.kind !== 'object') this.alone(logprobs);
    this.collector.each(
      members,
      (member) => {
        const { key, value } = member;
        const field = key === 'tokens' ? this.memory.choiceText : key;
        if (value.kind !== 'array') this.member(member);
        else if (TOKENS.has(key))
          readTokens(
            value,
            {
              said: this.saidIn(`choice/${this.choice}/${field}`),
              text: `choice/${this.choice}/logprobs/${field}`,
              last: !this.streamed,
            },
            this.collector,
          );
        else this.alone(value);
      },
      belongs,
    );
  }

  /** What this frame says of a text. */
  private saidIn(text: string): string {
    let said = '';
    for (const index of this.pieces) {
      const piece = this.collector.pieces[index]!;
      if (piece.text === text) said += piece.value;
    }
    return said;
  }

  /** A whole number from 0, or undefined. */
  private number(node: JsonNode | undefined): number | undefined {
    if (node?.kind !== 'number') return undefined;
    const value = plainNumber(this.data, node.start, node.end);
    return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  }

  /** The identity of an entry: its `index`, or its position where a provider leaves that out. */
  private indexOf(entry: JsonObject, position: number, limit: number, fault: string): number {
    const node = memberOf(entry, 'index');
    const index = node === undefined || node.kind === 'null' ? position : this.number(node);
    if (index !== undefined && index < limit) return index;
    this.unreadable ??= fault;
    return 0;
  }

  private readChoice(choice: JsonObject, position: number): void {
    const index = this.indexOf(choice, position, CHOICES_MAX, 'bad_choice_index');
    let finishReasons: JsonNode[] = NONE;
    let logprobs: JsonNode[] = NONE;
    this.choice = index;
    this.pieces = NONE;
    this.annotations = NONE;
    let finished = false;
    const readMember = (member: JsonMember): void => {
      const { key, value, shadowed } = member;
      if (key === 'finish_reason' && value.kind !== 'null')
        finishReasons = withOneMore(finishReasons, value);
      if (key === 'logprobs' && value.kind !== 'null') logprobs = withOneMore(logprobs, value);
      if (shadowed) this.twice();
      if (key === (this.streamed ? 'delta' : 'message') && value.kind === 'object')
        this.readMessage(value);
      else if (key === 'finish_reason') {
        // Some providers say `""` on every chunk that is not the last.
        finished = value.kind !== 'null' && !isEmptyString(value);
        this.word(value);
      } else if (key === 'text' && value.kind === 'string')
        this.text(value, this.memory.choiceText);
      else if (key === 'content_filter_results') this.severities(value);
      else if (key === 'native_finish_reason' || key === 'stop_reason') this.word(value);
      else if (key !== 'logprobs') this.member(member);
    };
    const anchors: Anchors[] = [];
    const close = (): void => {
      if (finished) this.markLast();
      const { memory } = this;
      if ((finished || !this.streamed) && !memory.finished.includes(index))
        memory.finished = withOneMore(memory.finished, index);
      const into = `choice/${index}/content`;
      const offsets =
        this.streamed && logprobs.length > 0 ? logprobs.flatMap(tokenAnchorsIn) : NONE;
      const anchored =
        this.annotations.length === 0 && offsets.length === 0
          ? NONE
          : [{ into, anchors: [...anchors, ...offsets] }];
      const { pieces } = this;
      const facts = { index, finished, pieces, finishReasons, logprobs, anchored };
      this.choices = withOneMore(this.choices, facts);
    };
    const anchor = (): void => {
      const find = (value: JsonNode): void => findAnchors(value, anchors, this.collector);
      if (this.annotations.length === 0) close();
      else this.collector.each(this.annotations, find, close);
    };
    this.collector.each(choice.members, readMember, () => {
      if (logprobs.length === 0) anchor();
      else this.collector.each(logprobs, (value) => this.readLogprobs(value), anchor);
    });
  }

  private word(node: JsonNode): void {
    this.collector.metadata(node, 'other', 'assistant');
  }

  /** Azure annotates every choice with words such as `safe`. */
  private severities(node: JsonNode): void {
    if (node.kind !== 'object') {
      this.word(node);
      return;
    }
    this.collector.each(node.members, ({ value }) => this.severities(value));
  }

  private markLast(): void {
    const seen = new Set<string>();
    for (const index of this.pieces.toReversed()) {
      const piece = this.collector.pieces[index]!;
      if (!seen.has(piece.text)) this.collector.pieces[index] = { ...piece, last: true };
      seen.add(piece.text);
    }
  }

  private readMessage(message: JsonObject): void {
    this.collector.each(message.members, (member) => {
      const { key, value, shadowed } = member;
      if (!PLAIN_NAME.test(key)) this.collector.name(member, 'other', 'assistant');
      if (shadowed) this.twice();
      if (key === 'role' || key === 'id' || key === 'type') this.word(value);
      else if (key === 'annotations') {
        this.annotations = withOneMore(this.annotations, value);
        this.alone(value);
      } else if (key === 'tool_calls' && value.kind === 'array')
        this.collector.each(value.items, (call, position) =>
          this.readToolCall(call, position, { list: value, item: call, holder: message }),
        );
      else if (key === 'function_call' && value.kind === 'object')
        this.readCallBody(value, 'function_call', NO_ENTRY);
      else if (key === 'audio' && value.kind === 'object') this.readAudio(value);
      else this.readField(value, this.name(key));
    });
  }

  private readField(node: JsonNode, path: string): void {
    if (node.kind === 'string') this.text(node, path);
    else if (node.kind === 'array')
      this.collector.each(node.items, (item, position) => {
        const index =
          item.kind === 'object' ? (this.number(memberOf(item, 'index')) ?? position) : position;
        this.readField(item, `${path}/${index}`);
      });
    else if (node.kind === 'object')
      this.collector.each(node.members, (member) => {
        const { key, value, shadowed } = member;
        if (!PLAIN_NAME.test(key)) this.collector.name(member, 'other', 'assistant');
        if (shadowed) this.twice();
        if (key === 'id' || key === 'type') this.word(value);
        else this.readField(value, `${path}/${this.name(key)}`);
      });
    else this.alone(node);
  }

  private readAudio(audio: JsonObject): void {
    this.collector.each(audio.members, ({ key, value, shadowed }) => {
      if (shadowed) this.twice();
      const isSound = key === 'data' && value.kind === 'string' && this.collector.isBytes(value);
      if (key === 'id') this.word(value);
      else if (!isSound) this.readField(value, `audio/${this.name(key)}`);
    });
  }

  private readToolCall(call: JsonNode, position: number, entry: ToolEntry): void {
    if (call.kind !== 'object') {
      this.collector.standAlone(call, 'other', 'tool_call');
      return;
    }
    const index = this.indexOf(call, position, TOOL_CALLS_MAX, 'bad_tool_call_index');
    const path = `tool/${index}`;
    let told = false;
    this.collector.each(
      call.members,
      ({ key, value, shadowed }) => {
        if (shadowed) this.twice();
        if (key === 'id' || key === 'type') this.collector.metadata(value, 'other', 'tool_call');
        else if ((key === 'function' || key === 'custom') && value.kind === 'object') {
          this.readCallBody(value, path, entry);
          told = true;
        } else this.collector.standAlone(value, 'other', 'tool_call');
      },
      () => {
        if (!told) this.call(path, { name: '' }, [], entry);
      },
    );
  }

  private readCallBody(body: JsonObject, path: string, entry: ToolEntry | undefined): void {
    const inputs: (number | undefined)[] = [];
    this.collector.each(
      body.members,
      ({ key, value, shadowed }) => {
        if (shadowed) this.twice();
        const isInput = key === 'arguments' || key === 'input';
        if (value.kind === 'string') {
          this.callText(value, path, key);
          if (isInput) inputs.push(this.pieces.at(-1));
        } else {
          this.collector.standAlone(value, 'other', 'tool_call');
          if (isInput && value.kind !== 'null') inputs.push(undefined);
        }
      },
      () => this.call(path, nameIn(body, this.collector), inputs, entry),
    );
  }

  private call(
    path: string,
    named: Named,
    inputs: readonly (number | undefined)[],
    entry: ToolEntry | undefined,
  ): void {
    const key = `choice/${this.choice}/${path}`;
    (this.calls ??= []).push({ key, named, inputs, entry });
  }

  /** Names are whole once it is clear that they are over, or where the answer is one document. */
  private tellCalls(): void {
    for (const { key, named, inputs, entry } of this.calls ?? []) {
      const known = this.memory.calledNames?.get(`${key}/name`);
      const tooLong = known !== undefined && known.value === undefined;
      const doubtful = inputs.length > 1 || inputs.includes(undefined);
      const doubt = tooLong ? ('name' as const) : (named.doubt ?? (doubtful ? 'input' : undefined));
      const [input] = inputs;
      this.collector.tool(
        {
          kind: 'call',
          key,
          name: this.streamed ? (known?.value ?? '') : named.name,
          named: !this.streamed || (known?.over ?? false),
          last: !this.streamed,
          ...(input === undefined ? {} : { input }),
          ...(doubt === undefined ? {} : { doubt }),
        },
        entry,
      );
    }
  }

  /**
   * A name is over where that begins which the tool is called with: were it not, a rule whose matches may
   * begin in a name would hold the whole call. One that is repeated is looked at on its own.
   */
  private callText(literal: JsonString, path: string, field: string): void {
    const calledNames = (this.memory.calledNames ??= new Map<string, CalledName>());
    const empty = literal.end - literal.start === 2;
    const key = `choice/${this.choice}/${path}/name`;
    const name = calledNames.get(key);
    if (field === 'name' && this.streamed && !empty) {
      const value = this.collector.valueOf(literal);
      if (name?.over) {
        if (value !== name.value) this.unreadable ??= 'text_after_end';
        this.collector.standAlone(literal, 'other', 'tool_call');
        return;
      }
      const whole = name === undefined ? value : `${name.value ?? ''}${value}`;
      const tooLong = whole.length > CALLED_NAME_UNITS_MAX || (name && name.value === undefined);
      calledNames.set(key, { value: tooLong ? undefined : whole, over: false });
    } else if (field !== 'name' && !empty) (this.begun ??= new Set()).add(key);
    this.text(literal, `${path}/${this.name(field)}`, field);
  }

  /** Names that are over as their calls have begun; one that stands in this frame ends with its piece. */
  private endedNames(): readonly string[] {
    if (this.begun === undefined) return NO_NAMES;
    const ended: string[] = [];
    const { pieces } = this.collector;
    for (const key of this.begun) {
      const name = this.memory.calledNames?.get(key);
      if (name?.value === undefined || name.over) continue;
      name.over = true;
      const own = pieces.findLastIndex(({ text }) => text === key);
      if (own === -1) ended.push(key);
      else pieces[own] = { ...pieces[own]!, last: true };
    }
    return ended;
  }

  /** A stretch of a text of this choice; `callField` names the field of a tool call. */
  private text(literal: JsonString, path: string, callField?: string): void {
    const key = `choice/${this.choice}/${path}`;
    const { texts, textsMax, finished } = this.memory;
    const known = texts.get(key);
    const text = known ?? key;
    if (finished.includes(this.choice) && literal.end - literal.start > 2)
      this.unreadable ??= 'text_after_finish';
    if (known === undefined && texts.size >= textsMax) this.unreadable ??= 'too_many_texts';
    else if (known === undefined) texts.set(key, key);
    const place = callField === undefined ? 'assistant' : 'tool_call';
    const encoding = callField === 'arguments' ? 'json' : 'plain';
    const piece = this.collector.add(literal, text, place, !this.streamed, encoding);
    this.pieces = withOneMore(this.pieces, piece);
  }

  /** A field name as part of a key: itself when it is an ordinary name, its number otherwise. */
  private name(field: string): string {
    if (PLAIN_NAME.test(field)) return field;
    const { textsMax } = this.memory;
    const fieldNumbers = (this.memory.fieldNumbers ??= new Map<string, number>());
    const known = fieldNumbers.get(field);
    if (known !== undefined) return `~${known}`;
    if (fieldNumbers.size >= textsMax || field.length > FIELD_NAME_UNITS_MAX) {
      this.unreadable ??= 'too_many_texts';
      return '~';
    }
    fieldNumbers.set(field, fieldNumbers.size);
    return `~${fieldNumbers.size - 1}`;
  }
}

/** What a frame says of a call, before it is clear whether its name is over. */
interface CallDraft {
  readonly key: string;
  readonly named: Named;
  /** Pieces of what it is called with; undefined for what is no text. */
  readonly inputs: readonly (number | undefined)[];
  readonly entry: ToolEntry | undefined;
}

/** A call that stands in no list. */
const NO_ENTRY = undefined;

/** Members of `logprobs` that list tokens. */
const TOKENS: ReadonlySet<string> = new Set(['content', 'refusal', 'tokens']);

const NO_NAMES: readonly string[] = Object.freeze([]);

function endsOf(choices: readonly ChoiceFacts[]): readonly string[] {
  if (choices.every(({ finished }) => !finished)) return NONE;
  return choices.filter(({ finished }) => finished).map(({ index }) => `choice/${index}/`);
}

const isEmptyString = (node: JsonNode): boolean =>
  node.kind === 'string' && node.end - node.start === 2;

/** Names are remembered for the length of a stream, so they must not be long. */
const FIELD_NAME_UNITS_MAX = 256;
/** Twice what the API permits for the name of a tool. */
const CALLED_NAME_UNITS_MAX = 128;
const PLAIN_NAME = /^[A-Za-z_]\w{0,39}$/;

/** The value of a JSON number; of a very long one, that of its beginning. */
function plainNumber(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = bytes[at]! - 0x30;
    // A sign, a fraction or an exponent: rare, and read as JSON.parse would.
    if (digit < 0 || digit > 9 || at - start >= SAFE_DIGITS)
      return Number(String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 32))));
    value = value * 10 + digit;
  }
  return value;
}

/** Decimal digits that a safe integer holds whatever they are. */
const SAFE_DIGITS = 15;
