/**
 * What may stand in a header that we set or remove. Envoy kills the whole request for one bad value and
 * silently ignores a forbidden name, so neither may ever be sent (notes: envoy-verified.md B 3d).
 */
import { ProtocolViolation } from './violation.ts';

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNSAFE = /[\u0000-\u0008\u000a-\u001f\u007f]/g;

/** Pseudo-headers that Envoy lets a processor set. */
const PSEUDO_SETTABLE: ReadonlySet<string> = new Set([':path', ':status']);
/** Envoy ignores these; the last three frame the message, which is the state machine's business alone. */
const NEVER_SET: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
]);
const NEVER_REMOVED: ReadonlySet<string> = new Set(['host', 'transfer-encoding', 'connection']);

/** CR, LF, NUL and the other control characters that Envoy refuses become a space; tab stays. */
export function safeHeaderValue(value: string): string {
  return value.replace(UNSAFE, ' ');
}

/** Lower-cased; throws ProtocolViolation for what is no header name or one that Envoy would not set. */
export function settableName(name: string): string {
  const lower = name.toLowerCase();
  if (PSEUDO_SETTABLE.has(lower)) return lower;
  return permitted(lower, NEVER_SET);
}

/** Lower-cased; throws ProtocolViolation likewise. `content-length` may be removed: that is safe. */
export function removableName(name: string): string {
  return permitted(name.toLowerCase(), NEVER_REMOVED);
}

function permitted(lower: string, refused: ReadonlySet<string>): string {
  if (lower.startsWith(':') || lower.startsWith('x-envoy-') || refused.has(lower)) {
    throw new ProtocolViolation('forbidden_header');
  }
  if (!TOKEN.test(lower)) throw new ProtocolViolation('invalid_header_name');
  return lower;
}

/** An HTTP status that may end an exchange; throws ProtocolViolation. Absent, Envoy would send 200. */
export function answerStatus(status: number): number {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new ProtocolViolation('invalid_status');
  }
  return status;
}
