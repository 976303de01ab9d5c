/** Asks a running Switchyard over its admin socket. */
import { request } from 'node:http';
import { CliError, EXIT } from './exit.ts';
import { printable } from './printable.ts';

/** A change is answered when it is durable, which waits for those before it in the queue. */
export const ANSWER_TIMEOUT_MS = 60_000;
/** More than any status or record list. */
export const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: 'nothing is there; is the server running, and is this its socket (--socket)?',
  ECONNREFUSED: 'nobody listens on it; the server is not running',
  EACCES: 'it belongs to another user; ask as the user of the server',
  EPERM: 'it belongs to another user; ask as the user of the server',
};

export interface AdminClient {
  /** The text of a page. Throws CliError. */
  get(path: string): Promise<string>;
  /** The JSON answer of a change. Throws CliError. */
  post(path: string, body: Readonly<Record<string, unknown>>): Promise<unknown>;
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

function ask(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body: string | undefined,
): Promise<Reply> {
  const unreachable = (why: string): CliError =>
    new CliError(
      EXIT.unreachable,
      `cannot reach Switchyard on \`${printable(socketPath)}\`: ${why}`,
    );
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = request({ socketPath, method, path, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes <= ANSWER_BYTES_MAX) parts.push(part);
        else sent.destroy(unreachable('its answer is too large'));
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
      );
      response.on('error', () => reject(unreachable('the connection broke')));
    });
    sent.setTimeout(ANSWER_TIMEOUT_MS, () =>
      sent.destroy(unreachable('it did not answer in time; ask for its status before you repeat')),
    );
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (error instanceof CliError) reject(error);
      else reject(unreachable(ADVICE[error.code ?? ''] ?? `the connection failed (${error.code})`));
    });
    sent.end(body);
  });
}

/** The server's own words for a refusal; bad input and everything else end differently. */
function refusal({ status, text }: Reply): CliError {
  let code = `http_${status}`;
  let message = 'the server refused';
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    if (typeof error?.code === 'string') code = error.code;
    if (typeof error?.message === 'string') message = error.message;
  } catch {
    // Not from Switchyard: the status is all there is to say.
  }
  const exitCode = status === 400 ? EXIT.badInput : EXIT.refused;
  return new CliError(exitCode, printable(`${code}: ${message}`));
}

export function adminClient(socketPath: string): AdminClient {
  const answered = async (method: 'GET' | 'POST', path: string, body?: string): Promise<string> => {
    const reply = await ask(socketPath, method, path, body);
    if (reply.status !== 200) throw refusal(reply);
    return reply.text;
  };
  return {
    get: (path) => answered('GET', path),
    async post(path, body) {
      return JSON.parse(await answered('POST', path, JSON.stringify(body)));
    },
  };
}
