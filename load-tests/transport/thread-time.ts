import { readdirSync, readFileSync } from 'node:fs';

/**
 * Time that the threads of a process have run, in ns, by the scheduler's own accounts: finer than the ticks of
 * `/proc/PID/stat`. A thread that ended takes its time along. Linux only.
 */
export function threadTimeNs(pid: number): number {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // It ended meanwhile.
    }
  }
  return sum;
}
