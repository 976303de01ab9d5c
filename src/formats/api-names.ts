/**
 * The member names of an API, told however a body spells them. Readers differ: most take a name as it is
 * written, some in any case (Go's `encoding/json`, which also takes `ſ` for `s`; .NET's web defaults), some in
 * camel and in snake case (proto3 JSON). A name that any of them would take is taken for the API's own here, so
 * that no spelling is a hiding place; where two spellings stand in one object, they count as one name twice.
 */

/** A name that folds to itself. */
const PLAIN = /^[a-z0-9]*$/;

/** A name without what does not count: case, and underscores that are not in front. Folding again changes nothing. */
export function folded(name: string): string {
  const lower = name.toUpperCase().toLowerCase();
  return lower.charAt(0) + lower.slice(1).replaceAll('_', '');
}

/** The letters of ASCII differ in these many last bits. */
const FIRSTS = 32;

/** The names of one API. */
export class ApiNames {
  /** The API's own spelling, by itself and folded. */
  readonly #own = new Map<string, string>();
  /**
   * By length in bytes and first byte: names repeat on every chunk of a stream, and no string is made for them
   * again.
   */
  readonly #byLength: string[][][] = [];

  /** `names`: as the API spells them, parted by white space. Throws RangeError where two fold alike. */
  constructor(names: string) {
    for (const name of names.split(/\s+/).filter((word) => word !== '')) {
      if (this.#own.has(folded(name))) throw new RangeError(`\`${name}\` is named twice`);
      this.#own.set(folded(name), name);
      const byFirst = (this.#byLength[name.length] ??= Array.from({ length: FIRSTS }, () => []));
      byFirst[name.charCodeAt(0) % FIRSTS]!.push(name);
    }
    for (const name of this.#byLength.flat(2)) this.#own.set(name, name);
  }

  /** The name that `bytes[start,end)` spell as the API does, if it is one of its names. */
  spelled(bytes: Uint8Array, start: number, end: number): string | undefined {
    const names = this.#byLength[end - start]?.[bytes[start]! % FIRSTS];
    if (names === undefined) return undefined;
    for (const name of names) {
      let index = 0;
      while (index < name.length && bytes[start + index] === name.charCodeAt(index)) index += 1;
      if (index === name.length) return name;
    }
    return undefined;
  }

  /** The API's own spelling of a name; a name of no API as it is written. */
  of(written: string): string {
    const own = this.#own.get(written);
    if (own !== undefined) return own;
    if (PLAIN.test(written)) return written;
    return this.#own.get(folded(written)) ?? written;
  }
}

/** Of no API: every name is as it is written. */
export const NO_NAMES = new ApiNames('');
