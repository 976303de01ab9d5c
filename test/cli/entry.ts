/** Run as a child process: the command as its composition root would make it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { main } from '../../src/cli/main.ts';
import { signatures, trialMeans } from './means.ts';

process.exitCode = await main({
  version: '9.9.9',
  signatures,
  readPolicies: async (directory) => ({
    files: await Promise.all(
      (await readdir(directory)).map(async (path) => ({
        path,
        text: await readFile(join(directory, path), 'utf8'),
      })),
    ),
    errors: [],
  }),
  trialMeans: async () => trialMeans,
  extend: (program) => {
    program.command('serve').action(() => {
      process.stdout.write('served\n');
    });
  },
});
