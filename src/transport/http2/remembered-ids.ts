/** The last few ids of streams, without a cost for each that is forgotten: two generations, the older dropped whole. */
export class RememberedIds {
  readonly #most: number;
  #young: Set<number> | undefined;
  #old: Set<number> | undefined;

  /** Remembers the last `most` for certain, and up to twice as many. */
  constructor(most: number) {
    this.#most = most;
  }

  add(id: number): void {
    this.#young ??= new Set();
    if (this.#young.size >= this.#most) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(id);
  }

  has(id: number): boolean {
    return this.#young?.has(id) === true || this.#old?.has(id) === true;
  }
}
