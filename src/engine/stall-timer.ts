/**
 * The deadlines that Envoy does not have in FULL_DUPLEX: no byte for too long while something is held, and
 * bytes for too long.
 * It ends in a refusal, never in a flush (SEMANTICS §1). One timer per hold, not one per message: it looks
 * at the time of the last progress when it fires.
 */
import type { Direction } from '../policy/set.ts';
import type { Clock } from './clock.ts';

export class StallTimer {
  private readonly clock: Clock;
  private readonly expired: (direction: Direction) => void;
  private lastMs: number;
  private cancel: (() => void) | undefined;
  private direction: Direction = 'request';
  private timeoutMs = 0;
  private untilMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, expired: (direction: Direction) => void) {
    this.clock = clock;
    this.expired = expired;
    this.lastMs = clock.monotonicMs();
  }

  progress(): void {
    if (this.cancel) this.lastMs = this.clock.monotonicMs();
  }

  /** Something of `direction` is held: it must move within `timeoutMs`, and be over by `untilMs` (monotonic). */
  hold(direction: Direction, timeoutMs: number, untilMs = Number.POSITIVE_INFINITY): void {
    this.direction = direction;
    this.timeoutMs = timeoutMs;
    this.untilMs = untilMs;
    if (this.cancel) return;
    this.lastMs = this.clock.monotonicMs();
    this.arm(this.leftMs());
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  private leftMs(): number {
    return Math.min(this.lastMs + this.timeoutMs, this.untilMs) - this.clock.monotonicMs();
  }

  private arm(delayMs: number): void {
    this.cancel = this.clock.after(delayMs, () => {
      const leftMs = this.leftMs();
      if (leftMs > 0) {
        this.arm(leftMs);
        return;
      }
      this.cancel = undefined;
      this.expired(this.direction);
    });
  }
}
