/**
 * SipHash-2-4 with a 64-bit result (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012).
 * Every 64-bit word is two 32-bit halves in local variables: BigInt would cost ten times as much.
 */

/** A SipHash key as four little-endian 32-bit words: k0 low, k0 high, k1 low, k1 high. */
export type SipKey = readonly [number, number, number, number];

export const SIP_KEY_BYTES = 16;

/** Reads a key from the first 16 bytes. Throws `RangeError` when there are fewer. */
export function sipKey(bytes: Uint8Array): SipKey {
  if (bytes.length < SIP_KEY_BYTES) throw new RangeError('a siphash key has 16 bytes');
  return [word(bytes, 0), word(bytes, 4), word(bytes, 8), word(bytes, 12)];
}

/** The 8 output bytes in the order of the reference implementation (little-endian). About 1 µs for 40 bytes. */
export function sipHash24(key: SipKey, message: Uint8Array): Uint8Array {
  const [k0l, k0h, k1l, k1h] = key;
  let v0l = k0l ^ 0x70736575;
  let v0h = k0h ^ 0x736f6d65;
  let v1l = k1l ^ 0x6e646f6d;
  let v1h = k1h ^ 0x646f7261;
  let v2l = k0l ^ 0x6e657261;
  let v2h = k0h ^ 0x6c796765;
  let v3l = k1l ^ 0x79746573;
  let v3h = k1h ^ 0x74656462;

  const length = message.length;
  const blocks = length >>> 3;
  // One more block than whole words (the tail with the length byte), then the finalisation.
  for (let block = 0; block <= blocks + 1; block++) {
    let ml = 0;
    let mh = 0;
    let rounds = 2;
    if (block < blocks) {
      ml = word(message, block << 3);
      mh = word(message, (block << 3) + 4);
    } else if (block === blocks) {
      const start = block << 3;
      for (let i = length - 1; i >= start; i--) {
        const at = i - start;
        if (at < 4) ml |= message[i]! << (at << 3);
        else mh |= message[i]! << ((at - 4) << 3);
      }
      mh |= (length & 0xff) << 24;
    } else {
      v2l ^= 0xff;
      rounds = 4;
    }
    v3l ^= ml;
    v3h ^= mh;
    for (let round = 0; round < rounds; round++) {
      let sum = (v0l >>> 0) + (v1l >>> 0);
      v0h = (v0h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0;
      v0l = sum | 0;
      let high = v1h;
      v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h;
      v1l = ((v1l << 13) | (high >>> 19)) ^ v0l;
      high = v0h;
      v0h = v0l;
      v0l = high;

      sum = (v2l >>> 0) + (v3l >>> 0);
      v2h = (v2h + v3h + (sum > 0xffffffff ? 1 : 0)) | 0;
      v2l = sum | 0;
      high = v3h;
      v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h;
      v3l = ((v3l << 16) | (high >>> 16)) ^ v2l;

      sum = (v0l >>> 0) + (v3l >>> 0);
      v0h = (v0h + v3h + (sum > 0xffffffff ? 1 : 0)) | 0;
      v0l = sum | 0;
      high = v3h;
      v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h;
      v3l = ((v3l << 21) | (high >>> 11)) ^ v0l;

      sum = (v2l >>> 0) + (v1l >>> 0);
      v2h = (v2h + v1h + (sum > 0xffffffff ? 1 : 0)) | 0;
      v2l = sum | 0;
      high = v1h;
      v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h;
      v1l = ((v1l << 17) | (high >>> 15)) ^ v2l;
      high = v2h;
      v2h = v2l;
      v2l = high;
    }
    v0l ^= ml;
    v0h ^= mh;
  }

  const low = v0l ^ v1l ^ v2l ^ v3l;
  const high = v0h ^ v1h ^ v2h ^ v3h;
  return Uint8Array.of(
    low & 0xff,
    (low >>> 8) & 0xff,
    (low >>> 16) & 0xff,
    low >>> 24,
    high & 0xff,
    (high >>> 8) & 0xff,
    (high >>> 16) & 0xff,
    high >>> 24,
  );
}

const encoder = new TextEncoder();

/** `sipHash24` over the UTF-8 bytes of `text`; a lone surrogate counts as U+FFFD. */
export function sipHash24Text(key: SipKey, text: string): Uint8Array {
  return sipHash24(key, encoder.encode(text));
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
