/**
 * What the words before a candidate say it is. The nearest name counts: behind "order", or behind the name of
 * another kind, a number is rather that. Names are looked up word by word from the candidate backwards.
 */

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

interface Phrase {
  readonly words: readonly string[];
  readonly entities: ReadonlySet<string>;
}

export class Names {
  /** By their last word, the longest first. */
  private readonly phrases = new Map<string, Phrase[]>();
  /** Of scripts that are written without spaces. */
  private readonly parts: [string, ReadonlySet<string>][] = [];
  private lastBefore = '';
  private lastNamed: ReadonlySet<string> | undefined;

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
      list.sort((a, b) => b.words.length - a.words.length);
      this.phrases.set(last, list);
    }
  }

  /** The entities that the nearest name in `before` may mean, or undefined. Cost: a microsecond or two. */
  nearest(before: string): ReadonlySet<string> | undefined {
    if (before !== this.lastBefore) {
      this.lastNamed = this.find(before);
      this.lastBefore = before;
    }
    return this.lastNamed;
  }

  private find(before: string): ReadonlySet<string> | undefined {
    const foreign = NOT_ASCII.test(before);
    const spaced = before.replace(CAMEL, '$1 $2').toLowerCase();
    const text = foreign ? spaced.normalize('NFD').replace(MARKS, '') : spaced;
    const words = text.match(WORD) ?? [];
    for (let index = words.length - 1; index >= 0; index--) {
      const word = words[index] as string;
      const found =
        this.endingAt(words, index, word) ?? this.endingAt(words, index, word.replace(SUFFIX, ''));
      if (found !== undefined) return found;
      if (!foreign || !NOT_ASCII.test(word)) continue;
      for (const [part, entities] of this.parts) if (word.includes(part)) return entities;
    }
    return undefined;
  }

  private endingAt(
    words: readonly string[],
    index: number,
    last: string,
  ): ReadonlySet<string> | undefined {
    for (const { words: phrase, entities } of this.phrases.get(last) ?? []) {
      let back = 1;
      while (back < phrase.length && phrase[phrase.length - 1 - back] === words[index - back])
        back++;
      if (back === phrase.length) return entities;
    }
    return undefined;
  }
}
