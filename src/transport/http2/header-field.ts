/** One field of a header list, checked once when it is decoded; what is indexed is shared by all that use it. */

/** Why a field may not stand in a request (RFC 9113 §8.2); 0: it may. */
export const FIELD_OK = 0;
export const FIELD_MALFORMED = 1;

export interface HeaderField {
  readonly name: string;
  readonly value: string;
  /** What it counts in a dynamic table and in a header list: RFC 7541 §4.1. */
  readonly bytes: number;
  readonly fault: typeof FIELD_OK | typeof FIELD_MALFORMED;
}

const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

/** RFC 7541 §4.1: what an entry costs beside its characters. */
export const FIELD_OVERHEAD_BYTES = 32;

/** `name` and `value` have one character per byte. */
export function headerField(name: string, value: string): HeaderField {
  return {
    name,
    value,
    bytes: name.length + value.length + FIELD_OVERHEAD_BYTES,
    fault:
      nameStands(name) && valueStands(value) && mayTravel(name, value) ? FIELD_OK : FIELD_MALFORMED,
  };
}

export function isPseudo({ name }: HeaderField): boolean {
  return name.charCodeAt(0) === 0x3a;
}

/** Lower-case tokens (RFC 9110 §5.6.2) and pseudo-headers, which have their colon in front. */
function nameStands(name: string): boolean {
  return /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/u.test(name);
}

/** No NUL, CR or LF, and no blank at either end. */
function valueStands(value: string): boolean {
  return !/[\0\r\n]|^[ \t]|[ \t]$/u.test(value);
}

/** Fields of HTTP/1.1 connections have no place here: RFC 9113 §8.2.2. */
function mayTravel(name: string, value: string): boolean {
  return name === 'te' ? value === 'trailers' : !CONNECTION_FIELDS.has(name);
}
