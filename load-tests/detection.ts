/**
 * How well personal data is found: `npm run detection [-- --list] [--quick] [FILE...]`. Labelled texts are the
 * files named, or those of the directory SWITCHYARD_CORPORA, and sentences made here; beside us, where
 * `.cache/presidio` has it, Presidio reads the same texts. `--list` names every miss and false alarm.
 */
import { existsSync, readdirSync } from 'node:fs';
import { piiDetector } from '../src/match/pii.ts';
import { TextScanner } from '../src/match/scanner.ts';
import { labelledTexts } from './detection/corpora.ts';
import { presidioFindings } from './detection/presidio.ts';
import { judge, type LabelledText, ratesOf, type Span, sumOf } from './detection/scoring.ts';
import { sentences } from './detection/sentences.ts';
import { median } from './measures.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const flags = new Set(process.argv.slice(2).filter((one) => one.startsWith('--')));
const named = process.argv.slice(2).filter((one) => !one.startsWith('--'));
const directory = process.env.SWITCHYARD_CORPORA;

function files(): readonly string[] {
  if (named.length > 0) return named;
  if (directory === undefined || !existsSync(`${directory}/pii`)) {
    print(
      'no labelled texts but our own: name files, or set SWITCHYARD_CORPORA to their directory',
    );
    return [];
  }
  return readdirSync(`${directory}/pii`)
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => `${directory}/pii/${name}`);
}

const detector = piiDetector({ entities: ['all'] });
/** One list for all texts, as a set has: what follows from it is worked out once. */
const rules = [{ rule: 0, detector }];

function ours({ text }: LabelledText): readonly Span[] {
  const scanner = new TextScanner(rules);
  scanner.push(text);
  scanner.end();
  return scanner.takeMatches().map(({ start, end, label }) => ({ start, end, type: label }));
}

/** Microseconds of processor time a text, with all threads of this process: the middle of a few runs over all. */
function ourMicroseconds(texts: readonly LabelledText[]): number {
  const runs = Array.from({ length: 5 }, () => {
    const from = process.cpuUsage();
    for (const text of texts) ours(text);
    const { user, system } = process.cpuUsage(from);
    return user + system;
  });
  return median(runs) / texts.length;
}

const typesOf = (texts: readonly LabelledText[]): Set<string> =>
  new Set(
    texts.flatMap(({ spans, only }) => [...spans.map(({ type }) => type), ...(only ? [only] : [])]),
  );

const figure = (value: number): string => value.toFixed(3).padStart(6);

function report(name: string, texts: readonly LabelledText[]): void {
  const theirs = flags.has('--quick') ? undefined : presidioFindings(texts);
  const types = typesOf(texts);
  const known = new Set([...types].filter((type) => detector.labels.includes(type)));
  const own = judge(texts, ours, known);
  print(`\n${name}: ${texts.length} texts, ${ourMicroseconds(texts).toFixed(1)} µs a text`);
  print('                          ours: P      R      F1    (found missed false)');
  for (const type of [...known].sort()) {
    const counts = own.byType.get(type) ?? { found: 0, missed: 0, falseAlarms: 0 };
    const { precision, recall, f1 } = ratesOf(counts);
    print(
      `  ${type.padEnd(24)} ${figure(precision)} ${figure(recall)} ${figure(f1)}  (${counts.found} ${counts.missed} ${counts.falseAlarms})`,
    );
  }
  const micro = ratesOf(sumOf(own.byType.values()));
  print(
    `  ${'micro'.padEnd(24)} ${figure(micro.precision)} ${figure(micro.recall)} ${figure(micro.f1)}`,
  );
  const unknown = [...types].filter((type) => !known.has(type));
  if (unknown.length > 0) print(`  not among our kinds: ${unknown.join(', ')}`);
  if (theirs !== undefined) {
    const shared = new Set([...known].filter((type) => theirs.types.has(type)));
    const both = [
      judge(texts, ours, shared),
      judge(texts, ({ id }) => theirs.findings.get(id) ?? [], shared),
    ] as const;
    print(`  types that Presidio ${theirs.version} has, too: ${[...shared].sort().join(', ')}`);
    for (const type of [...shared].sort()) {
      const [a, b] = both.map(({ byType }) =>
        ratesOf(byType.get(type) ?? { found: 0, missed: 0, falseAlarms: 0 }),
      );
      print(
        `  ${type.padEnd(24)} ours ${figure(a?.f1 ?? 0)}   Presidio P ${figure(b?.precision ?? 0)} R ${figure(b?.recall ?? 0)} F1 ${figure(b?.f1 ?? 0)}`,
      );
    }
    const [a, b] = both.map(({ byType }) => ratesOf(sumOf(byType.values())).f1);
    print(
      `  micro-F1 ours ${figure(a ?? 0)}, Presidio ${figure(b ?? 0)}; Presidio takes ${theirs.microseconds.toFixed(0)} µs a text, ${(theirs.microseconds / ourMicroseconds(texts)).toFixed(0)} times ours`,
    );
  }
  if (!flags.has('--list')) return;
  for (const { id, type, text } of own.misses) print(`  missed ${type} ${id}: ${text}`);
  for (const { id, type, text } of own.alarms) print(`  false ${type} ${id}: ${text}`);
}

for (const file of files()) report(file.split('/').at(-1) as string, labelledTexts(file));
report('sentences made here', sentences(flags.has('--quick') ? 600 : 3_000));
