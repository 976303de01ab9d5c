/**
 * How streams end on each connection. Envoy ends every ext_proc stream with a reset unless its runtime
 * flag `ext_proc_graceful_grpc_close` is on; Node closes a connection after about a thousand resets, and
 * exchanges in flight then fail (notes: envoy-verified.md 12a). These counts make the trap visible.
 */
import { EventEmitter } from 'node:events';

export interface SessionCounts {
  readonly graceful: number;
  readonly reset: number;
}

/**
 * Calls `closed` once when the HTTP/2 stream under a grpc-js call is gone, with its connection and reset
 * code. The stream is not public, hence looked at without trust: if it is not there, nothing is counted.
 */
export function watchStream(
  call: object,
  closed: (session: object, rstCode: number) => void,
): void {
  const stream = property(property(call, 'call'), 'stream');
  const session = property(stream, 'session');
  if (!(stream instanceof EventEmitter) || typeof session !== 'object' || session === null) return;
  stream.once('close', () => {
    const rstCode = property(stream, 'rstCode');
    if (typeof rstCode === 'number') closed(session, rstCode);
  });
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** HTTP/2 NO_ERROR: the stream was closed, not reset. */
const NO_ERROR = 0;

export class SessionResets {
  readonly #counts = new WeakMap<object, { graceful: number; reset: number }>();

  /** Counts one ended stream; tells the counts of its connection, and whether this one was a reset. */
  ended(session: object, rstCode: number): SessionCounts & { readonly wasReset: boolean } {
    let counts = this.#counts.get(session);
    if (counts === undefined) this.#counts.set(session, (counts = { graceful: 0, reset: 0 }));
    const wasReset = rstCode !== NO_ERROR;
    if (wasReset) counts.reset++;
    else counts.graceful++;
    return { ...counts, wasReset };
  }
}
