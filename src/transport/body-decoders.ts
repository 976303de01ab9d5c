/**
 * Content codings, whole bodies at a time: node:zlib has no synchronous streaming interface, and a path
 * that is synchronous for some codings only would be two paths.
 */
import { Buffer } from 'node:buffer';
import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  type ZlibOptions,
} from 'node:zlib';
import { DecodedTooLarge, type Decoder, type Decoders } from '../formats/encodings.ts';
import { unzstd } from './zstd-decoder.ts';

type Inflate = (
  input: Buffer,
  options: ZlibOptions & { readonly maxOutputLength: number },
) => Uint8Array;

/** `deflate` means zlib (RFC 9110 §8.4.1.2), yet some servers send the bare stream. */
function inflateEither(input: Buffer, options: ZlibOptions): Buffer {
  const zlibHeader =
    input.length >= 2 && (input[0]! & 0x0f) === 8 && input.readUInt16BE(0) % 31 === 0;
  return zlibHeader ? inflateSync(input, options) : inflateRawSync(input, options);
}

const INFLATE: ReadonlyMap<string, Inflate> = new Map<string, Inflate>([
  ['gzip', gunzipSync],
  ['deflate', inflateEither],
  ['br', (input, { maxOutputLength }) => brotliDecompressSync(input, { maxOutputLength })],
  ['zstd', (input, { maxOutputLength }) => unzstd(input, maxOutputLength)],
]);

/** Decoders for `gzip`, `deflate`, `br` and `zstd`. A truncated body is broken, not short. */
export const bodyDecoders: Decoders = Object.freeze({
  decoder(coding: string, outputBytesMax: number): Decoder | undefined {
    const inflate = INFLATE.get(coding);
    return inflate && wholeBodyDecoder(inflate, outputBytesMax);
  },
});

function wholeBodyDecoder(inflate: Inflate, outputBytesMax: number): Decoder {
  const parts: Uint8Array[] = [];
  return {
    push(bytes) {
      parts.push(bytes);
      return [];
    },
    end() {
      const options = { maxOutputLength: outputBytesMax, finishFlush: constants.Z_FINISH };
      try {
        return [inflate(Buffer.concat(parts), options)];
      } catch (fault) {
        if (isTooLarge(fault)) throw new DecodedTooLarge('decoded body passes its limit');
        throw fault;
      }
    },
  };
}

function isTooLarge(fault: unknown): boolean {
  return fault instanceof RangeError && 'code' in fault && fault.code === 'ERR_BUFFER_TOO_LARGE';
}
