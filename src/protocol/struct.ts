/** google.protobuf.Struct: JSON objects inside protobuf (dynamic metadata, attributes). */
import type { StructObject, StructValue } from './process.ts';
import {
  ENTRY_FIELDS_MAX,
  FIELDS_MAX,
  fieldBytes,
  fixed64Tag,
  lengthTag,
  MalformedMessage,
  mapEntry,
  mergeOccurrences,
  utf8Bytes,
  varintTag,
  WireReader,
  type WireWriter,
} from './wire.ts';

/** Deeper nesting is refused, so that a hostile message cannot exhaust the stack. */
export const STRUCT_DEPTH_MAX = 64;

/** What one Struct, or several that are read as one, may still hold at all depths together. */
export class ValueBudget {
  #left = FIELDS_MAX;

  /** Throws MalformedMessage. */
  spend(): void {
    if (--this.#left < 0) throw new MalformedMessage('too_many_fields', 0);
  }
}

/** Throws MalformedMessage. A key that occurs twice keeps its last value. */
export function readStruct(
  bytes: Uint8Array,
  budget: ValueBudget = new ValueBudget(),
  depth = 0,
): StructObject {
  if (depth >= STRUCT_DEPTH_MAX) throw new MalformedMessage('too_deep', 0);
  const fields: Record<string, StructValue> = {};
  const reader = new WireReader(bytes);
  while (reader.next()) {
    budget.spend();
    if (reader.tag !== lengthTag(1)) {
      reader.skip();
      continue;
    }
    const { key, value } = mapEntry(reader.bytes(), true);
    define(fields, key, readValue(value, budget, depth));
  }
  return fields;
}

function readValue(bytes: Uint8Array, budget: ValueBudget, depth: number): StructValue {
  const reader = new WireReader(bytes, 0, bytes.length, ENTRY_FIELDS_MAX);
  let value: StructValue = null;
  /** Tag and bytes of a struct or list, read once all of it is there. */
  let member = 0;
  let inner: Buffer | undefined;
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
      case lengthTag(6):
        inner = mergeOccurrences(member === reader.tag ? inner : undefined, reader.bytes());
        member = reader.tag;
        continue;
      default:
        reader.skip();
        continue;
    }
    member = 0;
  }
  if (member === 0 || inner === undefined) return value;
  return member === lengthTag(5)
    ? readStruct(inner, budget, depth + 1)
    : readList(inner, budget, depth + 1);
}

function readList(bytes: Uint8Array, budget: ValueBudget, depth: number): readonly StructValue[] {
  if (depth >= STRUCT_DEPTH_MAX) throw new MalformedMessage('too_deep', 0);
  const values: StructValue[] = [];
  const reader = new WireReader(bytes);
  while (reader.next()) {
    budget.spend();
    if (reader.tag === lengthTag(1)) values.push(readValue(reader.bytes(), budget, depth));
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

/** Bytes of a Struct. Cost: linear, but for what is nested, which is measured once for each level around it. */
export function structBytes(fields: StructObject): number {
  let bytes = 0;
  for (const key of Object.keys(fields))
    bytes += fieldBytes(entryBytes(key, fields[key] as StructValue));
  return bytes;
}

const entryBytes = (key: string, value: StructValue): number =>
  fieldBytes(utf8Bytes(key)) + fieldBytes(valueBytes(value));

/** Non-finite numbers are written as null: JSON, which logs make of a Struct, has no words for them. */
function valueBytes(value: StructValue): number {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? 1 + DOUBLE_BYTES : 2;
    case 'string':
      return fieldBytes(utf8Bytes(value));
    case 'boolean':
      return 2;
    default:
      if (value === null) return 2;
      return fieldBytes(isList(value) ? listBytes(value) : structBytes(value));
  }
}

function listBytes(values: readonly StructValue[]): number {
  return values.reduce<number>((bytes, value) => bytes + fieldBytes(valueBytes(value)), 0);
}

const DOUBLE_BYTES = 8;

/** Into a message whose length was told: `structBytes`. */
export function writeStruct(writer: WireWriter, fields: StructObject): void {
  for (const key of Object.keys(fields)) {
    const value = fields[key] as StructValue;
    writer.lengthPrefix(1, entryBytes(key, value)).stringField(1, key);
    writeValue(writer.lengthPrefix(2, valueBytes(value)), value);
  }
}

function writeValue(writer: WireWriter, value: StructValue): void {
  switch (typeof value) {
    case 'number':
      if (Number.isFinite(value)) writer.doubleField(2, value);
      else writer.varintField(1, 0);
      return;
    case 'string':
      writer.stringField(3, value);
      return;
    case 'boolean':
      writer.boolField(4, value);
      return;
    default:
      if (value === null) writer.varintField(1, 0);
      else if (isList(value)) writeList(writer.lengthPrefix(6, listBytes(value)), value);
      else writeStruct(writer.lengthPrefix(5, structBytes(value)), value);
  }
}

function writeList(writer: WireWriter, values: readonly StructValue[]): void {
  for (const value of values) writeValue(writer.lengthPrefix(1, valueBytes(value)), value);
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
    const entry = mapEntry(entries[index] as Uint8Array, true);
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
