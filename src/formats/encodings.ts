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
  /**
   * Decodes a whole body beside everything else, with the same limits: `done` is called once, later, with what came
   * of it or with what a decoder would have thrown. False where that cannot be done: `done` is never called.
   */
  decodeApart?(
    coding: string,
    body: Uint8Array,
    outputBytesMax: number,
    done: (outcome: Uint8Array | Error) => void,
  ): boolean;
}

/** Something that goes on elsewhere: it is begun by calling this, and `wake` is called when it is over. */
export type Waiting = (wake: () => void) => void;

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

/** The most that an encoded body of so many bytes is decoded to. */
export function decodedMost(bytes: number, { decodedBytesMax, ratioMax }: DecodeLimits): number {
  return Math.min(decodedBytesMax, Math.max(RATIO_FREE_BYTES, Math.floor(bytes * ratioMax)));
}

/** The body without its codings. A body that has none is returned as it is. Never throws. */
export function decodeBody(
  body: Uint8Array,
  contentEncoding: string,
  decoders: Decoders,
  limits: DecodeLimits,
): DecodeOutcome {
  // Without a decoder that works apart there is nothing to wait for.
  const alone: Decoders = { decoder: (coding, most) => decoders.decoder(coding, most) };
  return decodingApart(body, contentEncoding, alone, limits).next().value as DecodeOutcome;
}

/** The same for a large body: yields what has to be waited for. */
export function* decodingApart(
  body: Uint8Array,
  contentEncoding: string,
  decoders: Decoders,
  limits: DecodeLimits,
): Generator<Waiting, DecodeOutcome> {
  const codings = parseContentEncoding(contentEncoding);
  if (codings.length > ENCODINGS_MAX) return { ok: false, reason: 'too_many_encodings' };
  if (body.length === 0) return { ok: true, bytes: body };
  const outputBytesMax = decodedMost(body.length, limits);
  let bytes = body;
  for (const coding of codings.toReversed()) {
    const step = yield* decodeOne(bytes, coding, decoders, outputBytesMax);
    if (!step.ok) return step;
    bytes = step.bytes;
  }
  return { ok: true, bytes };
}

function* decodeOne(
  bytes: Uint8Array,
  coding: string,
  decoders: Decoders,
  outputBytesMax: number,
): Generator<Waiting, DecodeOutcome> {
  let apart: Uint8Array | Error | undefined;
  let isApart = false;
  if (decoders.decodeApart !== undefined)
    yield (wake) => {
      isApart = decoders.decodeApart!(coding, bytes, outputBytesMax + 1, (outcome) => {
        apart = outcome;
        wake();
      });
      if (!isApart) wake();
    };
  if (isApart) {
    if (!(apart instanceof Uint8Array)) return failed(apart);
    if (apart.length > outputBytesMax) return { ok: false, reason: 'decoded_too_large' };
    return { ok: true, bytes: apart };
  }
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
    return failed(fault);
  }
  return { ok: true, bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts) };
}

function failed(fault: unknown): DecodeOutcome {
  const reason = fault instanceof DecodedTooLarge ? 'decoded_too_large' : 'broken_encoding';
  return { ok: false, reason };
}

/** Thrown by a decoder whose output would pass its limit. */
export class DecodedTooLarge extends Error {
  override readonly name = 'DecodedTooLarge';
}
