/** google.protobuf.Struct: JSON objects inside protobuf (dynamic metadata, attributes). */
import type { StructObject, StructValue } from './process.ts';
import {
  fixed64Tag,
  lengthTag,
  MalformedMessage,
  mapEntry,
  varintTag,
  WireReader,
  WireWriter,
} from './wire.ts';

/** Deeper nesting is refused, so that a hostile message cannot exhaust the stack. */
export const STRUCT_DEPTH_MAX = 64;

/** Throws MalformedMessage. A key that occurs twice keeps its last value. */
export function readStruct(bytes: Uint8Array, depth = 0): StructObject {
  if (depth >= STRUCT_DEPTH_MAX) throw new MalformedMessage('too_deep', 0);
  const fields: Record<string, StructValue> = {};
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.tag !== lengthTag(1)) {
      reader.skip();
      continue;
    }
    const { key, value } = mapEntry(reader.bytes());
    define(fields, key, readValue(value, depth));
  }
  return fields;
}

function readValue(bytes: Uint8Array, depth: number): StructValue {
  const reader = new WireReader(bytes);
  let value: StructValue = null;
  while (reader.next()) {
    switch (reader.tag) {
      case varintTag(1):
        reader.varint();
        value = null;
        break;
      case fixed64Tag(2):
        value = reader.double();
        break;
      case lengthTag(3):
        value = reader.string();
        break;
      case varintTag(4):
        value = reader.bool();
        break;
      case lengthTag(5):
        value = readStruct(reader.bytes(), depth + 1);
        break;
      case lengthTag(6):
        value = readList(reader.bytes(), depth + 1);
        break;
      default:
        reader.skip();
    }
  }
  return value;
}

function readList(bytes: Uint8Array, depth: number): readonly StructValue[] {
  if (depth >= STRUCT_DEPTH_MAX) throw new MalformedMessage('too_deep', 0);
  const values: StructValue[] = [];
  const reader = new WireReader(bytes);
  while (reader.next()) {
    if (reader.tag === lengthTag(1)) values.push(readValue(reader.bytes(), depth));
    else reader.skip();
  }
  return values;
}

/** `__proto__` must become a key like any other, not the object's prototype. */
function define(fields: Record<string, StructValue>, key: string, value: StructValue): void {
  if (key === '__proto__') {
    Object.defineProperty(fields, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    fields[key] = value;
  }
}

/** Non-finite numbers are written as null: JSON, which logs make of a Struct, has no words for them. */
export function writeStruct(fields: StructObject): Uint8Array {
  const writer = new WireWriter();
  for (const [key, value] of Object.entries(fields)) {
    const entry = new WireWriter().stringField(1, key).bytesField(2, writeValue(value));
    writer.bytesField(1, entry.finish());
  }
  return writer.finish();
}

function writeValue(value: StructValue): Uint8Array {
  const writer = new WireWriter();
  if (value === null) return writer.varintField(1, 0).finish();
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value)
        ? writer.doubleField(2, value).finish()
        : writer.varintField(1, 0).finish();
    case 'string':
      return writer.stringField(3, value).finish();
    case 'boolean':
      return writer.boolField(4, value).finish();
    default:
      return isList(value)
        ? writer.bytesField(6, writeList(value)).finish()
        : writer.bytesField(5, writeStruct(value)).finish();
  }
}

function writeList(values: readonly StructValue[]): Uint8Array {
  const writer = new WireWriter();
  for (const value of values) writer.bytesField(1, writeValue(value));
  return writer.finish();
}

function isList(value: readonly StructValue[] | StructObject): value is readonly StructValue[] {
  return Array.isArray(value);
}

/**
 * One entry of a `map<string, Struct>` whose encoded entries are given; undefined when absent. Entries
 * with the same key: the last wins, as in any protobuf map.
 */
export function structInMap(entries: readonly Uint8Array[], key: string): StructObject | undefined {
  for (let index = entries.length - 1; index >= 0; index--) {
    const entry = mapEntry(entries[index] as Uint8Array);
    if (entry.key === key) return readStruct(entry.value);
  }
  return undefined;
}

/** Encoded entries of `Metadata.filter_metadata` (envoy.config.core.v3.Metadata field 1). */
export function filterMetadataEntries(metadata: Uint8Array): readonly Uint8Array[] {
  const entries: Uint8Array[] = [];
  const reader = new WireReader(metadata);
  while (reader.next()) {
    if (reader.tag === lengthTag(1)) entries.push(reader.bytes());
    else reader.skip();
  }
  return entries;
}
