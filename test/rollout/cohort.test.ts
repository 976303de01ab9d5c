import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import {
  assign,
  bucketOf,
  rolloutSeed,
  type Serving,
  sessionHash,
  splitOf,
  thresholdOf,
  type Xxh64,
} from '../../src/rollout/cohort.ts';
import { canonicalSessionKey, SESSION_KEY_UNITS_MAX } from '../../src/rollout/session-key.ts';
import { sipKey } from '../../src/rollout/siphash.ts';
import { createXxh64 } from '../../src/store/xxh64.ts';

/** Made by an independent implementation (plain Python, arbitrary-size integers). */
const golden = JSON.parse(readFileSync(new URL('./cohorts.json', import.meta.url), 'utf8')) as {
  prfKey: string;
  seeds: Record<string, string>;
  thresholds: { sharePpm: number; threshold: number }[];
  vectors: {
    rollout: string;
    source: string;
    key: string;
    sessionHash: string;
    bucket: number;
    canaryFromPpm: number;
  }[];
};
const key = sipKey(Buffer.from(golden.prfKey, 'hex'));

describe('cohorts', () => {
  let xxh64: Xxh64;
  before(async () => {
    xxh64 = await createXxh64();
  });

  function serving(rollout: string, sharePpm: number): Serving<string> {
    return {
      epoch: 7,
      blue: 'blue',
      green: { set: 'green', split: splitOf(xxh64, rollout, sharePpm) },
    };
  }

  it('follow the golden vectors', () => {
    for (const [rollout, seed] of Object.entries(golden.seeds)) {
      assert.equal(rolloutSeed(xxh64, rollout).toString(16).padStart(16, '0'), seed);
    }
    for (const vector of golden.vectors) {
      const session = sessionHash(key, vector.source, vector.key);
      assert.equal(session?.hex, vector.sessionHash);
      assert.equal(bucketOf(xxh64, rolloutSeed(xxh64, vector.rollout), session!), vector.bucket);
      const at = (ppm: number) => assign(serving(vector.rollout, ppm), session, xxh64).cohort;
      assert.equal(at(vector.canaryFromPpm - 1), 'control');
      assert.equal(at(vector.canaryFromPpm), 'canary');
    }
  });

  it('are printed in the reference page as they are tested', () => {
    const url = new URL('../../docs/reference/cohorts.md', import.meta.url);
    // A formatter may pad the cells of a table.
    const page = readFileSync(url, 'utf8').replace(/ +/g, ' ');
    for (const vector of golden.vectors) {
      const shown = vector.key.length > 40 ? '256 × `x`' : `\`${vector.key}\``;
      assert.ok(
        page.includes(
          `| \`${vector.rollout}\` | \`${vector.source}\` | ${shown} | \`${vector.sessionHash}\` | ${vector.bucket} | ${vector.canaryFromPpm} |`,
        ),
        vector.sessionHash,
      );
    }
  });

  it('have exact thresholds', () => {
    for (const { sharePpm, threshold } of golden.thresholds) {
      assert.equal(thresholdOf(sharePpm), threshold);
    }
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (ppm) => {
        assert.equal(BigInt(thresholdOf(ppm)), (BigInt(ppm) << 48n) / 1_000_000n);
      }),
    );
    for (const wrong of [-1, 1_000_001, 0.5, Number.NaN]) {
      assert.throws(() => thresholdOf(wrong), RangeError);
    }
  });

  it('never move a session back while the share grows', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        (raw, one, other) => {
          const session = sessionHash(key, 'session', raw);
          const small = assign(serving('r', Math.min(one, other)), session, xxh64);
          const large = assign(serving('r', Math.max(one, other)), session, xxh64);
          if (small.cohort === 'canary') assert.equal(large.cohort, 'canary');
        },
      ),
    );
  });

  it('split sequential ids at the share asked for, and differently in another rollout', () => {
    const sessions = Array.from({ length: 20_000 }, (_, i) => sessionHash(key, 'session', `u${i}`));
    const canaries = (rollout: string) => {
      const split = serving(rollout, 50_000);
      return sessions.map((session) => assign(split, session, xxh64).cohort === 'canary');
    };
    const first = canaries('a');
    const second = canaries('b');
    // 5 % of 20,000: mean 1,000, sd 30.8; both: 0.25 %, mean 50, sd 7.1. Deterministic, so no flake.
    const count = (flags: boolean[]) => flags.filter(Boolean).length;
    assert.ok(Math.abs(count(first) - 1000) < 125, `${count(first)}`);
    assert.ok(Math.abs(count(first.map((flag, i) => flag && second[i]!)) - 50) < 29);
  });

  it('hold nobody at 0 and everybody at 1,000,000 ppm', () => {
    for (let i = 0; i < 500; i++) {
      const session = sessionHash(key, 'session', `k${i}`);
      assert.equal(assign(serving('r', 0), session, xxh64).set, 'blue');
      assert.equal(assign(serving('r', 1_000_000), session, xxh64).set, 'green');
    }
  });

  it('put a request without a key into control and out of the statistics', () => {
    assert.deepEqual(assign(serving('r', 1_000_000), undefined, xxh64), {
      epoch: 7,
      set: 'blue',
      cohort: 'control',
      counted: false,
    });
    const calm = assign({ epoch: 1, blue: 'blue' }, sessionHash(key, 'session', 'a'), xxh64);
    assert.deepEqual(calm, { epoch: 1, set: 'blue', cohort: 'control', counted: true });
  });

  it('depend on the key and on the source', () => {
    const other = sipKey(new Uint8Array(16));
    const hex = sessionHash(key, 'session', 's-1')?.hex;
    assert.notEqual(sessionHash(other, 'session', 's-1')?.hex, hex);
    assert.notEqual(sessionHash(key, 'principal', 's-1')?.hex, hex);
    assert.throws(() => sessionHash(key, 'a\0b', 's-1'), RangeError);
  });
});

describe('a session key', () => {
  it('loses blanks around it and keeps its case', () => {
    assert.equal(canonicalSessionKey(' \t Ab c\t'), 'Ab c');
    assert.equal(
      sessionHash(key, 'session', ' s-1 ')?.hex,
      sessionHash(key, 'session', 's-1')?.hex,
    );
  });

  it('is none when empty or with a control character', () => {
    for (const raw of ['', '  ', 'a\nb', '\n', 'a\0', 'a\u007f', 'a\u0085b', 'a\u2028', 'a\tb']) {
      assert.equal(canonicalSessionKey(raw), undefined, JSON.stringify(raw));
      assert.equal(sessionHash(key, 'session', raw), undefined);
    }
  });

  it('has at most 256 units after trimming', () => {
    const max = SESSION_KEY_UNITS_MAX;
    assert.equal(canonicalSessionKey('x'.repeat(max - 1))?.length, max - 1);
    assert.equal(canonicalSessionKey(` ${'x'.repeat(max)} `)?.length, max);
    assert.equal(canonicalSessionKey('x'.repeat(max + 1)), undefined);
    assert.equal(canonicalSessionKey('xyz', 2), undefined);
  });
});
