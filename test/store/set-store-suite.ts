import assert from 'node:assert/strict';
import { type ActivationRecord, EMPTY_ACTIVATION } from '../../src/rollout/activation.ts';
import { sha256, sourceFile } from '../../src/store/digest.ts';
import type { SetStore } from '../../src/store/set-store.ts';

const DIGEST = sha256('one');
const OTHER = sha256('two');
const FILES = [sourceFile('a.yaml', 'a: 1\n'), sourceFile('sub/ß.yml', '\ufeff# 😀\r\nb: 2')];

export function recordAt(epoch: number): ActivationRecord {
  return {
    ...EMPTY_ACTIVATION,
    epoch,
    blue: { digest: DIGEST, files: [{ path: 'a.yaml', digest: sha256('a') }], sinceMs: 5 },
  };
}

/** What every store has to do. `open` opens the same place again. */
export function itStoresSets(open: () => Promise<SetStore>): void {
  it('gives back the files of a set, also after a restart', async () => {
    const store = await open();
    assert.equal(await store.getSet(DIGEST), undefined);
    await store.putSet(DIGEST, FILES);
    assert.deepEqual(await store.getSet(DIGEST), FILES);
    assert.deepEqual(await (await open()).getSet(DIGEST), FILES);
  });

  it('replaces the files of a digest by the newest ones', async () => {
    const store = await open();
    await store.putSet(DIGEST, FILES);
    const commented = [sourceFile('a.yaml', '# why\na: 1\n'), FILES[1]!];
    await store.putSet(DIGEST, commented);
    assert.deepEqual(await store.getSet(DIGEST), commented);
  });

  it('takes no name that is not a digest', async () => {
    const store = await open();
    for (const name of ['', 'sha256:../../x', `sha256:${'A'.repeat(64)}`, `${DIGEST}/..`]) {
      await assert.rejects(store.putSet(name, FILES), { code: 'digest_invalid' });
      await assert.rejects(store.getSet(name), { code: 'digest_invalid' });
      await assert.rejects(store.prune([name]), { code: 'digest_invalid' });
    }
  });

  it('prunes what is not kept', async () => {
    const store = await open();
    await store.putSet(DIGEST, FILES);
    await store.putSet(OTHER, []);
    assert.equal(await store.prune([OTHER, sha256('never stored')]), 1);
    assert.equal(await store.getSet(DIGEST), undefined);
    assert.deepEqual(await store.getSet(OTHER), []);
    assert.equal(await store.prune([OTHER]), 0);
  });

  it('gives back the last activation record', async () => {
    const store = await open();
    assert.equal(await store.readActivation(), undefined);
    await store.writeActivation(recordAt(1));
    await store.writeActivation(recordAt(2));
    assert.deepEqual(await store.readActivation(), { record: recordAt(2) });
    assert.deepEqual(await (await open()).readActivation(), { record: recordAt(2) });
  });

  it('refuses to write a record that it could not read', async () => {
    const store = await open();
    await store.writeActivation(recordAt(1));
    const broken = { ...recordAt(2), epoch: -1 };
    await assert.rejects(store.writeActivation(broken), { code: 'activation_damaged' });
    assert.deepEqual(await store.readActivation(), { record: recordAt(1) });
  });
}
