/**
 * Work that is too long for one go, cut into slices by whoever does it: one slice of one exchange at a time,
 * in turn, and between any two whatever else waits (sockets, timers, other exchanges) is served. Who has had few
 * slices goes before who has had many, but not always: nobody starves.
 */
import type { Clock } from './clock.ts';

/** One slice; true when there is more to do. Must not throw. */
type Slice = () => boolean;

/** Whose slices they are. */
interface Asker {
  /** It has not had many yet. Asked before each. */
  readonly light: boolean;
}

interface Entry {
  slice: Slice | undefined;
  readonly asker: Asker;
}

/** So many slices of light ones at most before a heavy one has its own. */
const LIGHT_IN_ROW_MAX = 4;

export class Turns {
  private readonly clock: Clock;
  private readonly light: Entry[] = [];
  private readonly heavy: Entry[] = [];
  private lightInRow = 0;
  private armed = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** The slice of this turn of the event loop is taken, or asked for: more work should ask for one, too. */
  get taken(): boolean {
    return this.armed;
  }

  /** Takes the slice of this turn for work that is done at once. */
  take(): void {
    this.arm();
  }

  /** Runs `slice` in later turns until it says that there is no more. The result ends that at once. */
  add(slice: Slice, asker: Asker): () => void {
    const entry: Entry = { slice, asker };
    this.enqueue(entry);
    this.arm();
    return () => {
      entry.slice = undefined;
    };
  }

  private enqueue(entry: Entry): void {
    (entry.asker.light ? this.light : this.heavy).push(entry);
  }

  private arm(): void {
    if (this.armed) return;
    this.armed = true;
    this.clock.soon(() => this.turn());
  }

  private turn(): void {
    this.armed = false;
    const entry = this.next();
    if (!entry) return;
    // Its place at the end is taken first, so that a slice that adds another does not go before itself.
    this.enqueue(entry);
    this.arm();
    if (!entry.slice?.()) entry.slice = undefined;
  }

  private next(): Entry | undefined {
    const heavyIsDue = this.lightInRow >= LIGHT_IN_ROW_MAX;
    const first = heavyIsDue
      ? (taken(this.heavy) ?? taken(this.light))
      : (taken(this.light) ?? taken(this.heavy));
    this.lightInRow = heavyIsDue || first?.asker.light !== true ? 0 : this.lightInRow + 1;
    return first;
  }
}

/** The first that still wants its slice. */
function taken(queue: Entry[]): Entry | undefined {
  let entry = queue.shift();
  while (entry && !entry.slice) entry = queue.shift();
  return entry;
}
