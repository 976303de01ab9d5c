/** What the admin API answers, as values; and the closed table of what can be wrong with a request. */
import type { ControlOutcome } from '../engine/control.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type ControlCode = Extract<ControlOutcome, { ok: false }>['code'];

/** HTTP status of each error. `docs/reference/admin.md` lists them; a test holds the two together. */
export const ADMIN_ERRORS = {
  invalid_argument: 400,
  ambiguous_digest: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  unknown_digest: 404,
  method_not_allowed: 405,
  no_green: 409,
  quarantined: 409,
  rollout_running: 409,
  no_previous_set: 409,
  stance_conflict: 409,
  body_too_large: 413,
  unsupported_media_type: 415,
  unknown_host: 421,
  internal_error: 500,
  store_failed: 503,
  not_ready: 503,
  busy: 503,
} as const satisfies Record<ControlCode, number> & Record<string, number>;

export type AdminErrorCode = keyof typeof ADMIN_ERRORS;

/** Ends the handling of a request. Its message is ours or Control's, never the caller's bytes. */
export class AdminError extends Error {
  readonly code: AdminErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: AdminErrorCode, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = 'AdminError';
    this.code = code;
    this.headers = headers;
  }
}

/** No answer may be cached, sniffed into something that runs, or framed. */
const GUARD_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { ...GUARD_HEADERS, 'content-type': 'application/json; charset=utf-8', ...headers },
    body: `${JSON.stringify(value)}\n`,
  };
}

export function text(body: string, contentType = 'text/plain; charset=utf-8'): Answer {
  return { status: 200, headers: { ...GUARD_HEADERS, 'content-type': contentType }, body };
}

export function failed(error: AdminError): Answer {
  const { code, message, headers } = error;
  return json(ADMIN_ERRORS[code], { error: { code, message } }, headers);
}
