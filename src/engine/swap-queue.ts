/** Most transitions that wait: more means that something asks in a loop. */
export const SWAP_QUEUE_LENGTH_MAX = 64;

export type SwapQueueErrorCode = 'swap_queue_full' | 'swap_queue_closed';

export class SwapQueueError extends Error {
  readonly code: SwapQueueErrorCode;

  constructor(code: SwapQueueErrorCode, message: string) {
    super(message);
    this.name = 'SwapQueueError';
    this.code = code;
  }
}

/**
 * Changes of what serves, one at a time and in the order in which they were asked for: each reads the
 * record that the one before it has persisted.
 */
export class SwapQueue {
  readonly #lengthMax: number;
  #tail: Promise<unknown> = Promise.resolve();
  #running: string | undefined;
  /** The one that runs and those that wait. */
  #taken = 0;
  #closed = false;

  /** `lengthMax`: how many may wait beside the one that runs; default `SWAP_QUEUE_LENGTH_MAX`. */
  constructor(lengthMax: number = SWAP_QUEUE_LENGTH_MAX) {
    this.#lengthMax = lengthMax;
  }

  /** The name of the transition that runs now, if one does. */
  get running(): string | undefined {
    return this.#running;
  }

  /** How many wait behind it. */
  get waiting(): number {
    return Math.max(0, this.#taken - 1);
  }

  /**
   * Runs `action` after all that were enqueued before it, however they ended; settles as it does. Rejects
   * with `swap_queue_full` or `swap_queue_closed` without running it. An action must not wait for another
   * one that it enqueues: that one starts only after it.
   */
  enqueue<T>(name: string, action: () => Promise<T> | T): Promise<T> {
    if (this.#closed) {
      return Promise.reject(new SwapQueueError('swap_queue_closed', 'the server is stopping'));
    }
    if (this.#taken > this.#lengthMax) {
      const message = `${this.#lengthMax} transitions wait already; try again when some are done`;
      return Promise.reject(new SwapQueueError('swap_queue_full', message));
    }
    this.#taken++;
    const result = this.#tail.then(async () => {
      this.#running = name;
      try {
        return await action();
      } finally {
        this.#running = undefined;
        this.#taken--;
      }
    });
    // The next one waits for the end of this one, not for its success.
    this.#tail = result.then(ignore, ignore);
    return result;
  }

  /** Resolves when everything enqueued so far has ended. Never rejects. */
  async drained(): Promise<void> {
    await this.#tail;
  }

  /** Takes nothing more; resolves when what was taken has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#tail;
  }
}

function ignore(): void {}
