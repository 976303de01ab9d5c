/** What a server wrote about its exchanges and its changes, in the order in which it did. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditFiles } from '../../src/audit/files.ts';
import type { FoundRecord } from '../../src/audit/reader.ts';
import type { DecisionRecord, TransitionRecord } from '../../src/audit/record.ts';

type Written<Kind> = Kind & Pick<FoundRecord, 'run' | 'seq'>;

export interface WrittenRecords {
  readonly decisions: readonly Written<DecisionRecord>[];
  readonly transitions: readonly Written<TransitionRecord>[];
}

/**
 * All records in a data directory. Allowed exchanges are written a moment after their end, so ask again
 * until what you wait for is there. A line torn by SIGKILL is left out.
 */
export function writtenRecords(dataDirectory: string): WrittenRecords {
  const decisions: Written<DecisionRecord>[] = [];
  const transitions: Written<TransitionRecord>[] = [];
  for (const path of auditFiles(join(dataDirectory, 'decisions'))) {
    const lines = readFileSync(path, 'utf8').split('\n');
    // What follows the last newline was not written to its end.
    for (const line of lines.slice(0, -1)) {
      const record = JSON.parse(line) as FoundRecord;
      if (record.kind === 'transition') transitions.push(record);
      else decisions.push(record);
    }
  }
  return { decisions, transitions };
}
