/**
 * How well secrets are found: `npm run detection:secrets [-- --list] [FILE...]`. Labelled texts are the files named
 * (JSON lines, gzipped or not, of `{ id, text, secret, rule, positive }`; `secret` is what must be covered, null in a
 * clean text), or those of the directory SWITCHYARD_CORPORA, and texts made here. `--list` names what was missed,
 * covered in part, and flagged without reason, by id and kind, never the value.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { TextScanner } from '../src/match/scanner.ts';
import { SECRET_KINDS, secretDetector } from '../src/match/secrets.ts';
import { CLEAN_SORTS, cleanTexts } from './detection/clean-texts.ts';
import { secretFreeTexts } from './detection/secret-free.ts';
import { secretTexts } from './detection/secret-texts.ts';
import { picker } from './detection/values.ts';

interface Row {
  readonly id: string;
  readonly text: string;
  readonly secret: string | null;
  readonly rule: string;
  readonly positive: boolean;
}

const SEED = 20_261;
const ROUNDS = 6;
const EVERY = 3;

const flags = new Set(process.argv.slice(2).filter((one) => one.startsWith('--')));
const named = process.argv.slice(2).filter((one) => !one.startsWith('--'));
const list = flags.has('--list');
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const percent = (part: number, whole: number): string =>
  `${part} of ${whole} (${whole === 0 ? '-' : ((100 * part) / whole).toFixed(1)} %)`;

function files(): readonly string[] {
  if (named.length > 0) return named;
  const directory = `${process.env.SWITCHYARD_CORPORA ?? ''}/secrets`;
  if (existsSync(directory))
    return readdirSync(directory)
      .filter((name) => /\.jsonl(?:\.gz)?$/.test(name))
      .map((name) => `${directory}/${name}`);
  print('only texts made here: name files, or set SWITCHYARD_CORPORA to their directory');
  return [];
}

function rowsOf(file: string): readonly Row[] {
  const bytes = readFileSync(file);
  const text = file.endsWith('.gz') ? gunzipSync(bytes).toString('utf8') : bytes.toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

const everything = secretDetector();

function spansIn(text: string, detector = everything): readonly { start: number; end: number }[] {
  const scanner = new TextScanner([{ rule: 0, detector }]);
  scanner.push(text);
  scanner.end();
  return scanner.takeMatches().sort((a, b) => a.start - b.start);
}

/** Units of the secret that no match covers, where it stands first. */
function uncovered(text: string, secret: string): number {
  const from = text.indexOf(secret);
  const to = from + secret.length;
  let open = 0;
  let at = from;
  for (const { start, end } of spansIn(text)) {
    open += Math.max(0, Math.min(start, to) - at);
    at = Math.max(at, end);
  }
  return from < 0 ? 0 : open + Math.max(0, to - at);
}

const kindsIn = (text: string): string =>
  SECRET_KINDS.filter((kind) => spansIn(text, secretDetector({ kinds: [kind] })).length > 0).join();

function report(name: string, rows: readonly Row[]): void {
  const positives = rows.filter(({ positive }) => positive);
  const clean = rows.filter(({ positive }) => !positive);
  const found = new Set(positives.filter(({ text }) => spansIn(text).length > 0));
  const covered = [...found].filter(
    ({ text, secret }) => uncovered(text, (secret ?? '').trim()) === 0,
  );
  const flagged = clean.filter(({ text }) => spansIn(text).length > 0);
  print(`\n${name}`);
  print(`  found ${percent(found.size, positives.length)}`);
  print(`  covered to the last unit ${percent(covered.length, positives.length)}`);
  print(`  clean texts flagged ${percent(flagged.length, clean.length)}`);
  const byRule = new Map<string, [found: number, all: number]>();
  for (const row of positives) {
    const [some, all] = byRule.get(row.rule) ?? [0, 0];
    byRule.set(row.rule, [some + Number(found.has(row)), all + 1]);
  }
  for (const [rule, [some, all]] of [...byRule].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (some < all || list) print(`  ${rule.padEnd(56)} ${percent(some, all)}`);
  if (!list) return;
  for (const row of positives.filter((one) => !found.has(one)))
    print(`  missed ${row.rule} ${row.id}`);
  for (const row of [...found].filter((one) => !covered.includes(one)))
    print(`  partly ${row.rule} ${row.id}`);
  for (const { id, text } of flagged) print(`  flagged ${id} as ${kindsIn(text)}`);
}

for (const file of files()) report(file.split('/').at(-1) as string, rowsOf(file));
const pick = picker(SEED);
report('made here', [
  ...secretTexts(pick).map((one) => ({ ...one, positive: true })),
  ...secretFreeTexts(pick, ROUNDS).map((one) => ({
    ...one,
    secret: null,
    rule: '',
    positive: false,
  })),
]);
report(
  `clean texts of ${CLEAN_SORTS.length} sorts, each in forty surroundings, every third`,
  cleanTexts(picker(SEED), EVERY).map((one) => ({
    ...one,
    secret: null,
    rule: '',
    positive: false,
  })),
);
