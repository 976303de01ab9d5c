/**
 * Plants faults one by one in a copy of the tree, and tells whether the laws, or the suites that a fault names, find
 * them: `npm run mutants`, or with a word of a file's name to try some. Not part of the tests: every fault costs a
 * run of those.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MUTANTS, type Mutant } from './mutant-list.ts';

const project = join(import.meta.dirname, '../..');
const COPIED = [
  'src',
  'test',
  'demo',
  'policies',
  'package.json',
  'tsconfig.json',
  '.mocharc.json',
];
const LAWS = ['laws/streams', 'laws/bodies', 'laws/short-streams'];

interface Effort {
  readonly suites: readonly string[];
  /** Random answers of each format. */
  readonly answers: number;
}

/** Most faults are found with little, and those that are not get more. */
const EFFORTS: readonly Effort[] = [
  { suites: LAWS.slice(0, 2), answers: 20 },
  { suites: LAWS, answers: Number(process.env.LAWS_ANSWERS ?? 150) },
];
/** The oracle is asked once an answer: of a fault that it shows every way of cutting shows something. */
const CUTTINGS = '6';

/** Whether suites fail in the tree; they stop at the first failure. */
function fails(tree: string, { suites, answers }: Effort, grep = ''): boolean {
  const mocha = join(tree, 'node_modules/mocha/bin/mocha.js');
  const args = [mocha, '--bail', '--timeout', '600000', '--grep', grep];
  const files = suites.map((suite) => `test/${suite}.test.ts`);
  const env = { ...process.env, LAWS_ANSWERS: String(answers), LAWS_CUTTINGS: CUTTINGS };
  return spawnSync(process.execPath, [...args, ...files], { cwd: tree, env }).status !== 0;
}

/** Whether the fault is found. */
function found(tree: string, { file, from, to, laws, suites }: Mutant): boolean {
  const path = join(tree, 'src', file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
  try {
    return suites === undefined
      ? EFFORTS.some((effort) => fails(tree, effort, laws))
      : fails(tree, { suites, answers: 0 });
  } finally {
    writeFileSync(path, source);
  }
}

function run(tree: string, wanted: string): number {
  const mutants = MUTANTS.filter(({ file }) => file.includes(wanted));
  const needed = new Set(mutants.flatMap(({ suites = LAWS }) => suites));
  if (fails(tree, { suites: [...needed], answers: EFFORTS[0]!.answers })) {
    process.stdout.write('the suites fail without any fault\n');
    return 1;
  }
  let survived = 0;
  for (const mutant of mutants) {
    const began = performance.now();
    const word = found(tree, mutant) ? 'found' : 'SURVIVED';
    if (word !== 'found') survived++;
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    const { file, from, to } = mutant;
    process.stdout.write(
      `${word.padEnd(8)} ${seconds.padStart(6)} s ${file}: \`${from}\` → \`${to}\`\n`,
    );
  }
  process.stdout.write(`${mutants.length - survived} of ${mutants.length} found\n`);
  return survived === 0 ? 0 : 1;
}

const tree = mkdtempSync(join(tmpdir(), 'switchyard-mutants-'));
try {
  for (const part of COPIED) cpSync(join(project, part), join(tree, part), { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(tree, 'node_modules'));
  process.exitCode = run(tree, process.argv[2] ?? '');
} finally {
  rmSync(tree, { recursive: true, force: true });
}
