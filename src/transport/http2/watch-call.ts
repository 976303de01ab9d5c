/** grpc.health.v1.Health/Watch: the state now, and each change of it, until somebody ends it. */
import type { Buffer } from 'node:buffer';
import {
  type HealthState,
  healthStatusOf,
  readHealthService,
  writeHealthStatus,
} from '../health.ts';
import type { GrpcStatus } from './grpc-blocks.ts';
import { type CallLimits, GrpcCall } from './grpc-call.ts';
import type { RequestHead } from './request-head.ts';
import type { Http2Stream } from './stream.ts';

export class WatchCall extends GrpcCall {
  readonly #health: HealthState;
  readonly #closed: (call: WatchCall) => void;
  #unsubscribe: (() => void) | undefined;
  #told: number | undefined;

  constructor(
    head: RequestHead,
    stream: Http2Stream,
    limits: CallLimits,
    health: HealthState,
    closed: (call: WatchCall) => void,
  ) {
    super(head, stream, limits);
    this.#health = health;
    this.#closed = closed;
    this.armDeadline();
  }

  stop(reason: string): void {
    this.finish('UNAVAILABLE', reason);
  }

  protected took(bytes: Buffer, start: number, end: number): void {
    const service = readHealthService(bytes.subarray(start, end));
    if (service === undefined) {
      this.finish('INTERNAL', 'malformed_message');
      return;
    }
    const tell = (): void => {
      const now = healthStatusOf(this.#health, service);
      if (now === this.#told) return;
      this.#told = now;
      this.send(writeHealthStatus(now));
    };
    this.#unsubscribe ??= this.#health.onChange(tell);
    tell();
  }

  /** Callers of Watch say all they have to say at once. */
  protected halfClosed(): void {}

  protected over(): void {
    this.#unsubscribe?.();
    this.#closed(this);
  }

  protected failing(status: GrpcStatus, reason: string): void {
    this.finish(status, reason);
  }
}
