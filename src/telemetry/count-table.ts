/**
 * Counts over the product of some label tables, in one typed array: adding costs a map lookup per
 * label and no allocation. Only cells that were ever counted are published.
 */
import { type LabelTable, OTHER } from './label-table.ts';

export class CountTable {
  readonly #labels: readonly (readonly [name: string, table: LabelTable])[];
  readonly #counts: Float64Array;

  constructor(labels: readonly (readonly [name: string, table: LabelTable])[]) {
    this.#labels = labels;
    this.#counts = new Float64Array(labels.reduce((cells, [, table]) => cells * table.slots, 1));
  }

  /** Adds `count` to the cell of these values, one per label in the order of construction. */
  add(count: number, ...values: readonly string[]): void {
    let cell = 0;
    for (let index = 0; index < this.#labels.length; index += 1) {
      const table = this.#labels[index]![1];
      cell = cell * table.slots + table.slot(values[index]!);
    }
    this.#counts[cell]! += count;
  }

  /** Zeroes every cell of a freed slot of the label at `position`. */
  forget(position: number, freed: readonly number[]): void {
    if (freed.length === 0) return;
    const slots = new Set(freed);
    let stride = 1;
    for (const [, table] of this.#labels.slice(position + 1)) stride *= table.slots;
    const own = this.#labels[position]![1].slots;
    for (let cell = 0; cell < this.#counts.length; cell += 1) {
      if (slots.has(Math.floor(cell / stride) % own)) this.#counts[cell] = 0;
    }
  }

  /** Calls `visit` with the labels and the count of every cell that is not zero. */
  each(visit: (labels: Record<string, string>, count: number) => void): void {
    for (let cell = 0; cell < this.#counts.length; cell += 1) {
      const count = this.#counts[cell]!;
      if (count === 0) continue;
      const labels: Record<string, string> = {};
      let stride = this.#counts.length;
      for (const [name, table] of this.#labels) {
        stride /= table.slots;
        labels[name] = table.value(Math.floor(cell / stride) % table.slots) ?? OTHER;
      }
      visit(labels, count);
    }
  }
}
