/** What all connections together hold for peers that have not said all, shared so that one cannot take it all. */

export class SharedBytes {
  readonly max: number;
  held = 0;
  /** Connections that hold something. */
  holders = 0;
  constructor(max: number) {
    this.max = max;
  }
}

/** The part of one connection. */
export class HeldBytes {
  readonly #shared: SharedBytes;
  #own = 0;

  constructor(shared: SharedBytes) {
    this.#shared = shared;
  }

  get own(): number {
    return this.#own;
  }

  /**
   * False: there is no room. A connection that holds less than its share is let in all the same, so that those who hold
   * much do not keep the others out; all together never hold more than twice the limit. Negative: given back.
   */
  take(bytes: number): boolean {
    const shared = this.#shared;
    const own = this.#own + bytes;
    if (bytes > 0 && shared.held + bytes > shared.max) {
      const holders = this.#own === 0 ? shared.holders + 1 : shared.holders;
      if (own * holders > shared.max || shared.held + bytes > shared.max * 2) return false;
    }
    if (this.#own === 0 && own > 0) shared.holders++;
    else if (this.#own > 0 && own === 0) shared.holders--;
    this.#own = own;
    shared.held += bytes;
    return true;
  }
}
