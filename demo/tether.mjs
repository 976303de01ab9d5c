/**
 * Ends the processes of a launcher that died without ending them. Reads `+PID` and `-PID` lines; when its
 * input ends, which it does however the launcher died, it ends what is still listed.
 */
import { createInterface } from 'node:readline';

const GRACE_MS = 3_000;
const pids = new Set();

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    pids.delete(pid);
  }
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const pid = Number(line.slice(1));
    if (line.startsWith('+')) pids.add(pid);
    else pids.delete(pid);
  })
  .on('close', () => {
    for (const pid of pids) signal(pid, 'SIGTERM');
    const startedAt = Date.now();
    const poll = setInterval(() => {
      const name = Date.now() - startedAt > GRACE_MS ? 'SIGKILL' : 0;
      for (const pid of pids) signal(pid, name);
      if (pids.size === 0) clearInterval(poll);
    }, 50);
  });
