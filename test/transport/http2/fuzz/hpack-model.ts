/**
 * HPACK read slowly: RFC 7541 word by word, strings and arrays only. What it shares with the product, the static table and
 * the Huffman code, is held against libnghttp2 by the fuzz that compares all three.
 */
import type { Buffer } from 'node:buffer';
import { STATIC_TABLE } from '../../../../src/transport/http2/hpack-static.ts';
import { decodeHuffman } from '../../../../src/transport/http2/huffman.ts';

export type Field = readonly [name: string, value: string];

/** `long_integer`: more digits than we take, which RFC 7541 §5.1 leaves to us. */
export type Refusal = 'malformed' | 'long_integer';

class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

/** Digits of seven bits behind a prefix that is full. */
const INTEGER_DIGITS_MAX = 4;

const sizeOf = ([name, value]: Field): number => name.length + value.length + 32;

export class HpackModel {
  /** The newest first. */
  #table: Field[] = [];
  #most = 4_096;
  #allowed: number;
  readonly #said: number;
  #sizeDue = false;
  #left: number[] = [];

  constructor(said: number) {
    this.#said = said;
    this.#allowed = Math.max(said, 4_096);
  }

  settled(): void {
    this.#allowed = this.#said;
    this.#sizeDue = this.#most > this.#allowed;
  }

  decode(block: Buffer): readonly Field[] | Refusal {
    this.#left = [...block];
    const fields: Field[] = [];
    try {
      while (this.#left.length > 0) {
        const first = this.#left[0] as number;
        if (first >> 5 === 1) {
          if (fields.length > 0) throw new Refused('malformed');
          this.#resize(this.#integer(5));
          continue;
        }
        if (this.#sizeDue) throw new Refused('malformed');
        fields.push(this.#field(first));
      }
      if (this.#sizeDue) throw new Refused('malformed');
    } catch (error) {
      if (error instanceof Refused) return error.refusal;
      throw error;
    }
    return fields;
  }

  #field(first: number): Field {
    if (first >> 7 === 1) return this.#at(this.#integer(7));
    const kept = first >> 6 === 1;
    const index = this.#integer(kept ? 6 : 4);
    const name = index === 0 ? this.#string() : this.#at(index)[0];
    const field: Field = [name, this.#string()];
    if (kept) {
      this.#table.unshift(field);
      this.#evict();
    }
    return field;
  }

  #at(index: number): Field {
    const [name, value] =
      STATIC_TABLE[index - 1] ?? this.#table[index - STATIC_TABLE.length - 1] ?? [];
    if (index === 0 || name === undefined) throw new Refused('malformed');
    return [name, value ?? ''];
  }

  #resize(size: number): void {
    if (size > this.#allowed) throw new Refused('malformed');
    this.#most = size;
    this.#sizeDue = false;
    this.#evict();
  }

  #evict(): void {
    while (this.#table.reduce((all, field) => all + sizeOf(field), 0) > this.#most)
      this.#table.pop();
  }

  #byte(): number {
    const byte = this.#left.shift();
    if (byte === undefined) throw new Refused('malformed');
    return byte;
  }

  #integer(prefixBits: number): number {
    const full = 2 ** prefixBits - 1;
    let value = this.#byte() % 2 ** prefixBits;
    if (value < full) return value;
    for (let digit = 0; digit < INTEGER_DIGITS_MAX; digit++) {
      const byte = this.#byte();
      value += (byte % 128) * 128 ** digit;
      if (byte < 128) return value;
    }
    throw new Refused('long_integer');
  }

  #string(): string {
    const coded = (this.#left[0] ?? 0) >= 128;
    const length = this.#integer(7);
    if (length > this.#left.length) throw new Refused('malformed');
    const bytes = Uint8Array.from(this.#left.splice(0, length));
    const text = String.fromCharCode(...bytes);
    if (!coded) return text;
    const decoded = decodeHuffman(bytes as Buffer, 0, length);
    if (decoded === undefined) throw new Refused('malformed');
    return decoded;
  }
}
