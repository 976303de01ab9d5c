/** Run as a child process: denies and reports each denial after it returned, until it is killed. */
import { writeSync } from 'node:fs';
import { openAuditWriter } from '../../src/audit/writer.ts';
import { decision } from './records.ts';

const writer = openAuditWriter({ dir: process.argv[2]!, rotateBytes: 20_000, retainFiles: 10_000 });
for (let index = 0; index < 100_000; index += 1) {
  writer.allowed(decision(`allow-${index}`, { verdict: 'allow' }));
  writer.denied(decision(`deny-${index}`));
  writeSync(1, `deny-${index}\n`);
}
