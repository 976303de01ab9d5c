import { Buffer, isAscii as nativeIsAscii } from 'node:buffer';
import type { JsonString } from './json.ts';
import { BYTES_PER_UNIT, type Pace } from './pace.ts';
import { incompleteTail, isHighSurrogate, isLowSurrogate } from './utf8.ts';

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
/** `\u` and four digits. */
const ESCAPE_BYTES_MAX = 6;

/** A Buffer over the same memory: its slicing to strings is native. Worth making once for many strings. */
export function overlay(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The value of a literal as JSON.parse reads it, after WHATWG decoding. Cost: linear. */
export function stringValue(bytes: Uint8Array, literal: JsonString): string {
  const buffer = overlay(bytes);
  if (literal.simple) return buffer.toString('latin1', literal.start + 1, literal.end - 1);
  const written = buffer.toString('utf8', literal.start, literal.end);
  // Ten times as fast as taking escapes one by one: a body may be made of nothing else.
  return written.includes('\\') ? (JSON.parse(written) as string) : written.slice(1, -1);
}

/** So much of a literal is decoded at a time. */
const SLICE_BYTES = 8_192;

/** The value of a long text, bit by bit. Where it was stopped does not show. */
export class LongReading {
  value = '';
  private readonly bytes: Buffer;
  private readonly end: number;
  private readonly escapes: boolean;
  private at: number;

  /** Reads `bytes[from,to)`. `escapes`: it is the inside of a valid literal; else JSON as it is written. */
  constructor(bytes: Buffer, from: number, to: number, escapes: boolean) {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
    this.escapes = escapes;
  }

  /** Whether all of it is read. */
  readOn(pace: Pace): boolean {
    while (this.at < this.end) {
      if (pace.left <= 0) return false;
      const { bytes, at, end, escapes } = this;
      const to = at + SLICE_BYTES < end ? characterEnd(bytes, at, at + SLICE_BYTES, escapes) : end;
      pace.left -= (to - at) / BYTES_PER_UNIT;
      const written = bytes.toString('utf8', at, to);
      const escaped = escapes && written.includes('\\');
      this.value += escaped ? (JSON.parse(`"${written}"`) as string) : written;
      this.at = to;
    }
    return true;
  }
}

/** The last place up to `to` where no character is parted, nor an escape, if there are any; `from` is such a place. */
function characterEnd(bytes: Buffer, from: number, to: number, escapes: boolean): number {
  if (escapes)
    for (let at = to - 1; at >= from && at > to - ESCAPE_BYTES_MAX; at -= 1) {
      if (bytes[at] !== BACKSLASH) continue;
      let first = at;
      while (first > from && bytes[first - 1] === BACKSLASH) first -= 1;
      // Of a run of backslashes every other one is escaped.
      const begins = (at - first) % 2 === 0;
      if (begins && at + (bytes[at + 1] === LETTER_U ? ESCAPE_BYTES_MAX : 2) > to) return at;
      break;
    }
  return to - incompleteTail(bytes, to);
}

/** Below this a loop is quicker than a call. */
const NATIVE_BYTES_MIN = 64;

export function isAscii(bytes: Uint8Array): boolean {
  if (bytes.length >= NATIVE_BYTES_MIN) return nativeIsAscii(bytes);
  for (let i = 0; i < bytes.length; i += 1) if (bytes[i]! >= 0x80) return false;
  return true;
}

function unicodeEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/**
 * `text` for the inside of a JSON literal. `asciiOnly` writes everything above U+007E as `\uXXXX`; a
 * lone surrogate is always written so, as UTF-8 has no form for it.
 */
export function escapeJson(text: string, asciiOnly: boolean): string {
  let escaped = '';
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    const paired =
      (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(i + 1))) ||
      (isLowSurrogate(unit) && i > 0 && isHighSurrogate(text.charCodeAt(i - 1)));
    const lone = !paired && unit >= 0xd800 && unit <= 0xdfff;
    if (unit === 0x22) escaped += '\\"';
    else if (unit === 0x5c) escaped += '\\\\';
    else if (unit === 0x0a) escaped += '\\n';
    else if (unit === 0x0d) escaped += '\\r';
    else if (unit === 0x09) escaped += '\\t';
    else if (unit < 0x20 || lone || (asciiOnly && unit > 0x7e)) escaped += unicodeEscape(unit);
    else escaped += text[i];
  }
  return escaped;
}

/** JSON with every unit above U+007E of its strings escaped; structure has none. Cost: linear. */
export function asciiJson(json: string): string {
  let ascii = '';
  for (let i = 0; i < json.length; i += 1) {
    const unit = json.charCodeAt(i);
    ascii += unit > 0x7e ? unicodeEscape(unit) : json[i];
  }
  return ascii;
}
