/** Who may ask what over TCP. The Unix socket is guarded by its file mode instead. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { AdminError } from './answer.ts';

/** A bearer token shorter than this can be guessed. */
export const TOKEN_CHARS_MIN = 16;

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Host without its port, lower case; undefined when it is not a host. */
function hostName(header: string | undefined): string | undefined {
  const host = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::\d{1,5})?$/i.exec(header ?? '')?.[1];
  return host?.toLowerCase().replace(/\.$/, '');
}

/**
 * A page that rebinds its own name to this address still sends that name as Host: only names we know
 * may ask. The address that was connected to is one of them: it is not a name that can be rebound, and
 * a kubelet or Prometheus asks by address. Throws AdminError.
 */
export function checkHost(request: IncomingMessage, names: readonly string[]): void {
  const host = hostName(request.headers.host);
  if (host !== undefined) {
    const address = request.socket.localAddress?.replace(/^::ffff:/, '').toLowerCase();
    if (LOOPBACK_NAMES.has(host)) return;
    if (names.some((name) => name.toLowerCase() === host)) return;
    if (address !== undefined && (host === address || host === `[${address}]`)) return;
  }
  throw new AdminError(
    'unknown_host',
    'this Host is none that may ask; add its name to the names of the admin listener',
  );
}

const sha256 = (value: string): Buffer => createHash('sha256').update(value).digest();

/** Changes over TCP need the configured bearer token. Throws AdminError. Constant time in the token. */
export function checkBearer(request: IncomingMessage, token: string | undefined): void {
  if (token === undefined) {
    throw new AdminError(
      'forbidden',
      'this listener only reads; use the Unix socket, or configure a token',
    );
  }
  const given = /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (given === undefined || !timingSafeEqual(sha256(given), sha256(token))) {
    throw new AdminError('unauthorized', 'a valid bearer token is needed', {
      'www-authenticate': 'Bearer',
    });
  }
}

/** Throws when a token cannot be used; the message does not contain it. */
export function assertToken(token: string): void {
  if (token.length < TOKEN_CHARS_MIN || !/^[\x21-\x7e]+$/.test(token)) {
    throw new Error(
      `the admin token must be at least ${TOKEN_CHARS_MIN} printable characters without blanks`,
    );
  }
}

/** Reads a bearer token from a file; blanks around it do not count. Throws when it cannot be used. */
export function readTokenFile(path: string): string {
  const token = readFileSync(path, 'utf8').trim();
  assertToken(token);
  return token;
}
