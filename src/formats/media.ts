/** Bytes in base64 where pictures, sounds and files stand: which of them are text that a model will read. */
import { Buffer, isUtf8 } from 'node:buffer';
import type { JsonString } from './json.ts';
import { LongReading, overlay } from './json-string.ts';
import type { Pace } from './pace.ts';
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
  const encoded = isEncodedBytes(value, bareUnitsMin);
  const base64 = (): string => (head === null ? value : value.slice(head[0].length));
  const text = (): string | undefined => decodedText(base64());
  return mediaFrom({ top, encoded, text }, mediaType, () => value);
}

/** What is known of a value whoever's it is. */
interface ReadMedia {
  /** Its beginning. */
  readonly top: string;
  readonly encoded: boolean;
  /** That of the base64, if it is text. */
  readonly text: () => string | undefined;
}

function mediaFrom(
  { top, encoded, text }: ReadMedia,
  mediaType: string,
  value: () => string,
): Media {
  const head = DATA_URL_HEAD.exec(top);
  if (!encoded)
    return TEXT_URL.test(top) && (/;\s*base64\s*,/i.test(top) || value().includes('%'))
      ? HIDDEN
      : PLAIN;
  const type = head?.[1] ?? mediaType;
  const declared = TEXT_TYPE.test(type) || (head !== null && type === '');
  if (NO_TEXT.test(type) && !declared) return BYTES;
  const decoded = text();
  if (decoded !== undefined) return { kind: 'text', head: head?.[0] ?? '', text: decoded };
  return declared ? HIDDEN : BYTES;
}

/** So much is looked at at a time; a multiple of 4, so that base64 can be decoded. */
const SLICE_UNITS = 8_192;
/** Looking at base64 and decoding it is quicker than judging text: so many of it count as one unit. */
const BASE64_PER_UNIT = 16;
const BASE64_SLICE = /^[A-Za-z0-9+/_-]*(=*)$/;
const PADDING_MAX = 2;

/** The same of a long value, found out bit by bit. Where it was stopped does not show. */
export class MediaReading {
  private readonly bytes: Buffer;
  private readonly literal: JsonString;
  /** The value of a literal that has escapes. */
  private readonly decoding: LongReading | undefined;
  private top = '';
  private encoded = true;
  private padding = 0;
  /** Where the base64 begins. */
  private from = 0;
  /** What was looked at, in units of the value. */
  private at = 0;
  private state: 'looking' | 'decoding' | 'done' = 'looking';
  /** Bytes of a character that goes on in the next slice. */
  private tail: Uint8Array = new Uint8Array(0);
  private text: string | undefined = '';

  constructor(bytes: Uint8Array, literal: JsonString) {
    this.bytes = overlay(bytes);
    this.literal = literal;
    if (literal.simple) return;
    this.decoding = new LongReading(this.bytes, literal.start + 1, literal.end - 1, true);
  }

  /** What the value holds; to be asked when all was read. See `mediaOf`. */
  media(mediaType: string, value: () => string): Media {
    const { top, encoded } = this;
    return mediaFrom({ top, encoded, text: () => this.text }, mediaType, value);
  }

  get isEncoded(): boolean {
    return this.encoded;
  }

  /** Whether all of it is read. */
  readOn(pace: Pace): boolean {
    while (this.state !== 'done') {
      if (pace.left <= 0) return false;
      if (this.state === 'looking') this.look(pace);
      else this.decode(pace);
    }
    return true;
  }

  /** Units of the value that are there to be looked at. */
  private get known(): number {
    return this.decoding?.value.length ?? this.literal.end - this.literal.start - 2;
  }

  private units(from: number, to: number): string {
    if (this.decoding !== undefined) return this.decoding.value.slice(from, to);
    const first = this.literal.start + 1;
    return this.bytes.toString('latin1', first + from, first + Math.min(to, this.known));
  }

  private look(pace: Pace): void {
    const whole = this.decoding?.readOn(pace) ?? true;
    if (this.at === 0) {
      this.top = this.units(0, URL_HEAD_UNITS);
      this.from = DATA_URL_HEAD.exec(this.top)?.[0].length ?? 0;
      this.at = this.from;
    }
    const slice = this.units(this.at, this.at + SLICE_UNITS);
    pace.left -= slice.length / BASE64_PER_UNIT;
    const padding = BASE64_SLICE.exec(slice)?.[1];
    const goesOn = padding !== undefined && (this.padding === 0 || padding.length === slice.length);
    this.padding += padding?.length ?? 0;
    this.at += slice.length;
    if (!goesOn || this.padding > PADDING_MAX) {
      this.encoded = false;
      this.state = 'done';
    } else if (whole && this.at >= this.known) this.begin();
  }

  private begin(): void {
    const sample = Buffer.from(this.units(this.from, this.from + SAMPLE_UNITS), 'base64');
    this.at = this.from;
    this.state = 'decoding';
    if (!isTextBeginning(sample)) this.noText();
  }

  private noText(): void {
    this.text = undefined;
    this.state = 'done';
  }

  private decode(pace: Pace): void {
    const slice = this.units(this.at, this.at + SLICE_UNITS);
    pace.left -= slice.length / BASE64_PER_UNIT;
    this.at += slice.length;
    const last = this.at >= this.known;
    const bytes = Buffer.concat([this.tail, Buffer.from(slice, 'base64')]);
    const end = last ? bytes.length : bytes.length - incompleteTail(bytes, bytes.length);
    const whole = bytes.subarray(0, end);
    this.tail = bytes.subarray(end);
    if (!isText(whole)) this.noText();
    else {
      this.text += whole.toString('utf8');
      if (last) this.state = 'done';
    }
  }
}

/** A changed text in the base64 of the one before. */
export function encodedText(head: string, text: string, before: string): string {
  const urlSafe = /[-_]/.test(before.slice(head.length));
  return head + Buffer.from(text, 'utf8').toString(urlSafe ? 'base64url' : 'base64');
}

/** Undefined for bytes that are no UTF-8, or have control characters that no text has. */
function decodedText(base64: string): string | undefined {
  if (!isTextBeginning(Buffer.from(base64.slice(0, SAMPLE_UNITS), 'base64'))) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  return isText(bytes) ? bytes.toString('utf8') : undefined;
}

/** 1 for control characters other than tab, line feed, form feed, carriage return and escape. */
const BINARY = Uint8Array.from({ length: 32 }, (_, byte) =>
  [9, 10, 12, 13, 27].includes(byte) ? 0 : 1,
);

function isTextBeginning(sample: Uint8Array): boolean {
  return isText(sample.subarray(0, sample.length - incompleteTail(sample, sample.length)));
}

function isText(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += 1) if (BINARY[bytes[at]!] === 1) return false;
  return isUtf8(bytes);
}
