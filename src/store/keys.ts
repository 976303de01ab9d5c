import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory, UNFINISHED_PREFIX } from './durable-file.ts';
import { StoreError, systemCode } from './store-error.ts';

/** 16 for SipHash (cohorts, docs/reference/cohorts.md), 16 for every other keyed hash. */
export const KEY_BYTES = 32;

/**
 * The key of this deployment, made once (mode 0600) and then only read: it decides every cohort. Two starts
 * at the same time get the same key. Throws `StoreError`: `key_damaged` when the file has another length
 * (never replaced: that would move every session), `store_io` when the system refuses.
 */
export async function loadOrCreateKey(path: string): Promise<Uint8Array> {
  try {
    return (await readKey(path)) ?? (await createKey(path));
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError('store_io', `cannot read or make the key file: ${systemCode(error)}`, {
      cause: error,
    });
  }
}

async function readKey(path: string): Promise<Uint8Array | undefined> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (bytes !== undefined && bytes.length !== KEY_BYTES) {
    const message = `the key file has ${bytes.length} bytes in place of ${KEY_BYTES}; restore it`;
    throw new StoreError('key_damaged', message);
  }
  return bytes === undefined ? undefined : new Uint8Array(bytes);
}

async function createKey(path: string): Promise<Uint8Array> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const unfinished = join(directory, `${UNFINISHED_PREFIX}${randomBytes(8).toString('hex')}`);
  const file = await open(unfinished, 'wx', 0o600);
  try {
    await file.writeFile(randomBytes(KEY_BYTES));
    await file.sync();
    // A link, unlike a rename, does not replace the key of somebody who was faster.
    await link(unfinished, path).catch((error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error;
    });
  } finally {
    await file.close();
    await rm(unfinished, { force: true });
  }
  await syncDirectory(directory);
  const key = await readKey(path);
  if (key === undefined) throw new StoreError('key_damaged', 'the key file went away');
  return key;
}
