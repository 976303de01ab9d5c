/** What a header list says as a request, if it may say it: RFC 9113 §8.2, §8.3. */
import { FIELD_OK, type HeaderField, isPseudo } from './header-field.ts';

export interface RequestHead {
  readonly method: string;
  readonly path: string;
  /** Of all fields, pseudo-headers too. */
  readonly fields: readonly HeaderField[];
  /** Bytes of DATA that were promised; -1: not said. */
  readonly contentLength: number;
  /** `application/grpc`, with or without the name of a message format. */
  readonly grpc: boolean;
  /** `grpc-timeout` as it came. */
  readonly timeout: string | undefined;
}

const GRPC = /^application\/grpc(?:[+;]|$)/u;

/** Undefined: malformed, which is an error of its stream. */
export function readRequestHead(fields: readonly HeaderField[]): RequestHead | undefined {
  let method: string | undefined;
  let scheme: string | undefined;
  let path: string | undefined;
  let authority: string | undefined;
  let contentLength = -1;
  let regular = false;
  for (const field of fields) {
    const { name, value } = field;
    if (field.fault !== FIELD_OK) return undefined;
    if (!isPseudo(field)) {
      regular = true;
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
  const grpc = GRPC.test(joined(fields, 'content-type') ?? '');
  return { method, path, fields, contentLength, grpc, timeout: joined(fields, 'grpc-timeout') };
}

/** Trailers hold no pseudo-headers. */
export function trailersStand(fields: readonly HeaderField[]): boolean {
  return fields.every((field) => field.fault === FIELD_OK && !isPseudo(field));
}

/** Value of a field; several are joined by `, ` (RFC 9110 §5.3). Undefined when absent. */
function joined(fields: readonly HeaderField[], name: string): string | undefined {
  let all: string | undefined;
  for (const field of fields)
    if (field.name === name) all = all === undefined ? field.value : `${all}, ${field.value}`;
  return all;
}

/** A key of the call's own metadata; binary keys (`-bin`) are nobody's identity here. */
export function metadataValue(head: RequestHead, name: string): string | undefined {
  return name.endsWith('-bin') || name.startsWith(':') ? undefined : joined(head.fields, name);
}
