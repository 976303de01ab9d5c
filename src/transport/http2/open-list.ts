/** What is open at this moment, in no order. No `Set`, for the reason that `stream-table.ts` gives. */

/** Where it stands is kept by the list that it is in. */
export interface Listed {
  listedAt: number;
}

export class OpenList<Item extends Listed> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    item.listedAt = this.#items.length;
    this.#items.push(item);
  }

  /** One that is in it, or was. */
  delete(item: Item): void {
    const items = this.#items;
    if (items[item.listedAt] !== item) return;
    const last = items.pop() as Item;
    if (last === item) return;
    items[item.listedAt] = last;
    last.listedAt = item.listedAt;
  }

  /** All of them at this moment. */
  all(): Item[] {
    return this.#items.slice();
  }
}
