/** Bytes in base64 where pictures, sounds and files stand: which of them are text that a model will read. */
import { Buffer, isUtf8 } from 'node:buffer';
import { incompleteTail } from './utf8.ts';

export type Media =
  /** No base64: the value is text as it stands. */
  | { readonly kind: 'plain' }
  /** Bytes that are no text. */
  | { readonly kind: 'bytes' }
  /** Text in base64 behind `head`. */
  | { readonly kind: 'text'; readonly head: string; readonly text: string }
  /** Text in a coding that is not read here. */
  | { readonly kind: 'hidden' };

const PLAIN: Media = Object.freeze({ kind: 'plain' });
const BYTES: Media = Object.freeze({ kind: 'bytes' });
const HIDDEN: Media = Object.freeze({ kind: 'hidden' });

const DATA_URL_HEAD = /^data:([\w.+-]*\/?[\w.+-]*)(?:;[\w.+-]+=[\w.+-]*)*;base64,/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const URL_HEAD_UNITS = 256;
/** Units of base64 that are decoded to see whether the rest is worth it; a multiple of 4. */
const SAMPLE_UNITS = 1_024;

/** A data: URL of a type that is text. */
const TEXT_URL =
  /^\s*data:(?:text\/|;|,|[\w.+-]+\/(?:[\w.+-]*[.+-])?(?:json|xml|yaml|javascript|csv|html)(?![\w.+-]))/i;
const TEXT_TYPE =
  /^\s*(?:text\/|[\w.+-]+\/(?:[\w.+-]*[.+-])?(?:json|xml|yaml|javascript|csv|html)(?![\w.+-]))/i;
/** Read by eye and ear, or in a form of its own. */
const NO_TEXT = /^\s*(?:(?:image|audio|video|font)\/|application\/pdf)/i;

/** Where nothing says that a value is media, one that is shorter, and no data: URL, is a word. */
export const BARE_BASE64_UNITS_MIN = 256;

/** Base64, bare (at least `bareUnitsMin` long) or as a data: URL. Linear in its length. */
export function isEncodedBytes(value: string, bareUnitsMin = 0): boolean {
  const head = DATA_URL_HEAD.exec(value.slice(0, URL_HEAD_UNITS));
  if (head === null) return value.length >= bareUnitsMin && BASE64.test(value);
  return BASE64.test(value.slice(head[0].length));
}

/**
 * What a value holds. `mediaType`: as the body names it, '' where a data: URL or nobody does. A label is not
 * believed: what is labelled as no picture, sound or PDF, and reads as text, is text. Cost: linear.
 */
export function mediaOf(value: string, mediaType: string, bareUnitsMin = 0): Media {
  const top = value.slice(0, URL_HEAD_UNITS);
  const head = DATA_URL_HEAD.exec(top);
  if (!isEncodedBytes(value, bareUnitsMin))
    return TEXT_URL.test(top) && (/;\s*base64\s*,/i.test(top) || value.includes('%'))
      ? HIDDEN
      : PLAIN;
  const type = head?.[1] ?? mediaType;
  const declared = TEXT_TYPE.test(type) || (head !== null && type === '');
  if (NO_TEXT.test(type) && !declared) return BYTES;
  const base64 = head === null ? value : value.slice(head[0].length);
  const text = decodedText(base64);
  if (text !== undefined) return { kind: 'text', head: head?.[0] ?? '', text };
  return declared ? HIDDEN : BYTES;
}

/** A changed text in the base64 of the one before. */
export function encodedText(head: string, text: string, before: string): string {
  const urlSafe = /[-_]/.test(before.slice(head.length));
  return head + Buffer.from(text, 'utf8').toString(urlSafe ? 'base64url' : 'base64');
}

/** Undefined for bytes that are no UTF-8, or have control characters that no text has. */
function decodedText(base64: string): string | undefined {
  const sample = Buffer.from(base64.slice(0, SAMPLE_UNITS), 'base64');
  if (!isText(sample.subarray(0, sample.length - incompleteTail(sample, sample.length))))
    return undefined;
  const bytes = Buffer.from(base64, 'base64');
  return isText(bytes) ? bytes.toString('utf8') : undefined;
}

/** 1 for control characters other than tab, line feed, form feed, carriage return and escape. */
const BINARY = Uint8Array.from({ length: 32 }, (_, byte) =>
  [9, 10, 12, 13, 27].includes(byte) ? 0 : 1,
);

function isText(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += 1) if (BINARY[bytes[at]!] === 1) return false;
  return isUtf8(bytes);
}
