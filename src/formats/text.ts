/** Plain UTF-8 text: one text, `text`, from the first byte to the last. */
import { Buffer } from 'node:buffer';
import type { Direction, Place } from '../policy/set.ts';
import { ByteStore } from './byte-store.ts';
import { refusalHeaders } from './chat-refusal.ts';
import type {
  AppendForm,
  BodyReader,
  Edit,
  Format,
  Frame,
  Piece,
  Refusal,
  RefusalResponse,
} from './frame.ts';
import { unchanged, unreadableFrame } from './json-frame.ts';
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from './limits.ts';
import { applySplices, wholeCharacterEdits } from './splice.ts';
import { incompleteTail, unitStarts } from './utf8.ts';
import { WholeBody } from './whole-body.ts';

/** The format with limits of its own. */
export function plainTextWith(limits: FormatLimits): Format {
  return Object.freeze({
    name: 'text' as const,
    reader(direction: Direction, streamed: boolean): BodyReader {
      return streamed ? new TextStreamReader(direction) : new WholeTextReader(direction, limits);
    },
    refusalResponse: textRefusalResponse,
  });
}

export const plainText: Format = plainTextWith(DEFAULT_FORMAT_LIMITS);

const TEXT = 'text';

function placeOf(direction: Direction): Place {
  return direction === 'request' ? 'user' : 'assistant';
}

function textRefusalResponse(
  refusal: Refusal,
  status: number,
  as: 'error' | 'refusal',
): RefusalResponse {
  return {
    status: as === 'error' ? status : 200,
    headers: refusalHeaders(refusal, 'text/plain; charset=utf-8'),
    body: `${refusal.message}\n`,
  };
}

function textFrame(bytes: Uint8Array, place: Place, last: boolean): Frame {
  const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const piece: Piece = { text: TEXT, place, encoding: 'plain', value, last };
  const render = (edits: readonly Edit[]): Uint8Array => {
    if (edits.length === 0) return bytes;
    if (edits.some((edit) => edit.piece !== 0)) return unchanged(bytes, edits);
    const starts = unitStarts(bytes, 0, bytes.length, false);
    return applySplices(
      bytes,
      wholeCharacterEdits(piece, edits).map((edit) => ({
        start: starts[edit.start]!,
        end: starts[edit.end]!,
        bytes: Buffer.from(edit.replacement, 'utf8'),
      })),
    );
  };
  return Object.freeze({
    bytes,
    pieces: [piece],
    ends: [],
    terminal: false,
    render,
    renderUnfinished: render,
  });
}

function appendTo(text: string, addition: string, before: Frame | undefined): AppendForm {
  if (text !== TEXT) return { kind: 'impossible' };
  const piece = before?.pieces.findLastIndex((candidate) => candidate.text === TEXT) ?? -1;
  if (piece === -1) return { kind: 'frame', bytes: Buffer.from(addition, 'utf8') };
  const at = before!.pieces[piece]!.value.length;
  return { kind: 'edit', edit: { piece, start: at, end: at, replacement: addition } };
}

/**
 * Some servers take a JSON request under any label. Read as plain text its escapes would hide every word, so
 * a text that begins as JSON does may have none.
 */
function mayBeEscapedJson(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return text.includes(0x5c) && /^[\s\ufeff]*[[{"]/.test(text.toString('utf8'));
}

class WholeTextReader implements BodyReader {
  readonly #direction: Direction;
  readonly #body: WholeBody;
  #begun = false;

  constructor(direction: Direction, limits: FormatLimits) {
    this.#direction = direction;
    this.#body = new WholeBody(limits.bodyBytesMax);
  }

  get pendingBytes(): number {
    return this.#body.pendingBytes;
  }

  push(bytes: Uint8Array): readonly Frame[] {
    return this.#body.push(bytes).map((part) => unreadableFrame(part, 'body_too_large'));
  }

  end(): readonly Frame[] {
    const rest = this.#body.end();
    if (rest === undefined) return [];
    if (this.#body.oversized) return [unreadableFrame(rest, 'body_too_large')];
    if (this.#direction === 'request' && mayBeEscapedJson(rest))
      return [unreadableFrame(rest, 'json_as_text')];
    // UTF-16, or no text at all: its letters would stand apart.
    if (rest.includes(0)) return [unreadableFrame(rest, 'binary_text')];
    return [textFrame(rest, placeOf(this.#direction), true)];
  }

  sent(): void {
    this.#begun = true;
  }

  refuse(refusal: Refusal): readonly Uint8Array[] {
    if (this.#direction === 'request' || this.#begun) return [];
    return [Buffer.from(`${refusal.message}\n`, 'utf8')];
  }

  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    return appendTo(text, addition, before);
  }
}

/** Frames are whole characters as they arrive; where they are cut shows in nothing but their number. */
class TextStreamReader implements BodyReader {
  readonly #direction: Direction;
  readonly #pending = new ByteStore();

  constructor(direction: Direction) {
    this.#direction = direction;
  }

  get pendingBytes(): number {
    return this.#pending.length;
  }

  push(bytes: Uint8Array): readonly Frame[] {
    this.#pending.append(bytes);
    const { length } = this.#pending;
    const all = this.#pending.copy(0, length);
    const whole = length - incompleteTail(all, length);
    this.#pending.keepFrom(whole);
    return whole > 0 ? [this.#frame(all.subarray(0, whole), false)] : [];
  }

  end(): readonly Frame[] {
    const { length } = this.#pending;
    return length === 0 ? [] : [this.#frame(this.#pending.takeAll(), true)];
  }

  #frame(bytes: Uint8Array, last: boolean): Frame {
    return textFrame(bytes, placeOf(this.#direction), last);
  }

  sent(): void {}

  /** Plain text has no words for a refusal: a last line in brackets says it. */
  refuse(refusal: Refusal): readonly Uint8Array[] {
    if (this.#direction === 'request') return [];
    return [Buffer.from(`\n[${refusal.message}]\n`, 'utf8')];
  }

  append(text: string, addition: string, before: Frame | undefined): AppendForm {
    return appendTo(text, addition, before);
  }
}
