/** What a header list says as a request, if it may say it: RFC 9113 §8.2, §8.3. */
import { FIELD_OK, type HeaderField } from './header-field.ts';

export interface RequestHead {
  readonly method: string;
  readonly path: string;
  /** Of all fields, pseudo-headers too. */
  readonly fields: readonly HeaderField[];
  /** Bytes of DATA that were promised; -1: not said. */
  readonly contentLength: number;
}

/** Fields of HTTP/1.1 connections, which have no place here: RFC 9113 §8.2.2. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

/** Undefined: malformed, which is an error of its stream. */
export function readRequestHead(fields: readonly HeaderField[]): RequestHead | undefined {
  let method: string | undefined;
  let scheme: string | undefined;
  let path: string | undefined;
  let authority: string | undefined;
  let contentLength = -1;
  let regular = false;
  for (const { name, value, fault } of fields) {
    if (fault !== FIELD_OK) return undefined;
    if (name.charCodeAt(0) !== 0x3a) {
      regular = true;
      if (!regularStands(name, value)) return undefined;
      if (name === 'content-length') {
        if (contentLength !== -1 || !/^\d{1,15}$/u.test(value)) return undefined;
        contentLength = Number(value);
      }
      continue;
    }
    if (regular) return undefined;
    switch (name) {
      case ':method':
        if (method !== undefined) return undefined;
        method = value;
        break;
      case ':scheme':
        if (scheme !== undefined) return undefined;
        scheme = value;
        break;
      case ':path':
        if (path !== undefined) return undefined;
        path = value;
        break;
      case ':authority':
        if (authority !== undefined) return undefined;
        authority = value;
        break;
      default:
        return undefined;
    }
  }
  if (!method || !scheme || !path) return undefined;
  return { method, path, fields, contentLength };
}

/** Trailers hold no pseudo-headers. */
export function trailersStand(fields: readonly HeaderField[]): boolean {
  return fields.every(
    ({ name, value, fault }) =>
      fault === FIELD_OK && name.charCodeAt(0) !== 0x3a && regularStands(name, value),
  );
}

function regularStands(name: string, value: string): boolean {
  if (name === 'te') return value === 'trailers';
  return !CONNECTION_FIELDS.has(name);
}

/** Value of a field; several are joined by `, ` (RFC 9110 §5.3). Undefined when absent. */
export function fieldValue(head: RequestHead, name: string): string | undefined {
  let all: string | undefined;
  for (const field of head.fields)
    if (field.name === name) all = all === undefined ? field.value : `${all}, ${field.value}`;
  return all;
}

/** A key of the call's own metadata; binary keys (`-bin`) are nobody's identity here. */
export function metadataValue(head: RequestHead, name: string): string | undefined {
  return name.endsWith('-bin') || name.startsWith(':') ? undefined : fieldValue(head, name);
}
