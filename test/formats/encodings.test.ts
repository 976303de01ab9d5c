import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { zstdStored } from '../../demo/zstd-frame.ts';
import {
  type Decoders,
  decodeBody,
  decodingApart,
  parseContentEncoding,
  RATIO_FREE_BYTES,
} from '../../src/formats/encodings.ts';
import { bodyDecoders } from '../../src/transport/body-decoders.ts';
import { bytesOf, textOf } from './chat-bodies.ts';

const LIMITS = { decodedBytesMax: 1_000_000, ratioMax: 100 };
const BODY = bytesOf('{"messages":[]}');

const stored = (bytes: Uint8Array): Buffer => Buffer.concat(zstdStored([Buffer.from(bytes)]));

function decoded(body: Uint8Array, encoding: string, limits = LIMITS): string {
  const outcome = decodeBody(body, encoding, bodyDecoders, limits);
  return outcome.ok ? textOf(outcome.bytes) : outcome.reason;
}

async function decodedApart(body: Uint8Array, encoding: string, limits = LIMITS): Promise<string> {
  const steps = decodingApart(body, encoding, bodyDecoders, limits);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value.ok ? textOf(step.value.bytes) : step.value.reason;
    await new Promise<void>((wake) => step.value(wake));
  }
}

describe('content encodings', () => {
  it('are listed in the order they were applied', () => {
    assert.deepEqual(parseContentEncoding(' GZIP , identity,, x-gzip,br'), ['gzip', 'gzip', 'br']);
    assert.deepEqual(parseContentEncoding(''), []);
  });

  it('are undone, last first', () => {
    const plain = textOf(BODY);
    assert.equal(decoded(BODY, ''), plain);
    assert.equal(decoded(BODY, 'identity'), plain);
    assert.equal(decoded(gzipSync(BODY), 'gzip'), plain);
    assert.equal(decoded(brotliCompressSync(BODY), 'br'), plain);
    assert.equal(decoded(deflateSync(BODY), 'deflate'), plain);
    assert.equal(decoded(deflateRawSync(BODY), 'deflate'), plain);
    assert.equal(decoded(brotliCompressSync(gzipSync(BODY)), 'gzip, br'), plain);
    assert.equal(decoded(stored(BODY), 'zstd'), plain);
    assert.equal(decoded(gzipSync(stored(BODY)), 'zstd, gzip'), plain);
    assert.equal(decoded(new Uint8Array(0), 'gzip'), '');
  });

  it('are undone apart as they are in one go, with the same faults', async () => {
    const long = Buffer.alloc(300_000, BODY);
    const cases: readonly (readonly [Uint8Array, string])[] = [
      [gzipSync(long), 'gzip'],
      [brotliCompressSync(long), 'br'],
      [deflateSync(long), 'deflate'],
      [deflateRawSync(long), 'deflate'],
      [brotliCompressSync(gzipSync(BODY)), 'gzip, br'],
      [gzipSync(stored(BODY)), 'zstd, gzip'],
      [stored(long), 'zstd'],
      [stored(long).subarray(0, -4), 'zstd'],
      [BODY, 'zstd'],
      [gzipSync(long).subarray(0, -4), 'gzip'],
      [brotliCompressSync(BODY).subarray(0, -2), 'br'],
      [BODY, 'gzip'],
      [BODY, 'compress'],
    ];
    for (const [body, encoding] of cases)
      for (const limits of [
        LIMITS,
        { ...LIMITS, ratioMax: 1e6 },
        { decodedBytesMax: 299_999, ratioMax: 1e6 },
      ])
        assert.equal(
          await decodedApart(body, encoding, limits),
          decoded(body, encoding, limits),
          encoding,
        );
  });

  it('that are unknown, broken, cut or too many are told apart from empty bodies', () => {
    assert.equal(decoded(BODY, 'compress'), 'unknown_encoding');
    assert.equal(decoded(BODY, 'zstd'), 'broken_encoding');
    assert.equal(decoded(BODY, 'gzip'), 'broken_encoding');
    assert.equal(decoded(gzipSync(BODY).subarray(0, -4), 'gzip'), 'broken_encoding');
    assert.equal(decoded(brotliCompressSync(BODY).subarray(0, -2), 'br'), 'broken_encoding');
    assert.equal(decoded(stored(BODY).subarray(0, -1), 'zstd'), 'broken_encoding');
    assert.equal(decoded(BODY, 'gzip, gzip, gzip'), 'too_many_encodings');
  });

  it('hold decodedBytesMax at its edge', () => {
    for (const [coding, encode] of [
      ['gzip', gzipSync],
      ['br', brotliCompressSync],
      ['zstd', stored],
    ] as const) {
      const at = (length: number) =>
        decoded(encode(Buffer.alloc(length)), coding, { decodedBytesMax: 1_000, ratioMax: 1e9 })
          .length;
      assert.equal(at(999), 999);
      assert.equal(at(1_000), 1_000);
      assert.equal(at(1_001), 'decoded_too_large'.length);
    }
  });

  it('hold ratioMax at its edge, above what is free', () => {
    const input = new Uint8Array(1_000);
    const giving = (length: number): Decoders => ({
      decoder: () => ({ push: () => [new Uint8Array(length - 1)], end: () => [new Uint8Array(1)] }),
    });
    const ok = (length: number, ratioMax: number) =>
      decodeBody(input, 'x', giving(length), { decodedBytesMax: 1e9, ratioMax }).ok;
    assert.deepEqual(
      [99_999, 100_000, 100_001].map((length) => ok(length, 100)),
      [true, true, false],
    );
    assert.deepEqual(
      [RATIO_FREE_BYTES, RATIO_FREE_BYTES + 1].map((length) => ok(length, 2)),
      [true, false],
    );
  });

  it('stop a bomb', () => {
    assert.equal(decoded(gzipSync(Buffer.alloc(20_000_000)), 'gzip'), 'decoded_too_large');
  });
});
