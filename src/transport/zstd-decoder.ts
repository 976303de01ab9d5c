/**
 * zstd by the reference decoder, as WebAssembly: node:zlib of Node 20 has none. Its memory (1 MiB at first)
 * grows to what the largest body took, input and output, and is used again.
 */
import { Buffer } from 'node:buffer';
import { ZSTDDecoder } from 'zstddec';
import { DecodedTooLarge } from '../formats/encodings.ts';
import { zstdOutline } from '../formats/zstd-frames.ts';

const decoder = new ZSTDDecoder();
await decoder.init();

/**
 * A frame with one byte in it. The library hands out nothing where it fails, as it does for a body of
 * nothing: behind this frame only a failure is nothing.
 */
const SENTINEL = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x01, 0x09, 0x00, 0x00, 0x2a]);
const SENTINEL_BYTES = 1;

/**
 * Throws Error when the body is broken, DecodedTooLarge when it would be longer than `outputBytesMax`. A
 * broken body whose outline allows for too much is too large as well. Checksums are verified. Allocates the
 * smaller of `outputBytesMax` and what its frames can hold, and the body once more.
 */
export function unzstd(body: Uint8Array, outputBytesMax: number): Uint8Array {
  const { bytesMin, bytesMax } = zstdOutline(body);
  const tooLarge = (bytes: number): boolean => bytes > outputBytesMax;
  if (tooLarge(bytesMin)) throw new DecodedTooLarge('decoded body passes its limit');
  const room = SENTINEL_BYTES + Math.min(bytesMax, outputBytesMax);
  const decoded = decoder.decode(Buffer.concat([SENTINEL, body]), room);
  if (decoded.length >= SENTINEL_BYTES) return decoded.subarray(SENTINEL_BYTES);
  if (tooLarge(bytesMax)) throw new DecodedTooLarge('decoded body may pass its limit');
  throw new Error('not what zstd writes');
}
