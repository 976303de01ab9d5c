/** What is done to a body that is all there, before it is judged. */
import {
  type DecodeOutcome,
  decodeBody,
  decodedMost,
  decodingApart,
  parseContentEncoding,
  type Waiting,
} from '../formats/encodings.ts';
import type { BodyReader, Frame } from '../formats/frame.ts';
import type { EngineLimits } from './limits.ts';
import type { EngineDeps } from './ports.ts';

/** The body without its codings; a large one is decoded elsewhere, which is waited for. */
export function* decodeWhole(
  body: Uint8Array,
  contentEncoding: string,
  { decoders, limits }: Pick<EngineDeps, 'decoders' | 'limits'>,
): Generator<Waiting, DecodeOutcome> {
  const { decodedBytesMax, decodedRatioMax: ratioMax } = limits;
  if (body.length <= limits.sliceUnitsMax)
    return decodeBody(body, contentEncoding, decoders, { decodedBytesMax, ratioMax });
  return yield* decodingApart(body, contentEncoding, decoders, { decodedBytesMax, ratioMax });
}

/** What a body of so many bytes may come to, with all that its codings hide. */
export function bytesOfWhole(
  bytes: number,
  contentEncoding: string,
  { decodedBytesMax, decodedRatioMax }: EngineLimits,
): number {
  if (parseContentEncoding(contentEncoding).length === 0) return bytes;
  return bytes + decodedMost(bytes, { decodedBytesMax, ratioMax: decodedRatioMax });
}

/** Laying out and sending bytes is quicker than judging text: so many count as one unit. */
const MOVED_BYTES_PER_UNIT = 32;

/** So many bytes are moved in a slice of so many units. */
export const movedBytesMax = (sliceUnits: number): number => sliceUnits * MOVED_BYTES_PER_UNIT;

/** What it costs to move so many bytes, in units. */
export const movedUnits = (bytes: number): number => bytes / MOVED_BYTES_PER_UNIT;

/** The frames of a body that is all there. Yields when so much of it was read as one turn may take. */
export function* readWhole(
  reader: BodyReader,
  bytes: Uint8Array,
  worker: { readonly sliceUnits: number },
): Generator<undefined, readonly Frame[]> {
  const pace = { left: worker.sliceUnits };
  reader.readAt?.(pace);
  const frames = [...(reader.pushOwn ?? reader.push).call(reader, bytes)];
  for (let ended = false; reader.unread || !ended; ) {
    if (reader.unread) {
      yield;
      pace.left = worker.sliceUnits;
      frames.push(...reader.readOn!());
    } else {
      ended = true;
      frames.push(...reader.end());
    }
  }
  return frames;
}
