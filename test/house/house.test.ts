import assert from 'node:assert/strict';
import { emptyNames, machineTrace } from './names.ts';
import { projectFiles, readProjectFile } from './project-files.ts';

const OWN_WORDS = 'test/house/names.ts';

describe('house rules', () => {
  it('has no file or folder whose name says nothing', () => {
    assert.deepEqual(
      projectFiles().filter((path) => emptyNames(path).length > 0),
      [],
    );
  });

  it('finds such names, and only such', () => {
    for (const path of [
      'src/utils/a.ts',
      'src/a/stringHelpers.ts',
      'src/swap-manager.ts',
      'common.ts',
    ])
      assert.equal(emptyNames(path).length, 1, path);
    for (const path of ['src/policy/set.ts', 'docs/uncommon.md', 'src/engine/control.ts'])
      assert.deepEqual(emptyNames(path), []);
  });

  it('names no registry host and no path of a machine in any file', () => {
    const traces = projectFiles()
      .filter((path) => path !== OWN_WORDS && path !== 'test/house/house.test.ts')
      .map((path) => [path, machineTrace(readProjectFile(path))] as const)
      .filter(([, trace]) => trace !== '');
    assert.deepEqual(traces, []);
  });

  it('finds such traces', () => {
    for (const text of [
      'https://registry.npmjs.org/x',
      'see pypi.org',
      'cd /root/work',
      '"/home/ann/x"',
    ])
      assert.notEqual(machineTrace(text), '', text);
    for (const text of ['a registry of rules', 'npm install', 'path: /healthz', 'the root/ folder'])
      assert.equal(machineTrace(text), '', text);
  });

  it('locks versions without addresses', () => {
    const lock = JSON.parse(readProjectFile('package-lock.json')) as {
      packages: Record<
        string,
        { resolved?: string; integrity?: string; version?: string; link?: boolean }
      >;
    };
    for (const [path, entry] of Object.entries(lock.packages)) {
      assert.equal(entry.resolved, undefined, path);
      if (path !== '') assert.match(entry.integrity ?? '', /^sha512-/, path);
    }
  });

  it('pins every direct dependency exactly, and gives its reason', () => {
    const manifest = JSON.parse(readProjectFile('package.json')) as Record<
      string,
      Record<string, string>
    >;
    const reasons = readProjectFile('docs/dependencies.md');
    const direct = { ...manifest.dependencies, ...manifest.devDependencies };
    assert.ok(Object.keys(direct).length > 0);
    for (const [name, version] of Object.entries(direct)) {
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
      assert.ok(reasons.includes(`\`${name}\``), `docs/dependencies.md says nothing about ${name}`);
    }
  });
});
