import assert from 'node:assert/strict';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256, sourceFile } from '../../src/store/digest.ts';
import { openFileStore } from '../../src/store/file-store.ts';
import { itStoresSets, recordAt } from './set-store-suite.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const DIGEST = sha256('set');

describe('the file store', () => {
  const temporary = temporaryDirectory();
  const data = () => join(temporary(), 'data');
  const open = () => openFileStore({ directory: data() });
  const setPath = () => join(data(), 'sets', `${DIGEST.slice(7)}.json`);

  itStoresSets(open);

  it('is closed to others', async () => {
    const store = await open();
    await store.putSet(DIGEST, []);
    await store.writeActivation(recordAt(1));
    const mode = async (path: string) => (await stat(path)).mode & 0o777;
    assert.equal(await mode(data()), 0o700);
    assert.equal(await mode(join(data(), 'sets')), 0o700);
    assert.equal(await mode(setPath()), 0o600);
    assert.equal(await mode(join(data(), 'activation.json')), 0o600);
    await chmod(data(), 0o755);
    assert.deepEqual((await open()).warnings, []);
    assert.equal(await mode(data()), 0o700);
  });

  it('sees every changed byte of a set', async () => {
    const store = await open();
    await store.putSet(DIGEST, [sourceFile('a.yaml', 'block: everything')]);
    const whole = await readFile(setPath(), 'utf8');
    const changes = [
      whole.replace('everything', 'nothing'),
      whole.replace('a.yaml', 'b.yaml'),
      whole.replace(DIGEST, sha256('other')),
      whole.slice(0, -3),
      'null',
      '',
    ];
    for (const changed of changes) {
      assert.notEqual(changed, whole);
      await writeFile(setPath(), changed);
      await assert.rejects(store.getSet(DIGEST), { code: 'set_damaged' });
    }
    await store.putSet(DIGEST, [sourceFile('a.yaml', 'block: everything')]);
    assert.equal((await store.getSet(DIGEST))?.length, 1);
  });

  it('has a largest set', async () => {
    const files = [sourceFile('a.yaml', 'x'.repeat(100))];
    await (await open()).putSet(DIGEST, files);
    const bytes = (await stat(setPath())).size;
    const at = (setBytesMax: number) => openFileStore({ directory: data(), setBytesMax });
    await (await at(bytes + 1)).putSet(DIGEST, files);
    await (await at(bytes)).putSet(DIGEST, files);
    assert.deepEqual(await (await at(bytes)).getSet(DIGEST), files);
    await assert.rejects((await at(bytes - 1)).putSet(DIGEST, files), { code: 'set_too_large' });
    await assert.rejects((await at(bytes - 1)).getSet(DIGEST), { code: 'set_damaged' });
  });

  it('reads the backup of a damaged activation record, and says so', async () => {
    const store = await open();
    await store.writeActivation(recordAt(1));
    await store.writeActivation(recordAt(2));
    const path = join(data(), 'activation.json');
    for (const [damage, words] of [
      ['{"schema":1,"epo', /not json/],
      ['{"schema":1,"epoch":2}', /wrong at/],
      [JSON.stringify({ ...recordAt(3), epoch: 'three' }), /wrong at `\/epoch`/],
    ] as const) {
      await writeFile(path, damage);
      const stored = await store.readActivation();
      assert.deepEqual(stored?.record, recordAt(2));
      assert.match(stored?.damage ?? '', words);
    }
  });

  it('does not guess when the backup is damaged too, or the record is of a newer version', async () => {
    const store = await open();
    await store.writeActivation(recordAt(1));
    await writeFile(join(data(), 'activation.json'), JSON.stringify({ schema: 2 }));
    await assert.rejects(store.readActivation(), {
      code: 'activation_damaged',
      message: /schema 2/,
    });
    await writeFile(join(data(), 'activation.json'), 'x');
    await writeFile(join(data(), 'activation.prev.json'), 'y');
    await assert.rejects(store.readActivation(), { code: 'activation_damaged' });
  });

  it('clears what a crash left', async () => {
    await open();
    await writeFile(join(data(), '.unfinished-0123'), 'half');
    await writeFile(join(data(), 'sets', '.unfinished-4567'), 'half');
    await open();
    assert.deepEqual(await readdir(join(data(), 'sets')), []);
    assert.deepEqual(await readdir(data()), ['sets']);
  });

  it('names the code of the system when it refuses', async () => {
    await writeFile(data(), 'a file where the directory should be');
    await assert.rejects(open(), { code: 'store_io', message: /EEXIST|ENOTDIR/ });
  });
});
