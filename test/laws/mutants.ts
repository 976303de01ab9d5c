/**
 * Plants faults one by one in a copy of the tree, and tells whether the laws find them: `npm run mutants`, or
 * with a word of a file's name to try some. Not part of the tests: every fault costs one run of the laws.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Mutant {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Which suites, by their names; all streams unless told. */
  readonly laws?: string;
}

/** Nothing is planted: what fails here fails for another reason. */
const NONE: Mutant = { file: 'match/union-run.ts', from: '', to: '' };

const MUTANTS: readonly Mutant[] = [
  { file: 'match/union-run.ts', from: 'at - 1 - age, end, at', to: 'at - age, end, at' },
  { file: 'match/union-run.ts', from: 'aged + CONTEXT_UNITS', to: 'aged' },
  {
    file: 'match/keywords.ts',
    from: 'thread.spaces > SPACE_RUN_MAX',
    to: 'thread.spaces >= SPACE_RUN_MAX',
  },
  { file: 'match/keywords.ts', from: 'thread.unsureEnd = at + 1;', to: 'thread.unsureEnd = at;' },
  {
    file: 'match/regex-tracker.ts',
    from: 'end - start + more <= this.unitsCap',
    to: 'end - start + more < this.unitsCap',
  },
  { file: 'match/email.ts', from: 'this.labelUnits >= 2', to: 'this.labelUnits >= 3' },
  {
    file: 'match/card.ts',
    from: 'lengths >= bitOf(digits + 1)',
    to: 'lengths >= bitOf(digits + 2)',
  },
  {
    file: 'formats/sse.ts',
    from: 'if (completesCrlf) return false;',
    to: 'if (completesCrlf) return this.#lineIsEmpty;',
  },
  {
    file: 'formats/json-frame.ts',
    from: 'const shift = line.rawStart - line.dataStart;',
    to: 'const shift = line.rawStart - line.dataStart + 1;',
  },
  {
    file: 'formats/json-stream.ts',
    from: 'only.rawStart + only.length',
    to: 'only.rawStart + only.length - 1',
  },
  {
    file: 'formats/ndjson.ts',
    from: 'frames.push(this.#frame(start, at + 1));',
    to: 'frames.push(this.#frame(start, at));',
    laws: 'ndjson',
  },
  {
    file: 'formats/json-elements.ts',
    from: 'elements.push(this.#cut(start, at + 1,',
    to: 'elements.push(this.#cut(start, at,',
    laws: 'gemini',
  },
  {
    file: 'engine/inspection.ts',
    from: 'span.end > span.track.settled',
    to: 'span.end > span.track.settled + 1',
  },
  {
    file: 'engine/inspection.ts',
    from: 'span.end > span.track.settled',
    to: 'span.end >= span.track.settled',
  },
  {
    file: 'engine/text-track.ts',
    from: 'match.start < this.clusterEnd',
    to: 'match.start <= this.clusterEnd',
  },
  {
    file: 'formats/chat-answer.ts',
    from: 'const finished = choices.filter(',
    to: 'const finished = choices.slice(1).filter(',
    laws: 'chat',
  },
  {
    file: 'formats/responses-events.ts',
    from: 'ends.push(prefix);',
    to: "ends.push(prefix + '/');",
    laws: 'responses',
  },
  {
    file: 'formats/anthropic-events.ts',
    from: 'const key = `block/',
    to: 'const key = `block/0',
    laws: 'anthropic',
  },
  {
    file: 'formats/gemini-body.ts',
    from: 'this.#candidate = index;',
    to: 'this.#candidate = 0;',
    laws: 'gemini',
  },
  {
    file: 'formats/json-frame.ts',
    from: ': literal.start + 1;',
    to: ': literal.start + 2;',
    laws: 'mcp',
  },
  {
    file: 'formats/text.ts',
    from: 'length - incompleteTail(this.#pending.view, length)',
    to: 'length - Math.max(0, incompleteTail(this.#pending.view, length) - 1)',
    laws: 'text',
  },
  {
    file: 'formats/generic-events.ts',
    from: 'edits.length === 0',
    to: 'edits.length <= 1',
    laws: 'sse',
  },
];

const project = join(import.meta.dirname, '../..');

/** Whether the laws fail in a copy of the tree with the fault; undefined where there is nothing to plant it in. */
function found({ file, from, to, laws = '' }: Mutant): boolean | undefined {
  const copy = mkdtempSync(join(tmpdir(), 'switchyard-mutant-'));
  try {
    for (const part of [
      'src',
      'test/laws',
      'test/engine',
      'package.json',
      'tsconfig.json',
      '.mocharc.json',
    ])
      cpSync(join(project, part), join(copy, part), { recursive: true });
    symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'));
    const path = join(copy, 'src', file);
    const source = readFileSync(path, 'utf8');
    if (!source.includes(from)) return undefined;
    writeFileSync(
      path,
      source.replace(from, () => to),
    );
    const mocha = join(copy, 'node_modules/mocha/bin/mocha.js');
    const args = [mocha, '--bail', '--timeout', '600000', '--grep', laws];
    const suites = ['short-streams', 'streams', 'bodies'].map(
      (name) => `test/laws/${name}.test.ts`,
    );
    const env = { ...process.env, LAWS_ANSWERS: process.env.LAWS_ANSWERS ?? '60' };
    return spawnSync(process.execPath, [...args, ...suites], { cwd: copy, env }).status !== 0;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const wanted = process.argv[2] ?? '';
let survived = 0;
if (wanted === '' && found(NONE) !== false) {
  process.stdout.write('the laws fail without any fault\n');
  process.exit(1);
}
for (const mutant of MUTANTS.filter(({ file }) => file.includes(wanted))) {
  const outcome = found(mutant);
  const word = outcome === undefined ? 'nothing to plant it in' : outcome ? 'found' : 'SURVIVED';
  if (outcome !== true) survived++;
  process.stdout.write(
    `${word.padEnd(10)} ${mutant.file}: \`${mutant.from}\` → \`${mutant.to}\`\n`,
  );
}
process.exitCode = survived === 0 ? 0 : 1;
