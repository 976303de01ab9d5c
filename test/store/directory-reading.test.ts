import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../src/store/digest.ts';
import {
  DIRECTORY_LIMITS,
  type DirectoryLimits,
  IGNORE_FILE,
  readDirectory,
} from '../../src/store/directory-reading.ts';
import { temporaryDirectory } from './temporary-directory.ts';

describe('a reading of a directory', () => {
  const directory = temporaryDirectory();
  const put = (path: string, content: string | Uint8Array) =>
    writeFile(join(directory(), path), content);
  const read = (limits: Partial<DirectoryLimits> = {}) =>
    readDirectory(directory(), { ...DIRECTORY_LIMITS, ...limits });
  const errors = async (limits: Partial<DirectoryLimits> = {}) =>
    (await read(limits)).errors.map(({ path, code }) => `${path} ${code}`);

  it('has every yaml and json, sorted, with digests of the bytes', async () => {
    await mkdir(join(directory(), 'sub/deep'), { recursive: true });
    await put('z.yaml', 'z');
    await put('sub/deep/a.json', '{}');
    await put('sub/b.yml', '\ufeffb');
    await put('README.md', 'no');
    await put('.hidden.yaml', 'no');
    await put('a.yaml~', 'no');
    await mkdir(join(directory(), '.git'));
    await put('.git/c.yaml', 'no');
    const reading = await read();
    assert.deepEqual(
      reading.files.map(({ path, text }) => [path, text]),
      [
        ['sub/b.yml', '\ufeffb'],
        ['sub/deep/a.json', '{}'],
        ['z.yaml', 'z'],
      ],
    );
    assert.equal(reading.files[0]?.digest, sha256(Buffer.from('\ufeffb')));
    assert.deepEqual(reading.errors, []);
  });

  it('has one fingerprint for the same content', async () => {
    await put('a.yaml', 'a');
    const first = await read();
    await rm(join(directory(), 'a.yaml'));
    await put('a.yaml', 'a');
    assert.equal((await read()).fingerprint, first.fingerprint);
    await put('a.yaml', 'b');
    assert.notEqual((await read()).fingerprint, first.fingerprint);
  });

  it('reads a ConfigMap once, through its links', async () => {
    await mkdir(join(directory(), '..2026_01'));
    await put('..2026_01/a.yaml', 'a');
    await symlink('..2026_01', join(directory(), '..data'));
    await symlink('..data/a.yaml', join(directory(), 'a.yaml'));
    assert.deepEqual(
      (await read()).files.map(({ path, text }) => [path, text]),
      [['a.yaml', 'a']],
    );
  });

  it('leaves out a folder that says so, unless it is asked for', async () => {
    await mkdir(join(directory(), 'recipes', 'more'), { recursive: true });
    await put('a.yaml', 'kind: Policy');
    await put('recipes/b.yaml', 'kind: Policy');
    await put('recipes/more/c.yaml', 'kind: Policy');
    await put(`recipes/${IGNORE_FILE}`, '');
    const paths = async (folder: string) =>
      (await readDirectory(folder)).files.map(({ path }) => path);
    assert.deepEqual(await paths(directory()), ['a.yaml']);
    assert.deepEqual(await paths(join(directory(), 'recipes')), ['b.yaml', 'more/c.yaml']);
  });

  it('does not follow a link in a circle', async () => {
    await mkdir(join(directory(), 'sub'));
    await put('sub/a.yaml', 'a');
    await symlink('..', join(directory(), 'sub/up'));
    const reading = await read();
    assert.deepEqual(
      reading.files.map(({ path }) => path),
      ['sub/a.yaml'],
    );
    assert.deepEqual(reading.errors, []);
  });

  it('names what it cannot read, and reads the rest', async () => {
    await put('fine.yaml', 'fine');
    await symlink('nowhere.yaml', join(directory(), 'dangling.yaml'));
    await symlink('loop.yaml', join(directory(), 'loop.yaml'));
    await put('latin.yaml', Buffer.from('caf\xe9', 'latin1'));
    execFileSync('mkfifo', [join(directory(), 'pipe.yaml')]);
    const reading = await read();
    assert.deepEqual(
      reading.files.map(({ path }) => path),
      ['fine.yaml'],
    );
    assert.deepEqual(
      reading.errors.map(({ path, code, message }) => `${path} ${code} ${message}`),
      [
        'dangling.yaml file_unreadable cannot be read: ENOENT',
        'latin.yaml file_not_utf8 is not utf-8; save it as such',
        'loop.yaml file_unreadable cannot be read: ELOOP',
        'pipe.yaml file_unreadable is not a regular file',
      ],
    );
  });

  it('names a file whose permissions are broken', async () => {
    await chmod(directory(), 0o755);
    await put('fine.yaml', 'fine');
    await put('shut.yaml', 'shut');
    await chmod(join(directory(), 'shut.yaml'), 0o000);
    const reading = await asNobody(() => read());
    assert.deepEqual(
      reading.errors.map(({ path, message }) => `${path} ${message}`),
      ['shut.yaml cannot be read: EACCES'],
    );
    assert.equal(reading.files.length, 1);
  });

  it('is an error, not an empty set, without the directory', async () => {
    await rm(directory(), { recursive: true });
    assert.deepEqual(await errors(), ['. directory_unreadable']);
  });

  it('has limits: files', async () => {
    for (const name of ['a', 'b', 'c']) await put(`${name}.yaml`, name);
    assert.deepEqual(await errors({ filesMax: 4 }), []);
    assert.deepEqual(await errors({ filesMax: 3 }), []);
    assert.deepEqual(await errors({ filesMax: 2 }), ['c.yaml too_many_files']);
  });

  it('has limits: bytes of a file', async () => {
    await put('a.yaml', '12345');
    assert.deepEqual(await errors({ fileBytesMax: 6 }), []);
    assert.deepEqual(await errors({ fileBytesMax: 5 }), []);
    assert.deepEqual(await errors({ fileBytesMax: 4 }), ['a.yaml file_too_large']);
  });

  it('has limits: bytes of all files', async () => {
    await put('a.yaml', '12345');
    await put('b.yaml', '12345');
    assert.deepEqual(await errors({ bytesMax: 11 }), []);
    assert.deepEqual(await errors({ bytesMax: 10 }), []);
    assert.deepEqual(await errors({ bytesMax: 9 }), ['b.yaml directory_too_large']);
  });

  it('has limits: depth', async () => {
    await mkdir(join(directory(), 'a/b'), { recursive: true });
    await put('a/b/c.yaml', 'c');
    assert.deepEqual(await errors({ depthMax: 3 }), []);
    assert.deepEqual(await errors({ depthMax: 2 }), []);
    assert.deepEqual(await errors({ depthMax: 1 }), ['a/b directory_too_deep']);
  });
});

/** Root may read everything: for the while of `action`, be somebody else. */
async function asNobody<T>(action: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return action();
  process.seteuid?.(65_534);
  try {
    return await action();
  } finally {
    process.seteuid?.(0);
  }
}
