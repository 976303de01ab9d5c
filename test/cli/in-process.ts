/** The command in this process, and what it writes and ends with. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyReading } from '../../src/cli/compile.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { runProgram } from '../../src/cli/run.ts';
import { nothing } from '../../src/cli/trial/run.ts';
import { signatures, trialMeans } from './means.ts';

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Where policies come from, and whatever else the command is to be told. */
type Given = Pick<Parameters<typeof buildProgram>[0], 'readPolicies'> &
  Partial<Parameters<typeof buildProgram>[0]>;

export async function runCommand(words: readonly string[], given: Given): Promise<Run> {
  let out = '';
  let err = '';
  const writeError = (text: string): void => {
    err += text;
  };
  const program = buildProgram({
    version: '1.2.3',
    env: {},
    write: (text) => {
      out += text;
    },
    writeError,
    signatures,
    trial: {
      means: async () => trialMeans,
      standardInput: nothing,
      writeBytes() {},
      terminal: { out: false, error: false },
    },
    ...given,
  });
  const code = await runProgram(program, words, writeError);
  return { code, out, err };
}

/** The files of a directory that has no other directories. */
export async function readFlat(directory: string): Promise<PolicyReading> {
  const names = await readdir(directory);
  const texts = names.map((name) => readFile(join(directory, name), 'utf8'));
  const files = (await Promise.all(texts)).map((text, index) => ({ path: names[index]!, text }));
  return { files, errors: [] };
}
