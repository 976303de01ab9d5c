import { createHash } from 'node:crypto';
import type { SourceFile } from '../rollout/activation.ts';

/** `sha256:` + hex over UTF-8 text or bytes. */
export function sha256(content: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** A source file with the digest of its text. */
export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, digest: sha256(text) };
}
