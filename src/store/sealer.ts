import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * AES-256-GCM under a key of this process alone (NIST SP 800-38D), the owner as associated data: what leaves the
 * memory of the process, as in a dump of its maps, says nothing after the process, and what is one owner's does not
 * open for another. Sealed: nonce, tag, text.
 */
export function memorySealer(): {
  seal(text: string, owner: string): Uint8Array;
  open(sealed: Uint8Array, owner: string): string | undefined;
} {
  const key = randomBytes(KEY_BYTES);
  return {
    seal(text, owner) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(owner, 'utf8'));
      const words = Buffer.concat([cipher.update(text, 'utf16le'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), words]);
    },
    open(sealed, owner) {
      const nonce = sealed.subarray(0, NONCE_BYTES);
      const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
      if (tag.length < TAG_BYTES) return undefined;
      const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(owner, 'utf8'))
        .setAuthTag(tag);
      try {
        const words = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES));
        return Buffer.concat([words, decipher.final()]).toString('utf16le');
      } catch {
        return undefined;
      }
    },
  };
}
