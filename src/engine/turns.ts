/**
 * Who may use the processor, and for how long before sockets, timers and the others have their turn. Of one turn of the
 * event loop all exchanges together take no more than a slice at once, as messages come in, and a slice of what waits.
 *
 * What waits is served by weighted fair queueing (Demers, Keshav, Shenker 1989) of equal weights: virtual time passes as
 * if all that wait were served at the same time, and first comes what would then be done first. So a word of one stream
 * goes before the slices of any number of others, who takes much comes behind who took little, and nobody starves.
 */
import type { Clock } from './clock.ts';
import type { EngineLimits } from './limits.ts';

/** One slice; what it is charged for the next one, in the units of a slice, or 0 when there is no more to do. Must not throw. */
type Slice = () => number;

/** Whose slices they are. */
export interface Asker {
  /** Virtual time at which all that it was given so far would be done. Kept by `Turns`. */
  dueAt: number;
}

interface Entry {
  slice: Slice | undefined;
  readonly asker: Asker;
  /** Virtual time at which it would be done. */
  dueAt: number;
  /** Who came first goes first where nothing else decides. */
  order: number;
  units: number;
}

export class Turns {
  private readonly clock: Clock;
  private readonly limits: Pick<EngineLimits, 'sliceUnitsMax'>;
  /** A binary heap: none is due before its parent. */
  private readonly queue: Entry[] = [];
  private virtualTime = 0;
  private orders = 0;
  /** Units that were spent in this turn of the event loop. */
  private spent = 0;
  private armed = false;
  private running = false;

  constructor(clock: Clock, limits: Pick<EngineLimits, 'sliceUnitsMax'>) {
    this.clock = clock;
    this.limits = limits;
  }

  /**
   * Takes so many units of this turn of the event loop, if they are left; what comes into its first half may be of any
   * size. What little was spent in turns before counts, too: to be told that a turn is over costs more than a word.
   */
  take(units: number): boolean {
    const unitsMax = this.limits.sliceUnitsMax;
    if (this.spent > unitsMax / 2 && this.spent + units > unitsMax) return false;
    this.spent += units;
    if (this.spent > unitsMax / 2) this.arm();
    return true;
  }

  /** Of one turn of the event loop. */
  get unitsMax(): number {
    return this.limits.sliceUnitsMax;
  }

  /** Somebody waits: what is not as urgent should not be done now, though there be time for it. */
  get othersWait(): boolean {
    return this.queue.length > 0;
  }

  /** Runs `slice`, which costs `units`, in later turns until it says that there is no more. The result ends that at once. */
  add(slice: Slice, asker: Asker, units: number): () => void {
    const entry: Entry = { slice, asker, dueAt: 0, order: 0, units };
    this.enqueue(entry);
    this.arm();
    return () => {
      entry.slice = undefined;
    };
  }

  private arm(): void {
    if (this.armed || this.running) return;
    this.armed = true;
    this.clock.soon(() => this.turn());
  }

  private turn(): void {
    this.armed = false;
    this.running = true;
    this.spent = 0;
    while (this.queue.length > 0 && this.serve(this.queue[0]!));
    this.spent = 0;
    this.running = false;
    if (this.queue.length > 0) this.arm();
  }

  /** Whether there was still time for it in this turn. */
  private serve(first: Entry): boolean {
    if (first.slice !== undefined && !this.take(first.units)) return false;
    const waiting = this.queue.length;
    this.removeFirst();
    if (first.slice === undefined) return true;
    this.virtualTime += first.units / waiting;
    first.units = first.slice();
    if (first.units === 0) first.slice = undefined;
    if (first.slice !== undefined) this.enqueue(first);
    return true;
  }

  private enqueue(entry: Entry): void {
    const { asker, units } = entry;
    asker.dueAt = Math.max(this.virtualTime, asker.dueAt) + units;
    entry.dueAt = asker.dueAt;
    entry.order = this.orders++;
    const { queue } = this;
    let at = queue.length;
    queue.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, queue[parent]!)) break;
      queue[at] = queue[parent]!;
      at = parent;
    }
    queue[at] = entry;
  }

  private removeFirst(): void {
    const { queue } = this;
    const last = queue.pop();
    if (last === undefined || queue.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= queue.length) break;
      if (child + 1 < queue.length && isBefore(queue[child + 1]!, queue[child]!)) child++;
      if (!isBefore(queue[child]!, last)) break;
      queue[at] = queue[child]!;
      at = child;
    }
    queue[at] = last;
  }
}

const isBefore = (one: Entry, other: Entry): boolean =>
  one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.order < other.order);
