/** Time as an argument: the real one in production, a virtual one in tests. */
export interface Clock {
  /** Wall clock, ms since the epoch: for records and schedules people read. */
  nowMs(): number;
  /** Monotonic ms: for durations, windows and deadlines. */
  monotonicMs(): number;
  /** Runs `action` once after `delayMs`; the result cancels it. */
  after(delayMs: number, action: () => void): () => void;
  /** Runs `action` once, behind whatever waits already. */
  soon(action: () => void): void;
}
