import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { sipHash24, sipHash24Text, sipKey } from '../../src/rollout/siphash.ts';

const vectors = JSON.parse(readFileSync(new URL('./siphash.json', import.meta.url), 'utf8')) as {
  key: string;
  outputs: string[];
};

describe('SipHash-2-4', () => {
  const key = sipKey(Buffer.from(vectors.key, 'hex'));

  it('gives the 64 reference vectors', () => {
    assert.equal(vectors.outputs.length, 64);
    for (const [length, expected] of vectors.outputs.entries()) {
      const message = Uint8Array.from({ length }, (_, i) => i);
      assert.equal(Buffer.from(sipHash24(key, message)).toString('hex'), expected);
    }
  });

  it('takes text as its UTF-8 bytes', () => {
    assert.deepEqual(
      sipHash24Text(key, 'naïve 日本 😀'),
      sipHash24(key, Buffer.from('naïve 日本 😀', 'utf8')),
    );
    assert.deepEqual(sipHash24Text(key, '\ud800'), sipHash24Text(key, '\ufffd'));
  });

  it('uses every bit of the key', () => {
    const message = Buffer.from('message');
    const seen = new Set<string>();
    for (let bit = 0; bit < 128; bit++) {
      const bytes = Buffer.from(vectors.key, 'hex');
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      seen.add(Buffer.from(sipHash24(sipKey(bytes), message)).toString('hex'));
    }
    assert.equal(seen.size, 128);
  });

  it('refuses a short key', () => {
    assert.throws(() => sipKey(new Uint8Array(15)), RangeError);
  });
});
