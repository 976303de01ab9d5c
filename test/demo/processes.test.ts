import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProcess } from '../../demo/processes.ts';
import { projectDirectory } from '../../demo/project.ts';

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  while (isRunning(pid)) await sleep(20);
}

describe('child processes', () => {
  it('are ended when their launcher is killed', async () => {
    const module = JSON.stringify(join(projectDirectory, 'demo', 'processes.ts'));
    const launcher = await startProcess(process.execPath, [
      ...['--import', 'tsx', '--input-type=module', '-e'],
      `const { startProcess } = await import(${module});
       const child = await startProcess(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
       console.log('child ' + child.pid);
       setInterval(() => {}, 1000);`,
    ]);
    const line = await launcher.line((text) => text.startsWith('child '), 15_000);
    const pid = Number(line.split(' ')[1]);
    assert.ok(isRunning(pid));
    launcher.signal('SIGKILL');
    await launcher.exited;
    await untilGone(pid);
  });

  it('are killed when they do not end by themselves', async () => {
    const script =
      "process.on('SIGTERM', () => console.log('no')); console.log('up'); setInterval(() => {}, 99)";
    const child = await startProcess(process.execPath, ['-e', script]);
    await child.line((line) => line === 'up', 10_000);
    await child.stop(100);
    assert.equal((await child.exited).signal, 'SIGKILL');
  });

  it('say what they wrote when they end before they are ready', async () => {
    const child = await startProcess(process.execPath, ['-e', "console.error('no such policy')"]);
    await assert.rejects(
      child.line((line) => line === 'ready', 10_000),
      /no such policy/,
    );
  });

  it('that cannot be started are an error', () =>
    assert.rejects(startProcess(join(projectDirectory, 'no-such-program'), []), /ENOENT/));
});
