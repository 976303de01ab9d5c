/**
 * What the matcher takes, beside Rust's on the same rules and texts: `npm run bench:match -- [part of a row's name]
 * [--million N]`. Ours with matches and the safe point after every piece, theirs scanning only; slices by turns,
 * processor time. `docs/performance.md` says how to read it.
 */
import { parseArgs } from 'node:util';
import type { Detector } from '../src/match/detector.ts';
import { TextScanner } from './match-build.ts';
import { Reference } from './match-reference.ts';
import {
  everything,
  floods,
  hostileRules,
  personalData,
  personalFloods,
  type RuleSet,
  ruleSets,
} from './match-sets.ts';

const { values, positionals } = parseArgs({
  options: { million: { type: 'string', default: '2' } },
  allowPositionals: true,
});
const wanted = positionals[0] ?? '';
const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** A unit in a nanosecond is 1,000 MB/s, taking a unit for a byte. */
const MB_PER_S = 1_000;
const WARM_UP_SLICES = 3;
const SLICES = 11;

const nowNs = (): number => process.cpuUsage().user * 1_000;

interface Slice {
  readonly nanoseconds: number;
  readonly matches: number;
}

function scan(detectors: readonly Detector[], text: string, piece: number): Slice {
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += piece) parts.push(text.slice(at, at + piece));
  const scanner = new TextScanner(detectors.map((detector, rule) => ({ rule, detector })));
  const before = nowNs();
  let matches = 0;
  for (const part of parts) {
    scanner.push(part);
    matches += scanner.takeMatches().length;
  }
  scanner.end();
  matches += scanner.takeMatches().length;
  return { nanoseconds: nowNs() - before, matches };
}

const sorted = (numbers: readonly number[]): readonly number[] =>
  [...numbers].sort((a, b) => a - b);
const middle = (numbers: readonly number[]): number =>
  sorted(numbers)[numbers.length >> 1] as number;
/** Without the tenth at either end. */
const spread = (numbers: readonly number[]): string => {
  const inner = sorted(numbers).slice(1, -1);
  return `${(inner[0] as number).toFixed(2)}–${(inner.at(-1) as number).toFixed(2)}`;
};

async function compare(set: RuleSet, reference: Reference | undefined): Promise<void> {
  const text = set.text();
  const began = nowNs();
  const detectors = set.detectors();
  new TextScanner(detectors.map((detector, rule) => ({ rule, detector })));
  const compiled = (nowNs() - began) / 1e6;
  print(`${set.title}: compiled in ${compiled.toFixed(0)} ms`);
  await reference?.load(set, text);
  for (const piece of [65_536, 1_024, 8]) {
    for (let slice = 0; slice < WARM_UP_SLICES; slice++) {
      scan(detectors, text, piece);
      await reference?.scan(set);
    }
    const ours: Slice[] = [];
    const theirs: Slice[] = [];
    for (let slice = 0; slice < SLICES; slice++) {
      ours.push(scan(detectors, text, piece));
      if (reference !== undefined) theirs.push(await reference.scan(set));
    }
    printRow(piece, text.length, ours, theirs);
  }
}

function printRow(
  piece: number,
  units: number,
  ours: readonly Slice[],
  theirs: readonly Slice[],
): void {
  const speeds = (slices: readonly Slice[]): number[] =>
    slices.map(({ nanoseconds }) => (units / nanoseconds) * MB_PER_S);
  const own = speeds(ours);
  const perPiece = middle(ours.map(({ nanoseconds }) => (nanoseconds / units) * piece));
  const best = Math.max(...own).toFixed(0);
  const cells = [
    `pieces of ${piece}`.padEnd(16),
    `${middle(own).toFixed(0)} MB/s (best ${best}), ${ours[0]?.matches} matches`,
    `${(perPiece / 1e3).toFixed(2)} µs a piece`,
  ];
  if (theirs.length > 0) {
    const ratios = speeds(theirs).map((speed, slice) => (own[slice] as number) / speed);
    const reference = `${middle(speeds(theirs)).toFixed(0)} MB/s, ${theirs[0]?.matches} matches`;
    cells.push(`Rust ${reference}`, `ratio ${middle(ratios).toFixed(2)} (${spread(ratios)})`);
  }
  print(`  ${cells.join('; ')}`);
}

/** The best of a few slices: what is asked is the cost, not the noise. The slowest way of cutting counts. */
function flood(
  name: string,
  detectors: readonly Detector[],
  text: string,
  pieces: readonly number[],
): number {
  const speeds = pieces.map((piece) => {
    const slices = [1, 2, 3, 4, 5].map(() => scan(detectors, text, piece));
    return Math.max(...slices.map(({ nanoseconds }) => (text.length / nanoseconds) * MB_PER_S));
  });
  // Twice as long, and so twice as dear, but for the noise.
  const costs = [text, text + text].map((one) => scan(detectors, one, 1_024).nanoseconds);
  const growth = ((costs[1] as number) / (costs[0] as number)).toFixed(1);
  const cells = speeds.map((speed) => speed.toFixed(1)).join(', ');
  print(`  ${name}: ${cells} MB/s; twice as long costs ${growth}×`);
  return Math.min(...speeds);
}

const reference = Reference.start(print);
try {
  for (const set of ruleSets(Number(values.million)))
    if (set.title.includes(wanted)) await compare(set, reference);
} finally {
  reference?.stop();
}
if ('floods'.includes(wanted)) {
  const all = everything();
  print('floods of 300 KB, everything on; whole, and pieces of 65,536, of 1,024, of 64:');
  const worst = Object.entries(floods()).map(([name, text]) =>
    flood(name, all, text, [text.length, 65_536, 1_024, 64]),
  );
  print(`  worst: ${Math.min(...worst).toFixed(1)} MB/s`);
}
if ('personal data'.includes(wanted)) {
  const all = personalData();
  print('personal data of all kinds, on floods of 300 KB; pieces of 1,024:');
  const texts = { ...floods(), ...personalFloods() };
  const worst = Object.entries(texts).map(([name, text]) => flood(name, all, text, [1_024]));
  print(`  worst: ${Math.min(...worst).toFixed(1)} MB/s`);
}
if ('hostile rules'.includes(wanted)) {
  print('hostile rules, each on its own, on 50 KB that are worst for it; pieces of 1,024:');
  for (const [name, [detector, text]] of Object.entries(hostileRules()))
    flood(name, [detector], text.slice(0, 50_000), [1_024]);
}
