/**
 * Content codings, whole bodies at a time: node:zlib has no synchronous streaming interface. Large bodies are
 * decoded on a thread, which leaves the event loop to others.
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
import { decodeOnThread } from './decoding-thread.ts';
import { unzstd } from './zstd-decoder.ts';

type Inflate = (
  input: Buffer,
  options: ZlibOptions & { readonly maxOutputLength: number },
) => Uint8Array;

/** `deflate` means zlib (RFC 9110 §8.4.1.2), yet some servers send the bare stream. */
function inflateEither(input: Buffer, options: ZlibOptions): Buffer {
  return hasZlibHeader(input) ? inflateSync(input, options) : inflateRawSync(input, options);
}

function hasZlibHeader(input: Buffer): boolean {
  return input.length >= 2 && (input[0]! & 0x0f) === 8 && input.readUInt16BE(0) % 31 === 0;
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
    const inflateAll = INFLATE.get(coding);
    return inflateAll && wholeBodyDecoder(inflateAll, outputBytesMax);
  },
  decodeApart(
    coding: string,
    body: Uint8Array,
    outputBytesMax: number,
    done: (outcome: Uint8Array | Error) => void,
  ): boolean {
    if (!INFLATE.has(coding)) return false;
    decodeOnThread(coding, body, outputBytesMax, done);
    return true;
  },
});

function named(fault: Error): Error {
  return isTooLarge(fault) ? new DecodedTooLarge('decoded body passes its limit') : fault;
}

function wholeBodyDecoder(inflateAll: Inflate, outputBytesMax: number): Decoder {
  const parts: Uint8Array[] = [];
  return {
    push(bytes) {
      parts.push(bytes);
      return [];
    },
    end() {
      const options = { maxOutputLength: outputBytesMax, finishFlush: constants.Z_FINISH };
      try {
        return [inflateAll(Buffer.concat(parts), options)];
      } catch (fault) {
        throw named(fault as Error);
      }
    },
  };
}

function isTooLarge(fault: unknown): boolean {
  return fault instanceof RangeError && 'code' in fault && fault.code === 'ERR_BUFFER_TOO_LARGE';
}
