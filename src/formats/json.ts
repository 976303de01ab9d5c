/**
 * Strict JSON (RFC 8259) over bytes, as a light tree of byte ranges: what JSON.parse accepts, and no
 * more. Values stay where they are; strings are decoded on demand (json-string.ts).
 */
import type { Buffer } from 'node:buffer';
import { type ApiNames, NO_NAMES } from './api-names.ts';
import { overlay, stringValue } from './json-string.ts';
import type { MediaReading } from './media.ts';
import { BYTES_PER_UNIT, type Pace, UNPACED } from './pace.ts';
import { NONE, withOneMore } from './small-list.ts';

export interface JsonString {
  readonly kind: 'string';
  /** Byte of the opening quote. */
  readonly start: number;
  /** One past the closing quote. */
  readonly end: number;
  /** ASCII without escapes: the bytes are the value. */
  readonly simple: boolean;
  /** A number read as text: no quotes stand around it, and `start` and `end` lie one byte outside of it. */
  readonly bare?: true;
  /** Whether it is bytes in base64, where that was found out bit by bit. */
  readonly media?: MediaReading;
}

/** A number, `true`, `false` or `null`. */
export interface JsonScalar {
  readonly kind: 'number' | 'true' | 'false' | 'null';
  readonly start: number;
  readonly end: number;
}

export interface JsonMember {
  /**
   * The name as its API spells it (api-names.ts); as it is written where it is none of the API's. Its bytes as
   * they stand where it is longer than `NAME_BYTES_MAX`.
   */
  readonly key: string;
  /** Where the key stands. */
  readonly name: JsonString;
  readonly value: JsonNode;
  /** A later member has the same key: most readers see only that one, some the first. */
  readonly shadowed: boolean;
}

export interface JsonObject {
  readonly kind: 'object';
  readonly start: number;
  readonly end: number;
  /** In the order of the text, duplicates included. */
  readonly members: readonly JsonMember[];
}

export interface JsonArray {
  readonly kind: 'array';
  readonly start: number;
  readonly end: number;
  readonly items: readonly JsonNode[];
}

export type JsonNode = JsonString | JsonScalar | JsonObject | JsonArray;

export interface JsonLimits {
  readonly depthMax: number;
  readonly nodesMax: number;
}

export type JsonReading =
  | { readonly ok: true; readonly root: JsonNode }
  | {
      readonly ok: false;
      readonly reason: 'not_json' | 'json_too_deep' | 'json_too_many_nodes';
      /** Byte where reading stopped. */
      readonly at: number;
    };

/** Reads `bytes[from,to)` as one JSON text. Never throws for bad input. Cost: linear. */
export function readJson(
  bytes: Uint8Array,
  limits: JsonLimits,
  names: ApiNames = NO_NAMES,
  from = 0,
  to = bytes.length,
): JsonReading {
  const scanner = new JsonScanner(bytes, limits, names, from, to);
  for (;;) {
    const reading = scanner.read(UNPACED);
    if (reading !== undefined) return reading;
  }
}

/** The member that readers see, or undefined. */
export function memberOf(object: JsonObject, key: string): JsonNode | undefined {
  for (const member of object.members)
    if (member.key === key && !member.shadowed) return member.value;
  return undefined;
}

/** An object has a name twice. */
export function hasDouble(node: JsonNode): boolean {
  if (node.kind === 'object') for (const { shadowed } of node.members) if (shadowed) return true;
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SMALL_OBJECT_MEMBERS = 8;
/**
 * No API has a longer name, whatever the escapes it is written with: such a one is told by its bytes as they
 * stand, so that a name of megabytes costs no more than a value.
 */
export const NAME_BYTES_MAX = 1_024;
/** A literal that is longer is decoded bit by bit where others wait. */
export const LITERAL_BYTES_MAX = 16_384;

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const letter = byte | 0x20;
  return isDigit(byte) || (letter >= 0x61 && letter <= 0x66);
}

/** `"\/bfnrt` */
function isShortEscape(byte: number | undefined): boolean {
  switch (byte) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return true;
    default:
      return false;
  }
}

export type Draft<Type> = { -readonly [Field in keyof Type]: Type[Field] };

/** A list or an object whose end was not read yet. */
interface Open {
  readonly node: Draft<JsonArray> | Draft<JsonObject>;
  /** Undefined for a list. */
  readonly members: Draft<JsonMember>[] | undefined;
  readonly items: JsonNode[] | undefined;
  /** The name whose value is being read. */
  name: JsonString | undefined;
  /** The last member of each name, once there are many. */
  last: Map<string, Draft<JsonMember>> | undefined;
}

/** What may come next. */
const VALUE = 0;
const FIRST_ITEM = 1;
const FIRST_NAME = 2;
const NAME = 3;
const COLON = 4;
const BEHIND_VALUE = 5;
/** Within a string. */
const STRING = 6;

/** One text in one go is read so many bytes at a time. */
const REACH_BYTES_MAX = 2 ** 29;
/** Making a node costs as much as reading so many bytes. */
const NODE_BYTES = 16;

/** Reads one JSON text, as far as it is let. */
export class JsonScanner {
  /** What is read, and more perhaps. */
  readonly bytes: Buffer;
  private readonly limits: JsonLimits;
  private readonly names: ApiNames;
  private readonly end: number;
  private at: number;
  private nodes = 0;
  private reason: 'not_json' | 'json_too_deep' | 'json_too_many_nodes' = 'not_json';
  private state = VALUE;
  private readonly open: Open[] = [];
  private long: Draft<JsonString>[] = NONE;
  private root: JsonNode | undefined;
  /** Where reading stops for now. */
  private pauseAt = 0;
  /** Of the string that is being read. */
  private stringStart = 0;
  private simple = true;
  private isName = false;

  /** Reads `bytes[from,to)`. */
  constructor(
    bytes: Uint8Array,
    limits: JsonLimits,
    names: ApiNames = NO_NAMES,
    from = 0,
    to = bytes.length,
  ) {
    this.bytes = overlay(bytes);
    this.limits = limits;
    this.names = names;
    this.at = from;
    this.end = to;
  }

  /** Values that are too long to be decoded in one go, as far as they were read. */
  get longLiterals(): readonly Draft<JsonString>[] {
    return this.long;
  }

  /** Reads on; undefined when the pace is used up before the text is over. Never throws for bad input. */
  read(pace: Pace): JsonReading | undefined {
    const from = this.at;
    const reach = Math.min(pace.left * BYTES_PER_UNIT, REACH_BYTES_MAX);
    this.pauseAt = from + reach;
    const reading = this.readOn();
    // What nodes cost was taken from where reading stops.
    pace.left -= (this.at + reach - this.pauseAt) / BYTES_PER_UNIT;
    return reading;
  }

  private readOn(): JsonReading | undefined {
    for (;;) {
      if (this.state !== STRING && this.bytes[this.at]! <= 0x20) this.skipSpace();
      if (this.at >= this.pauseAt) return undefined;
      if (this.state === BEHIND_VALUE && this.open.length === 0) {
        if (this.at === this.end) return { ok: true, root: this.root! };
        return this.failed();
      }
      if (!this.step()) return this.failed();
    }
  }

  private failed(): JsonReading {
    return { ok: false, reason: this.reason, at: this.at };
  }

  /** Reads what comes next, all of it or, of a string, as far as it may; false when it must not stand there. */
  private step(): boolean {
    switch (this.state) {
      case FIRST_ITEM:
        return this.take(0x5d) ? this.close() : this.value();
      case FIRST_NAME:
        return this.take(0x7d) ? this.close() : this.name();
      case NAME:
        return this.name();
      case COLON:
        this.state = VALUE;
        return this.take(0x3a);
      case BEHIND_VALUE:
        return this.behindValue();
      case STRING:
        return this.string();
      default:
        return this.value();
    }
  }

  private byte(): number | undefined {
    return this.at < this.end ? this.bytes[this.at] : undefined;
  }

  private take(byte: number): boolean {
    if (this.byte() !== byte) return false;
    this.at += 1;
    return true;
  }

  private skipSpace(): void {
    while (this.at < this.pauseAt) {
      const byte = this.byte();
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.at += 1;
    }
  }

  private value(): boolean {
    this.nodes += 1;
    this.pauseAt -= NODE_BYTES;
    if (this.nodes > this.limits.nodesMax) {
      this.reason = 'json_too_many_nodes';
      return false;
    }
    switch (this.byte()) {
      case QUOTE:
        return this.beginString(false);
      case 0x7b:
        return this.begin('object');
      case 0x5b:
        return this.begin('array');
      case 0x74:
        return this.word('true');
      case 0x66:
        return this.word('false');
      case 0x6e:
        return this.word('null');
      default:
        return this.number();
    }
  }

  private name(): boolean {
    return this.byte() === QUOTE && this.beginString(true);
  }

  private begin(kind: 'object' | 'array'): boolean {
    if (this.open.length >= this.limits.depthMax) {
      this.reason = 'json_too_deep';
      return false;
    }
    const start = this.at;
    this.at += 1;
    if (kind === 'array') {
      const items: JsonNode[] = [];
      const node = { kind, start, end: 0, items };
      this.open.push({ node, members: undefined, items, name: undefined, last: undefined });
      this.state = FIRST_ITEM;
    } else {
      const members: Draft<JsonMember>[] = [];
      const node = { kind, start, end: 0, members };
      this.open.push({ node, members, items: undefined, name: undefined, last: undefined });
      this.state = FIRST_NAME;
    }
    return true;
  }

  private behindValue(): boolean {
    const isList = this.open[this.open.length - 1]!.members === undefined;
    if (this.take(0x2c)) {
      this.state = isList ? VALUE : NAME;
      return true;
    }
    return this.take(isList ? 0x5d : 0x7d) && this.close();
  }

  private close(): boolean {
    const { node, members, last } = this.open.pop()!;
    node.end = this.at;
    if (members !== undefined && last === undefined) markShadowed(members);
    return this.complete(node);
  }

  /** A value is over: it belongs to what is open around it. */
  private complete(value: JsonNode): boolean {
    this.state = BEHIND_VALUE;
    const { open } = this;
    if (open.length === 0) {
      this.root = value;
      return true;
    }
    const around = open[open.length - 1]!;
    const { members } = around;
    if (members === undefined) around.items!.push(value);
    else this.addMember(around, members, value);
    return true;
  }

  private addMember(around: Open, members: Draft<JsonMember>[], value: JsonNode): void {
    const name = around.name!;
    const member = { key: this.keyOf(name), name, value, shadowed: false };
    members.push(member);
    if (around.last !== undefined) shadow(around.last, member);
    else if (members.length > SMALL_OBJECT_MEMBERS) {
      around.last = new Map();
      for (const earlier of members) shadow(around.last, earlier);
    }
  }

  private keyOf(literal: JsonString): string {
    const { start, end, simple } = literal;
    if (end - start > NAME_BYTES_MAX) return this.bytes.toString('latin1', start + 1, end - 1);
    const own = simple ? this.names.spelled(this.bytes, start + 1, end - 1) : undefined;
    return own ?? this.names.of(stringValue(this.bytes, literal));
  }

  private word(kind: 'true' | 'false' | 'null'): boolean {
    const start = this.at;
    for (let i = 0; i < kind.length; i += 1) if (!this.take(kind.charCodeAt(i))) return false;
    return this.complete({ kind, start, end: this.at });
  }

  private digits(): boolean {
    if (!isDigit(this.byte())) return false;
    while (isDigit(this.byte())) this.at += 1;
    return true;
  }

  private number(): boolean {
    const start = this.at;
    this.take(0x2d);
    if (!this.take(0x30) && !this.digits()) return false;
    if (this.take(0x2e) && !this.digits()) return false;
    if (this.take(0x65) || this.take(0x45)) {
      if (!this.take(0x2b)) this.take(0x2d);
      if (!this.digits()) return false;
    }
    return this.complete({ kind: 'number', start, end: this.at });
  }

  private beginString(isName: boolean): boolean {
    this.stringStart = this.at;
    this.simple = true;
    this.isName = isName;
    this.at += 1;
    this.state = STRING;
    return this.string();
  }

  /** Reads on in a string, to its end or to where reading stops. */
  private string(): boolean {
    const bytes = this.bytes;
    const to = Math.min(this.end, Math.max(this.pauseAt, this.at + 1));
    let { at, simple } = this;
    while (at < to) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.at = at + 1;
        return this.endString(simple);
      }
      if (byte < 0x20) break;
      if (byte === BACKSLASH) {
        simple = false;
        const length = this.escapeLength(at);
        if (length === 0) break;
        at += length;
      } else {
        if (byte >= 0x80) simple = false;
        at += 1;
      }
    }
    this.at = at;
    this.simple = simple;
    return at >= to && at < this.end;
  }

  private endString(simple: boolean): boolean {
    const literal: Draft<JsonString> = {
      kind: 'string',
      start: this.stringStart,
      end: this.at,
      simple,
    };
    if (!this.isName) {
      if (literal.end - literal.start > LITERAL_BYTES_MAX)
        this.long = withOneMore(this.long, literal);
      return this.complete(literal);
    }
    this.open[this.open.length - 1]!.name = literal;
    this.state = this.take(0x3a) ? VALUE : COLON;
    return true;
  }

  /** Length of the escape at `at`, 0 when it is none. */
  private escapeLength(at: number): number {
    const bytes = this.bytes;
    if (at + 1 >= this.end) return 0;
    if (isShortEscape(bytes[at + 1])) return 2;
    if (bytes[at + 1] !== 0x75 || at + 6 > this.end) return 0;
    for (let i = at + 2; i < at + 6; i += 1) if (!isHexDigit(bytes[i])) return 0;
    return 6;
  }
}

/** Of a small object, when it is complete. */
function markShadowed(members: readonly Draft<JsonMember>[]): void {
  for (let i = 0; i < members.length; i += 1)
    for (let later = i + 1; later < members.length; later += 1)
      if (members[later]!.key === members[i]!.key) members[i]!.shadowed = true;
}

function shadow(last: Map<string, Draft<JsonMember>>, member: Draft<JsonMember>): void {
  const earlier = last.get(member.key);
  if (earlier !== undefined) earlier.shadowed = true;
  last.set(member.key, member);
}
