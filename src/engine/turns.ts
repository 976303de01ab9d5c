/**
 * Work that is too long for one go, cut into slices by whoever does it: one slice of one exchange at a time,
 * in turn, and between any two whatever else waits (sockets, timers, other exchanges) is served.
 */
import type { Clock } from './clock.ts';

/** One slice; true when there is more to do. Must not throw. */
type Slice = () => boolean;

export class Turns {
  private readonly clock: Clock;
  private readonly queue: { slice: Slice | undefined }[] = [];
  private armed = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Runs `slice` in later turns until it says that there is no more. The result ends that at once. */
  add(slice: Slice): () => void {
    const entry: { slice: Slice | undefined } = { slice };
    this.queue.push(entry);
    this.arm();
    return () => {
      entry.slice = undefined;
    };
  }

  private arm(): void {
    if (this.armed) return;
    this.armed = true;
    this.clock.soon(() => this.turn());
  }

  private turn(): void {
    this.armed = false;
    let entry = this.queue.shift();
    while (entry && !entry.slice) entry = this.queue.shift();
    if (!entry) return;
    // Its place at the end is taken first, so that a slice that adds another does not go before itself.
    this.queue.push(entry);
    this.arm();
    if (!entry.slice?.()) entry.slice = undefined;
  }
}
