/**
 * Strict JSON (RFC 8259) over bytes, as a light tree of byte ranges: what JSON.parse accepts, and no
 * more. Values stay where they are; strings are decoded on demand (json-string.ts).
 */
import { type ApiNames, NO_NAMES } from './api-names.ts';
import { overlay, stringValue } from './json-string.ts';

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
}

/** A number, `true`, `false` or `null`. */
export interface JsonScalar {
  readonly kind: 'number' | 'true' | 'false' | 'null';
  readonly start: number;
  readonly end: number;
}

export interface JsonMember {
  /** The name as its API spells it (api-names.ts); as it is written where it is none of the API's. */
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
  return new JsonScanner(bytes, limits, names, from, to).read();
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

type JsonMemberDraft = { -readonly [Field in keyof JsonMember]: JsonMember[Field] };

class JsonScanner {
  private readonly bytes: Uint8Array;
  private readonly limits: JsonLimits;
  private readonly names: ApiNames;
  private readonly end: number;
  private at: number;
  private nodes = 0;
  private reason: 'not_json' | 'json_too_deep' | 'json_too_many_nodes' = 'not_json';

  constructor(bytes: Uint8Array, limits: JsonLimits, names: ApiNames, from: number, to: number) {
    this.bytes = overlay(bytes);
    this.limits = limits;
    this.names = names;
    this.at = from;
    this.end = to;
  }

  read(): JsonReading {
    this.skipSpace();
    const root = this.value(1);
    if (root !== undefined) {
      this.skipSpace();
      if (this.at === this.end) return { ok: true, root };
    }
    return { ok: false, reason: this.reason, at: this.at };
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
    for (;;) {
      const byte = this.byte();
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.at += 1;
    }
  }

  private value(depth: number): JsonNode | undefined {
    this.nodes += 1;
    if (this.nodes > this.limits.nodesMax) {
      this.reason = 'json_too_many_nodes';
      return undefined;
    }
    switch (this.byte()) {
      case QUOTE:
        return this.string();
      case 0x7b:
        return this.tooDeep(depth) ? undefined : this.object(depth);
      case 0x5b:
        return this.tooDeep(depth) ? undefined : this.array(depth);
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

  private name(literal: JsonString): string {
    const { start, end, simple } = literal;
    const own = simple ? this.names.spelled(this.bytes, start + 1, end - 1) : undefined;
    return own ?? this.names.of(stringValue(this.bytes, literal));
  }

  private tooDeep(depth: number): boolean {
    if (depth <= this.limits.depthMax) return false;
    this.reason = 'json_too_deep';
    return true;
  }

  private word(kind: 'true' | 'false' | 'null'): JsonScalar | undefined {
    const start = this.at;
    for (let i = 0; i < kind.length; i += 1) if (!this.take(kind.charCodeAt(i))) return undefined;
    return { kind, start, end: this.at };
  }

  private digits(): boolean {
    if (!isDigit(this.byte())) return false;
    while (isDigit(this.byte())) this.at += 1;
    return true;
  }

  private number(): JsonScalar | undefined {
    const start = this.at;
    this.take(0x2d);
    if (!this.take(0x30) && !this.digits()) return undefined;
    if (this.take(0x2e) && !this.digits()) return undefined;
    if (this.take(0x65) || this.take(0x45)) {
      if (!this.take(0x2b)) this.take(0x2d);
      if (!this.digits()) return undefined;
    }
    return { kind: 'number', start, end: this.at };
  }

  private string(): JsonString | undefined {
    const start = this.at;
    const bytes = this.bytes;
    let at = start + 1;
    let simple = true;
    while (at < this.end) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        this.at = at + 1;
        return { kind: 'string', start, end: at + 1, simple };
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
    return undefined;
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

  private array(depth: number): JsonArray | undefined {
    const start = this.at;
    this.at += 1;
    const items: JsonNode[] = [];
    this.skipSpace();
    if (this.take(0x5d)) return { kind: 'array', start, end: this.at, items };
    for (;;) {
      this.skipSpace();
      const item = this.value(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
      this.skipSpace();
      if (this.take(0x5d)) return { kind: 'array', start, end: this.at, items };
      if (!this.take(0x2c)) return undefined;
    }
  }

  private object(depth: number): JsonObject | undefined {
    const start = this.at;
    this.at += 1;
    const members: JsonMemberDraft[] = [];
    this.skipSpace();
    if (this.take(0x7d)) return { kind: 'object', start, end: this.at, members };
    for (;;) {
      this.skipSpace();
      if (this.byte() !== QUOTE) return undefined;
      const key = this.string();
      if (key === undefined) return undefined;
      this.skipSpace();
      if (!this.take(0x3a)) return undefined;
      this.skipSpace();
      const value = this.value(depth + 1);
      if (value === undefined) return undefined;
      members.push({ key: this.name(key), name: key, value, shadowed: false });
      this.skipSpace();
      if (this.take(0x7d)) {
        markShadowed(members);
        return { kind: 'object', start, end: this.at, members };
      }
      if (!this.take(0x2c)) return undefined;
    }
  }
}

function markShadowed(members: { readonly key: string; shadowed: boolean }[]): void {
  if (members.length <= SMALL_OBJECT_MEMBERS) {
    for (let i = 0; i < members.length; i += 1)
      for (let later = i + 1; later < members.length; later += 1)
        if (members[later]!.key === members[i]!.key) members[i]!.shadowed = true;
    return;
  }
  const seen = new Set<string>();
  for (let i = members.length - 1; i >= 0; i -= 1) {
    const member = members[i]!;
    if (seen.has(member.key)) member.shadowed = true;
    seen.add(member.key);
  }
}
