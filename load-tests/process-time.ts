import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
/** Fields of `proc_pid_stat(5)` after the name, which may itself hold blanks and brackets. */
const USER_FIELD = 11;
const SYSTEM_FIELD = 12;

/** CPU time of a process and all its threads, in ms, to one tick of the kernel (10 ms). Linux only. */
export function processTimeMs(pid: number): number {
  const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[USER_FIELD]) + Number(fields[SYSTEM_FIELD]);
  return (ticks * 1_000) / ticksPerSecond;
}
