/**
 * Huffman-coded strings of HPACK (RFC 7541 §5.2 and Appendix B). The code is canonical: ordered by length, then by
 * symbol, each next code is one more. So the lengths say all of it. Strings are read four bits at a time through a
 * table of states; the shortest code has five bits, so that one step gives one byte at most.
 */
import { Buffer } from 'node:buffer';

/** Bits of the code of each byte, and of the end of string (256). */
const CODE_BITS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
  28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5,
  6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6,
  7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
  23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22,
  22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22,
  23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27,
  27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25,
  24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

const END_OF_STRING = 256;

/** No byte comes out of this step. */
const NOTHING = 0xffff;
/** The code of the end of string has been read, which a string must not hold. */
const REFUSED = 0xffff;

interface Table {
  /** State after (state, four bits): `next[state * 16 + bits]`. */
  readonly next: Uint16Array;
  /** Byte that comes out of it. */
  readonly symbol: Uint16Array;
  /** 1: a string may end here, as what is unfinished is at most seven bits, all ones. */
  readonly ends: Uint8Array;
}

/** Inner nodes of the code's tree, as pairs: an inner node's index, or `LEAF + symbol`. */
const LEAF = 0x1000;

function tree(): readonly (readonly [number, number])[] {
  const nodes: [number, number][] = [[-1, -1]];
  const order = [...CODE_BITS.keys()].sort(
    (a, b) => (CODE_BITS[a] as number) - (CODE_BITS[b] as number) || a - b,
  );
  let code = 0;
  let bitsBefore = CODE_BITS[order[0] as number] as number;
  for (const symbol of order) {
    const bits = CODE_BITS[symbol] as number;
    code *= 2 ** (bits - bitsBefore);
    bitsBefore = bits;
    let at = 0;
    for (let bit = bits - 1; bit >= 0; bit--) {
      const side = Math.floor(code / 2 ** bit) % 2 === 0 ? 0 : 1;
      const node = nodes[at] as [number, number];
      if (bit === 0) node[side] = LEAF + symbol;
      else {
        if (node[side] === -1) node[side] = nodes.push([-1, -1]) - 1;
        at = node[side];
      }
    }
    code++;
  }
  return nodes;
}

function table(): Table {
  const nodes = tree();
  const next = new Uint16Array(nodes.length * 16).fill(REFUSED);
  const symbol = new Uint16Array(nodes.length * 16).fill(NOTHING);
  const ends = new Uint8Array(nodes.length);
  let at = 0;
  for (let bits = 0; bits <= 7; bits++) {
    ends[at] = 1;
    at = nodes[at]?.[1] as number;
  }
  for (let state = 0; state < nodes.length; state++)
    for (let nibble = 0; nibble < 16; nibble++) {
      let node = state;
      let out = NOTHING;
      let refused = false;
      for (let bit = 3; bit >= 0; bit--) {
        const to = nodes[node]?.[(nibble >> bit) & 1] as number;
        if (to < LEAF) node = to;
        else if (to === LEAF + END_OF_STRING) {
          refused = true;
          break;
        } else {
          out = to - LEAF;
          node = 0;
        }
      }
      if (refused) continue;
      next[state * 16 + nibble] = node;
      symbol[state * 16 + nibble] = out;
    }
  return { next, symbol, ends };
}

const { next: NEXT, symbol: SYMBOL, ends: ENDS } = table();

/** A code has five bits or more. */
const DECODED_BYTES_PER_BYTE = 8 / 5;
const scratch = Buffer.allocUnsafe(1024);

/**
 * The string in `bytes[start, end)`, one character per byte; undefined when it is none. Cost: two table look-ups for
 * each byte.
 */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string | undefined {
  const room = Math.ceil((end - start) * DECODED_BYTES_PER_BYTE);
  const out = room > scratch.length ? Buffer.allocUnsafe(room) : scratch;
  let length = 0;
  let state = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    let step = state * 16 + (byte >> 4);
    state = NEXT[step] as number;
    if (state === REFUSED) return undefined;
    let symbol = SYMBOL[step] as number;
    if (symbol !== NOTHING) out[length++] = symbol;
    step = state * 16 + (byte & 15);
    state = NEXT[step] as number;
    if (state === REFUSED) return undefined;
    symbol = SYMBOL[step] as number;
    if (symbol !== NOTHING) out[length++] = symbol;
  }
  return ENDS[state] === 1 ? out.toString('latin1', 0, length) : undefined;
}
