import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectDirectory } from '../../demo/project.ts';
import { temporaryDirectory } from '../envoy/harness.ts';

describe('the Python clients', () => {
  it('are done without, for a reason that is said, where there is no Python', async () => {
    const empty = await temporaryDirectory();
    try {
      const script = join(projectDirectory, 'setup', 'python-clients.mjs');
      const env = { ...process.env, PATH: empty.path };
      await assert.rejects(promisify(execFile)(process.execPath, [script], { env }), {
        code: 1,
        stdout: '',
        stderr: /^switchyard: there is no Python 3 \(.*ENOENT.*\)\n$/u,
      });
    } finally {
      await empty.remove();
    }
  });
});
