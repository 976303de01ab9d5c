/** Headers read where they lie: a name is compared byte by byte, only a value that is asked for is decoded. */
import { isUtf8 } from 'node:buffer';
import type { HeaderView } from './process.ts';
import { asBuffer, EMPTY, lengthTag, mapEntry, WireReader } from './wire.ts';

/** UTF-8 where the bytes are UTF-8, else one character per byte: no byte is ever lost to U+FFFD. */
export function headerText(bytes: Uint8Array): string {
  const buffer = asBuffer(bytes);
  return buffer.toString(isUtf8(buffer) ? 'utf8' : 'latin1');
}

interface HeaderSlices {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** `raw_value` wins over `value` where both are set, as in Envoy. */
function headerSlices(encoded: Uint8Array): HeaderSlices {
  const reader = new WireReader(encoded);
  let key = EMPTY;
  let value = EMPTY;
  let raw = EMPTY;
  while (reader.next()) {
    if (reader.tag === lengthTag(1)) key = reader.bytes();
    else if (reader.tag === lengthTag(2)) value = reader.bytes();
    else if (reader.tag === lengthTag(3)) raw = reader.bytes();
    else reader.skip();
  }
  return { key, value: raw.length > 0 ? raw : value };
}

/** Keys are ASCII and lower-case when they come from Envoy; an upper-case one of another peer matches too. */
function keyIs(key: Uint8Array, name: string): boolean {
  if (key.length !== name.length) return false;
  for (let index = 0; index < key.length; index++) {
    let byte = key[index] as number;
    if (byte >= 0x41 && byte <= 0x5a) byte += 0x20;
    if (byte !== name.charCodeAt(index)) return false;
  }
  return true;
}

/** Over an encoded `envoy.config.core.v3.HeaderMap`. Methods throw MalformedMessage. */
export class HeaderMapView implements HeaderView {
  readonly #map: Uint8Array;
  #slices: readonly HeaderSlices[] | undefined;
  #entries: readonly (readonly [string, string])[] | undefined;

  constructor(map: Uint8Array) {
    this.#map = map;
  }

  get(name: string): string | undefined {
    let all: string | undefined;
    for (const { key, value } of this.#headers())
      if (keyIs(key, name))
        all = all === undefined ? headerText(value) : `${all}, ${headerText(value)}`;
    return all;
  }

  entries(): readonly (readonly [string, string])[] {
    return (this.#entries ??= this.#decode());
  }

  #decode(): readonly (readonly [string, string])[] {
    return this.#headers().map(({ key, value }) => [
      headerText(key).toLowerCase(),
      headerText(value),
    ]);
  }

  /** Where they lie: found once, as an exchange asks for a dozen of them. */
  #headers(): readonly HeaderSlices[] {
    return (this.#slices ??= this.#find());
  }

  #find(): readonly HeaderSlices[] {
    const found: HeaderSlices[] = [];
    const reader = new WireReader(this.#map);
    while (reader.next()) {
      if (reader.tag === lengthTag(1)) found.push(headerSlices(reader.bytes()));
      else reader.skip();
    }
    return found;
  }
}

/** Over the encoded entries of ext_authz's `map<string,string> headers`. Methods throw MalformedMessage. */
export class StringMapView implements HeaderView {
  readonly #encoded: readonly Uint8Array[];
  #entries: readonly (readonly [string, string])[] | undefined;

  constructor(encoded: readonly Uint8Array[]) {
    this.#encoded = encoded;
  }

  get(name: string): string | undefined {
    return this.entries().find(([key]) => key === name)?.[1];
  }

  entries(): readonly (readonly [string, string])[] {
    return (this.#entries ??= this.#decode());
  }

  #decode(): readonly (readonly [string, string])[] {
    const last = new Map<string, string>();
    for (const encoded of this.#encoded) {
      const { key, value } = mapEntry(encoded);
      last.set(key.toLowerCase(), headerText(value));
    }
    return [...last];
  }
}
