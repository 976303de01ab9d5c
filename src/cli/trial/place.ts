/** Where in the bytes of a frame a unit of its text stands. */
import type { Frame } from '../../formats/frame.ts';

/** Neither is escaped in JSON, and at most one of them is the byte that stands there. */
const MARKS = ['0', '1'] as const;

/**
 * Offset in the frame's bytes of unit `unit` of piece `piece`, or undefined where what is in front of it would
 * change, too, were the text changed. The frame itself is asked to write a mark there. Cost: renders it twice.
 */
export function byteOffset(frame: Frame, piece: number, unit: number): number | undefined {
  const [one, other] = MARKS.map((replacement) =>
    frame.render([{ piece, start: unit, end: unit, replacement }]),
  ) as [Uint8Array, Uint8Array];
  const { bytes } = frame;
  let at = 0;
  while (at < one.length && one[at] === other[at]) {
    if (one[at] !== bytes[at]) return undefined;
    at += 1;
  }
  return at;
}

const LF = 0x0a;
const CR = 0x0d;

/** Follows lines through a body that comes in parts: LF, CR and CRLF end one. */
export class LineCount {
  /** Of the next byte, from 1. */
  line = 1;
  private afterCr = false;
  private started = 0;
  private consumed = 0;

  /** Bytes of the line before the next one. */
  get column(): number {
    return this.consumed - this.started;
  }

  take(bytes: Uint8Array, to = bytes.length): void {
    for (let at = 0; at < to; at += 1) {
      const byte = bytes[at];
      this.consumed += 1;
      if (byte === LF && this.afterCr) this.started = this.consumed;
      else if (byte === LF || byte === CR) {
        this.line += 1;
        this.started = this.consumed;
      }
      this.afterCr = byte === CR;
    }
  }

  copy(): LineCount {
    const copy = new LineCount();
    copy.line = this.line;
    copy.afterCr = this.afterCr;
    copy.started = this.started;
    copy.consumed = this.consumed;
    return copy;
  }
}
