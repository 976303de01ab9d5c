import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KEY_BYTES, loadOrCreateKey } from '../../src/store/keys.ts';
import { temporaryDirectory } from './temporary-directory.ts';

describe('the key file', () => {
  const temporary = temporaryDirectory();
  const path = () => join(temporary(), 'data', 'key');

  it('is made once, closed to others, and then only read', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateKey(path())));
    assert.equal(keys[0]?.length, KEY_BYTES);
    assert.ok(keys[0]?.some((byte) => byte !== 0));
    for (const key of keys) assert.deepEqual(key, keys[0]);
    assert.deepEqual(await loadOrCreateKey(path()), keys[0]);
    assert.equal((await stat(path())).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(join(temporary(), 'data')), ['key']);
  });

  it('is the same for all who start at the same time', async () => {
    for (let round = 0; round < 20; round++) {
      const shared = join(temporary(), `${round}`);
      const keys = await Promise.all(Array.from({ length: 16 }, () => loadOrCreateKey(shared)));
      for (const key of keys) assert.deepEqual(key, keys[0]);
    }
  });

  it('is never replaced when it is damaged', async () => {
    await loadOrCreateKey(path());
    for (const length of [0, KEY_BYTES - 1, KEY_BYTES + 1]) {
      await writeFile(path(), new Uint8Array(length));
      await assert.rejects(loadOrCreateKey(path()), { code: 'key_damaged' });
    }
    assert.equal((await stat(path())).size, KEY_BYTES + 1);
  });

  it('names the code of the system when it refuses', async () => {
    await writeFile(join(temporary(), 'data'), '');
    await assert.rejects(loadOrCreateKey(path()), { code: 'store_io', message: /ENOTDIR|EEXIST/ });
  });
});
