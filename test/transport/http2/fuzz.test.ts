/**
 * What random and mutated bytes make of the transport and of the readers of messages, held against slow models and libraries of other hands. A fixed seed
 * and few cases here (`FUZZ_SEED`, `FUZZ_CASES` for others); `npm run fuzz` goes on for as long as it is told.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { skipBecause } from '../../reporter/skip.ts';
import { type Case, fuzz, read, written } from './fuzz/cases.ts';
import { FUZZERS } from './fuzz/fuzzers.ts';
import { growth } from './fuzz/growth.ts';
import { HPACK_PEER } from './fuzz/hpack-reference.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 1);
/** As many as take five to ten seconds each. */
const CASES: Readonly<Record<string, number>> = {
  hpack: 8_000,
  frames: 3_000,
  floods: 4_000,
  masses: 600,
  messages: 60_000,
};

/** Of so many cases none keeps a connection, a table or a message. */
const GROWN = { rounds: 5, cases: 40, bytesMax: 1024 * 1024 };

/** Each that once failed: a fuzzer's name and a case, a line. */
const CORPUS: readonly { readonly name: string; readonly one: Case }[] = readFileSync(
  join(import.meta.dirname, 'fuzz/corpus.txt'),
  'utf8',
)
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({
    name: line.slice(0, line.indexOf(' ')),
    one: read(line.slice(line.indexOf(' '))),
  }));

describe('fuzz of the fast transport', function () {
  this.timeout(300_000);

  for (const fuzzer of FUZZERS)
    describe(fuzzer.name, () => {
      before(function () {
        if (fuzzer.name === 'hpack' && !existsSync(HPACK_PEER))
          skipBecause(this, 'no hpack-peer: `node setup/native.mjs hpack-peer` builds it');
      });

      const known = CORPUS.filter(({ name }) => name === fuzzer.name).map(({ one }) => one);
      if (known.length > 0)
        it('what once failed stands', async () => {
          assert.deepEqual(
            (await fuzzer.check(known)).flatMap((problem, at) => (problem ? [[at, problem]] : [])),
            [],
          );
        });

      it('so does what is made at random', async () => {
        const cases = Number(process.env.FUZZ_CASES ?? CASES[fuzzer.name]);
        const { failures } = await fuzz(fuzzer, SEED, (tried) => tried >= cases);
        assert.deepEqual(
          failures.map(
            ({ seed, problem, smallest }) =>
              `${problem}\n  npm run fuzz -- --only ${fuzzer.name} --seed ${seed} --cases 1\n  ${fuzzer.name} ${written(smallest).slice(0, 10_000)}`,
          ),
          [],
        );
      });

      it('the same again and again leaves nothing', async () => {
        const { rounds, cases, bytesMax } = GROWN;
        const grown = await growth(fuzzer, SEED, cases, rounds);
        assert.ok(grown < bytesMax, `${grown} bytes more`);
      });
    });
});
