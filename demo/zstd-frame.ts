/** A zstd body (RFC 8878) that is stored and not compressed: there is no encoder in Node 20. */
import { Buffer } from 'node:buffer';

/** Frame magic; no content size, no checksum, no dictionary; a window of 128 KiB. */
const HEADER = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]);
const BLOCK_BYTES_MAX = 128 * 1024;
const LAST = 1;

function block(bytes: Buffer, last: number): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((bytes.length << 3) | last, 0, 3);
  return Buffer.concat([header, bytes]);
}

/** Parts to send one by one: the header, blocks for each chunk, and an empty last block. */
export function zstdStored(chunks: readonly Buffer[]): Buffer[] {
  const parts: Buffer[] = [HEADER];
  for (const chunk of chunks)
    for (let at = 0; at < chunk.length; at += BLOCK_BYTES_MAX)
      parts.push(block(chunk.subarray(at, at + BLOCK_BYTES_MAX), 0));
  return [...parts, block(Buffer.alloc(0), LAST)];
}
