/** Headers read where they lie: a name is compared byte by byte, only a value that is asked for is decoded. */
import { type Buffer, isUtf8 } from 'node:buffer';
import type { HeaderView } from './process.ts';
import {
  asBuffer,
  EMPTY,
  ENTRY_FIELDS_MAX,
  FIELDS_MAX,
  lengthTag,
  MalformedMessage,
  WireReader,
} from './wire.ts';

/** UTF-8 where the bytes are UTF-8, else one character per byte: no byte is ever lost to U+FFFD. */
export function headerText(bytes: Uint8Array): string {
  const buffer = asBuffer(bytes);
  return buffer.toString(isUtf8(buffer) ? 'utf8' : 'latin1');
}

/** Up to here it is quicker to look at each byte than to make a view of them. */
const LOOKED_AT_BYTES_MAX = 64;

/** The same of `bytes[from, to)`. */
export function headerTextAt(bytes: Buffer, from: number, to: number): string {
  if (to - from > LOOKED_AT_BYTES_MAX) return headerText(bytes.subarray(from, to));
  for (let at = from; at < to; at++)
    if ((bytes[at] as number) >= 0x80) return headerText(bytes.subarray(from, to));
  return bytes.toString('latin1', from, to);
}

/** Keys are ASCII and lower-case when they come from Envoy; an upper-case one of another peer matches too. */
function keyIs(bytes: Buffer, from: number, to: number, name: string): boolean {
  if (to - from !== name.length) return false;
  for (let index = 0; index < name.length; index++) {
    let byte = bytes[from + index] as number;
    if (byte >= 0x41 && byte <= 0x5a) byte += 0x20;
    if (byte !== name.charCodeAt(index)) return false;
  }
  return true;
}

/** Where one header lies: its key and its value, begin and end, in this order. */
const SPOTS = 4;
/** Of a call of `findEntries`, which nothing interrupts: what they hold is not looked at by another. */
const scratch: number[] = [];
const SCRATCH_LENGTH_MAX = 1024;
const mapReader = new WireReader(EMPTY);
const headerReader = new WireReader(EMPTY);

/** Over an encoded `envoy.config.core.v3.HeaderMap`. Methods throw MalformedMessage. */
export class HeaderMapView implements HeaderView {
  readonly #map: Buffer;
  readonly #start: number;
  readonly #end: number;
  #spots: readonly number[] | undefined;
  #entries: readonly (readonly [string, string])[] | undefined;

  /** The map is `bytes[start, end)`. */
  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#map = asBuffer(bytes);
    this.#start = start;
    this.#end = end;
  }

  get(name: string): string | undefined {
    const spots = this.#found();
    let all: string | undefined;
    for (let at = 0; at < spots.length; at += SPOTS) {
      if (!keyIs(this.#map, spots[at] as number, spots[at + 1] as number, name)) continue;
      const value = this.#text(spots[at + 2] as number, spots[at + 3] as number);
      all = all === undefined ? value : `${all}, ${value}`;
    }
    return all;
  }

  entries(): readonly (readonly [string, string])[] {
    return (this.#entries ??= this.#decode());
  }

  #decode(): readonly (readonly [string, string])[] {
    const spots = this.#found();
    const entries: (readonly [string, string])[] = [];
    for (let at = 0; at < spots.length; at += SPOTS)
      entries.push([
        this.#text(spots[at] as number, spots[at + 1] as number).toLowerCase(),
        this.#text(spots[at + 2] as number, spots[at + 3] as number),
      ]);
    return entries;
  }

  #text(from: number, to: number): string {
    return headerTextAt(this.#map, from, to);
  }

  /** Where they lie: found once, as an exchange asks for a dozen of them. */
  #found(): readonly number[] {
    return (this.#spots ??= findEntries(this.#map, this.#start, this.#end, MAP_HEADERS, RAW_VALUE));
  }
}

/** HeaderMap: 1 headers, each a HeaderValue: 1 key, 2 value, 3 raw_value, which wins where both are set, as in Envoy. */
const MAP_HEADERS = lengthTag(1);
const RAW_VALUE = lengthTag(3);
const NO_TAG = -1;

const KEY = lengthTag(1);
const VALUE = lengthTag(2);
/** Lengths from here on take more than one byte. */
const TWO_BYTES = 0x80;

/** Spots of the entries of `tag` in the message `map[start, end)`. `rawTag`: of a value that wins, or `NO_TAG`. */
function findEntries(
  map: Buffer,
  start: number,
  end: number,
  tag: number,
  rawTag: number,
): readonly number[] {
  let count = 0;
  let at = start;
  for (let fieldsLeft = FIELDS_MAX; at < end; fieldsLeft--) {
    if (fieldsLeft === 0) throw new MalformedMessage('too_many_fields', at);
    if (map[at] === tag) {
      const next = usualEntry(map, at, end, rawTag, count);
      if (next > 0) {
        count += SPOTS;
        at = next;
        continue;
      }
    }
    const fields = mapReader.over(map, at, end);
    fields.next();
    if (fields.tag === tag) {
      fields.span();
      unusualEntry(map, fields.from, fields.to, rawTag, count);
      count += SPOTS;
    } else fields.skip();
    at = fields.at;
  }
  const spots = scratch.slice(0, count);
  // One map of very many headers is no reason to keep room for so many.
  if (scratch.length > SCRATCH_LENGTH_MAX) scratch.length = SCRATCH_LENGTH_MAX;
  return spots;
}

/**
 * An entry as every writer writes it, read without a call: a key and one value, no number longer than it need be.
 * Its spots go to `scratch[index]` on; where the next field begins, or 0 where it looks otherwise.
 */
function usualEntry(map: Buffer, at: number, end: number, rawTag: number, index: number): number {
  let from = at + 2;
  let length = map[at + 1] as number;
  if (length >= TWO_BYTES) {
    if ((map[from] as number) >= TWO_BYTES) return 0;
    length = (length & 0x7f) | ((map[from++] as number) << 7);
  }
  const to = from + length;
  const keyFrom = from + 2;
  const keyLength = map[from + 1] as number;
  const keyTo = keyFrom + keyLength;
  if (!(to <= end && keyTo + 2 <= to) || map[from] !== KEY || keyLength >= TWO_BYTES) return 0;
  const kind = map[keyTo] as number;
  if (kind !== VALUE && kind !== rawTag) return 0;
  let valueFrom = keyTo + 2;
  let valueLength = map[keyTo + 1] as number;
  if (valueLength >= TWO_BYTES) {
    if (valueFrom === to || (map[valueFrom] as number) >= TWO_BYTES) return 0;
    valueLength = (valueLength & 0x7f) | ((map[valueFrom++] as number) << 7);
  }
  if (valueFrom + valueLength !== to) return 0;
  scratch[index] = keyFrom;
  scratch[index + 1] = keyTo;
  scratch[index + 2] = valueFrom;
  scratch[index + 3] = to;
  return to;
}

/** The same of the entry `map[start, end)`, whatever it looks like. */
function unusualEntry(
  map: Buffer,
  start: number,
  end: number,
  rawTag: number,
  index: number,
): void {
  const header = headerReader.over(map, start, end, ENTRY_FIELDS_MAX);
  let [keyFrom, keyTo, from, to, rawFrom, rawTo] = [0, 0, 0, 0, 0, 0];
  while (header.next()) {
    switch (header.tag) {
      case KEY:
        header.span();
        keyFrom = header.from;
        keyTo = header.to;
        break;
      case VALUE:
        header.span();
        from = header.from;
        to = header.to;
        break;
      default:
        if (header.tag === rawTag) {
          header.span();
          rawFrom = header.from;
          rawTo = header.to;
        } else header.skip();
    }
  }
  const raw = rawTo > rawFrom;
  scratch[index] = keyFrom;
  scratch[index + 1] = keyTo;
  scratch[index + 2] = raw ? rawFrom : from;
  scratch[index + 3] = raw ? rawTo : to;
}

/** Over ext_authz's `map<string,string> headers`: the last of a key counts. Methods throw MalformedMessage. */
export class StringMapView implements HeaderView {
  readonly #message: Buffer;
  readonly #start: number;
  readonly #end: number;
  readonly #tag: number;
  #spots: readonly number[] | undefined;
  #entries: readonly (readonly [string, string])[] | undefined;

  /** `field`: number of the map in the message `message[start, end)`. */
  constructor(message: Buffer, field: number, start = 0, end: number = message.length) {
    this.#message = message;
    this.#tag = lengthTag(field);
    this.#start = start;
    this.#end = end;
  }

  get(name: string): string | undefined {
    const spots = this.#found();
    for (let at = spots.length - SPOTS; at >= 0; at -= SPOTS)
      if (keyIs(this.#message, spots[at] as number, spots[at + 1] as number, name))
        return this.#text(spots[at + 2] as number, spots[at + 3] as number);
    return undefined;
  }

  entries(): readonly (readonly [string, string])[] {
    return (this.#entries ??= this.#decode());
  }

  #decode(): readonly (readonly [string, string])[] {
    const last = new Map<string, string>();
    const spots = this.#found();
    for (let at = 0; at < spots.length; at += SPOTS)
      last.set(
        this.#text(spots[at] as number, spots[at + 1] as number).toLowerCase(),
        this.#text(spots[at + 2] as number, spots[at + 3] as number),
      );
    return [...last];
  }

  #text(from: number, to: number): string {
    return headerTextAt(this.#message, from, to);
  }

  #found(): readonly number[] {
    return (this.#spots ??= findEntries(this.#message, this.#start, this.#end, this.#tag, NO_TAG));
  }
}
