/**
 * Content codings (RFC 9110 §8.4): what is decoded, and how much of it. The inflating itself is an
 * argument; the caps that make it safe are here (docs/adr/0004-encodings.md).
 */
import { Buffer } from 'node:buffer';

/** Inflates one coding. Both methods throw when the input is broken or the output passes its limit. */
export interface Decoder {
  push(bytes: Uint8Array): readonly Uint8Array[];
  end(): readonly Uint8Array[];
}

export interface Decoders {
  /**
   * A decoder of `coding` (`gzip`, `deflate`, `br`, `zstd`) that gives out at most `outputBytesMax` bytes;
   * undefined for a coding it does not know.
   */
  decoder(coding: string, outputBytesMax: number): Decoder | undefined;
}

export interface DecodeLimits {
  /** Size of the decoded body. */
  readonly decodedBytesMax: number;
  /** Decoded bytes per encoded byte. */
  readonly ratioMax: number;
}

export type DecodeFailure =
  | 'unknown_encoding'
  | 'too_many_encodings'
  | 'broken_encoding'
  | 'decoded_too_large';

export type DecodeOutcome =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: DecodeFailure };

/** A short repetitive body compresses far better than any ratio that is fit for large ones. */
export const RATIO_FREE_BYTES = 65_536;
/** More codings on top of each other than this are no honest body. */
export const ENCODINGS_MAX = 2;

/**
 * The codings of a `content-encoding` value in the order they were applied: lower case, `identity` and
 * empty entries left out, `x-gzip` as `gzip`.
 */
export function parseContentEncoding(header: string): readonly string[] {
  return header
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity')
    .map((coding) => (coding === 'x-gzip' ? 'gzip' : coding));
}

/** The body without its codings. A body that has none is returned as it is. Never throws. */
export function decodeBody(
  body: Uint8Array,
  contentEncoding: string,
  decoders: Decoders,
  limits: DecodeLimits,
): DecodeOutcome {
  const codings = parseContentEncoding(contentEncoding);
  if (codings.length > ENCODINGS_MAX) return { ok: false, reason: 'too_many_encodings' };
  if (body.length === 0) return { ok: true, bytes: body };
  const outputBytesMax = Math.min(
    limits.decodedBytesMax,
    Math.max(RATIO_FREE_BYTES, Math.floor(body.length * limits.ratioMax)),
  );
  let bytes = body;
  for (const coding of codings.toReversed()) {
    const step = decodeOne(bytes, coding, decoders, outputBytesMax);
    if (!step.ok) return step;
    bytes = step.bytes;
  }
  return { ok: true, bytes };
}

function decodeOne(
  bytes: Uint8Array,
  coding: string,
  decoders: Decoders,
  outputBytesMax: number,
): DecodeOutcome {
  // One byte more than may be, so that reaching the limit and passing it differ.
  const decoder = decoders.decoder(coding, outputBytesMax + 1);
  if (decoder === undefined) return { ok: false, reason: 'unknown_encoding' };
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (const give of [() => decoder.push(bytes), () => decoder.end()])
      for (const part of give()) {
        length += part.length;
        if (length > outputBytesMax) return { ok: false, reason: 'decoded_too_large' };
        parts.push(part);
      }
  } catch (fault) {
    return {
      ok: false,
      reason: fault instanceof DecodedTooLarge ? 'decoded_too_large' : 'broken_encoding',
    };
  }
  return { ok: true, bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts) };
}

/** Thrown by a decoder whose output would pass its limit. */
export class DecodedTooLarge extends Error {
  override readonly name = 'DecodedTooLarge';
}
