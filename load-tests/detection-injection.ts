/**
 * How well injection is found: `npm run detection:injection [-- --list] [--threshold=0.8] [FILE...]`. Labelled texts are
 * the files named (one JSON object a line: `text`, `label`, `kind`), or those of the directory SWITCHYARD_CORPORA, and
 * the sentences of injection-held-out.ts and detection/injection-sets.ts. Each text is read as a user's, a tool's and a
 * document's words. `--list` never names those of the half that is held out.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { injectionDetector } from '../src/match/injection/injection.ts';
import { scoreOf, type Trust } from '../src/match/signals.ts';
import { matchesIn } from '../src/match/whole-text.ts';
import { OWN_TEXTS } from './detection/injection-sets.ts';
import { HELD_OUT } from './injection-held-out.ts';

interface Labelled {
  readonly text: string;
  readonly attack: boolean;
  readonly kind: string;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const flags = process.argv.slice(2).filter((one) => one.startsWith('--'));
const named = process.argv.slice(2).filter((one) => !one.startsWith('--'));
const list = flags.includes('--list');
const threshold = Number(
  flags.find((one) => one.startsWith('--threshold='))?.slice('--threshold='.length) ?? 0.8,
);
const directory = `${process.env.SWITCHYARD_CORPORA ?? ''}/injection`;
const detector = injectionDetector({ threshold });

function files(): readonly string[] {
  if (named.length > 0) return named;
  if (existsSync(directory))
    return readdirSync(directory)
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => `${directory}/${name}`);
  print('only our own sentences: name files, or set SWITCHYARD_CORPORA to their directory');
  return [];
}

const rowsOf = (path: string): readonly Labelled[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { text: string; label: string; kind: string })
    .map(({ text, label, kind }) => ({ text, attack: label !== 'benign', kind }));

function score(text: string, trust: Trust): number {
  const [tracker] = detector.start({ trust, carried: 0 });
  if (tracker) matchesIn([tracker], text);
  return scoreOf(tracker?.evidence ?? 0);
}

function report(
  name: string,
  rows: readonly Labelled[],
  trusts: readonly Trust[],
  listed = list,
): void {
  for (const trust of trusts) {
    print(`\n${name}, as of ${trust}:`);
    const kinds = new Map<string, [flagged: number, all: number]>();
    for (const { text, attack, kind } of rows) {
      const reached = score(text, trust);
      const flagged = reached >= threshold;
      for (const key of [
        attack ? 'ATTACKS' : 'HARMLESS',
        `  ${attack ? '' : 'harmless '}${kind}`,
      ]) {
        const [count, all] = kinds.get(key) ?? [0, 0];
        kinds.set(key, [count + Number(flagged), all + 1]);
      }
      if (listed && flagged !== attack)
        print(
          `  ${attack ? 'missed' : 'false '} ${reached.toFixed(2)} ${JSON.stringify(text.slice(0, 100))}`,
        );
    }
    for (const [kind, [flagged, all]] of [...kinds].sort(([a], [b]) => (a < b ? 1 : -1)))
      print(`  ${kind.padEnd(48)} ${flagged}/${all} = ${(flagged / all).toFixed(3)}`);
  }
}

const EVERYBODY: readonly Trust[] = ['user', 'tool_result', 'retrieved'];
for (const path of files()) report(path.split('/').at(-1) ?? path, rowsOf(path), EVERYBODY);
const held = (from: string): readonly Labelled[] =>
  HELD_OUT.filter((one) => one.from === from).map(({ text, attack }) => ({
    text,
    attack,
    kind: from,
  }));
report('held out', held('user'), ['user']);
report('held out', held('third party'), ['tool_result', 'retrieved']);

for (const heldOut of [false, true])
  for (const from of ['user', 'third party'] as const)
    report(
      `our own, ${heldOut ? 'held out' : 'to develop against'}, from a ${from}`,
      OWN_TEXTS.filter((one) => one.heldOut === heldOut && one.from === from),
      from === 'user' ? ['user'] : ['tool_result', 'retrieved'],
      list && !heldOut,
    );
