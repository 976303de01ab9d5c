/**
 * What the words before a candidate say it is. The nearest name counts: behind "order", or behind the name of
 * another kind, a number is rather that. Names are looked up word by word from the candidate backwards.
 */
import { isAsciiLetter, isInvisible } from '../characters.ts';
import { isPrintable, plainUnit } from '../plain-units.ts';
import { LOOK_BACK_UNITS, plainText } from '../text-history.ts';

/** What numbers are that are nobody's. */
export const OTHERS = '';

const OTHER_NAMES = [
  ...['order', 'invoice', 'tracking', 'shipment', 'parcel', 'version', 'release', 'build', 'sku'],
  ...['isbn', 'issn', 'ean', 'upc', 'gtin', 'barcode', 'ticket', 'serial', 'model', 'part number'],
  ...['commit', 'hash', 'checksum', 'sha', 'uuid', 'guid', 'product', 'item', 'article', 'batch'],
  ...['lot', 'price', 'total', 'amount', 'subtotal', 'zip', 'postcode', 'postal code', 'page'],
  ...['chapter', 'section', 'error', 'exception', 'timestamp', 'epoch', 'offset', 'flight'],
  ...['booking', 'confirmation', 'receipt', 'case', 'issue', 'bug', 'request id', 'session id'],
  ...['trace', 'transaction', 'reference', 'ref', 'quantity', 'population', 'distance', 'budget'],
  ...['revenue', 'bestellung', 'rechnung', 'bestellnummer', 'rechnungsnummer', 'commande'],
  ...['facture', 'pedido', 'factura', 'ordine', 'fattura', 'bestelling', 'factuur', 'figure'],
];

/** What may be joined to the end of a name: `passportnumber`, `Telefonnummern`. */
const SUFFIX = /(?:numbers?|nummern?|nr|num|no|id|s)$/;
const WORD = /[a-z]+|[\u0080-\uffff]+/g;
const MARKS = /\p{M}+/gu;
const NOT_ASCII = /[\u0080-\uffff]/;
/** `userSSN`, `passportNumber`. */
const CAMEL = /([a-z])([A-Z])/g;

const ASCII_UNITS = 0x80;

/** All that `SUFFIX` leaves out. */
const JOINED = ['', 'number', 'numbers', 'nummer', 'nummern', 'nr', 'num', 'no', 'id', 's'];
/** Last words of names are known by so many bits: one in a hundred other words looks like one. */
const HASH_BITS = 1 << 19;
const HASH_SHIFT = 13;

interface Phrase {
  readonly words: readonly string[];
  readonly entities: ReadonlySet<string>;
}

export class Names {
  /** By their last word, the longest first. */
  private readonly phrases = new Map<string, Phrase[]>();
  /** Of scripts that are written without spaces. */
  private readonly parts: [string, ReadonlySet<string>][] = [];
  private readonly lastWords = new Int32Array(HASH_BITS >> 5);

  constructor(kinds: readonly { readonly entity: string; readonly names: readonly string[] }[]) {
    const entities = new Map<string, Set<string>>();
    const add = (name: string, entity: string): void => {
      const known = entities.get(name) ?? new Set();
      entities.set(name, known.add(entity));
    };
    for (const { entity, names } of kinds) for (const name of names) add(name, entity);
    for (const name of OTHER_NAMES) if (!entities.has(name)) add(name, OTHERS);
    for (const [name, known] of entities) {
      if (NOT_ASCII.test(name)) {
        this.parts.push([name.normalize('NFD').replace(MARKS, ''), known]);
        continue;
      }
      const words = name.split(' ');
      const last = words[words.length - 1] as string;
      const list = this.phrases.get(last) ?? [];
      list.push({ words, entities: known });
      this.noteLastWord(last);
      list.sort((a, b) => b.words.length - a.words.length);
      this.phrases.set(last, list);
    }
  }

  /**
   * The entities that the nearest name may mean in the units before `place`, LOOK_BACK_UNITS at most, or undefined.
   * Cost: some nanoseconds a unit.
   */
  nearest(units: Uint16Array, place: number): ReadonlySet<string> | undefined {
    const edge = Math.max(0, place - LOOK_BACK_UNITS);
    words.start(units, edge, place);
    for (let index = 0; words.reach(index); index++) {
      if (!this.mayEndName(words.hashOf(index))) continue;
      const found = this.ending(words, index);
      // A word behind what is no ASCII may be part of a longer one.
      if (words.isForeign) break;
      if (found !== undefined) return found;
    }
    return words.isForeign ? this.nearestOfAny(plainText(units, edge, place)) : undefined;
  }

  private nearestOfAny(before: string): ReadonlySet<string> | undefined {
    const text = before.replace(CAMEL, '$1 $2').toLowerCase().normalize('NFD').replace(MARKS, '');
    const all = (text.match(WORD) ?? []).reverse();
    const backwards: Backwards = {
      at: (index) => all[index] as string,
      reach: (index) => index < all.length,
    };
    for (const [index, word] of all.entries()) {
      const found = this.ending(backwards, index);
      if (found !== undefined) return found;
      if (!NOT_ASCII.test(word)) continue;
      for (const [part, entities] of this.parts) if (word.includes(part)) return entities;
    }
    return undefined;
  }

  /** What a name means that ends with the word at `index`. */
  private ending(backwards: Backwards, index: number): ReadonlySet<string> | undefined {
    const word = backwards.at(index);
    return (
      this.endingAt(backwards, index, word) ??
      this.endingAt(backwards, index, word.replace(SUFFIX, ''))
    );
  }

  private endingAt(
    backwards: Backwards,
    index: number,
    last: string,
  ): ReadonlySet<string> | undefined {
    for (const { words: phrase, entities } of this.phrases.get(last) ?? []) {
      let back = 1;
      while (
        back < phrase.length &&
        backwards.reach(index + back) &&
        phrase[phrase.length - 1 - back] === backwards.at(index + back)
      )
        back++;
      if (back === phrase.length) return entities;
    }
    return undefined;
  }

  /** Whether a word with this hash may be the last of a name, with or without what may be joined to it. */
  private mayEndName(hash: number): boolean {
    const bit = hash & (HASH_BITS - 1);
    return ((this.lastWords[bit >> 5] as number) & (1 << (bit & 31))) !== 0;
  }

  private noteLastWord(word: string): void {
    for (const joined of JOINED) {
      const bit = hashBackwards(word + joined) & (HASH_BITS - 1);
      this.lastWords[bit >> 5]! |= 1 << (bit & 31);
    }
  }
}

/** Words of a text, the last one first. */
interface Backwards {
  /** Whether there are more words than `index`; to be asked before `at`. */
  reach(index: number): boolean;
  at(index: number): string;
}

/** The bit that makes a capital a small letter. */
const SMALL = 0x20;

/** Of letters, the last one first, capitals like small ones. */
const hashStep = (hash: number, unit: number): number =>
  (Math.imul(hash, 0x01000193) ^ (unit | SMALL)) >>> 0;

function hashBackwards(word: string): number {
  let hash = 0;
  for (let at = word.length - 1; at >= 0; at--) hash = hashStep(hash, word.charCodeAt(at));
  return hash ^ (hash >>> HASH_SHIFT);
}

/** Of ASCII that is seen, what is no letter. */
const between = Uint8Array.from({ length: 0x10000 }, (_, unit) =>
  isPrintable(unit) && !isAsciiLetter(unit) ? 1 : 0,
);

/** Words of ASCII in the units of a text, as `Backwards` has them; one for all texts. */
class UnitWords implements Backwards {
  /** What is no ASCII was met: what comes before is not told. */
  isForeign = false;
  private units: Uint16Array = new Uint16Array(0);
  private edge = 0;
  /** Behind what was not looked at yet. */
  private next = 0;
  private count = 0;
  /** Letters of all words found, the last one first, and where the letters of each begin. */
  private readonly letters = new Uint8Array(LOOK_BACK_UNITS);
  private readonly firsts = new Int32Array(LOOK_BACK_UNITS + 1);
  private readonly hashes = new Int32Array(LOOK_BACK_UNITS);

  /** Of `units[edge,place)`, LOOK_BACK_UNITS at most. */
  start(units: Uint16Array, edge: number, place: number): void {
    this.units = units;
    this.edge = edge;
    this.next = place;
    this.count = 0;
    this.isForeign = false;
  }

  reach(index: number): boolean {
    while (this.count <= index) if (!this.find()) return false;
    return true;
  }

  at(index: number): string {
    let word = '';
    for (
      let at = (this.firsts[index + 1] as number) - 1;
      at >= (this.firsts[index] as number);
      at--
    )
      word += String.fromCharCode((this.letters[at] as number) | SMALL);
    return word;
  }

  hashOf(index: number): number {
    return this.hashes[index] as number;
  }

  /** The next word before those that are known. */
  private find(): boolean {
    const { units, edge, letters } = this;
    const first = this.firsts[this.count] as number;
    let end = first;
    let hash = 0;
    let behind = 0;
    let at = this.next - 1;
    // Most of what stands between are digits and signs.
    while (at >= edge && between[units[at] as number] === 1) at--;
    for (; at >= edge && !this.isForeign; at--) {
      let unit = units[at] as number;
      if (!isPrintable(unit)) {
        if (isInvisible(unit)) continue;
        unit = plainUnit(unit);
        // Tags as well: where they stand is looked at again.
        if (unit >= ASCII_UNITS) {
          this.isForeign = true;
          return false;
        }
      }
      if (!isAsciiLetter(unit)) {
        if (end > first) break;
        continue;
      }
      // `userSSN`: behind a small letter a capital begins a word.
      if (behind !== 0 && isSmall(unit) && !isSmall(behind)) break;
      hash = hashStep(hash, unit);
      letters[end++] = unit;
      behind = unit;
    }
    this.next = at + 1;
    if (end === first) return false;
    this.hashes[this.count++] = hash ^ (hash >>> HASH_SHIFT);
    this.firsts[this.count] = end;
    return true;
  }
}

const words = new UnitWords();

const isSmall = (unit: number): boolean => unit >= 0x61;
