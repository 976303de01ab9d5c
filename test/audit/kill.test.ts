import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { auditFiles } from '../../src/audit/files.ts';
import { temporaryDirectory } from './records.ts';

describe('audit after kill -9', () => {
  it('has every denial that had returned', async () => {
    const dir = temporaryDirectory();
    const script = fileURLToPath(new URL('dying-writer.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', script, dir.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.length > 4000) child.kill('SIGKILL');
      });
      await once(child, 'close');
      assert.equal(child.signalCode, 'SIGKILL');
      const returned = said.split('\n').slice(0, -1);
      assert.ok(returned.length > 300);
      const written = new Set<string>();
      for (const path of auditFiles(dir.path)) {
        for (const line of fs.readFileSync(path, 'utf8').split('\n').slice(0, -1)) {
          written.add(JSON.parse(line).exchange);
        }
      }
      for (const exchange of returned) assert.ok(written.has(exchange), exchange);
    } finally {
      child.kill('SIGKILL');
      dir.remove();
    }
  });
});
