/**
 * Header blocks of HPACK (RFC 7541): one decoder for each connection, as it shares a dynamic table with its peer.
 * Every block has to be read to its end, also one that is refused, else the tables part.
 */
import { Buffer } from 'node:buffer';
import { COMPRESSION_ERROR, ConnectionError } from './frames.ts';
import { FIELD_OVERHEAD_BYTES, type HeaderField, headerField } from './header-field.ts';
import { STATIC_TABLE } from './hpack-static.ts';
import { decodeHuffman } from './huffman.ts';

const STATIC_FIELDS: readonly HeaderField[] = STATIC_TABLE.map(([name, value]) =>
  headerField(name, value),
);

/** Lengths and indexes fit 2^28: more digits are a peer that wants to see what happens. */
const INTEGER_SHIFT_MAX = 28;

/** SETTINGS_HEADER_TABLE_SIZE before anybody says otherwise: RFC 9113 §6.5.2. */
const TABLE_BYTES_INITIAL = 4_096;

/** Blocks up to this length are remembered: Envoy says the same of most of its streams, in a byte or two a field. */
const REPEATED_BYTES_MAX = 64;

/** The same object where a block says again what the one before it said. */
export interface HeaderList {
  /** In the order of the block; those beyond a limit are missing. */
  readonly fields: readonly HeaderField[];
  /** More fields or bytes than allowed. */
  readonly tooLarge: boolean;
}

export interface HeaderListLimits {
  /** As RFC 9113 §6.5.2 counts: names, values and 32 for each field. */
  readonly headerListBytesMax: number;
  readonly headerFieldsMax: number;
}

/** Cost of a block: linear in its bytes whatever it refers to, as nothing of the table is copied. */
export class HpackDecoder {
  readonly #limits: HeaderListLimits;
  /** What SETTINGS_HEADER_TABLE_SIZE tells the peer: the most that it may ask for once it has read that. */
  readonly #tableBytesSaid: number;
  #tableBytesAllowed: number;
  #tableBytesMax = TABLE_BYTES_INITIAL;
  /** The peer's table is larger than is allowed by now: its next block begins with a smaller size. */
  #mustShrink = false;
  #tableBytes = 0;
  /** A ring, the newest entry at `#newest`. It has room for as many as the smallest entries could be. */
  readonly #ring: (HeaderField | undefined)[];
  #newest = 0;
  #count = 0;
  #at = 0;
  #bytes: Buffer = NOTHING;
  #end = 0;
  /** A block that changed nothing of the table, and what it said; the table is still the same. */
  readonly #repeated: Buffer = Buffer.allocUnsafeSlow(REPEATED_BYTES_MAX);
  #repeatedBytes = 0;
  #changed = false;
  #repeatedList: HeaderList | undefined = undefined;

  constructor(tableBytesSaid: number, limits: HeaderListLimits) {
    this.#limits = limits;
    this.#tableBytesSaid = tableBytesSaid;
    this.#tableBytesAllowed = Math.max(tableBytesSaid, TABLE_BYTES_INITIAL);
    this.#ring = new Array<HeaderField | undefined>(
      Math.floor(this.#tableBytesAllowed / FIELD_OVERHEAD_BYTES) + 1,
    );
  }

  /** The peer has acknowledged our SETTINGS: RFC 7541 §4.2. */
  settled(): void {
    this.#change();
    this.#tableBytesAllowed = this.#tableBytesSaid;
    this.#mustShrink = this.#tableBytesMax > this.#tableBytesAllowed;
  }

  /** Throws ConnectionError COMPRESSION_ERROR. */
  decode(bytes: Buffer, start: number, end: number): HeaderList {
    if (this.#repeatedList !== undefined && this.#repeats(bytes, start, end))
      return this.#repeatedList;
    this.#changed = false;
    const list = this.#decode(bytes, start, end);
    if (!this.#changed && end - start <= REPEATED_BYTES_MAX) {
      this.#repeatedBytes = bytes.copy(this.#repeated, 0, start, end);
      this.#repeatedList = list;
    }
    return list;
  }

  #repeats(bytes: Buffer, start: number, end: number): boolean {
    if (end - start !== this.#repeatedBytes) return false;
    const repeated = this.#repeated;
    for (let index = 0; index < this.#repeatedBytes; index++)
      if (bytes[start + index] !== repeated[index]) return false;
    return true;
  }

  /** The table is another: the same indexes may mean other fields. */
  #change(): void {
    this.#changed = true;
    this.#repeatedList = undefined;
  }

  #decode(bytes: Buffer, start: number, end: number): HeaderList {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    const fields: HeaderField[] = [];
    let room = this.#limits.headerListBytesMax;
    let tooLarge = false;
    let mayResize = true;
    while (this.#at < end) {
      const first = bytes[this.#at] as number;
      if (first >= 0x20 && first < 0x40) {
        // A new size of the table: only before the first field (RFC 7541 §4.2).
        if (!mayResize) fail();
        this.#resize(this.#integer(0x1f));
        continue;
      }
      if (this.#mustShrink) fail();
      mayResize = false;
      if (tooLarge && first < 0x20) {
        // The list is refused, and the table keeps nothing of this field.
        this.#skipLiteral();
        continue;
      }
      const field =
        first >= 0x80
          ? this.#entry(this.#integer(0x7f))
          : first >= 0x40
            ? this.#add(this.#literal(0x3f))
            : this.#literal(0x0f);
      room -= field.bytes;
      if (room < 0 || fields.length === this.#limits.headerFieldsMax) tooLarge = true;
      else fields.push(field);
    }
    // An empty block says no smaller size either.
    if (this.#mustShrink) fail();
    return { fields, tooLarge };
  }

  /** RFC 7541 §5.1; the prefix is what `mask` covers of the byte at hand. */
  #integer(mask: number): number {
    let value = (this.#byte() as number) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift < INTEGER_SHIFT_MAX; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return fail();
  }

  #byte(): number {
    if (this.#at >= this.#end) fail();
    return this.#bytes[this.#at++] as number;
  }

  #literal(mask: number): HeaderField {
    const index = this.#integer(mask);
    const name = index === 0 ? this.#string() : this.#entry(index).name;
    return headerField(name, this.#string());
  }

  #skipLiteral(): void {
    const index = this.#integer(0x0f);
    if (index === 0) this.#skipString();
    else this.#entry(index);
    this.#skipString();
  }

  #skipString(): void {
    if (this.#at >= this.#end) fail();
    const end = this.#integer(0x7f) + this.#at;
    if (end > this.#end) fail();
    this.#at = end;
  }

  #string(): string {
    if (this.#at >= this.#end) fail();
    const huffman = (this.#bytes[this.#at] as number) >= 0x80;
    const length = this.#integer(0x7f);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) fail();
    this.#at = end;
    if (!huffman) return this.#bytes.toString('latin1', start, end);
    return decodeHuffman(this.#bytes, start, end) ?? fail();
  }

  #entry(index: number): HeaderField {
    if (index <= STATIC_FIELDS.length) return STATIC_FIELDS[index - 1] ?? fail();
    const back = index - STATIC_FIELDS.length - 1;
    if (back >= this.#count) fail();
    const size = this.#ring.length;
    return this.#ring[(this.#newest - back + size) % size] as HeaderField;
  }

  #add(field: HeaderField): HeaderField {
    this.#change();
    this.#evictTo(this.#tableBytesMax - field.bytes);
    // One that is larger than the table leaves it empty (RFC 7541 §4.4).
    if (field.bytes > this.#tableBytesMax) return field;
    this.#newest = (this.#newest + 1) % this.#ring.length;
    this.#ring[this.#newest] = field;
    this.#count++;
    this.#tableBytes += field.bytes;
    return field;
  }

  #resize(tableBytesMax: number): void {
    this.#change();
    if (tableBytesMax > this.#tableBytesAllowed) fail();
    this.#tableBytesMax = tableBytesMax;
    this.#mustShrink = false;
    this.#evictTo(tableBytesMax);
  }

  #evictTo(bytes: number): void {
    const size = this.#ring.length;
    while (this.#count > 0 && this.#tableBytes > bytes) {
      const oldest = (this.#newest - this.#count + 1 + size) % size;
      this.#tableBytes -= (this.#ring[oldest] as HeaderField).bytes;
      this.#ring[oldest] = undefined;
      this.#count--;
    }
  }
}

const NOTHING = Buffer.alloc(0);

function fail(): never {
  throw new ConnectionError(COMPRESSION_ERROR, 'compression');
}
