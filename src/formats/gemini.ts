/**
 * The Gemini API (`models/…:generateContent`, `:streamGenerateContent`; `/v1`, `/v1beta`, Vertex paths):
 * JSON requests; answers as a document, an event stream (`alt=sse`) or a JSON array in pieces.
 */
import { Buffer } from 'node:buffer';
import type {
  AppendForm,
  BodyReader,
  Format,
  Frame,
  Piece,
  Refusal,
  RefusalResponse,
  RequestFacts,
} from './frame.ts';
import { FrameReading, type Opened, PacedReader, unreadable } from './frame-reading.ts';
import {
  type AnswerReading,
  type CandidateFacts,
  GEMINI_NAMES,
  geminiRequest,
  newGeminiMemory,
  readGeminiAnswer,
} from './gemini-body.ts';
import {
  type GeminiTransport,
  geminiEvent,
  geminiRefusalResponse,
  refusedCandidates,
  refusedPrompt,
  textChunk,
} from './gemini-refusal.ts';
import { type JsonObject, type JsonReading, JsonScanner } from './json.ts';
import { appendingEdit, JsonDocumentReader } from './json-document.ts';
import { ElementSplitter, type RawElement } from './json-elements.ts';
import {
  type JsonFrameParts,
  jsonFrame,
  type Swap,
  silentFrame,
  unreadableFrame,
} from './json-frame.ts';
import { type EventSource, JsonStreamReader } from './json-stream.ts';
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from './limits.ts';
import type { Pace } from './pace.ts';
import { KeyCounter, PieceCollector } from './piece-collector.ts';
import { RequestReader } from './request-body.ts';
import { touchedBy } from './splice.ts';

/** Paths of the API: `model` may stand in `models/`, `tunedModels/` or an `endpoints/` of Vertex. */
export const GEMINI_PATH =
  /\/(?:models|tunedModels|endpoints)\/([^/:?#]+):(generateContent|streamGenerateContent)\/?$/i;

/** What a call asks for, which stands in its path. */
export interface GeminiCall {
  readonly model?: string;
  readonly transport: GeminiTransport;
}

/** The call that a path and the media type of its answer (of a request: any) mean. */
export function geminiCallAt(path: string, media: string): GeminiCall {
  const [plain, query = ''] = path.split('#', 1)[0]!.split('?', 2) as [string, string?];
  const found = GEMINI_PATH.exec(plain);
  const model = found?.[1] === undefined ? {} : { model: found[1] };
  if (media === 'text/event-stream') return { ...model, transport: 'events' };
  if (found?.[2]?.toLowerCase() !== 'streamgeneratecontent')
    return { ...model, transport: 'document' };
  const events = query.split('&').some((field) => field === 'alt=sse' || field === '%24alt=sse');
  return { ...model, transport: events ? 'events' : 'array' };
}

/** The format at a path, for a line of the table. */
export function geminiAt(spoken: {
  readonly path: string;
  readonly media: string;
  readonly direction: 'request' | 'response';
}): Format {
  const call = geminiCallAt(spoken.path, spoken.media);
  // The answer's own type outranks what was asked for: an array under the name of JSON is one.
  const array =
    spoken.direction === 'response' &&
    spoken.media !== 'text/event-stream' &&
    geminiStreams(spoken);
  return geminiWith(DEFAULT_FORMAT_LIMITS, array ? { ...call, transport: 'array' } : call);
}

/** Whether an answer comes in parts: under `:streamGenerateContent` JSON does, too. */
export function geminiStreams(spoken: { readonly path: string; readonly media: string }): boolean {
  return (
    spoken.media === 'text/event-stream' ||
    GEMINI_PATH.exec(spoken.path.split(/[?#]/, 1)[0]!)?.[2]?.toLowerCase() ===
      'streamgeneratecontent'
  );
}

/** The format of one call with limits of its own. */
export function geminiWith(limits: FormatLimits, call: GeminiCall): Format {
  return Object.freeze({
    name: 'gemini' as const,
    reader(direction: 'request' | 'response', streamed: boolean): BodyReader {
      if (direction === 'request')
        return new RequestReader(limits, geminiRequest(requestFactsOf(call)));
      if (!streamed) return new GeminiDocumentReader(limits);
      return call.transport === 'array'
        ? new GeminiArrayReader(limits)
        : new GeminiEventReader(limits);
    },
    refusalResponse: (refusal: Refusal, status: number, as: 'error' | 'refusal'): RefusalResponse =>
      geminiRefusalResponse(refusal, status, as, call.transport),
  });
}

const IMPOSSIBLE: AppendForm = Object.freeze({ kind: 'impossible' });
const CONTENT_TEXT = /^candidate\/(\d+)\/content$/;

function requestFactsOf({ model, transport }: GeminiCall): RequestFacts {
  const facts = { modelInDoubt: false, stream: transport !== 'document' };
  return model === undefined ? facts : { model, ...facts };
}

interface GeminiFrame extends Frame {
  readonly gemini: AnswerReading;
}

function isGeminiFrame(frame: Frame): frame is GeminiFrame {
  return 'gemini' in frame;
}

/**
 * Token by token, what was changed would still be told, and places in it would be wrong; a finish that did not
 * come is taken back. `changed`: candidates whose text was changed, in this frame or before.
 */
function swapsOf(
  candidates: readonly CandidateFacts[],
  pieces: readonly Piece[],
  changed: Set<number>,
): JsonFrameParts['swaps'] {
  return (edits, unfinished): readonly Swap[] => {
    const touched = touchedBy(edits);
    const replaced = touchedBy(
      edits.filter(
        ({ piece, start, end }) => end > start && CONTENT_TEXT.test(pieces[piece]!.text),
      ),
    );
    return candidates.flatMap((candidate) => {
      const { from, to } = candidate;
      if (replaced(from, to)) changed.add(candidate.index);
      const spelled = touched(from, to);
      const dropped = [
        ...(spelled ? candidate.repeats : []),
        ...(unfinished ? candidate.finishReasons : []),
      ];
      const emptied = changed.has(candidate.index) ? candidate.citations : [];
      return [
        ...dropped.map((node) => ({ node, json: 'null' })),
        ...emptied.map((node) => ({ node, json: '[]' })),
      ];
    });
  };
}

function answerFrame(
  reading: AnswerReading,
  source: EventSource,
  collector: PieceCollector,
  changed: Set<number>,
): Frame {
  if (reading.unreadable !== undefined) return unreadableFrame(source.raw, reading.unreadable);
  const { pieces, literals, tools, entries } = collector;
  const { candidates } = reading;
  const swaps = swapsOf(candidates, pieces, changed)!;
  const { raw, data, lines } = source;
  const parts = { raw, data, lines, pieces, literals, tools, entries, ends: [], swaps };
  const frame = Object.assign(jsonFrame(parts), { gemini: reading });
  if (candidates.every(({ citations }) => citations.length === 0)) return frame;
  const stale = () =>
    candidates.some(({ index, citations }) => citations.length > 0 && changed.has(index));
  return Object.assign(frame, { stale });
}

class GeminiDocumentReader extends JsonDocumentReader {
  constructor(limits: FormatLimits) {
    super(limits, GEMINI_NAMES);
  }

  protected read(root: JsonObject, bytes: Uint8Array, pace: Pace | undefined): Opened {
    const collector = new PieceCollector(bytes, new KeyCounter(), pace);
    const memory = newGeminiMemory(this.limits.textsMax);
    const reading = readGeminiAnswer(root, bytes, collector, memory, false);
    const source = { raw: bytes, data: bytes };
    return { collector, frame: () => answerFrame(reading(), source, collector, new Set()) };
  }

  refuse(refusal: Refusal): readonly Uint8Array[] {
    return this.begun ? [] : [Buffer.from(refusedPrompt(refusal), 'utf8')];
  }

  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    if (!CONTENT_TEXT.test(text)) return IMPOSSIBLE;
    return appendingEdit(text, addition, before) ?? IMPOSSIBLE;
  }
}

/** What has been read of a streamed answer, and what of it has left. */
class Progress {
  readonly #memory;
  readonly #keys = new KeyCounter();
  /** Of the first chunk: the same however the bytes arrive. */
  #envelope: AnswerReading['envelope'] | undefined;
  /** Candidate → whether it has finished, as far as it has left. */
  readonly #sent = new Map<number, boolean>();
  /** Candidates whose text a rule has changed. */
  readonly #changed = new Set<number>();

  constructor(limits: FormatLimits) {
    this.#memory = newGeminiMemory(limits.textsMax);
  }

  open(root: JsonObject, source: EventSource, pace: Pace | undefined): Opened {
    const collector = new PieceCollector(source.data, this.#keys, pace);
    const reading = readGeminiAnswer(root, source.data, collector, this.#memory, true);
    const frame = (): Frame => {
      const answer = reading();
      this.#envelope ??= answer.envelope;
      return answerFrame(answer, source, collector, this.#changed);
    };
    return { collector, frame };
  }

  sent(frame: Frame, unfinished: boolean): void {
    if (!isGeminiFrame(frame)) return;
    for (const { index, finished } of frame.gemini.candidates)
      this.#sent.set(index, (this.#sent.get(index) ?? false) || (finished && !unfinished));
  }

  /** The JSON of a last chunk that refuses. */
  refusal(refusal: Refusal): string {
    if (this.#sent.size === 0) return refusedPrompt(refusal);
    const open = [...this.#sent].filter(([, finished]) => !finished).map(([index]) => index);
    return refusedCandidates(this.#envelope ?? {}, open.length > 0 ? open : [0], refusal);
  }

  /** An edit of `before`, or the JSON of a chunk of its own. */
  append(
    text: string,
    addition: string,
    before: Frame | undefined,
    asFrame: (json: string) => Uint8Array,
  ): AppendForm {
    const index = CONTENT_TEXT.exec(text)?.[1];
    if (index === undefined) return IMPOSSIBLE;
    const edit = appendingEdit(text, addition, before);
    const json = () => textChunk(this.#envelope ?? {}, Number(index), addition);
    return edit ?? { kind: 'frame', bytes: asFrame(json()) };
  }
}

class GeminiEventReader extends JsonStreamReader {
  readonly #progress: Progress;

  constructor(limits: FormatLimits) {
    super(limits, GEMINI_NAMES);
    this.#progress = new Progress(limits);
  }

  protected read(root: JsonObject, source: EventSource, pace: Pace | undefined): Opened {
    return this.#progress.open(root, source, pace);
  }

  override sent(frame: Frame, unfinished = false): void {
    super.sent(frame);
    this.#progress.sent(frame, unfinished);
  }

  refuse(refusal: Refusal): readonly Uint8Array[] {
    return this.following([geminiEvent(this.#progress.refusal(refusal))]);
  }

  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    return this.#progress.append(text, addition, before, geminiEvent);
  }
}

/** Without `alt=sse`: `[{…},\n{…}]`, an element a chunk. */
class GeminiArrayReader extends PacedReader implements BodyReader {
  readonly #limits: FormatLimits;
  readonly #elements: ElementSplitter;
  readonly #progress: Progress;
  /** Elements behind a large one. */
  #waiting: readonly RawElement[] = [];
  /** How what has left ends: an own element must fit behind it. */
  #left: 'nothing' | 'element' | 'all' = 'nothing';
  readonly #kinds = new WeakMap<Frame, RawElement['kind']>();

  constructor(limits: FormatLimits) {
    super();
    this.#limits = limits;
    this.#elements = new ElementSplitter(limits.frameBytesMax);
    this.#progress = new Progress(limits);
  }

  get pendingBytes(): number {
    return this.#elements.pendingBytes;
  }

  push(bytes: Uint8Array): readonly Frame[] {
    return this.#take(this.#elements.push(bytes));
  }

  end(): readonly Frame[] {
    return this.#take(this.#elements.end());
  }

  /** Only elements are large. */
  protected override readThrough(frame: Frame): readonly Frame[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#kinds.set(frame, 'element');
    return [frame, ...this.#take(waiting)];
  }

  sent(frame: Frame, unfinished = false): void {
    this.#progress.sent(frame, unfinished);
    const kind = this.#kinds.get(frame);
    if (kind === 'element') this.#left = this.#elements.array ? 'element' : 'all';
    else if (kind !== 'space') this.#left = 'all';
  }

  /** Behind half an element, or an array that is closed, nothing can be said. */
  refuse(refusal: Refusal): readonly Uint8Array[] {
    if (this.#left === 'all') return [];
    const before = this.#left === 'nothing' ? '[' : ',\n';
    return [Buffer.from(`${before}${this.#progress.refusal(refusal)}]`, 'utf8')];
  }

  /** A text that goes on has an element before it, so that a comma fits. */
  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    return this.#progress.append(text, addition, before, (json) =>
      Buffer.from(`,\n${json}`, 'utf8'),
    );
  }

  /** The frames of these elements, up to one that is too large for one go. */
  #take(elements: readonly RawElement[]): readonly Frame[] {
    const frames: Frame[] = [];
    for (const [index, element] of elements.entries()) {
      const frame = this.#frame(element);
      if (frame === undefined) {
        this.#waiting = elements.slice(index + 1);
        return [...frames, ...this.readOn()];
      }
      this.#kinds.set(frame, element.kind);
      frames.push(frame);
    }
    return frames;
  }

  /** Undefined: it is large, and is being read. */
  #frame({ bytes, from, to, kind }: RawElement): Frame | undefined {
    if (kind === 'space') return silentFrame(bytes, false);
    if (kind === 'close') return silentFrame(bytes, true);
    if (kind === 'oversized') return unreadableFrame(bytes, 'frame_too_large');
    if (kind === 'broken') return unreadableFrame(bytes, 'not_json');
    const scanner = new JsonScanner(bytes, this.#limits, GEMINI_NAMES, from, to);
    const reading = new FrameReading(scanner, (json, pace) => this.#meaning(json, bytes, pace));
    if (!this.isLarge(to - from)) return reading.readOn(undefined);
    this.open(reading);
    return undefined;
  }

  #meaning(json: JsonReading, bytes: Uint8Array, pace: Pace | undefined): Opened {
    if (!json.ok) return unreadable(bytes, json.reason);
    if (json.root.kind !== 'object') return unreadable(bytes, 'not_an_object');
    return this.#progress.open(json.root, { raw: bytes, data: bytes }, pace);
  }
}
