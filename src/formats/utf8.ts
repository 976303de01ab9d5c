/**
 * UTF-8 as the WHATWG decoder reads it: an ill-formed stretch becomes one U+FFFD per maximal subpart
 * (Unicode 15, §3.9, table 3-7), so that units can be mapped back to the bytes they came from.
 */

import { BYTES_PER_UNIT, type Pace } from './pace.ts';

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
const UNICODE_ESCAPE_BYTES = 6;

/** Continuation bytes a lead byte asks for; -1 for a byte that cannot lead. */
function continuationsAfter(lead: number): number {
  if (lead < 0x80) return 0;
  if (lead < 0xc2) return -1;
  if (lead < 0xe0) return 1;
  if (lead < 0xf0) return 2;
  return lead < 0xf5 ? 3 : -1;
}

function secondByteFits(lead: number, second: number): boolean {
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  return second >= lowest && second <= highest;
}

/** Bytes at `at` that fit one sequence, at most `needed + 1`; at least 1. */
function fittingBytes(bytes: Uint8Array, at: number, end: number, needed: number): number {
  if (needed < 1 || at + 1 >= end) return 1;
  if (!secondByteFits(bytes[at]!, bytes[at + 1]!)) return 1;
  let length = 2;
  while (length <= needed && at + length < end && (bytes[at + length]! & 0xc0) === 0x80)
    length += 1;
  return length;
}

/**
 * The sequence at `at`: its length in bytes when well-formed, minus the length of the maximal ill-formed
 * subpart otherwise. Bytes from `end` on do not exist.
 */
export function sequenceAt(bytes: Uint8Array, at: number, end: number): number {
  const needed = continuationsAfter(bytes[at]!);
  const length = fittingBytes(bytes, at, end, needed);
  return length === needed + 1 ? length : -length;
}

/** How many last bytes before `end` could still become one character (0..3). */
export function incompleteTail(bytes: Uint8Array, end: number): number {
  for (let back = 1; back <= 3 && back <= end; back += 1) {
    const at = end - back;
    const needed = continuationsAfter(bytes[at]!);
    if (needed === 0) return 0;
    if (needed > 0)
      return needed >= back && fittingBytes(bytes, at, end, needed) === back ? back : 0;
  }
  return 0;
}

export function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

export function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** A pair of surrogates stands on both sides of `at`. */
export function splitsPair(value: string, at: number): boolean {
  return (
    at > 0 &&
    at < value.length &&
    isHighSurrogate(value.charCodeAt(at - 1)) &&
    isLowSurrogate(value.charCodeAt(at))
  );
}

/**
 * First byte of each UTF-16 unit of `bytes[from,to)`, and `to` as the last entry. Both halves of a pair
 * that is one four-byte sequence start at its first byte. `escapes`: a backslash starts a JSON escape
 * (the range must be the inside of a valid literal). Cost: linear.
 */
export function unitStarts(
  bytes: Uint8Array,
  from: number,
  to: number,
  escapes: boolean,
): Uint32Array {
  const starts = new Uint32Array(to - from + 1);
  let units = 0;
  let at = from;
  while (at < to) {
    starts[units++] = at;
    if (escapes && bytes[at] === BACKSLASH) {
      at += bytes[at + 1] === LETTER_U ? UNICODE_ESCAPE_BYTES : 2;
      continue;
    }
    const length = sequenceAt(bytes, at, to);
    if (length === 4) starts[units++] = at;
    at += Math.abs(length);
  }
  starts[units] = to;
  return starts.subarray(0, units + 1);
}

/** How far a cursor goes between two looks at the pace. */
const STRIDE_BYTES = 8_192;

/** Goes over the same units, from one that is asked for to the next: nothing is kept for those between. */
export class UnitCursor {
  /** Byte where the unit begins that was reached. */
  at: number;
  private readonly bytes: Uint8Array;
  private readonly to: number;
  private readonly escapes: boolean;
  private units = 0;

  /** See `unitStarts`. */
  constructor(bytes: Uint8Array, from: number, to: number, escapes: boolean) {
    this.bytes = bytes;
    this.at = from;
    this.to = to;
    this.escapes = escapes;
  }

  /** Goes on to `unit`, which is none of those before and parts no pair; false when the pace was used up on the way. */
  reach(unit: number, pace: Pace): boolean {
    while (this.units < unit) {
      const from = this.at;
      this.stride(unit);
      pace.left -= (this.at - from) / BYTES_PER_UNIT;
      if (pace.left <= 0) return this.units === unit;
    }
    return true;
  }

  private stride(unit: number): void {
    const { bytes, to, escapes } = this;
    let { at, units } = this;
    const stopAt = at + STRIDE_BYTES;
    while (units < unit && at < stopAt) {
      const byte = bytes[at]!;
      if (escapes && byte === BACKSLASH) {
        at += bytes[at + 1] === LETTER_U ? UNICODE_ESCAPE_BYTES : 2;
        units += 1;
      } else if (byte < 0x80) {
        at += 1;
        units += 1;
      } else {
        const length = sequenceAt(bytes, at, to);
        units += length === 4 ? 2 : 1;
        at += Math.abs(length);
      }
    }
    this.at = at;
    this.units = units;
  }
}
