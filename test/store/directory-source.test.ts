import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DirectoryReading } from '../../src/store/directory-reading.ts';
import {
  DEBOUNCE_MS_MAX,
  type DirectorySource,
  type DirectorySourceOptions,
  watchDirectory,
} from '../../src/store/directory-source.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** How each watcher is told: by events alone (polling too slow to matter), by polling alone. */
const WAYS: readonly [string, Partial<DirectorySourceOptions>][] = [
  ['events', { pollMs: 3_600_000 }],
  ['polling', { events: false, pollMs: 20, reconcileMs: 100 }],
];

for (const [way, options] of WAYS) {
  describe(`a watched directory, by ${way}`, () => {
    const directory = temporaryDirectory();
    const at = (path: string) => join(directory(), path);
    let source: DirectorySource;
    let readings: DirectoryReading[];
    let told: () => void;

    beforeEach(async () => {
      readings = [];
      told = () => {};
      await writeFile(at('a.yaml'), 'first');
      source = await watchDirectory({
        directory: directory(),
        debounceMs: 80,
        ...options,
        onChange: (reading) => {
          readings.push(reading);
          told();
        },
      });
    });
    afterEach(() => source.close());

    /** Waits until the newest reading says `expected` (`path=text` words, errors as `path!code`). */
    async function seen(expected: string): Promise<void> {
      const newest = () => words(readings.at(-1));
      while (newest() !== expected) {
        await new Promise<void>((resolve) => {
          told = resolve;
        });
      }
    }

    it('begins with what is there', () => {
      assert.equal(words(source.current), 'a.yaml=first');
      assert.ok(source.lastReadMs > 0);
      assert.deepEqual(readings, []);
    });

    it('sees a save, a new file in a new folder, a deletion', async () => {
      await writeFile(at('a.yaml'), 'second');
      await seen('a.yaml=second');
      await mkdir(at('sub/deep'), { recursive: true });
      await writeFile(at('sub/deep/b.json'), '{}');
      await seen('a.yaml=second sub/deep/b.json={}');
      await rm(at('a.yaml'));
      await seen('sub/deep/b.json={}');
      assert.equal(words(source.current), 'sub/deep/b.json={}');
    });

    it('sees an atomic save by rename', async () => {
      await writeFile(at('.a.yaml.tmp'), 'second');
      await rename(at('.a.yaml.tmp'), at('a.yaml'));
      await seen('a.yaml=second');
      assert.equal(readings.length, 1);
    });

    it('sees an editor save (backup, truncate, write in pieces) once, and whole', async () => {
      await rename(at('a.yaml'), at('a.yaml~'));
      await writeFile(at('a.yaml'), '');
      for (const piece of ['sec', 'ond', ' time'])
        await writeFile(at('a.yaml'), piece, { flag: 'a' });
      await truncate(at('a.yaml'), 6);
      await seen('a.yaml=second');
      assert.deepEqual(readings.map(words), ['a.yaml=second']);
    });

    it('sees the swap of a ConfigMap as one save', async () => {
      await rm(at('a.yaml'));
      await mkdir(at('..one'));
      await writeFile(at('..one/a.yaml'), 'one');
      await writeFile(at('..one/b.yaml'), 'one');
      await symlink('..one', at('..data'));
      await symlink('..data/a.yaml', at('a.yaml'));
      await symlink('..data/b.yaml', at('b.yaml'));
      await seen('a.yaml=one b.yaml=one');
      const before = readings.length;
      for (const version of ['two', 'three']) {
        await mkdir(at(`..${version}`));
        await writeFile(at(`..${version}/a.yaml`), version);
        await writeFile(at(`..${version}/b.yaml`), version);
        await symlink(`..${version}`, at('..data_tmp'));
        await rename(at('..data_tmp'), at('..data'));
        await seen(`a.yaml=${version} b.yaml=${version}`);
      }
      assert.deepEqual(readings.slice(before).map(words), [
        'a.yaml=two b.yaml=two',
        'a.yaml=three b.yaml=three',
      ]);
    });

    it('tells of a file that it cannot read, and when it can again', async () => {
      await writeFile(at('latin.yaml'), Buffer.from([0xe9]));
      await seen('a.yaml=first latin.yaml!file_not_utf8');
      await rm(at('latin.yaml'));
      await seen('a.yaml=first');
    });

    it('says nothing when bytes stay the same', async () => {
      await writeFile(at('a.yaml'), 'first');
      await writeFile(at('notes.txt'), 'not a policy');
      await writeFile(at('b.yaml'), 'b');
      await seen('a.yaml=first b.yaml=b');
      assert.equal(readings.length, 1);
    });

    it('says nothing after it was closed', async () => {
      await source.close();
      await writeFile(at('a.yaml'), 'late');
      await new Promise((resolve) => setTimeout(resolve, 150));
      assert.deepEqual(readings, []);
      assert.equal(words(await source.read()), 'a.yaml=late');
    });
  });
}

describe('a watched directory', () => {
  const directory = temporaryDirectory();

  it('hands on nothing that is still being written, however long that takes', async () => {
    const path = join(directory(), 'a.yaml');
    const readings: string[] = [];
    let told = () => {};
    const source = await watchDirectory({
      directory: directory(),
      debounceMs: DEBOUNCE_MS_MAX / 3,
      onChange: (reading) => {
        readings.push(words(reading));
        told();
      },
    });
    try {
      // The writer and the watcher share one thread: a slow machine stops both.
      for (let i = 0; i < 90; i++) {
        writeFileSync(path, `half ${i}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      const whole = new Promise<void>((resolve) => {
        told = resolve;
      });
      writeFileSync(path, 'whole');
      await whole;
      assert.deepEqual(readings, ['a.yaml=whole']);
    } finally {
      await source.close();
    }
  });

  it('may come later', async () => {
    const path = join(directory(), 'later');
    let seen: (reading: DirectoryReading) => void = () => {};
    const change = new Promise<DirectoryReading>((resolve) => {
      seen = resolve;
    });
    const source = await watchDirectory({
      directory: path,
      debounceMs: 10,
      pollMs: 20,
      onChange: (reading) => {
        if (reading.files.length > 0) seen(reading);
      },
    });
    assert.equal(words(source.current), '.!directory_unreadable');
    await mkdir(path);
    await writeFile(join(path, 'a.yaml'), 'a');
    try {
      assert.equal(words(await change), 'a.yaml=a');
    } finally {
      await source.close();
    }
  });
});

function words(reading: DirectoryReading | undefined): string {
  if (reading === undefined) return '';
  return [
    ...reading.files.map(({ path, text }) => `${path}=${text}`),
    ...reading.errors.map(({ path, code }) => `${path}!${code}`),
  ].join(' ');
}
