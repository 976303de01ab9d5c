/**
 * How busy this server is, 0..1, for conditions: the larger of how late its own timers come and of what shares of its
 * limits are in use, smoothed, so that one slow moment moves nothing.
 */
import type { Clock } from './clock.ts';

/** How often it is measured; a timer that comes late by as much again is half of all load. */
export const LOAD_SAMPLE_MS = 250;
/** What was measured so long ago counts half. */
export const LOAD_HALF_LIFE_MS = 1_000;

export class LoadGauge {
  private readonly clock: Clock;
  private readonly shares: () => readonly number[];
  private smoothed = 0;
  private sampledMs = 0;
  private cancel: () => void = () => {};

  /** `shares`: what part of each limit is in use now, 0..1. */
  constructor(clock: Clock, shares: () => readonly number[]) {
    this.clock = clock;
    this.shares = shares;
  }

  start(): void {
    this.sampledMs = this.clock.monotonicMs();
    this.cancel = this.clock.after(LOAD_SAMPLE_MS, () => this.sample());
  }

  stop(): void {
    this.cancel();
  }

  /** In thousandths: what a record says is what a condition was told. */
  get current(): number {
    return Math.round(this.smoothed * 1_000) / 1_000;
  }

  private sample(): void {
    const passedMs = this.clock.monotonicMs() - this.sampledMs;
    const lateMs = Math.max(0, passedMs - LOAD_SAMPLE_MS);
    const late = lateMs / (lateMs + LOAD_SAMPLE_MS);
    const now = Math.min(1, Math.max(late, ...this.shares()));
    const weight = 1 - 2 ** (-passedMs / LOAD_HALF_LIFE_MS);
    this.smoothed += weight * (now - this.smoothed);
    this.start();
  }
}
