/**
 * So many calls at once and so many that wait; what somebody waits for goes before what nobody does, and among those a
 * source of which fewer run: one that asks much makes itself wait, and not the others.
 */

export interface QueuedCall {
  /** Whose text it is about; those of whom nothing is known are one. */
  readonly source: string | undefined;
  /** Begins; `over` is called once, when another may begin. */
  run(over: () => void): void;
  /** It will not begin: what somebody waits for, or a source with less in the queue, needs its place. */
  drop(): void;
}

export class CallQueue {
  private readonly runningMax: number;
  private readonly waitingMax: number;
  private readonly urgent: QueuedCall[] = [];
  private readonly deferred: QueuedCall[] = [];
  /** How many calls of each source run. */
  private readonly runningOf = new Map<string | undefined, number>();
  private running = 0;

  constructor(runningMax: number, waitingMax: number) {
    this.runningMax = runningMax;
    this.waitingMax = waitingMax;
  }

  get runningCalls(): number {
    return this.running;
  }

  get waitingCalls(): number {
    return this.urgent.length + this.deferred.length;
  }

  /**
   * False where there is no room. Of what nobody waits for, the last gives way to what somebody does; then the last of
   * the source that has most there, to one that has less. Cost: linear in what waits, where there is no room.
   */
  add(call: QueuedCall, urgent: boolean): boolean {
    if (this.running < this.runningMax) {
      this.begin(call);
      return true;
    }
    const list = urgent ? this.urgent : this.deferred;
    const full = this.waitingCalls >= this.waitingMax;
    const dropped = full
      ? ((urgent ? this.deferred.pop() : undefined) ?? crowding(list, call.source))
      : undefined;
    if (full && dropped === undefined) return false;
    list.push(call);
    dropped?.drop();
    return true;
  }

  /** Takes out one that waits. */
  remove(call: QueuedCall): void {
    for (const list of [this.urgent, this.deferred]) {
      const at = list.indexOf(call);
      if (at !== -1) list.splice(at, 1);
    }
  }

  private begin(call: QueuedCall): void {
    const { source } = call;
    this.running++;
    this.runningOf.set(source, (this.runningOf.get(source) ?? 0) + 1);
    let over = false;
    call.run(() => {
      if (over) return;
      over = true;
      this.running--;
      const left = (this.runningOf.get(source) ?? 1) - 1;
      if (left === 0) this.runningOf.delete(source);
      else this.runningOf.set(source, left);
      this.next();
    });
  }

  private next(): void {
    while (this.running < this.runningMax) {
      const call = this.fairest(this.urgent) ?? this.fairest(this.deferred);
      if (call === undefined) return;
      this.begin(call);
    }
  }

  /** Takes out the call whose source has the fewest running; of those the first that came. */
  private fairest(list: QueuedCall[]): QueuedCall | undefined {
    let best = 0;
    let fewest = Number.POSITIVE_INFINITY;
    for (const [at, { source }] of list.entries()) {
      const running = this.runningOf.get(source) ?? 0;
      if (running < fewest) [best, fewest] = [at, running];
      if (fewest === 0) break;
    }
    return list.splice(best, 1)[0];
  }
}

/** Takes out the last call of the source that has most in the list, where `source` would have less with one more. */
function crowding(list: QueuedCall[], source: string | undefined): QueuedCall | undefined {
  const counts = new Map<string | undefined, number>();
  for (const call of list) counts.set(call.source, (counts.get(call.source) ?? 0) + 1);
  const [most, count] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), [source, 0]);
  if (count <= (counts.get(source) ?? 0) + 1) return undefined;
  const at = list.findLastIndex((call) => call.source === most);
  return list.splice(at, 1)[0];
}
