/** Run as a child process: the command as its composition root would make it. */
import { main } from '../../src/cli/main.ts';
import { readFlat } from './in-process.ts';
import { signatures, trialMeans } from './means.ts';

process.exitCode = await main({
  version: '9.9.9',
  signatures,
  readPolicies: readFlat,
  trialMeans: async () => trialMeans,
  extend: (program) => {
    program.command('serve').action(() => {
      process.stdout.write('served\n');
    });
  },
});
