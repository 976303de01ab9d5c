/** Reads the bodies of `generateContent`: whose words stand where. */
import type { Place } from '../policy/set.ts';
import { ApiNames } from './api-names.ts';
import type { RequestFacts, ToolPart } from './frame.ts';
import type { JsonMember, JsonNode, JsonObject, JsonString } from './json.ts';
import { hasDouble, memberOf } from './json.ts';
import { overlay } from './json-string.ts';
import { readConsidered, readTokens, tokenOf } from './logprobs.ts';
import type { PieceCollector } from './piece-collector.ts';
import type { RequestForm } from './request-body.ts';
import { joined, type RequestText, type Swaps, type SystemWords } from './request-change.ts';
import { SmallMap } from './small-map.ts';
import type { ToolEntry } from './tool-list.ts';
import { nameIn } from './tool-parts.ts';

/** Most candidates of one answer (the API gives at most 8). */
export const CANDIDATES_MAX = 128;

/** What one entry of `candidates` says besides its text. */
export interface CandidateFacts {
  readonly index: number;
  readonly finished: boolean;
  /** The first of its `Frame.pieces`, and the one behind the last. */
  readonly from: number;
  readonly to: number;
  /** Values of `finishReason`, duplicates included. */
  readonly finishReasons: readonly JsonNode[];
  /** Values that spell the text once more, token by token. */
  readonly repeats: readonly JsonNode[];
  /** Lists of places in the text, which count its bytes: nothing says where they are after a change. */
  readonly citations: readonly JsonNode[];
}

export interface AnswerReading {
  readonly candidates: readonly CandidateFacts[];
  /** `modelVersion` and `responseId`, as far as they are given. */
  readonly envelope: Readonly<Record<string, string>>;
  /** Why the frame cannot be trusted, if so. */
  readonly unreadable?: string;
}

/** What earlier frames of a stream have said. */
export interface GeminiMemory {
  /** Numbers for the arguments of calls that come in parts, by candidate, call and JSON path. */
  readonly arguments: Map<string, number>;
  /** Calls that have begun, by candidate. */
  readonly calls: Map<number, number>;
  readonly textsMax: number;
}

export function newGeminiMemory(textsMax: number): GeminiMemory {
  return { arguments: new Map(), calls: new Map(), textsMax };
}

/** The API takes them in snake case as well (proto3 JSON). */
export const GEMINI_NAMES =
  new ApiNames(`contents systemInstruction tools model cachedContent role parts text thought
  thoughtSignature functionCall functionResponse inlineData mimeType data displayName executableCode
  codeExecutionResult code output args response id name partialArgs jsonPath stringValue candidates content index
  finishReason finishMessage logprobsResult groundingMetadata urlContextMetadata citationMetadata safetyRatings
  groundingSupports citationSources citations chosenCandidates topCandidates token logProbability tokenId
  functionDeclarations toolConfig functionCallingConfig willContinue
  usageMetadata promptFeedback modelVersion responseId createTime error`);

/** The body of a request, whose model and transport stand in its path. */
export function geminiRequest(facts: RequestFacts): RequestForm {
  return {
    names: GEMINI_NAMES,
    expects: ['contents'],
    inOrder: true,
    collect: readGeminiRequest,
    facts: () => facts,
    system: writeInstruction,
    modelElsewhere: true,
  };
}

const INSTRUCTION = 'systemInstruction';
const INSTRUCTION_SPELLINGS = [INSTRUCTION, 'system_instruction'];
const CACHED_SPELLINGS = ['cachedContent', 'cached_content'];

/** A part of its own in `systemInstruction`, which a request that names `cachedContent` may not have. */
function writeInstruction(request: RequestText, words: SystemWords): Swaps {
  const { root } = request;
  if (request.member(root, 'cachedContent', CACHED_SPELLINGS) !== 'absent') return undefined;
  const part = (text: string) => ({ text });
  const instruction = request.member(root, INSTRUCTION, INSTRUCTION_SPELLINGS);
  const parts = [{ text: joined(words) }];
  if (instruction === 'absent') return request.newMember(root, INSTRUCTION, { parts });
  if (instruction === 'ambiguous') return undefined;
  if (instruction.kind === 'null') return request.instead(instruction, { parts });
  if (instruction.kind !== 'object') return undefined;
  const list = request.member(instruction, 'parts');
  if (list === 'absent') return request.newMember(instruction, 'parts', parts);
  if (list === 'ambiguous' || list.kind !== 'array') return undefined;
  return request.intoList(list, words, part, (item) => request.textIn(item, 'text'));
}

const ROLES: Readonly<Record<string, Place>> = {
  user: 'user',
  model: 'assistant',
  system: 'system',
  function: 'tool_result',
  tool: 'tool_result',
};

/** Collects every string of a request that a model may read. */
function readGeminiRequest(root: JsonObject, collector: PieceCollector): void {
  collector.each(root.members, ({ key: name, value }) => {
    if (name === 'contents') readContents(value, collector);
    else if (name === 'systemInstruction') readContent(value, 'system', collector, 'system');
    else if (name === 'tools') readTools(value, root, collector);
    else if (name === 'model' || name === 'cachedContent')
      collector.metadata(value, 'other', 'user');
    else collector.standAlone(value, 'other', 'user');
  });
}

/** Descriptions, names and schemas are all instructions to a model: read as they are written. */
function readTools(tools: JsonNode, root: JsonObject, collector: PieceCollector): void {
  const items = tools.kind === 'array' ? tools.items : [tools];
  collector.each(items, (tool) => {
    collector.written(tool, 'tool_definition', 'tool_definition');
    const around = tools.kind === 'array' ? { list: tools, item: tool, holder: root } : undefined;
    if (tool.kind === 'object') tellTools(tool, around, root, collector);
    else collector.wholeTool({ kind: 'definition', name: '', doubt: 'name' });
  });
}

/** One entry declares functions, or is named by its only member (`googleSearch`). */
function tellTools(
  tool: JsonObject,
  entry: ToolEntry | undefined,
  chooser: JsonObject,
  collector: PieceCollector,
): void {
  const around = tool.members.length === 1 ? entry : undefined;
  collector.each(tool.members, ({ key, value }) => {
    if (key !== 'functionDeclarations') {
      collector.wholeTool({ kind: 'definition', name: key }, around);
      return;
    }
    const list = value.kind === 'array' ? value : undefined;
    collector.each(list?.items ?? [value], (item) => {
      const named =
        item.kind === 'object' ? nameIn(item, collector) : { name: '', doubt: 'name' as const };
      collector.wholeTool(
        { kind: 'definition', ...named },
        list && { list, item, chooser, ...(around === undefined ? {} : { around }) },
      );
    });
  });
}

function readContents(contents: JsonNode, collector: PieceCollector): void {
  const items = contents.kind === 'array' ? contents.items : [contents];
  collector.each(items, (content, index) => {
    readContent(content, `content/${index}`, collector);
  });
}

/** One turn. `fixed`: its place whatever its role says. */
function readContent(
  content: JsonNode,
  key: string,
  collector: PieceCollector,
  fixed?: Place,
): void {
  const place = fixed ?? placeOf(content, collector);
  if (content.kind !== 'object') {
    collector.standAlone(content, key, place);
    return;
  }
  collector.each(content.members, ({ key: name, value }) => {
    if (name === 'role') collector.metadata(value, key, place);
    else if (name === 'parts') {
      const parts = value.kind === 'array' ? value.items : [value];
      collector.each(parts, (part, index) => {
        readPart(
          part,
          place,
          collector,
          (literal, field, where) => {
            collector.add(literal, `${key}/part/${index}/${field}`, where, true);
          },
          PAST,
        );
      });
    } else collector.standAlone(value, key, place);
  });
}

function placeOf(content: JsonNode, collector: PieceCollector): Place {
  const name = content.kind === 'object' ? collector.word(content, 'role') : '';
  return Object.hasOwn(ROLES, name) ? ROLES[name]! : 'user';
}

/** How the text of a part joins a text: the field names which. */
type Joins = (literal: JsonString, field: string, place: Place) => void;

/** Of a request, which recalls what was called before. */
const PAST = { past: true } as const;

/** `times`: see `PAST`; nothing for an answer. */
function readPart(
  part: JsonNode,
  place: Place,
  collector: PieceCollector,
  join: Joins,
  times: Pick<ToolPart, 'past'> = {},
): void {
  if (part.kind !== 'object') {
    if (part.kind === 'string') join(part, 'content', place);
    else collector.standAlone(part, 'other', place);
    return;
  }
  const thought = memberOf(part, 'thought')?.kind === 'true';
  collector.each(part.members, ({ key: name, value }) => {
    if (name === 'text' && value.kind === 'string')
      join(value, thought ? 'thought' : 'content', place);
    else if (name === 'thoughtSignature') readBytes(value, collector, place);
    else if (name === 'functionCall') readSignedCall(part, value, collector, join, times);
    else if (name === 'functionResponse') {
      readWrapped(value, 'response', 'tool_result', collector, () => {
        if (value.kind === 'object')
          collector.wholeTool({ kind: 'result', ...nameIn(value, collector) });
      });
    } else if (name === 'inlineData' && value.kind === 'object') readMedia(value, collector, place);
    else if (name === 'executableCode' && value.kind === 'object') {
      readRun(value, 'code', place, collector, join);
      collector.wholeTool({ kind: 'call', ...times, name: 'codeExecution' });
    } else if (name === 'codeExecutionResult' && value.kind === 'object')
      readRun(value, 'output', 'tool_result', collector, join);
    else collector.standAlone(value, 'other', place);
  });
}

/** A call that is signed is never rewritten. Text that comes with a signature is: it signs what was thought. */
function readSignedCall(
  part: JsonObject,
  call: JsonNode,
  collector: PieceCollector,
  join: Joins,
  times: Pick<ToolPart, 'past'>,
): void {
  const read = (): void => readCall(call, collector, join, times);
  if (part.members.some(({ key }) => key === 'thoughtSignature')) collector.allSealed(read);
  else read();
}

/** Base64 is no text; anything else in its place is. */
function readBytes(value: JsonNode, collector: PieceCollector, place: Place): void {
  if (value.kind === 'string' && collector.isBytes(value)) return;
  collector.standAlone(value, 'other', place);
}

function readMedia(media: JsonObject, collector: PieceCollector, place: Place): void {
  const mediaType = collector.word(media, 'mimeType');
  collector.each(media.members, ({ key, value }) => {
    if (key === 'data' && value.kind === 'string')
      collector.media(value, 'other', place, mediaType);
    else collector.metadata(value, 'other', place);
  });
}

/** Code that the model had run, or what came of it. */
function readRun(
  run: JsonObject,
  field: 'code' | 'output',
  place: Place,
  collector: PieceCollector,
  join: Joins,
): void {
  collector.each(run.members, ({ key, value }) => {
    if (key === field && value.kind === 'string') join(value, field, place);
    else collector.metadata(value, 'other', place);
  });
}

/**
 * A call or its result: a name, an id, and a value that is read as it is written. `after` is told the pieces of such
 * values when all is read.
 */
function readWrapped(
  node: JsonNode,
  holder: 'args' | 'response',
  place: Place,
  collector: PieceCollector,
  after: (written: readonly number[]) => void,
): void {
  if (node.kind !== 'object') {
    collector.standAlone(node, 'other', place);
    after([]);
    return;
  }
  const written: number[] = [];
  const visit = ({ key, value }: JsonMember): void => {
    if (key === holder) written.push(collector.written(value, place, place, node));
    else if (key === 'parts' && value.kind === 'array')
      collector.each(value.items, (part) => {
        readPart(part, place, collector, (literal, field) => {
          collector.standAlone(literal, field, place);
        });
      });
    else if (key === 'id') collector.metadata(value, 'other', place);
    else collector.standAlone(value, 'other', place);
  };
  collector.each(node.members, visit, () => after(written));
}

function readCall(
  call: JsonNode,
  collector: PieceCollector,
  join: Joins,
  times: Pick<ToolPart, 'past'>,
): void {
  const parts = call.kind === 'object' ? memberOf(call, 'partialArgs') : undefined;
  if (call.kind !== 'object' || parts?.kind !== 'array') {
    readWrapped(call, 'args', 'tool_call', collector, (inputs) => {
      tellCall(call, inputs, collector, times);
    });
    return;
  }
  tellCall(call, [], collector, times);
  if (memberOf(call, 'name') !== undefined) join(NEW_CALL, 'call', 'tool_call');
  collector.each(call.members, ({ key, value }) => {
    if (key !== 'partialArgs') collector.standAlone(value, 'other', 'tool_call');
  });
  collector.each(parts.items, (part) => {
    const path = part.kind === 'object' ? collector.sole(part, 'jsonPath') : undefined;
    const text = part.kind === 'object' ? collector.sole(part, 'stringValue') : undefined;
    if (part.kind !== 'object' || path?.kind !== 'string' || text?.kind !== 'string') {
      collector.standAlone(part, 'other', 'tool_call');
      return;
    }
    join(text, `argument/${collector.valueOf(path)}`, 'tool_call');
    collector.each(part.members, ({ value }) => {
      if (value !== text) collector.metadata(value, 'other', 'tool_call');
    });
  });
}

/** Arguments that come in parts, path by path, make no JSON that could be judged as a whole. */
function tellCall(
  call: JsonNode,
  inputs: readonly number[],
  collector: PieceCollector,
  times: Pick<ToolPart, 'past'>,
): void {
  if (call.kind !== 'object') {
    collector.wholeTool({ kind: 'call', ...times, name: '', doubt: 'name' });
    return;
  }
  const named = nameIn(call, collector);
  const inParts = ['partialArgs', 'willContinue'].some((name) => {
    const node = memberOf(call, name);
    return node !== undefined && node.kind !== 'false';
  });
  // What only goes on with a call has said its name before; an empty one says that it is over.
  if (named.name === '' && named.doubt === undefined && (inParts || call.members.length === 0))
    return;
  const [input] = inputs;
  const doubtful = inParts || inputs.length > 1;
  collector.wholeTool({
    kind: 'call',
    ...times,
    ...(doubtful ? { doubt: 'input' as const } : {}),
    ...named,
    ...(input === undefined || doubtful ? {} : { input }),
  });
}

/** Stands for the beginning of a call where there is no text of it. */
const NEW_CALL: JsonString = Object.freeze({ kind: 'string', start: 0, end: 0, simple: true });

/** Collects every string of an answer; what it says when all is collected. `streamed`: texts go on in later chunks. */
export function readGeminiAnswer(
  root: JsonObject,
  data: Uint8Array,
  collector: PieceCollector,
  memory: GeminiMemory,
  streamed: boolean,
): () => AnswerReading {
  const reader = new AnswerReader(data, collector, memory, streamed);
  reader.read(root);
  return () => reader.reading();
}

class AnswerReader {
  readonly #data: Uint8Array;
  readonly #collector: PieceCollector;
  readonly #memory: GeminiMemory;
  readonly #streamed: boolean;
  readonly #candidates: CandidateFacts[] = [];
  readonly #envelope: Record<string, string> = {};
  #unreadable: string | undefined;
  #candidate = 0;
  /** The last piece so far of each text of the candidate that goes on. */
  #lastPieces = new SmallMap<string, number>();

  constructor(
    data: Uint8Array,
    collector: PieceCollector,
    memory: GeminiMemory,
    streamed: boolean,
  ) {
    this.#data = data;
    this.#collector = collector;
    this.#memory = memory;
    this.#streamed = streamed;
  }

  read(root: JsonObject): void {
    const collector = this.#collector;
    collector.each(root.members, ({ key: name, value, shadowed }) => {
      if (shadowed) this.#twice();
      if (name === 'candidates' && value.kind === 'array')
        collector.each(value.items, (item, position) => {
          if (item.kind === 'object') this.#readCandidate(item, position);
          else collector.standAlone(item, 'other', 'assistant');
        });
      else if (ENVELOPE.has(name) && value.kind === 'string') {
        if (name !== 'createTime') this.#envelope[name] = collector.valueOf(value);
        collector.metadata(value, 'other', 'assistant');
      } else if (WORDS.has(name)) this.#words(value);
      else collector.standAlone(value, 'other', 'assistant');
    });
  }

  reading(): AnswerReading {
    const unreadable = this.#unreadable ?? this.#collector.unreadable;
    return {
      candidates: this.#candidates,
      envelope: this.#envelope,
      ...(unreadable === undefined ? {} : { unreadable }),
    };
  }

  /** Readers differ in which of two they take, and clients put together what they take from each chunk. */
  #twice(): void {
    this.#unreadable ??= 'ambiguous_names';
  }

  #readCandidate(candidate: JsonObject, position: number): void {
    const collector = this.#collector;
    const index = this.#indexOf(candidate, position);
    const from = collector.pieces.length;
    const finishReasons: JsonNode[] = [];
    const repeats: JsonNode[] = [];
    const citations: JsonNode[] = [];
    this.#candidate = index;
    this.#lastPieces = new SmallMap();
    let finished = false;
    const visit = ({ key: name, value, shadowed }: JsonMember): void => {
      if (shadowed) this.#twice();
      if (name === 'finishReason') finishReasons.push(value);
      if (name === 'logprobsResult') repeats.push(value);
      else if (name === 'content') this.#readContent(value);
      else if (name === 'finishReason') {
        finished = value.kind !== 'null';
        this.#words(value);
      } else if (name === 'groundingMetadata' || name === 'citationMetadata')
        this.#readCitations(value, citations);
      else if (name === 'urlContextMetadata') collector.standAlone(value, 'other', 'retrieved');
      else if (name === 'safetyRatings') this.#words(value);
      else collector.standAlone(value, 'other', 'assistant');
    };
    const end = (): void => {
      const to = collector.pieces.length;
      if (!this.#streamed) this.#markLast(from, repeats.length > 0);
      this.#candidates.push({ index, finished, from, to, finishReasons, repeats, citations });
    };
    collector.each(candidate.members, visit, () => {
      collector.each(repeats, (value) => this.#readLogprobs(value, from), end);
    });
  }

  /** What was found elsewhere; its places in the text, of which some repeat the words that stand there. */
  #readCitations(metadata: JsonNode, citations: JsonNode[]): void {
    if (metadata.kind !== 'object') {
      this.#collector.standAlone(metadata, 'other', 'retrieved');
      return;
    }
    this.#collector.each(metadata.members, (member) => {
      const places = PLACES.has(member.key);
      if (places) citations.push(member.value);
      const place = member.key === 'groundingSupports' ? 'assistant' : 'retrieved';
      this.#collector.name(member, 'other', place);
      this.#collector.standAlone(member.value, 'other', place);
    });
  }

  #readLogprobs(logprobs: JsonNode, begun: number): void {
    if (logprobs.kind !== 'object') {
      this.#collector.standAlone(logprobs, 'other', 'assistant');
      return;
    }
    const chosen = memberOf(logprobs, 'chosenCandidates');
    const taken = chosen?.kind === 'array' ? chosen.items : [];
    const collector = this.#collector;
    if (chosen?.kind === 'array') {
      const content = `candidate/${this.#candidate}/content`;
      let said = '';
      for (let at = begun; at < collector.pieces.length; at += 1)
        if (collector.pieces[at]!.text === content) said += collector.valueAt(at);
      const text = this.#tokensText;
      readTokens(chosen, { said, text, last: false }, collector);
    }
    collector.each(logprobs.members, ({ key, value, shadowed }) => {
      if (shadowed) this.#twice();
      if (key === 'topCandidates' && value.kind === 'array')
        collector.each(value.items, (step, at) => {
          readConsidered(
            step.kind === 'object' ? memberOf(step, 'candidates') : step,
            tokenOf(taken[at]),
            collector,
          );
        });
      else if (value !== chosen) collector.standAlone(value, 'other', 'assistant');
    });
  }

  get #tokensText(): string {
    return `candidate/${this.#candidate}/logprobs`;
  }

  #readContent(content: JsonNode): void {
    if (content.kind !== 'object') {
      this.#collector.standAlone(content, 'other', 'assistant');
      return;
    }
    this.#collector.each(content.members, ({ key, value, shadowed }) => {
      if (shadowed) this.#twice();
      if (key === 'parts' && value.kind === 'array')
        this.#collector.each(value.items, (part) => {
          if (hasDouble(part)) this.#twice();
          readPart(part, 'assistant', this.#collector, (literal, field, place) => {
            this.#join(literal, field, place);
          });
        });
      else if (key === 'role') this.#words(value);
      else this.#collector.standAlone(value, 'other', 'assistant');
    });
  }

  #join(literal: JsonString, field: string, place: Place): void {
    const candidate = this.#candidate;
    const { calls } = this.#memory;
    if (literal === NEW_CALL) {
      calls.set(candidate, (calls.get(candidate) ?? 0) + 1);
      return;
    }
    const name = field.startsWith('argument/')
      ? this.#argument(`${candidate}/${calls.get(candidate) ?? 0}/${field}`)
      : field;
    const text = `candidate/${candidate}/${name}`;
    this.#lastPieces.set(text, this.#collector.add(literal, text, place, false));
  }

  /** JSON paths hold names that the model chose: no key may show them. */
  #argument(path: string): string {
    const { arguments: known, textsMax } = this.#memory;
    const number = known.get(path) ?? known.size;
    if (number >= textsMax || path.length > PATH_UNITS_MAX) this.#unreadable ??= 'too_many_texts';
    else known.set(path, number);
    return `argument/${number}`;
  }

  /** Words such as `STOP` or `NEGLIGIBLE`, at any depth: no text as long as they are one word. */
  #words(node: JsonNode): void {
    if (node.kind === 'array') this.#collector.each(node.items, (item) => this.#words(item));
    else if (node.kind === 'object')
      this.#collector.each(node.members, ({ value }) => this.#words(value));
    else this.#collector.metadata(node, 'other', 'assistant');
  }

  /** Nothing more comes of what has gone on up to here. `tokens`: there may be a text of them, too. */
  #markLast(from: number, tokens: boolean): void {
    const { pieces } = this.#collector;
    const ended = this.#lastPieces.entries().map(([, piece]) => piece);
    if (tokens) {
      const text = this.#tokensText;
      let at = pieces.length - 1;
      while (at >= from && pieces[at]!.text !== text) at -= 1;
      if (at >= from) ended.push(at);
    }
    for (const piece of ended) pieces[piece] = { ...pieces[piece]!, last: true };
  }

  /** The candidate's `index`, or its position: the API leaves out 0, and some gateways all of them. */
  #indexOf(candidate: JsonObject, position: number): number {
    const node = memberOf(candidate, 'index');
    if (node === undefined || node.kind === 'null') return position;
    const digits = overlay(this.#data).toString('latin1', node.start, node.end);
    const index = node.kind === 'number' ? Number(digits) : Number.NaN;
    if (Number.isSafeInteger(index) && index >= 0 && index < CANDIDATES_MAX) return index;
    this.#unreadable ??= 'bad_candidate_index';
    return 0;
  }
}

const PATH_UNITS_MAX = 256;
/** Members that list places in the text. */
const PLACES: ReadonlySet<string> = new Set(['groundingSupports', 'citationSources', 'citations']);
const ENVELOPE: ReadonlySet<string> = new Set(['modelVersion', 'responseId', 'createTime']);
/** Members of an answer whose strings are names of kinds, mostly. */
const WORDS: ReadonlySet<string> = new Set(['usageMetadata', 'promptFeedback']);
