import { createHmac } from 'node:crypto';

/** Hex digits of a keyed hash: 64 bits, enough to tell apart and too few to look up. */
const KEYED_HASH_CHARS = 16;

/** HMAC-SHA-256 under the deployment's key, cut short: names a value that may not be shown. */
export function keyedHash(key: Uint8Array): (value: string) => string {
  return (value) =>
    createHmac('sha256', key).update(value).digest('hex').slice(0, KEYED_HASH_CHARS);
}
