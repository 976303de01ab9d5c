/**
 * What the `secrets` detector finds in labelled texts: `npx tsx load-tests/secrets.ts FILE... [--list]`. Each
 * file is JSON lines, gzipped or not, of `{ id, text, secret, rule, positive }`; `secret` is what must be
 * covered, null in a clean text. `--list` names what was missed and what was flagged without reason, by id.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { TextScanner } from '../src/match/scanner.ts';
import { secretDetector } from '../src/match/secrets.ts';

interface Row {
  readonly id: string;
  readonly text: string;
  readonly secret: string | null;
  readonly rule: string;
  readonly positive: boolean;
}

const detector = secretDetector();
const list = process.argv.includes('--list');
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const percent = (part: number, whole: number): string =>
  `${part} of ${whole} (${whole === 0 ? '-' : ((100 * part) / whole).toFixed(1)} %)`;

function spansIn(text: string): readonly { readonly start: number; readonly end: number }[] {
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

function rowsOf(file: string): readonly Row[] {
  const bytes = readFileSync(file);
  const text = file.endsWith('.gz') ? gunzipSync(bytes).toString('utf8') : bytes.toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

for (const file of process.argv.slice(2).filter((one) => !one.startsWith('--'))) {
  const rows = rowsOf(file);
  const positives = rows.filter(({ positive }) => positive);
  const clean = rows.filter(({ positive }) => !positive);
  const found = positives.filter(({ text }) => spansIn(text).length > 0);
  const covered = found.filter(({ text, secret }) => uncovered(text, (secret ?? '').trim()) === 0);
  const flagged = clean.filter(({ text }) => spansIn(text).length > 0);
  print(`${file.split('/').at(-1)}: found ${percent(found.length, positives.length)}`);
  print(`  covered to the last unit ${percent(covered.length, positives.length)}`);
  print(`  clean texts flagged ${percent(flagged.length, clean.length)}`);
  if (!list) continue;
  const missed = positives.filter((row) => !found.includes(row));
  for (const { id, rule } of missed) print(`  missed ${rule} ${id}`);
  for (const row of found.filter((one) => !covered.includes(one)))
    print(`  partly ${row.rule} ${row.id}`);
  for (const { id, rule } of flagged) print(`  flagged ${rule} ${id}`);
}
