import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { zstdStored } from '../../demo/zstd-frame.ts';
import { decodeBody } from '../../src/formats/encodings.ts';
import { ZSTD_WINDOW_BYTES_MAX, zstdOutline } from '../../src/formats/zstd-frames.ts';
import { bodyDecoders } from '../../src/transport/body-decoders.ts';

/** Written by the `zstd` command, version 1.5.4, with `-19 --check`: entropy-coded blocks, and a checksum. */
const PROSE = Buffer.from(
  'KLUv/WR6AH0EAELFDxGw6+ShaGLZtgkJm06S6JRABPmx+bFOQZqUwDCQo8ofjf21lCjPtvlj3dKNrje8KFObwknJtrvlc6HI6WTgMSSo8VZQS8uuOxASxqS7ARAQwrgKVHlNyJDMkUCKk1QnzRxIizX6mOvbDxariTRPJTyrvgucDPE6IuyolNCggM1TWKQc8IpjjsSdJwIV1kvdOQ==',
  'base64',
);
const PROSE_TEXT =
  'zebra a model question data model model project tokens the stream data answers project the policy bank question stream answers about tokens bank zebra answers the model answers about a policy data about policy data data bank policy zebra zebra stream policy policy the the answers data answers policy policy a question answers tokens project project answers policy model answers';

const LIMITS = { decodedBytesMax: 1_000_000, ratioMax: 100_000 };

function unzstd(body: Uint8Array, limits = LIMITS): string {
  const outcome = decodeBody(body, 'zstd', bodyDecoders, limits);
  return outcome.ok ? Buffer.from(outcome.bytes).toString('utf8') : outcome.reason;
}

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const RAW = 0;
const RLE = 1;
const COMPRESSED = 2;
const RESERVED = 3;
const LAST = 1;

const block = (kind: number, last: number, size: number, content: readonly number[]): number[] => {
  const header = (size << 3) | (kind << 1) | last;
  return [header & 0xff, (header >> 8) & 0xff, (header >> 16) & 0xff, ...content];
};
/** `window`: the descriptor byte, of which the high five bits are an exponent above 1 KiB. */
const frame = (window: number, ...blocks: number[][]): Buffer =>
  Buffer.from([...MAGIC, 0x00, window, ...blocks.flat()]);
const letters = (text: string): number[] => [...Buffer.from(text)];
const HI = block(RAW, LAST, 2, letters('hi'));
const SKIPPABLE = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
/** 2 ** (10 + 13) bytes, the most that may be. */
const WIDEST = 13 << 3;

describe('zstd bodies', () => {
  it('are decoded as the reference encoder wrote them', () => {
    assert.equal(unzstd(PROSE), PROSE_TEXT);
    assert.deepEqual(zstdOutline(PROSE), {
      bytesMin: PROSE_TEXT.length,
      bytesMax: PROSE_TEXT.length,
    });
  });

  it('may be several frames, with frames to skip between them', () => {
    const whole = Buffer.concat([SKIPPABLE, PROSE, SKIPPABLE, frame(0, HI), PROSE, SKIPPABLE]);
    assert.equal(unzstd(whole), `${PROSE_TEXT}hi${PROSE_TEXT}`);
    assert.equal(unzstd(SKIPPABLE), '');
    assert.equal(unzstd(frame(0, block(RAW, LAST, 0, []))), '');
  });

  it('are broken when cut anywhere, or followed by anything', () => {
    for (let bytes = 1; bytes < PROSE.length; bytes++)
      assert.equal(unzstd(PROSE.subarray(0, bytes)), 'broken_encoding', `${bytes} bytes`);
    assert.equal(unzstd(SKIPPABLE.subarray(0, -1)), 'broken_encoding');
    assert.equal(unzstd(Buffer.concat([PROSE, Buffer.from([0])])), 'broken_encoding');
  });

  it('are broken when a checksum is not theirs', () => {
    const other = Buffer.from(PROSE);
    other[other.length - 1] = (other[other.length - 1] as number) ^ 1;
    assert.equal(unzstd(other), 'broken_encoding');
  });

  it('may ask for a window of 8 MiB and not for more', () => {
    assert.equal(ZSTD_WINDOW_BYTES_MAX, 2 ** 23);
    assert.equal(unzstd(frame(WIDEST, HI)), 'hi');
    assert.equal(unzstd(frame(WIDEST + 1, HI)), 'broken_encoding');
    // 2 GiB and a half: refused before anybody makes room for it.
    assert.throws(() => zstdOutline(frame((21 << 3) + 2, HI)), /window/);
    // All of a frame's content in one segment is its window.
    const single = (bytes: number): Buffer => {
      const size = Buffer.alloc(8);
      size.writeBigUInt64LE(BigInt(bytes));
      const blocks = Array.from({ length: 64 }, () => block(RLE, 0, 131_072, [97])).flat();
      return Buffer.from([...MAGIC, 0xe0, ...size, ...blocks, ...block(RLE, LAST, 1, [97])]);
    };
    assert.throws(() => zstdOutline(single(2 ** 23 + 1)), /window/);
    assert.throws(() => zstdOutline(single(2 ** 40)), /window/);
    assert.throws(() => zstdOutline(single(2 ** 23)), /size/);
  });

  it('may not need a dictionary, nor use what is reserved', () => {
    assert.equal(unzstd(Buffer.from([...MAGIC, 0x01, 0, 7, ...HI])), 'broken_encoding');
    assert.equal(unzstd(Buffer.from([...MAGIC, 0x08, 0, ...HI])), 'broken_encoding');
    assert.equal(unzstd(frame(0, block(RESERVED, LAST, 1, [0]))), 'broken_encoding');
    // A dictionary of no number is none.
    assert.equal(unzstd(Buffer.from([...MAGIC, 0x01, 0, 0, ...HI])), 'hi');
  });

  it('may not have blocks above 128 KiB, or above their window', () => {
    const run = (window: number, size: number): string =>
      unzstd(frame(window, block(RLE, LAST, size, [97])));
    assert.equal(run(WIDEST, 131_072).length, 131_072);
    assert.equal(run(WIDEST, 131_073), 'broken_encoding');
    assert.equal(run(0, 1_024).length, 1_024);
    assert.equal(run(0, 1_025), 'broken_encoding');
  });

  it('must be as long as they say', () => {
    // A single segment that says 2 bytes, of which one is stored.
    assert.equal(unzstd(Buffer.from([...MAGIC, 0x20, 2, ...HI])), 'hi');
    assert.equal(unzstd(Buffer.from([...MAGIC, 0x20, 3, ...HI])), 'broken_encoding');
    assert.equal(unzstd(Buffer.from([...MAGIC, 0x20, 1, ...HI])), 'broken_encoding');
  });

  it('are refused by what their frames add up to, before any is decoded', () => {
    const blocks = Array.from({ length: 20 }, () => block(RLE, 0, 131_072, [0]));
    const bomb = frame(WIDEST, ...blocks, block(RAW, LAST, 0, []));
    assert.equal(unzstd(bomb), 'decoded_too_large');
    assert.equal(zstdOutline(bomb).bytesMin, 20 * 131_072);
    // The last bytes of many small frames count as much as those of a large one.
    const frames = Buffer.concat(Array.from({ length: 1_000 }, () => frame(0, HI)));
    const at = (decodedBytesMax: number): string => unzstd(frames, { ...LIMITS, decodedBytesMax });
    assert.equal(at(2_000).length, 2_000);
    assert.equal(at(1_999), 'decoded_too_large');
  });

  it('do not occupy us with 98,047 sequences of 65,539 bytes in a block of ten', () => {
    const literals = [(1 << 3) | 1, 97];
    const onlyRuns = (1 << 6) | (1 << 4) | (1 << 2);
    const sequences = [255, 255, 255, onlyRuns, 0, 0, 52, 1];
    const content = [...literals, ...sequences];
    const bomb = frame(7 << 3, block(COMPRESSED, LAST, content.length, content));
    assert.equal(unzstd(bomb), 'broken_encoding');
    assert.equal(unzstd(bomb, { ...LIMITS, decodedBytesMax: 1_000 }), 'decoded_too_large');
  });

  it('of any bytes are decoded or refused, and never longer than they may be', () => {
    const change = fc.tuple(fc.nat({ max: PROSE.length - 1 }), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const body = Buffer.from(PROSE);
        for (const [at, byte] of changes) body[at] = byte;
        const decoded = unzstd(body, { ...LIMITS, decodedBytesMax: 2_000 });
        assert.ok(decoded.length <= 2_000);
        // With a checksum in it, what is decoded is what was encoded.
        if ((body[4] as number) & 4 && !/^(broken_|decoded_)/.test(decoded))
          assert.equal(decoded, PROSE_TEXT);
      }),
      { numRuns: Number(process.env.RUNS ?? 500) },
    );
  });

  it('are decoded again after one that was broken', () => {
    const long = Buffer.concat(zstdStored([Buffer.alloc(900_000, 'a')]));
    for (let round = 0; round < 3; round++) {
      assert.equal(unzstd(PROSE.subarray(0, -1)), 'broken_encoding');
      assert.equal(unzstd(long).length, 900_000);
      assert.equal(unzstd(PROSE), PROSE_TEXT);
    }
  });
});
