/** W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context/#traceparent-header), as a client may have forged it. */

/** What of a `traceparent` goes into a record, and nowhere else. */
export interface TraceContext {
  /** 32 and 16 lower-case hexadecimal digits, none all zeros. */
  readonly trace: string;
  readonly parent: string;
  readonly sampled: boolean;
}

/** Of version 00, and what version 00 understands of later ones: they may say more behind a dash. */
const SHAPE =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/u;
/** One that is longer is no trace context of anybody's; it is not even looked at. */
export const TRACEPARENT_UNITS_MAX = 256;
const VERSION_0 = '00';
const SAMPLED = 1;

/** Undefined for whatever is not exactly that: several headers, upper case, ids of zeros. */
export function readTraceparent(value: string | undefined): TraceContext | undefined {
  if (value === undefined || value.length > TRACEPARENT_UNITS_MAX) return undefined;
  const found = SHAPE.exec(value);
  if (found === null) return undefined;
  const [, version, trace, parent, flags, more] = found as unknown as readonly string[];
  if (version === VERSION_0 && more !== undefined) return undefined;
  return {
    trace: trace as string,
    parent: parent as string,
    sampled: (Number.parseInt(flags as string, 16) & SAMPLED) !== 0,
  };
}

/** Header of a request, and metadata of a gRPC call. */
export const TRACEPARENT = 'traceparent';

/**
 * Which trace an exchange belongs to, given both. Where Envoy traces, its call to us says so: that span of Envoy's is
 * the parent, and whether it is sampled was the operator's to decide. Else the request's header counts, as its client
 * wrote it.
 */
export function traceContextOf(
  ofCall: string | undefined,
  ofRequest: string | undefined,
): TraceContext | undefined {
  return readTraceparent(ofCall) ?? readTraceparent(ofRequest);
}
