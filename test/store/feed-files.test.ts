import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchFeedFiles } from '../../src/store/feed-files.ts';

describe('files of feeds', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sy-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  async function watching(names: readonly string[], bytesMax = 100) {
    const told: string[] = [];
    const source = await watchFeedFiles({
      files: names.map((name) => ({ name, file: join(directory, name) })),
      bytesMax,
      pollMs: 10,
      *onText(name, text) {
        yield;
        told.push(`${name}: ${text}`);
      },
      onFault: (name, code) => void told.push(`${name}! ${code}`),
    });
    const until = async (wanted: string): Promise<void> => {
      for (let looks = 0; looks < 1_000 && told.at(-1) !== wanted; looks++) await sleep(5);
      assert.equal(told.at(-1), wanted);
    };
    return { told, source, until };
  }

  it('are read at once, and again when they change, in place or by another file', async () => {
    writeFileSync(join(directory, 'a'), 'one');
    const { told, source, until } = await watching(['a', 'b']);
    assert.deepEqual(told, ['a: one', 'b! ENOENT']);
    writeFileSync(join(directory, 'a'), 'three');
    await until('a: three');
    writeFileSync(join(directory, 'new'), 'four');
    renameSync(join(directory, 'new'), join(directory, 'b'));
    await until('b: four');
    rmSync(join(directory, 'b'));
    await until('b! ENOENT');
    await source.close();
    const before = told.length;
    writeFileSync(join(directory, 'a'), 'after the end');
    await sleep(50);
    assert.equal(told.length, before);
  });

  it('are files, and no pipe is waited for', async () => {
    execFileSync('mkfifo', [join(directory, 'a')]);
    mkdirSync(join(directory, 'b'));
    writeFileSync(join(directory, 'c'), 'one');
    const { told, source, until } = await watching(['a', 'b', 'c']);
    assert.deepEqual(told, ['a! no_regular_file', 'b! no_regular_file', 'c: one']);
    rmSync(join(directory, 'a'));
    writeFileSync(join(directory, 'a'), 'two');
    await until('a: two');
    await source.close();
  });

  it('are at most so large', async () => {
    writeFileSync(join(directory, 'a'), 'x'.repeat(100));
    writeFileSync(join(directory, 'b'), 'x'.repeat(101));
    const { told, source } = await watching(['a', 'b']);
    assert.deepEqual(told, [`a: ${'x'.repeat(100)}`, 'b! too_large']);
    await source.close();
  });
});
