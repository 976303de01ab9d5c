/**
 * `npm run fuzz`: random and mutated input against slow models and foreign libraries, until the time is over: `-- --minutes N`
 * (30), `--only` a fuzzer's name, `--seed N` (of the clock), `--cases N` of each fuzzer and then the end. A failure prints its
 * seed, which gives the same case again (`--only NAME --seed N --cases 1`), and the smallest case found for it, a line for
 * `corpus.txt`. Exits with 1 if there was one.
 */
import { parseArgs } from 'node:util';
import { ensureNative } from '../../../../setup/native.mjs';
import { type Failure, fuzz, written } from './cases.ts';
import { FUZZERS } from './fuzzers.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    cases: { type: 'string' },
  },
});

/** How long each has its turn. */
const TURN_MS = 5_000;
const FAILURES_MAX = 5;

await ensureNative('hpack-peer');
const fuzzers = FUZZERS.filter(({ name }) => name.includes(values.only));
const seed = Number(values.seed);
const done = new Map(fuzzers.map(({ name }) => [name, 0]));
const failures: (Failure & { readonly name: string })[] = [];
const ends = performance.now() + Number(values.minutes) * 60_000;
const residentMb = (): number => process.memoryUsage.rss() / 1024 / 1024;
let early = 0;

const single = values.cases === undefined ? undefined : Number(values.cases);
process.stdout.write(`seed ${seed}\n`);
for (let round = 0; single === undefined ? performance.now() < ends : round === 0; round++) {
  for (const fuzzer of fuzzers) {
    const before = done.get(fuzzer.name) as number;
    const turnEnds = Math.min(performance.now() + TURN_MS, ends);
    const enough = (cases: number): boolean =>
      single === undefined ? performance.now() >= turnEnds : cases >= single;
    const batch = Math.min(fuzzer.batch, single ?? fuzzer.batch);
    const tried = await fuzz({ ...fuzzer, batch }, seed + before, enough);
    done.set(fuzzer.name, before + tried.cases);
    for (const failure of tried.failures) {
      failures.push({ ...failure, name: fuzzer.name });
      process.stdout.write(
        `${fuzzer.name}, seed ${failure.seed}: ${failure.problem}\n${fuzzer.name} ${written(failure.smallest).slice(0, 100_000)}\n`,
      );
    }
  }
  if (round === 4) early = residentMb();
  if (failures.length >= FAILURES_MAX) break;
}
const counts = [...done].map(([name, cases]) => `${name} ${cases}`).join(', ');
const memory =
  early > 0
    ? `; resident ${early.toFixed(0)} MB early, ${residentMb().toFixed(0)} MB at the end`
    : '';
process.stdout.write(`cases: ${counts}${memory}; ${failures.length} failed\n`);
process.exitCode = failures.length > 0 ? 1 : 0;
