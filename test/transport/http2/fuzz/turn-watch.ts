/**
 * How long one turn of the thread works on what a peer has sent: no more than `TURN_MS_MAX` of processor time, as nobody
 * else is served meanwhile. A wall clock never tells less than that and costs nothing to ask; what seems too long by it is
 * done again by the scheduler's own account, which other work on the machine does not change.
 */
import { Buffer } from 'node:buffer';
import { openSync, readSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

export const TURN_MS_MAX = 50;
/** A pause of the collector or of the compiler does not come each time, a hang does. */
const TRIES = 3;

export class TurnWatch {
  readonly #nowMs: () => number;
  longestMs = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  turn<Result>(work: () => Result): Result {
    const before = this.#nowMs();
    try {
      return work();
    } finally {
      this.#took(before);
    }
  }

  /** One that goes on in microtasks, which are of the same turn. */
  async turnWith<Result>(work: () => Promise<Result>): Promise<Result> {
    const before = this.#nowMs();
    try {
      return await work();
    } finally {
      this.#took(before);
    }
  }

  #took(before: number): void {
    this.longestMs = Math.max(this.longestMs, this.#nowMs() - before);
  }
}

/** What `trial` says is wrong, or else that one of its turns takes too long however often it is tried. */
export async function withoutHang(
  trial: (watch: TurnWatch) => Promise<string | undefined>,
): Promise<string | undefined> {
  const watch = new TurnWatch(() => performance.now());
  const problem = await trial(watch);
  if (problem !== undefined) return problem;
  let leastMs = watch.longestMs;
  for (let tries = 0; tries < TRIES && leastMs > TURN_MS_MAX; tries++) {
    const again = new TurnWatch(processorMs);
    await trial(again);
    leastMs = Math.min(leastMs, again.longestMs);
  }
  return leastMs > TURN_MS_MAX
    ? `hangs: a turn of ${leastMs.toFixed(0)} ms of processor time`
    : undefined;
}

let account: number | undefined;
const accountText = Buffer.alloc(64);

/** Processor time of this thread. Linux alone tells it; elsewhere the wall clock has to do. */
function processorMs(): number {
  if (process.platform !== 'linux' || threadId !== 0) return performance.now();
  account ??= openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  // Asking for the process' own brings the kernel's counter up to date.
  process.cpuUsage();
  readSync(account, accountText, 0, accountText.length, 0);
  return Number(accountText.toString('latin1', 0, accountText.indexOf(' '))) / 1e6;
}
