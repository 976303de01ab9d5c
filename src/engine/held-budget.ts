/** Counts the bytes that all exchanges hold at this moment (invariant 10). */
export class HeldBudget {
  bytes = 0;
  readonly bytesMax: number;
  private readonly changed: (deltaBytes: number) => void;

  constructor(bytesMax: number, changed: (deltaBytes: number) => void = () => {}) {
    this.bytesMax = bytesMax;
    this.changed = changed;
  }

  /** Adds `delta` bytes (negative when released); false when the sum is over the limit. */
  add(delta: number): boolean {
    if (delta !== 0) {
      this.bytes += delta;
      this.changed(delta);
    }
    return this.bytes <= this.bytesMax;
  }
}
