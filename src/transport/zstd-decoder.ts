/**
 * zstd by the reference decoder, as WebAssembly: node:zlib of Node 20 has none. Its memory (1 MiB at first)
 * grows to what the largest body took, input and output, and is used again. This is for short bodies; see
 * `decoding-thread.ts` for the others.
 */
import { ZSTDDecoder } from 'zstddec';
import { DecodedTooLarge } from '../formats/encodings.ts';
import { type ZstdOutline, zstdOutline } from '../formats/zstd-frames.ts';

const decoder = new ZSTDDecoder();
await decoder.init();

/**
 * A frame with one byte in it. The library hands out nothing where it fails, as it does for a body of
 * nothing: behind this frame only a failure is nothing.
 */
const SENTINEL = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x01, 0x09, 0x00, 0x00, 0x2a);
const SENTINEL_BYTES = 1;

/** What the decoder is given: memory of its own, and how much room there is for what comes of it. */
export interface ZstdOrder {
  readonly body: Uint8Array;
  readonly roomBytes: number;
}

/** Throws DecodedTooLarge when the body would be longer than `outputBytesMax`. Copies it. */
export function zstdOrder(
  body: Uint8Array,
  { bytesMin, bytesMax }: ZstdOutline,
  outputBytesMax: number,
): ZstdOrder {
  if (bytesMin > outputBytesMax) throw new DecodedTooLarge('decoded body passes its limit');
  const own = new Uint8Array(SENTINEL.length + body.length);
  own.set(SENTINEL);
  own.set(body, SENTINEL.length);
  return { body: own, roomBytes: SENTINEL_BYTES + Math.min(bytesMax, outputBytesMax) };
}

/** The body, of what the decoder has given; throws as `unzstd`. */
export function zstdBody(
  decoded: Uint8Array,
  { bytesMax }: ZstdOutline,
  outputBytesMax: number,
): Uint8Array {
  if (decoded.length >= SENTINEL_BYTES) return decoded.subarray(SENTINEL_BYTES);
  if (bytesMax > outputBytesMax) throw new DecodedTooLarge('decoded body may pass its limit');
  throw new Error('not what zstd writes');
}

/**
 * Throws Error when the body is broken, DecodedTooLarge when it would be longer than `outputBytesMax`. A
 * broken body whose outline allows for too much is too large as well. Checksums are verified. Allocates the
 * smaller of `outputBytesMax` and what its frames can hold, and the body once more.
 */
export function unzstd(body: Uint8Array, outputBytesMax: number): Uint8Array {
  const outline = zstdOutline(body);
  const order = zstdOrder(body, outline, outputBytesMax);
  return zstdBody(decoder.decode(order.body, order.roomBytes), outline, outputBytesMax);
}
