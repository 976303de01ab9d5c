/** So many calls at once and so many that wait; what somebody waits for goes before what nobody does. */

export interface QueuedCall {
  /** Begins; `over` is called once, when another may begin. */
  run(over: () => void): void;
  /** It will not begin: what somebody waits for needs its place. */
  drop(): void;
}

export class CallQueue {
  private readonly runningMax: number;
  private readonly waitingMax: number;
  private readonly urgent: QueuedCall[] = [];
  private readonly deferred: QueuedCall[] = [];
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

  /** False where there is no room. Of what nobody waits for, the last gives way to what somebody does. */
  add(call: QueuedCall, urgent: boolean): boolean {
    if (this.running < this.runningMax) {
      this.begin(call);
      return true;
    }
    const full = this.waitingCalls >= this.waitingMax;
    const dropped = full && urgent ? this.deferred.pop() : undefined;
    if (full && dropped === undefined) return false;
    (urgent ? this.urgent : this.deferred).push(call);
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
    this.running++;
    let over = false;
    call.run(() => {
      if (over) return;
      over = true;
      this.running--;
      this.next();
    });
  }

  private next(): void {
    while (this.running < this.runningMax) {
      const call = this.urgent.shift() ?? this.deferred.shift();
      if (call === undefined) return;
      this.begin(call);
    }
  }
}
