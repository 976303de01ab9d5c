import { Buffer } from 'node:buffer';
import type { JsonString } from './json.ts';
import { isHighSurrogate, isLowSurrogate } from './utf8.ts';

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

export function isAscii(bytes: Uint8Array): boolean {
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
