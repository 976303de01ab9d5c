/** What the library takes along: no sockets, no files, no server. */
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { readProjectFile } from './project-files.ts';

/** Time, digests, and inflating, on a thread where it is much; nothing that reaches outside of the process. */
const BUILTINS = [
  'node:buffer',
  'node:crypto',
  'node:perf_hooks',
  'node:worker_threads',
  'node:zlib',
];
const SPECIFIERS = /^(?:import|export)\s(?!type\s)[^;]*?from\s+'([^']+)';/gmsu;

/** Everything that is loaded with a file of `src`. */
function loadedWith(entry: string): { files: ReadonlySet<string>; outside: ReadonlySet<string> } {
  const files = new Set([entry]);
  const outside = new Set<string>();
  for (const file of files)
    for (const [, specifier = ''] of readProjectFile(file).matchAll(SPECIFIERS))
      if (specifier.startsWith('.')) files.add(posix.join(posix.dirname(file), specifier));
      else outside.add(specifier);
  return { files, outside };
}

describe('the library', () => {
  it('loads nothing that opens a socket or a file', () => {
    const { files, outside } = loadedWith('src/library.ts');
    assert.ok(files.size > 200, `${files.size} files`);
    const builtins = [...outside].filter((specifier) => specifier.startsWith('node:'));
    assert.deepEqual(builtins.sort(), BUILTINS);
    const folders = new Set([...files].map((file) => file.split('/')[1]));
    for (const folder of ['admin', 'audit', 'cli', 'telemetry'])
      assert.ok(!folders.has(folder), folder);
    assert.ok(![...outside].some((name) => /grpc|chokidar|pino|prom-client|commander/u.test(name)));
  });

  it('is told from the server, which does', () => {
    const { outside } = loadedWith('src/main.ts');
    assert.ok(outside.has('node:fs'));
    assert.ok(outside.has('@grpc/grpc-js') || outside.has('commander'));
  });
});
