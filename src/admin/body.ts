/** Reads the JSON object of a POST. */
import type { IncomingMessage } from 'node:http';
import { AdminError } from './answer.ts';

/** Requests hold a digest, a share and a reason: this is ample. */
export const BODY_BYTES_MAX = 64 * 1024;

const NO_OBJECT = 'the body must be a JSON object';

/**
 * All bytes, at most BODY_BYTES_MAX. What is too much is read and dropped, until the server's request
 * timeout: closing instead would reset the connection under the answer.
 */
function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      reject(new AdminError('body_too_large', `the body is larger than ${BODY_BYTES_MAX} bytes`));
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
  });
}

/**
 * The object in the body; an empty body is an empty object. A browser cannot send this content type
 * across origins without asking first, and we never answer that it may. Throws AdminError.
 */
export async function readObject(request: IncomingMessage): Promise<Record<string, unknown>> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new AdminError('unsupported_media_type', 'send content-type: application/json');
  }
  const body = (await readBytes(request)).toString('utf8');
  if (body.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new AdminError('invalid_argument', NO_OBJECT); // the parser's message quotes the body
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AdminError('invalid_argument', NO_OBJECT);
  }
  return value as Record<string, unknown>;
}
