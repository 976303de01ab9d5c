/**
 * How streams end on each connection. Envoy ends every ext_proc stream with a reset unless its runtime
 * flag `ext_proc_graceful_grpc_close` is on; Node closes a connection after about a thousand resets, and
 * exchanges in flight then fail (notes: envoy-verified.md 12a). These counts make the trap visible.
 */
export interface SessionCounts {
  readonly graceful: number;
  readonly reset: number;
}

interface Probed {
  readonly session: object;
  readonly rstCode: number;
}

/** The HTTP/2 stream under a grpc-js call: not public, hence looked at without trust. */
export function probeStream(call: object): (() => Probed | undefined) | undefined {
  const stream = property(property(call, 'call'), 'stream');
  const session = property(stream, 'session');
  if (typeof session !== 'object' || session === null) return undefined;
  return () => {
    const rstCode = property(stream, 'rstCode');
    return typeof rstCode === 'number' ? { session, rstCode } : undefined;
  };
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** HTTP/2 NO_ERROR: the stream was closed, not reset. */
const NO_ERROR = 0;

export class SessionResets {
  readonly #counts = new WeakMap<object, { graceful: number; reset: number }>();

  /** Counts one ended stream; tells the counts of its connection, and whether this one was a reset. */
  ended(probed: Probed): SessionCounts & { readonly wasReset: boolean } {
    let counts = this.#counts.get(probed.session);
    if (counts === undefined)
      this.#counts.set(probed.session, (counts = { graceful: 0, reset: 0 }));
    const wasReset = probed.rstCode !== NO_ERROR;
    if (wasReset) counts.reset++;
    else counts.graceful++;
    return { ...counts, wasReset };
  }
}
