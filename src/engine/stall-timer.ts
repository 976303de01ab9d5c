/**
 * The deadline that Envoy does not have in FULL_DUPLEX: no byte for too long while something is held.
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

  constructor(clock: Clock, expired: (direction: Direction) => void) {
    this.clock = clock;
    this.expired = expired;
    this.lastMs = clock.monotonicMs();
  }

  progress(): void {
    if (this.cancel) this.lastMs = this.clock.monotonicMs();
  }

  /** Something of `direction` is held: it must move within `timeoutMs`. */
  hold(direction: Direction, timeoutMs: number): void {
    this.direction = direction;
    this.timeoutMs = timeoutMs;
    if (this.cancel) return;
    this.lastMs = this.clock.monotonicMs();
    this.arm(timeoutMs);
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  private arm(delayMs: number): void {
    this.cancel = this.clock.after(delayMs, () => {
      const leftMs = this.lastMs + this.timeoutMs - this.clock.monotonicMs();
      if (leftMs > 0) {
        this.arm(leftMs);
        return;
      }
      this.cancel = undefined;
      this.expired(this.direction);
    });
  }
}
