/** A frame of a chat body: pieces are string literals in one JSON text. */
import { Buffer } from 'node:buffer';
import type { Edit, Frame, Piece } from './frame.ts';
import type { JsonNode, JsonString } from './json.ts';
import { escapeJson, isAscii } from './json-string.ts';
import { applySplices, editsByPiece, type Splice, wholeCharacterEdits } from './splice.ts';
import type { DataLine } from './sse.ts';
import { unitStarts } from './utf8.ts';

/** What one entry of `choices` says besides its text. */
export interface ChoiceFacts {
  readonly index: number;
  readonly finished: boolean;
  /** Indices into `Frame.pieces`. */
  readonly pieces: readonly number[];
  /** Values of `finish_reason`, all duplicates. */
  readonly finishReasons: readonly JsonNode[];
  /** Values of `logprobs`: they spell the text once more, token by token. */
  readonly logprobs: readonly JsonNode[];
}

/** What every chunk of one answer repeats. */
export interface Envelope {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

/** What a request says besides its text. */
export interface RequestFacts {
  readonly model?: string;
  /** The body could not be read, or names more than one model: readers differ in which they take. */
  readonly modelInDoubt: boolean;
  /** The caller asked for an event stream. */
  readonly stream: boolean;
}

export interface ChatFacts {
  readonly choices: readonly ChoiceFacts[];
  readonly envelope?: Envelope;
  readonly request?: RequestFacts;
}

export interface ChatFrame extends Frame {
  readonly chat: ChatFacts;
}

export function isChatFrame(frame: Frame): frame is ChatFrame {
  return 'chat' in frame;
}

export interface ChatFrameParts {
  /** The frame's own bytes. */
  readonly raw: Uint8Array;
  /** The JSON text: `raw` itself, or the joined lines of an event that has several. */
  readonly data: Uint8Array;
  /** Where the data lies in `raw`; undefined when both are the same bytes. */
  readonly lines?: readonly DataLine[];
  readonly pieces: readonly Piece[];
  /** The literal of each piece, by index; ranges in `data`. */
  readonly literals: readonly JsonString[];
  readonly ends: readonly string[];
  readonly facts: ChatFacts;
}

/** A frame whose text was read. */
export function readableFrame(parts: ChatFrameParts): ChatFrame {
  const render = (edits: readonly Edit[], unfinished: boolean): Uint8Array => {
    const splices = [
      ...textSplices(parts, edits),
      ...nullSplices(parts, repeatedText(parts.facts, edits)),
      ...(unfinished
        ? nullSplices(
            parts,
            parts.facts.choices.flatMap((c) => c.finishReasons),
          )
        : []),
    ];
    return applySplices(parts.raw, splices);
  };
  return Object.freeze({
    bytes: parts.raw,
    pieces: parts.pieces,
    ends: parts.ends,
    terminal: false,
    chat: parts.facts,
    render: (edits: readonly Edit[]) => render(edits, false),
    renderUnfinished: (edits: readonly Edit[]) => render(edits, true),
  });
}

const NO_FACTS: ChatFacts = Object.freeze({ choices: [] });

/** A frame without text: a comment, an empty event, the end marker. */
export function silentFrame(bytes: Uint8Array, terminal: boolean): ChatFrame {
  return Object.freeze({
    bytes,
    pieces: [],
    ends: terminal ? ['choice/'] : [],
    terminal,
    chat: NO_FACTS,
    render: (edits: readonly Edit[]) => unchanged(bytes, edits),
    renderUnfinished: (edits: readonly Edit[]) => unchanged(bytes, edits),
  });
}

/** A frame whose meaning could not be read, and why. */
export function unreadableFrame(bytes: Uint8Array, reason: string): ChatFrame {
  return Object.freeze({ ...silentFrame(bytes, false), unreadable: reason });
}

/** Rendering of a frame that has no pieces. */
export function unchanged(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  editsByPiece([], edits);
  return bytes;
}

function textSplices(parts: ChatFrameParts, edits: readonly Edit[]): readonly Splice[] {
  const splices: Splice[] = [];
  const asciiOnly = edits.length > 0 && isAscii(parts.raw);
  for (const [index, group] of editsByPiece(parts.pieces, edits)) {
    const literal = parts.literals[index]!;
    if (literal.bare) {
      splices.push(...inRaw(parts, quotedNumber(literal, parts.pieces[index]!, group)));
      continue;
    }
    const starts = literal.simple
      ? undefined
      : unitStarts(parts.data, literal.start + 1, literal.end - 1, true);
    const byteAt = (unit: number): number => starts?.[unit] ?? literal.start + 1 + unit;
    for (const edit of wholeCharacterEdits(parts.pieces[index]!, group)) {
      const bytes = Buffer.from(escapeJson(edit.replacement, asciiOnly), 'utf8');
      splices.push(...inRaw(parts, { start: byteAt(edit.start), end: byteAt(edit.end), bytes }));
    }
  }
  return splices;
}

/** A number that is no longer one must become a string, or nobody could read the body. */
function quotedNumber(literal: JsonString, piece: Piece, edits: readonly Edit[]): Splice {
  let text = '';
  let kept = 0;
  for (const edit of edits) {
    text += piece.value.slice(kept, edit.start) + edit.replacement;
    kept = edit.end;
  }
  const bytes = Buffer.from(JSON.stringify(text + piece.value.slice(kept)), 'utf8');
  return { start: literal.start + 1, end: literal.end - 1, bytes };
}

function repeatedText(facts: ChatFacts, edits: readonly Edit[]): readonly JsonNode[] {
  const touched = new Set(edits.map((edit) => edit.piece));
  return facts.choices
    .filter((choice) => choice.pieces.some((piece) => touched.has(piece)))
    .flatMap((choice) => choice.logprobs);
}

const NULL = Buffer.from('null');

function nullSplices(parts: ChatFrameParts, nodes: readonly JsonNode[]): readonly Splice[] {
  return nodes
    .filter((node) => node.kind !== 'null')
    .flatMap((node) => inRaw(parts, { start: node.start, end: node.end, bytes: NULL }));
}

const NOTHING = new Uint8Array(0);

/** A splice of the data as splices of the raw bytes: one per line it touches, so that all lines stay. */
function inRaw(parts: ChatFrameParts, splice: Splice): readonly Splice[] {
  if (parts.lines === undefined) return [splice];
  const splices: Splice[] = [];
  for (const line of parts.lines) {
    const start = Math.max(splice.start, line.dataStart);
    const end = Math.min(splice.end, line.dataStart + line.length);
    if (start > end) continue;
    const shift = line.rawStart - line.dataStart;
    const bytes = splices.length === 0 ? splice.bytes : NOTHING;
    splices.push({ start: start + shift, end: end + shift, bytes });
  }
  return splices;
}
