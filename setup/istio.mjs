/** `npm run test:istio`: Istio's own checks of `istio/`, where `istioctl` is on the machine. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectDirectory, runVisibly } from './project.mjs';

const directory = join(projectDirectory, 'istio');
const istioctl = process.env.SWITCHYARD_ISTIOCTL ?? 'istioctl';

// `mesh.yaml` is input of `istioctl install` and no resource that these commands know.
const files = readdirSync(directory)
  .filter((name) => name.endsWith('.yaml') && name !== 'mesh.yaml')
  .map((name) => join(directory, name));

const commands = [
  ['validate', ...files.flatMap((file) => ['-f', file])],
  ['analyze', '--use-kube=false', ...files],
];

const counts = { passed: 0, failed: 0, skipped: 0 };
if (spawnSync(istioctl, ['version', '--remote=false']).status !== 0) {
  const wayOn = 'put it on the PATH or name it in SWITCHYARD_ISTIOCTL';
  process.stdout.write(`skip istio: no istioctl here; ${wayOn}\n`);
  counts.skipped = commands.length;
} else
  for (const args of commands) {
    const status = await runVisibly(istioctl, args);
    process.stdout.write(`${status === 0 ? '  ok' : 'FAIL'} istioctl ${args[0]}\n`);
    if (status === 0) counts.passed++;
    else counts.failed++;
  }
process.stdout.write(
  `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`,
);
process.exitCode = counts.failed === 0 ? 0 : 1;
