import type { BodyReader, Frame } from '../formats/frame.ts';

/** The frames of a body that is all there. Yields when so much of it was read as one turn may take. */
export function* readWhole(
  reader: BodyReader,
  bytes: Uint8Array,
  sliceUnitsMax: number,
): Generator<void, readonly Frame[]> {
  const pace = { left: sliceUnitsMax };
  reader.readAt?.(pace);
  const frames = [...reader.push(bytes)];
  for (let ended = false; reader.unread || !ended; ) {
    if (reader.unread) {
      yield;
      pace.left = sliceUnitsMax;
      frames.push(...reader.readOn!());
    } else {
      ended = true;
      frames.push(...reader.end());
    }
  }
  return frames;
}
