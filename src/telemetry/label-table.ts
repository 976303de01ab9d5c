/**
 * The values that one metric label may take: a bounded table, so that neither content nor growth can
 * reach the metrics. Slot 0 is `other`: what does not fit is counted there.
 */
export const OTHER = 'other';

export class LabelTable {
  readonly #indexes = new Map<string, number>();
  readonly #values: (string | undefined)[] = [OTHER];
  readonly #free: number[] = [];
  readonly #valuesMax: number;

  /** A closed table of `values`, or with `valuesMax` above their number an open one. */
  constructor(values: readonly string[], valuesMax: number = values.length) {
    this.#valuesMax = Math.max(valuesMax, values.length);
    for (const value of values) this.slot(value);
  }

  /** Slots there can ever be, `other` included. */
  get slots(): number {
    return this.#valuesMax + 1;
  }

  /** The slot of a value; a new value takes a free one; 0 when there is none. One map lookup. */
  slot(value: string): number {
    const known = this.#indexes.get(value);
    if (known !== undefined) return known;
    if (value === OTHER || this.#indexes.size >= this.#valuesMax) return 0;
    const slot = this.#free.pop() ?? this.#values.length;
    this.#indexes.set(value, slot);
    this.#values[slot] = value;
    return slot;
  }

  /** The value in a slot; undefined when the slot is free. */
  value(slot: number): string | undefined {
    return this.#values[slot];
  }

  /** Frees the slots of all values but `keep`; returns them, so that their counts can be zeroed. */
  keepOnly(keep: ReadonlySet<string>): readonly number[] {
    const freed: number[] = [];
    for (const [value, slot] of this.#indexes) {
      if (keep.has(value)) continue;
      this.#indexes.delete(value);
      this.#values[slot] = undefined;
      freed.push(slot);
    }
    this.#free.push(...freed);
    return freed;
  }
}
