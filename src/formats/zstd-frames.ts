/**
 * The outline of a zstd body (RFC 8878): which frames and blocks it has, without decoding any. What a
 * header demands is refused here, before anybody allocates for it.
 */

/** Least and most bytes that the body decodes to, if it is sound. */
export interface ZstdOutline {
  readonly bytesMin: number;
  readonly bytesMax: number;
}

/** RFC 9659: no `zstd` content coding may ask for a larger window; clients refuse it as well. */
export const ZSTD_WINDOW_BYTES_MAX = 8 * 1024 * 1024;
/** RFC 8878 §3.1.1.2.4: what one block holds at most, decoded. */
const BLOCK_BYTES_MAX = 128 * 1024;

const FRAME_MAGIC = 0xfd2fb528;
/** The last four bits are free. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAGIC_BYTES = 4;
const SIZE_BYTES = 4;
const CHECKSUM_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
const DICTIONARY_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
/** Added to a content size of two bytes (RFC 8878 §3.1.1.1.4). */
const TWO_BYTE_SIZE_OFFSET = 256;

const RAW = 0;
const RLE = 1;
const COMPRESSED = 2;

/** Looked at in one go, some µs a thousand: a body may have nothing but blocks of three bytes. */
const BLOCKS_AT_ONCE = 4_096;

class Reader {
  at = 0;
  /** Frames and blocks that may be looked at before others have their turn. */
  blocksLeft = BLOCKS_AT_ONCE;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** An unsigned little-endian number; of eight bytes those that a double holds are exact, which is enough. */
  number(count: number): number {
    if (count > this.left) throw new Error('the body ends early');
    let value = 0;
    for (let place = count - 1; place >= 0; place--)
      value = value * 256 + (this.bytes[this.at + place] as number);
    this.at += count;
    return value;
  }

  skip(count: number): void {
    if (count > this.left) throw new Error('the body ends early');
    this.at += count;
  }
}

/**
 * Throws Error on what is cut, on dictionaries (there is none to share), reserved bits, blocks and windows
 * larger than they may be, and sizes that contradict each other. Cost: a few operations a block.
 */
export function zstdOutline(bytes: Uint8Array): ZstdOutline {
  const steps = zstdOutlining(bytes);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same, with a pause now and then. */
export function* zstdOutlining(bytes: Uint8Array): Generator<undefined, ZstdOutline> {
  const reader = new Reader(bytes);
  let bytesMin = 0;
  let bytesMax = 0;
  while (reader.left > 0) {
    yield* pause(reader);
    const magic = reader.number(MAGIC_BYTES);
    if (magic - (magic % 16) === SKIPPABLE_MAGIC) reader.skip(reader.number(SIZE_BYTES));
    else if (magic === FRAME_MAGIC) {
      const frame = yield* readFrame(reader);
      bytesMin += frame.bytesMin;
      bytesMax += frame.bytesMax;
    } else throw new Error('not a zstd frame');
  }
  return { bytesMin, bytesMax };
}

function* pause(reader: Reader): Generator<undefined, void> {
  reader.blocksLeft -= 1;
  if (reader.blocksLeft > 0) return;
  yield;
  reader.blocksLeft = BLOCKS_AT_ONCE;
}

function* readFrame(reader: Reader): Generator<undefined, ZstdOutline> {
  const descriptor = reader.number(1);
  const single = (descriptor & 0x20) !== 0;
  const checked = (descriptor & 0x04) !== 0;
  if ((descriptor & 0x08) !== 0) throw new Error('a reserved bit is set');
  let windowBytes = single ? 0 : windowOf(reader.number(1));
  if (reader.number(DICTIONARY_BYTES[descriptor & 3] as number) !== 0)
    throw new Error('a dictionary is needed');
  const sizeBytes = (CONTENT_SIZE_BYTES[descriptor >> 6] as number) || (single ? 1 : 0);
  const said = reader.number(sizeBytes) + (sizeBytes === 2 ? TWO_BYTE_SIZE_OFFSET : 0);
  if (single) windowBytes = said;
  if (windowBytes > ZSTD_WINDOW_BYTES_MAX) throw new Error('the window is too large');
  const blocks = yield* readBlocks(reader, Math.min(BLOCK_BYTES_MAX, windowBytes));
  if (checked) reader.skip(CHECKSUM_BYTES);
  if (sizeBytes === 0) return blocks;
  if (said < blocks.bytesMin || said > blocks.bytesMax) throw new Error('the size is not true');
  return { bytesMin: said, bytesMax: said };
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function* readBlocks(reader: Reader, blockBytesMax: number): Generator<undefined, ZstdOutline> {
  let bytesMin = 0;
  let bytesMax = 0;
  for (let last = false; !last; ) {
    yield* pause(reader);
    const header = reader.number(BLOCK_HEADER_BYTES);
    last = (header & 1) !== 0;
    const kind = (header >> 1) & 3;
    const size = header >> 3;
    if (kind > COMPRESSED) throw new Error('a block has no kind');
    if (size > blockBytesMax) throw new Error('a block is too large');
    reader.skip(kind === RLE ? 1 : size);
    if (kind === RAW || kind === RLE) bytesMin += size;
    bytesMax += kind === COMPRESSED ? blockBytesMax : size;
  }
  return { bytesMin, bytesMax };
}
