/** A body that is all there, on its way out. */
import type { Direction } from '../policy/set.ts';
import type { ProcessPort } from '../protocol/process.ts';

/**
 * Sends a judged body. Where it may leave in parts a long one does so with pauses between: to write 16 MiB into
 * messages takes as long as to judge a few of them. What leaves is the same.
 */
export function* sendWhole(
  port: ProcessPort,
  direction: Direction,
  bytes: Uint8Array,
  options: {
    readonly endOfStream: boolean;
    readonly unchanged: boolean;
    readonly sliceBytesMax: number;
  },
): Generator<undefined, void> {
  const { endOfStream, unchanged, sliceBytesMax } = options;
  let at = 0;
  if (port.bodyMode(direction) === 'FULL_DUPLEX_STREAMED')
    for (; bytes.length - at > sliceBytesMax; at += sliceBytesMax) {
      port.body(direction, bytes.subarray(at, at + sliceBytesMax), false, unchanged);
      yield;
    }
  port.body(direction, at === 0 ? bytes : bytes.subarray(at), endOfStream, unchanged);
}
