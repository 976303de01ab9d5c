/** The texts of one body as they grow: what stands where, and in which frame. */
import type { Frame, Piece } from '../../formats/frame.ts';

/** Units of a text that are remembered behind its end: more than a match may be long or wait. */
export const REMEMBERED_UNITS = 262_144;
/** Units shown around a match. */
export const CONTEXT_UNITS = 40;

/** A stretch of a text in one frame. */
interface Span {
  readonly frame: Frame;
  readonly index: number;
  readonly piece: number;
  readonly start: number;
  readonly end: number;
}

interface Text {
  readonly place: Piece['place'];
  value: string;
  /** Position of `value[0]`. */
  base: number;
  spans: Span[];
  closed: boolean;
}

export interface Stretch {
  readonly place: Piece['place'];
  readonly matched: string;
  readonly before: string;
  readonly after: string;
  readonly first: Span | undefined;
  readonly last: Span | undefined;
}

export class Texts {
  private readonly texts = new Map<string, Text>();

  /** Adds the pieces of frame number `index`; returns where in their texts they begin. */
  add(frame: Frame, index: number): readonly number[] {
    const starts = frame.pieces.map((piece, at) => {
      const text = this.open(piece);
      const start = text.base + text.value.length;
      text.value += piece.value;
      const end = start + piece.value.length;
      text.spans.push({ frame, index, piece: at, start, end });
      text.closed = piece.last;
      forgetOld(text);
      return start;
    });
    if (frame.terminal || frame.ends.length > 0) this.close(frame);
    return starts;
  }

  /** Units `[start,end)` of a text, with what stands around it so far. */
  stretch(key: string, start: number, end: number): Stretch | undefined {
    const text = this.texts.get(key);
    if (text === undefined) return undefined;
    const { value, base, spans, place } = text;
    const [from, to] = [start - base, end - base];
    return {
      place,
      matched: value.slice(Math.max(0, from), to),
      before: whole(value, Math.max(0, from - CONTEXT_UNITS), from),
      after: whole(value, to, to + CONTEXT_UNITS),
      first: spans.find((span) => span.end > start),
      last: spans.findLast((span) => span.start < end),
    };
  }

  private close({ terminal, ends }: Frame): void {
    for (const [key, text] of this.texts)
      if (terminal || ends.some((prefix) => key.startsWith(prefix))) text.closed = true;
  }

  /** A text that has ended may begin anew under the same name: events that stand alone do that. */
  private open({ text: key, place }: Piece): Text {
    const known = this.texts.get(key);
    if (known !== undefined && !known.closed) return known;
    const text: Text = { place, value: '', base: 0, spans: [], closed: false };
    this.texts.set(key, text);
    return text;
  }
}

function forgetOld(text: Text): void {
  const excess = text.value.length - REMEMBERED_UNITS;
  if (excess < REMEMBERED_UNITS) return;
  text.value = text.value.slice(excess);
  text.base += excess;
  text.spans = text.spans.filter((span) => span.end > text.base);
}

/** A slice that begins and ends with whole characters. */
function whole(value: string, from: number, to: number): string {
  const isLow = (at: number): boolean => (value.charCodeAt(at) & 0xfc00) === 0xdc00;
  return value.slice(isLow(from) ? from + 1 : from, isLow(to) ? to + 1 : to);
}
