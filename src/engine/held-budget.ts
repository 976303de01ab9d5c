/** Counts the bytes that all exchanges hold at this moment (invariant 10). */
export class HeldBudget {
  bytes = 0;
  readonly bytesMax: number;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Adds `delta` bytes (negative when released); false when the sum is over the limit. */
  add(delta: number): boolean {
    this.bytes += delta;
    return this.bytes <= this.bytesMax;
  }
}
