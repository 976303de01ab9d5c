/**
 * Protocol Buffers on the wire, as much as ext_proc and ext_authz need: a bounds-checked reader that
 * never copies, and a compact writer. Rules: https://protobuf.dev/programming-guides/encoding/
 * Groups are refused (no message of ours has one), unknown fields are skipped by wire type.
 */
import { Buffer } from 'node:buffer';

/** Bytes that are not a protobuf message. Tells where, never what: the bytes may be someone's prompt. */
export class MalformedMessage extends Error {
  readonly offset: number;
  readonly problem: MalformedProblem;
  constructor(problem: MalformedProblem, offset: number) {
    super(`malformed message at offset ${offset}: ${problem}`);
    this.name = 'MalformedMessage';
    this.problem = problem;
    this.offset = offset;
  }
}

export type MalformedProblem =
  | 'truncated'
  | 'varint_too_long'
  | 'bad_tag'
  | 'group'
  | 'unknown_wire_type'
  | 'too_deep'
  | 'too_many_parts'
  | 'too_many_fields'
  | 'wrong_value_type';

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_LENGTH = 2;
export const WIRE_FIXED32 = 5;

/** A 64-bit integer takes at most ten bytes of seven bits; the tenth holds one bit. */
export const VARINT_BYTES_MAX = 10;
/** Field numbers have 29 bits, a tag therefore 32. */
const TAG_MAX = 0xffff_ffff;

/**
 * Fields of one message, entries of one map, values of one Struct: Envoy sends a few hundred at most, and a peer that
 * sends millions in one message would keep everybody else waiting for seconds.
 */
export const FIELDS_MAX = 10_000;
/** Of what holds a key and a value, of which there may be `FIELDS_MAX`: one that says each again and again means nothing. */
export const ENTRY_FIELDS_MAX = 64;

/** Tag of a field that holds bytes, a string or a message. */
export const lengthTag = (field: number): number => field * 8 + WIRE_LENGTH;
/** Tag of a field that holds an integer, a bool or an enum. */
export const varintTag = (field: number): number => field * 8 + WIRE_VARINT;
/** Tag of a field that holds a double. */
export const fixed64Tag = (field: number): number => field * 8 + WIRE_FIXED64;

export const EMPTY: Buffer = Buffer.alloc(0);

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Walks the fields of one message. `next()` moves to a field and sets `tag`; exactly one of the value
 * methods, or `skip()`, must follow. A known field with another wire type has another tag and so falls
 * into the caller's `default: skip()`, which is what protobuf asks for.
 */
export class WireReader {
  #bytes: Buffer;
  #at: number;
  #end: number;
  #fieldsLeft: number;
  /** `field * 8 + wire type` of the current field. */
  tag = 0;
  /** Where the field that `span()` passed lies. */
  from = 0;
  to = 0;

  constructor(
    bytes: Uint8Array,
    start = 0,
    end: number = bytes.length,
    fieldsMax: number = FIELDS_MAX,
  ) {
    this.#bytes = asBuffer(bytes);
    this.#at = start;
    this.#end = end;
    this.#fieldsLeft = fieldsMax;
  }

  /** Reads another message from here on. For a reader that is used again and again within one turn. */
  over(bytes: Buffer, start: number, end: number, fieldsMax: number = FIELDS_MAX): this {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#fieldsLeft = fieldsMax;
    return this;
  }

  /** Where the next field begins. */
  get at(): number {
    return this.#at;
  }

  next(): boolean {
    if (this.#at >= this.#end) return false;
    const start = this.#at;
    if (--this.#fieldsLeft < 0) throw new MalformedMessage('too_many_fields', start);
    const tag = this.varint();
    if (tag < 8 || tag > TAG_MAX) throw new MalformedMessage('bad_tag', start);
    this.tag = tag;
    return true;
  }

  /** An unsigned reading of up to 64 bits; exact up to 2^53, which lengths, bools and enums never reach. */
  varint(): number {
    const at = this.#at;
    if (at < this.#end) {
      // Nearly all are of one byte.
      const byte = this.#bytes[at] as number;
      if (byte < 0x80) {
        this.#at = at + 1;
        return byte;
      }
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    const bytes = this.#bytes;
    const start = this.#at;
    let value = 0;
    let scale = 1;
    for (let count = 1; count <= VARINT_BYTES_MAX; count++) {
      if (this.#at >= this.#end) throw new MalformedMessage('truncated', start);
      const byte = bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (count === VARINT_BYTES_MAX && byte > 1) break;
        return value;
      }
      scale *= 128;
    }
    throw new MalformedMessage('varint_too_long', start);
  }

  bool(): boolean {
    return this.varint() !== 0;
  }

  /** Passes a field of bytes, and tells by `from` and `to` where it lies: what a view would say, without one. */
  span(): void {
    const start = this.#at;
    const length = this.varint();
    const end = this.#at + length;
    if (end > this.#end) throw new MalformedMessage('truncated', start);
    this.from = this.#at;
    this.to = end;
    this.#at = end;
  }

  /** A view of the field's bytes; not a copy. */
  bytes(): Buffer {
    this.span();
    return this.#bytes.subarray(this.from, this.to);
  }

  string(): string {
    this.span();
    return this.#bytes.toString('utf8', this.from, this.to);
  }

  double(): number {
    this.#need(8);
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  skip(): void {
    switch (this.tag % 8) {
      case WIRE_VARINT:
        this.varint();
        return;
      case WIRE_FIXED64:
        this.#need(8);
        this.#at += 8;
        return;
      case WIRE_LENGTH:
        this.span();
        return;
      case WIRE_FIXED32:
        this.#need(4);
        this.#at += 4;
        return;
      case 3:
      case 4:
        throw new MalformedMessage('group', this.#at);
      default:
        throw new MalformedMessage('unknown_wire_type', this.#at);
    }
  }

  #need(count: number): void {
    if (this.#at + count > this.#end) throw new MalformedMessage('truncated', this.#at);
  }
}

/** Nobody writes a message in parts; a peer that does may cost no more than this squared. */
const MERGED_BYTES_MAX = 1_024;

/**
 * A singular message field that occurs twice is merged, and the merge of two encodings is their
 * concatenation. Free when it occurs once. Throws MalformedMessage where the earlier is none by itself, as what the
 * later begins with must not complete it, and beyond `MERGED_BYTES_MAX`.
 */
export function mergeOccurrences(earlier: Buffer | undefined, later: Buffer): Buffer {
  if (earlier === undefined || earlier.length === 0) return later;
  if (earlier.length > MERGED_BYTES_MAX) throw new MalformedMessage('too_many_parts', 0);
  const reader = new WireReader(earlier);
  while (reader.next()) reader.skip();
  return Buffer.concat([earlier, later]);
}

/**
 * Where one message field lies: all its occurrences as one, a view only of what had to be put together. For messages
 * that are read part by part, as a view of each part would cost more than to read it.
 */
export class Part {
  bytes: Buffer = EMPTY;
  from = 0;
  to = 0;

  /** The field that `reader`, which reads `bytes`, has come to. */
  add(reader: WireReader, bytes: Buffer): void {
    reader.span();
    if (this.from === this.to) {
      this.bytes = bytes;
      this.from = reader.from;
      this.to = reader.to;
      return;
    }
    const earlier = this.bytes.subarray(this.from, this.to);
    this.bytes = mergeOccurrences(earlier, bytes.subarray(reader.from, reader.to));
    this.from = 0;
    this.to = this.bytes.length;
  }

  /** Its bytes; not a copy. */
  view(): Buffer {
    return this.bytes.subarray(this.from, this.to);
  }

  /** All occurrences of a message field of this message. */
  part(field: number): Part {
    const found = new Part();
    const reader = partReader.over(this.bytes, this.from, this.to);
    while (reader.next()) {
      if (reader.tag === lengthTag(field)) found.add(reader, this.bytes);
      else reader.skip();
    }
    return found;
  }
}

/** What is absent. */
export const NO_PART: Part = Object.freeze(new Part());

/** One entry of a `map<string, …>` field. `ofMessages`: a value that occurs twice is merged, else the last counts. */
export function mapEntry(
  entry: Uint8Array,
  ofMessages: boolean,
): { readonly key: string; readonly value: Buffer } {
  const reader = new WireReader(entry, 0, entry.length, ENTRY_FIELDS_MAX);
  let key = '';
  let value: Buffer = EMPTY;
  while (reader.next()) {
    if (reader.tag === lengthTag(1)) key = reader.string();
    else if (reader.tag === lengthTag(2))
      value = mergeOccurrences(ofMessages ? value : undefined, reader.bytes());
    else reader.skip();
  }
  return { key, value };
}

/** Used within one call, which calls nobody who could use it again. */
const partReader = new WireReader(EMPTY);

/** How many bytes `value` takes as a varint; `value` is an integer of 0..2^53. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Bytes of a field that holds so many, its tag included; fields below 16 have tags of one byte. */
export const fieldBytes = (length: number): number => 1 + varintLength(length) + length;

/** UTF-16 units up to which a text is looked at and written by our own loop. */
const SHORT_TEXT = 48;

/** UTF-8 bytes of a text, as the writer writes it. */
export function utf8Bytes(text: string): number {
  if (text.length > SHORT_TEXT) return Buffer.byteLength(text, 'utf8');
  for (let index = 0; index < text.length; index++)
    if (text.charCodeAt(index) >= 0x80) return Buffer.byteLength(text, 'utf8');
  return text.length;
}

const WRITER_BYTES_INITIAL = 128;

/** Appends fields; `finish()` gives the message. Cost: linear, each nested message is copied once. */
export class WireWriter {
  #bytes: Buffer;
  #at = 0;

  constructor(bytesExpected: number = WRITER_BYTES_INITIAL) {
    this.#bytes = Buffer.allocUnsafe(bytesExpected);
  }

  varintField(field: number, value: number): this {
    this.#varint(varintTag(field));
    this.#varint(value);
    return this;
  }

  boolField(field: number, value: boolean): this {
    return this.varintField(field, value ? 1 : 0);
  }

  doubleField(field: number, value: number): this {
    this.#varint(fixed64Tag(field));
    this.#grow(8);
    this.#bytes.writeDoubleLE(value, this.#at);
    this.#at += 8;
    return this;
  }

  /** Bytes, or a finished message. */
  bytesField(field: number, value: Uint8Array): this {
    this.lengthPrefix(field, value.length);
    this.#grow(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** Lone surrogates become U+FFFD, so the field is always valid UTF-8. */
  stringField(field: number, value: string): this {
    return this.lengthPrefix(field, utf8Bytes(value)).text(value);
  }

  /** The text alone, behind a `lengthPrefix` that has told its bytes. */
  text(value: string): this {
    if (value.length <= SHORT_TEXT && this.#ascii(value)) return this;
    this.#grow(Buffer.byteLength(value, 'utf8'));
    this.#at += this.#bytes.write(value, this.#at, 'utf8');
    return this;
  }

  /** Opens a message of a known length; its fields follow on this writer. */
  lengthPrefix(field: number, length: number): this {
    this.#varint(lengthTag(field));
    this.#varint(length);
    return this;
  }

  finish(): Buffer {
    return this.#at === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#at);
  }

  /** Letter by letter, which for a few costs less than a call; false, and nothing written, where one is not ASCII. */
  #ascii(value: string): boolean {
    this.#grow(value.length);
    const at = this.#at;
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index);
      if (unit >= 0x80) return false;
      this.#bytes[at + index] = unit;
    }
    this.#at = at + value.length;
    return true;
  }

  #varint(value: number): void {
    this.#grow(varintLength(value));
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#at++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  #grow(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
