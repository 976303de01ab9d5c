/** A frame whose pieces stand in one JSON text. */
import { Buffer } from 'node:buffer';
import type { Cut, Edit, Frame, Piece, RequestFacts, ToolPart } from './frame.ts';
import type { JsonNode, JsonString } from './json.ts';
import { asciiJson, escapeJson, isAscii, overlay, stringValue } from './json-string.ts';
import { encodedText } from './media.ts';
import { type Pace, UNPACED } from './pace.ts';
import type { EncodedText, PieceSource } from './piece-collector.ts';
import { NONE } from './small-list.ts';
import { editsByPiece, type Splice, spliced, wholeCharacterEdits } from './splice.ts';
import type { DataLine } from './sse.ts';
import { type ToolEntry, takenOut } from './tool-list.ts';
import { UnitCursor } from './utf8.ts';

/** What writing a replacement costs. */
const EDIT_UNITS = 16;

/** A value that gives way to another, whatever it is: `json` is written in its place. */
export interface Swap {
  readonly node: JsonNode;
  readonly json: string;
}

export interface JsonFrameParts {
  /** The frame's own bytes. */
  readonly raw: Uint8Array;
  /** The JSON text: `raw` itself, or the joined lines of an event that has several. */
  readonly data: Uint8Array;
  /** Where the data lies in `raw`; undefined when both are the same bytes. */
  readonly lines?: readonly DataLine[] | undefined;
  readonly pieces: readonly Piece[];
  /** Where each piece stands, by index; ranges in `data`. */
  readonly literals: readonly PieceSource[];
  readonly tools?: readonly ToolPart[];
  /** Where each of `tools` stands in a list, if it does, by index. */
  readonly entries?: readonly (ToolEntry | undefined)[];
  readonly ends: readonly string[];
  readonly ended?: readonly string[];
  readonly terminal?: boolean;
  readonly request?: RequestFacts;
  /** What else changes when these edits are made: repeated text that contradicts, a reason to finish. */
  readonly swaps?: Swaps;
}

/** `data`: the JSON text that the nodes stand in. */
type Swaps = (edits: readonly Edit[], unfinished: boolean, data: Uint8Array) => readonly Swap[];

/** The data of an event in several lines. */
interface Joined {
  readonly data: Uint8Array;
  readonly lines: readonly DataLine[];
}

/**
 * A frame whose text was read. A frame that is held is most of what an open stream keeps: so its methods are its
 * class's, and its bytes are a string meanwhile, for which an engine needs less memory than for a typed array.
 */
export class JsonFrame implements Frame {
  readonly pieces: readonly Piece[];
  readonly tools: readonly ToolPart[] | undefined;
  readonly ends: readonly string[];
  readonly ended: readonly string[] | undefined;
  readonly terminal: boolean;
  readonly request: RequestFacts | undefined;
  readonly #literals: readonly PieceSource[];
  readonly #entries: readonly (ToolEntry | undefined)[];
  readonly #joined: Joined | undefined;
  readonly #swaps: Swaps | undefined;
  #bytes: KeptBytes;

  constructor({ raw, data, lines, pieces, literals, tools, ends, ...rest }: JsonFrameParts) {
    this.pieces = pieces;
    this.tools = tools === undefined || tools.length === 0 ? undefined : tools;
    this.ends = ends;
    this.ended = rest.ended;
    this.terminal = rest.terminal ?? false;
    this.request = rest.request;
    this.#literals = literals;
    this.#entries = rest.entries ?? NONE;
    this.#joined = lines && { data, lines };
    this.#swaps = rest.swaps;
    this.#bytes = raw;
  }

  get bytes(): Uint8Array {
    return (this.#bytes = asBytes(this.#bytes));
  }

  keep(): void {
    this.#bytes = asKept(this.#bytes);
  }

  render(edits: readonly Edit[], cuts?: readonly Cut[]): Uint8Array {
    return inOneGo(this.#rendered(edits, false, UNPACED, cuts));
  }

  renderUnfinished(edits: readonly Edit[], cuts?: readonly Cut[]): Uint8Array {
    return inOneGo(this.#rendered(edits, true, UNPACED, cuts));
  }

  rendering(
    edits: readonly Edit[],
    pace: Pace,
    cuts?: readonly Cut[],
  ): Generator<undefined, Uint8Array> {
    return this.#rendered(edits, false, pace, cuts);
  }

  without(taken: readonly number[]): readonly Cut[] | undefined {
    const { tools } = this;
    return tools && takenOut(this.#source.data, tools, this.#entries, taken);
  }

  /** What else changes when these edits are made. */
  protected swaps(edits: readonly Edit[], unfinished: boolean, data: Uint8Array): readonly Swap[] {
    return this.#swaps?.(edits, unfinished, data) ?? NONE;
  }

  /** Its bytes, and the JSON text that they hold. */
  get #source(): Pick<JsonFrameParts, 'raw' | 'data' | 'lines'> {
    const raw = this.bytes;
    const { data, lines } = this.#joined ?? { data: raw, lines: undefined };
    return { raw, data, lines };
  }

  #rendered(
    edits: readonly Edit[],
    unfinished: boolean,
    pace: Pace,
    cuts: readonly Cut[] | undefined,
  ): Generator<undefined, Uint8Array> {
    const source = this.#source;
    const { pieces, ends } = this;
    const parts = { ...source, pieces, literals: this.#literals, ends };
    return rendered(parts, edits, this.swaps(edits, unfinished, source.data), pace, cuts);
  }
}

/** The same without a class to know. */
export function jsonFrame(parts: JsonFrameParts): Frame {
  return new JsonFrame(parts);
}

function inOneGo<Result>(steps: Generator<undefined, Result>): Result {
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** Bytes, or the same as Latin-1 text. */
type KeptBytes = Uint8Array | string;

/** Bytes that are put together when they are asked for. */
interface LateBytes {
  readonly bytes: Uint8Array;
}

function asBytes(kept: KeptBytes | LateBytes): Uint8Array {
  if (typeof kept === 'string') return Buffer.from(kept, 'latin1');
  return kept instanceof Uint8Array ? kept : kept.bytes;
}

const asKept = (kept: KeptBytes | LateBytes): string =>
  typeof kept === 'string' ? kept : overlay(asBytes(kept)).toString('latin1');

function* rendered(
  parts: JsonFrameParts,
  edits: readonly Edit[],
  swaps: readonly Swap[],
  pace: Pace,
  cuts: readonly Cut[] = [],
): Generator<undefined, Uint8Array> {
  const texts = yield* textSplices(parts, edits, pace);
  const all = [...halved(parts, edits).map((node) => ({ node, json: 'null' })), ...swaps];
  // Of two splices that begin together the first one counts: a value that gives way takes its text along.
  return yield* spliced(
    parts.raw,
    [
      ...cuts.flatMap((cut) => inRaw(parts, cut)),
      ...all.flatMap(({ node, json }) =>
        inRaw(parts, { start: node.start, end: node.end, bytes: Buffer.from(json, 'utf8') }),
      ),
      ...texts,
    ],
    pace,
  );
}

/** A frame that has no pieces. */
class PlainFrame implements Frame {
  readonly pieces: readonly Piece[] = NONE;
  readonly ends: readonly string[] = NONE;
  readonly terminal: boolean;
  readonly unreadable: string | undefined;
  #bytes: KeptBytes | LateBytes;

  constructor(bytes: Uint8Array | LateBytes, terminal: boolean, unreadable: string | undefined) {
    this.#bytes = bytes;
    this.terminal = terminal;
    this.unreadable = unreadable;
  }

  get bytes(): Uint8Array {
    return (this.#bytes = asBytes(this.#bytes));
  }

  keep(): void {
    this.#bytes = asKept(this.#bytes);
  }

  render(edits: readonly Edit[]): Uint8Array {
    return unchanged(this.bytes, edits);
  }

  renderUnfinished(edits: readonly Edit[]): Uint8Array {
    return unchanged(this.bytes, edits);
  }
}

/** A frame without text: a comment, an empty event, the end marker. */
export function silentFrame(bytes: Uint8Array, terminal: boolean): Frame {
  return new PlainFrame(bytes, terminal, undefined);
}

/** A frame whose meaning could not be read, and why. Where it is refused, nobody asks for its bytes. */
export function unreadableFrame(bytes: Uint8Array | LateBytes, reason: string): Frame {
  return new PlainFrame(bytes, false, reason);
}

/** Rendering of a frame that has no pieces. */
export function unchanged(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  editsByPiece([], edits);
  return bytes;
}

function* textSplices(
  parts: JsonFrameParts,
  edits: readonly Edit[],
  pace: Pace,
): Generator<undefined, readonly Splice[]> {
  const splices: Splice[] = [];
  const asciiOnly = edits.length > 0 && isAscii(parts.raw);
  for (const [index, group] of editsByPiece(parts.pieces, edits)) {
    const literal = parts.literals[index]!;
    if (literal.kind === 'encoded' || (literal.kind === 'string' && literal.bare)) {
      splices.push(
        ...inRaw(parts, replaced(parts, literal, editedText(parts.pieces[index]!, group))),
      );
      continue;
    }
    const written = literal.kind === 'written';
    const from = written ? literal.start : literal.start + 1;
    const to = written ? literal.end : literal.end - 1;
    const cursor = literal.simple ? undefined : new UnitCursor(parts.data, from, to, !written);
    for (const edit of wholeCharacterEdits(parts.pieces[index]!, group)) {
      const { replacement } = edit;
      pace.left -= EDIT_UNITS;
      if (pace.left <= 0) yield;
      while (cursor && !cursor.reach(edit.start, pace)) yield;
      const start = cursor?.at ?? from + edit.start;
      while (cursor && !cursor.reach(edit.end, pace)) yield;
      const end = cursor?.at ?? from + edit.end;
      // What replaces a part of written JSON comes as written JSON.
      const json = written ? replacement : escapeJson(replacement, asciiOnly);
      const bytes = Buffer.from(written && asciiOnly ? asciiJson(json) : json, 'utf8');
      splices.push(...inRaw(parts, { start, end, bytes }));
    }
  }
  return splices;
}

/** The whole of a value that cannot be changed in part, as the string that it becomes. */
function replaced(parts: JsonFrameParts, source: JsonString | EncodedText, text: string): Splice {
  if (source.kind === 'string') {
    // A number that is no longer one must become a string, or nobody could read the body.
    const bytes = Buffer.from(JSON.stringify(text), 'utf8');
    return { start: source.start + 1, end: source.end - 1, bytes };
  }
  const { literal, head } = source;
  const json = JSON.stringify(encodedText(head, text, stringValue(parts.data, literal)));
  return { start: literal.start, end: literal.end, bytes: Buffer.from(json, 'utf8') };
}

function editedText(piece: Piece, edits: readonly Edit[]): string {
  let text = '';
  let kept = 0;
  for (const edit of wholeCharacterEdits(piece, edits)) {
    text += piece.value.slice(kept, edit.start) + edit.replacement;
    kept = edit.end;
  }
  return text + piece.value.slice(kept);
}

/** Owners of written values whose end is cut off. */
function halved(parts: JsonFrameParts, edits: readonly Edit[]): readonly JsonNode[] {
  const owners = new Set<JsonNode>();
  for (const { piece, end, replacement } of edits) {
    const source = parts.literals[piece]!;
    const cut = replacement === '' && end === parts.pieces[piece]!.value.length;
    if (source.kind === 'written' && cut) owners.add(source.owner);
  }
  return [...owners];
}

const NOTHING = new Uint8Array(0);

/** A splice of the data as splices of the raw bytes: one per line it touches, so that all lines stay. */
export function inRaw(parts: Pick<JsonFrameParts, 'lines'>, splice: Splice): readonly Splice[] {
  if (parts.lines === undefined) return [splice];
  const { lines } = parts;
  const splices: Splice[] = [];
  // An event may be made of nothing but lines, and have a change in each.
  for (let index = firstLine(lines, splice.start); index < lines.length; index += 1) {
    const line = lines[index]!;
    if (line.dataStart > splice.end) break;
    const start = Math.max(splice.start, line.dataStart);
    const end = Math.min(splice.end, line.dataStart + line.length);
    const shift = line.rawStart - line.dataStart;
    const bytes = splices.length === 0 ? splice.bytes : NOTHING;
    splices.push({ start: start + shift, end: end + shift, bytes });
  }
  return splices;
}

/** The first line that does not end before byte `at` of the data. */
function firstLine(lines: readonly DataLine[], at: number): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const { dataStart, length } = lines[middle]!;
    if (dataStart + length < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
