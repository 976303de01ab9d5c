import { Buffer } from 'node:buffer';
import type { Edit, Piece } from './frame.ts';
import { type Pace, UNPACED } from './pace.ts';
import { splitsPair } from './utf8.ts';

/** Bytes `[start,end)` of a frame give way to `bytes`. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

/**
 * The source with its splices applied. One that begins inside an earlier one has nothing left to
 * replace and falls away. Cost: linear, and a sort of the splices.
 */
export function applySplices(source: Uint8Array, splices: readonly Splice[]): Uint8Array {
  return spliced(source, splices, UNPACED).next().value as Uint8Array;
}

/** The same, as far as the pace lets it. */
export function* spliced(
  source: Uint8Array,
  splices: readonly Splice[],
  pace: Pace,
): Generator<undefined, Uint8Array> {
  if (splices.length === 0) return source;
  const ordered = [...splices].sort((a, b) => a.start - b.start);
  let length = source.length;
  let cursor = 0;
  const counting: Splice[] = [];
  for (const splice of ordered) {
    if (splice.start < cursor) continue;
    counting.push(splice);
    length += splice.bytes.length - (splice.end - splice.start);
    cursor = splice.end;
  }
  const result = Buffer.allocUnsafe(length);
  let read = 0;
  let written = 0;
  for (let index = 0; index <= counting.length; index += 1) {
    const splice = counting[index];
    const upTo = splice?.start ?? source.length;
    for (let from = read; from < upTo; from += COPY_BYTES) {
      if (pace.left <= 0) yield;
      const to = Math.min(upTo, from + COPY_BYTES);
      result.set(source.subarray(from, to), written);
      written += to - from;
      pace.left -= (to - from) / COPIED_BYTES_PER_UNIT;
    }
    if (splice === undefined) break;
    result.set(splice.bytes, written);
    written += splice.bytes.length;
    pace.left -= SPLICE_UNITS;
    read = splice.end;
  }
  return result;
}

/** So much is copied at a time. */
const COPY_BYTES = 65_536;
/** Copying is far quicker than judging. */
const COPIED_BYTES_PER_UNIT = 64;
const SPLICE_UNITS = 4;

/** Whether one of these edits is in a piece from the one on and before the other. Cost of each question: logarithmic. */
export function touchedBy(edits: readonly Edit[]): (from: number, to: number) => boolean {
  const touched = [...new Set(edits.map(({ piece }) => piece))].sort((one, other) => one - other);
  return (from, to) => {
    let low = 0;
    for (let high = touched.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (touched[middle]! < from) low = middle + 1;
      else high = middle;
    }
    return low < touched.length && touched[low]! < to;
  };
}

/**
 * The edits of one piece as ranges that split no surrogate pair: a range that covers half of a pair
 * covers all of it, an insertion inside a pair moves in front of it.
 * Throws RangeError when edits overlap, are unordered or leave the piece.
 */
export function wholeCharacterEdits(piece: Piece, edits: readonly Edit[]): readonly Edit[] {
  const whole: Edit[] = [];
  let written = 0;
  let asked = 0;
  for (const edit of edits) {
    if (edit.start < asked || edit.end < edit.start || edit.end > piece.value.length)
      throw new RangeError('edits of a piece must be ordered, disjoint and inside it');
    asked = edit.end;
    const before = edit.start - (splitsPair(piece.value, edit.start) ? 1 : 0);
    const after = edit.end + (splitsPair(piece.value, edit.end) ? 1 : 0);
    const start = Math.max(written, before);
    const end = Math.max(start, edit.start === edit.end ? before : after);
    whole.push({ piece: edit.piece, start, end, replacement: edit.replacement });
    written = end;
  }
  return whole;
}

/** Edits by piece, in the order given. Throws RangeError for a piece that does not exist. */
export function editsByPiece(
  pieces: readonly Piece[],
  edits: readonly Edit[],
): ReadonlyMap<number, readonly Edit[]> {
  const grouped = new Map<number, Edit[]>();
  for (const edit of edits) {
    if (pieces[edit.piece] === undefined)
      throw new RangeError('edit of a piece that does not exist');
    const group = grouped.get(edit.piece);
    if (group === undefined) grouped.set(edit.piece, [edit]);
    else group.push(edit);
  }
  return grouped;
}
