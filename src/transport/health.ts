/** grpc.health.v1 by hand: the messages are one string in and one enum out. */
import type { Buffer } from 'node:buffer';
import { lengthTag, WireReader, WireWriter } from '../protocol/wire.ts';
import { EXT_AUTHZ_SERVICE, EXT_PROC_SERVICE } from './services.ts';

/** Whether Envoy should send exchanges here. Alone it protects nothing: all-unhealthy clusters are routed to. */
export interface HealthState {
  serving(): boolean;
  /** Calls `listener` after each change; the result unsubscribes. */
  onChange(listener: () => void): () => void;
}

/** grpc.health.v1.HealthCheckResponse.ServingStatus. */
export const SERVING = 1;
export const NOT_SERVING = 2;
export const SERVICE_UNKNOWN = 3;

const KNOWN_SERVICES: ReadonlySet<string> = new Set(['', EXT_PROC_SERVICE, EXT_AUTHZ_SERVICE]);

/** HealthCheckRequest.service; undefined when the bytes are none. */
export function readHealthService(bytes: Uint8Array): string | undefined {
  const reader = new WireReader(bytes);
  let service = '';
  try {
    while (reader.next()) {
      if (reader.tag === lengthTag(1)) service = reader.string();
      else reader.skip();
    }
  } catch {
    return undefined;
  }
  return service;
}

export function healthStatusOf(health: HealthState, service: string): number {
  if (!KNOWN_SERVICES.has(service)) return SERVICE_UNKNOWN;
  return health.serving() ? SERVING : NOT_SERVING;
}

export function writeHealthStatus(status: number): Buffer {
  return new WireWriter(8).varintField(1, status).finish();
}

/** The state that the process reports, until this server drains: then NOT_SERVING, whatever the rest says. */
export class DrainableHealth implements HealthState {
  readonly #inner: HealthState;
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: () => void;
  #draining = false;

  constructor(inner: HealthState) {
    this.#inner = inner;
    this.#unsubscribe = inner.onChange(() => this.#tell());
  }

  serving(): boolean {
    return !this.#draining && this.#inner.serving();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#unsubscribe();
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
