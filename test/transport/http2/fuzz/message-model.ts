/**
 * Whether bytes are a message of a kind, by protobuf's encoding alone: every length within what holds it, no varint longer than
 * ten bytes, no field 0, no group.
 */
import { Buffer } from 'node:buffer';
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';

const VARINT_BYTES_MAX = 10;
const LENGTH = 2;

class Cursor {
  readonly #bytes: Uint8Array;
  at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.at;
  }

  varint(): bigint | undefined {
    let value = 0n;
    for (let count = 0n; count < VARINT_BYTES_MAX; count++) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) return undefined;
      value += BigInt(byte & 0x7f) << (count * 7n);
      if (byte < 0x80) return value < 1n << 64n ? value : undefined;
    }
    return undefined;
  }

  take(length: bigint): Uint8Array | undefined {
    if (length > this.left) return undefined;
    const part = this.#bytes.subarray(this.at, this.at + Number(length));
    this.at += Number(length);
    return part;
  }
}

export interface Part {
  readonly field: number;
  readonly wireType: number;
  /** Of a field of bytes, a text or a message. */
  readonly bytes: Uint8Array | undefined;
  /** With its tag. */
  readonly whole: Uint8Array;
}

/** Undefined: they are none. */
export function partsOf(bytes: Uint8Array): Part[] | undefined {
  const cursor = new Cursor(bytes);
  const parts: Part[] = [];
  while (cursor.left > 0) {
    const from = cursor.at;
    const tag = cursor.varint();
    if (tag === undefined || tag >= 1n << 32n || tag < 8n) return undefined;
    const wireType = Number(tag & 7n);
    let taken: Uint8Array | bigint | undefined;
    if (wireType === 0) taken = cursor.varint();
    else if (wireType === 1) taken = cursor.take(8n);
    else if (wireType === 5) taken = cursor.take(4n);
    else if (wireType === LENGTH) {
      const length = cursor.varint();
      taken = length === undefined ? undefined : cursor.take(length);
    }
    if (taken === undefined) return undefined;
    const part = wireType === LENGTH ? (taken as Uint8Array) : undefined;
    const whole = bytes.subarray(from, cursor.at);
    parts.push({ field: Number(tag >> 3n), wireType, bytes: part, whole });
  }
  return parts;
}

/** The parts of a message that somebody reads: a reader that is lazy never sees what is wrong with the others. */
export type Chosen = (message: string, parts: readonly Part[]) => readonly Part[];

/** The type on the wire that a field of ours has: all that are no message are bytes, flags, enums or doubles. */
function wireTypeOf({ fieldKind, ...field }: DescField): number {
  if (fieldKind === 'enum') return 0;
  if (fieldKind !== 'scalar') return LENGTH;
  if ('scalar' in field && field.scalar === ScalarType.DOUBLE) return 1;
  return 'scalar' in field && field.scalar === ScalarType.BYTES ? LENGTH : 0;
}

/**
 * The same message without what is unknown, of another wire type or not chosen; undefined where what is chosen is none. The
 * reference reader, which is given this, heeds neither wire types nor where a part ends.
 */
export function plain(schema: DescMessage, bytes: Uint8Array, chosen: Chosen): Buffer | undefined {
  const parts = partsOf(bytes);
  if (parts === undefined) return undefined;
  const kept: Uint8Array[] = [];
  for (const part of chosen(schema.name, parts)) {
    const known = schema.fields.find(({ number }) => number === part.field);
    if (known === undefined || wireTypeOf(known) !== part.wireType) continue;
    const inner =
      known.fieldKind === 'list' || known.fieldKind === 'message' ? known.message : undefined;
    if (inner === undefined || part.bytes === undefined) {
      kept.push(part.whole);
      continue;
    }
    const within = plain(inner, part.bytes, chosen);
    if (within === undefined) return undefined;
    kept.push(integer(part.field * 8 + LENGTH), integer(within.length), within);
  }
  return Buffer.concat(kept);
}

function integer(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Uint8Array.from([...bytes, left]);
}
