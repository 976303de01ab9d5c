import { NONE } from './small-list.ts';

/** A map that is nearly always of one entry or none, and then takes a fifth of the memory that a `Map` does. */
export class SmallMap<K, V> {
  #key: K | undefined;
  #value: V | undefined;
  #rest: Map<K, V> | undefined;

  get size(): number {
    return this.#rest?.size ?? (this.#value === undefined ? 0 : 1);
  }

  get(key: K): V | undefined {
    if (this.#rest !== undefined) return this.#rest.get(key);
    return this.#key === key ? this.#value : undefined;
  }

  /** `value` is not undefined. */
  set(key: K, value: V & {}): void {
    if (this.#rest !== undefined) this.#rest.set(key, value);
    else if (this.#value === undefined || this.#key === key) {
      this.#key = key;
      this.#value = value;
    } else {
      this.#rest = new Map([
        [this.#key as K, this.#value],
        [key, value],
      ]);
      this.#key = undefined;
      this.#value = undefined;
    }
  }

  delete(key: K): void {
    if (this.#rest !== undefined) this.#rest.delete(key);
    else if (this.#key === key) {
      this.#key = undefined;
      this.#value = undefined;
    }
  }

  /** In the order in which keys came. */
  values(): readonly V[] {
    if (this.#rest !== undefined) return [...this.#rest.values()];
    return this.#value === undefined ? NONE : [this.#value];
  }

  /** In the order in which keys came. */
  entries(): readonly (readonly [K, V])[] {
    if (this.#rest !== undefined) return [...this.#rest];
    return this.#value === undefined ? NONE : [[this.#key as K, this.#value]];
  }
}
