/** Time as it is. */
import { performance } from 'node:perf_hooks';
import type { Clock } from '../engine/clock.ts';

/** A timer of it keeps no process alive. */
export const systemClock: Clock = Object.freeze({
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs: number, action: () => void) {
    const timer = setTimeout(action, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (action: () => void) => void setImmediate(action),
});
