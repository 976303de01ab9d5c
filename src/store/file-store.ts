/**
 * The embedded store: a data directory of one server.
 *
 *     sets/<hex>.json           the files of a set, with their digests
 *     activation.json           the activation record
 *     activation.prev.json      the same, written after it: what is read when the first is damaged
 */
import { chmod, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ActivationRecord, SourceFile } from '../rollout/activation.ts';
import { parseActivation } from '../rollout/activation-schema.ts';
import { sha256 } from './digest.ts';
import { UNFINISHED_PREFIX, writeDurably } from './durable-file.ts';
import type { SetStore, StoredActivation } from './set-store.ts';
import { StoreError, systemCode } from './store-error.ts';

/** Largest stored set: what the largest directory of ordinary files comes to, and JSON.parse still takes. */
export const SET_BYTES_MAX = 256 * 1024 * 1024;

export interface FileStoreOptions {
  readonly directory: string;
  /** Default `SET_BYTES_MAX`. */
  readonly setBytesMax?: number;
}

export interface FileStore extends SetStore {
  /** What an operator should know about the directory; empty when all is well. */
  readonly warnings: readonly string[];
}

const ACTIVATION = 'activation.json';
const BACKUP = 'activation.prev.json';
const DIGEST = /^sha256:([0-9a-f]{64})$/;

/**
 * Opens the data directory, makes it when missing (mode 0700) and clears what a crash left. Throws
 * `StoreError` `store_io` when it cannot be read and written.
 */
export async function openFileStore(options: FileStoreOptions): Promise<FileStore> {
  const { directory, setBytesMax = SET_BYTES_MAX } = options;
  const sets = join(directory, 'sets');
  const warnings: string[] = [];
  await attempt('open the data directory', async () => {
    await mkdir(sets, { recursive: true, mode: 0o700 });
    for (const path of [directory, sets]) {
      if (!(await closeToOthers(path))) {
        warnings.push(`\`${path}\` is open to other users and its mode cannot be changed`);
      }
      for (const name of await readdir(path)) {
        if (name.startsWith(UNFINISHED_PREFIX)) await rm(join(path, name), { force: true });
      }
    }
  });

  const pathOf = (digest: string) => join(sets, `${hexOf(digest)}.json`);

  return {
    warnings,

    async putSet(digest, files) {
      const path = pathOf(digest);
      const content = encodeSet(digest, files);
      if (Buffer.byteLength(content) > setBytesMax) {
        throw new StoreError(
          'set_too_large',
          `set \`${digest}\` is larger than ${setBytesMax} bytes`,
        );
      }
      await attempt(`write set \`${digest}\``, async () => {
        if ((await readIfThere(path)) !== content) await writeDurably(path, content);
      });
    },

    async getSet(digest) {
      const path = pathOf(digest);
      const content = await attempt(`read set \`${digest}\``, async () => {
        const size = (await stat(path).catch(ignoreMissing))?.size ?? 0;
        if (size > setBytesMax) throw damaged(digest);
        return readIfThere(path);
      });
      return content === undefined ? undefined : decodeSet(digest, content);
    },

    async readActivation() {
      return attempt('read the activation record', () => readRecord(directory));
    },

    async writeActivation(record) {
      await attempt('write the activation record', () => writeRecord(directory, record));
    },

    async prune(keepDigests) {
      const keep = new Set([...keepDigests].map((digest) => `${hexOf(digest)}.json`));
      return attempt('prune sets', async () => {
        const names = (await readdir(sets)).filter(
          (name) => name.endsWith('.json') && !keep.has(name),
        );
        for (const name of names) await rm(join(sets, name), { force: true });
        return names.length;
      });
    },
  };
}

async function readRecord(directory: string): Promise<StoredActivation | undefined> {
  const main = await readIfThere(join(directory, ACTIVATION));
  const backup = await readIfThere(join(directory, BACKUP));
  if (main === undefined && backup === undefined) return undefined;
  const read = main === undefined ? undefined : parseActivation(main);
  if (read?.ok) return { record: read.record };
  const damage = `\`${ACTIVATION}\`: ${read?.message ?? 'it is missing'}`;
  const readBackup = backup === undefined ? undefined : parseActivation(backup);
  // A record of a newer version is not damage: going on with the older backup would lose its changes.
  const newer = read !== undefined && read.code === 'schema_unknown';
  if (!readBackup?.ok || newer) {
    const other = newer ? 'start the version that wrote it' : `\`${BACKUP}\` does not help either`;
    throw new StoreError('activation_damaged', `${damage}; ${other}`);
  }
  return { record: readBackup.record, damage: `${damage}; \`${BACKUP}\` is used` };
}

async function writeRecord(directory: string, record: ActivationRecord): Promise<void> {
  const content = JSON.stringify(record);
  const check = parseActivation(content);
  // Never replace a readable record by an unreadable one.
  if (!check.ok) throw new StoreError('activation_damaged', check.message);
  await writeDurably(join(directory, ACTIVATION), content);
  await writeDurably(join(directory, BACKUP), content);
}

interface StoredSet {
  readonly schema: 1;
  readonly digest: string;
  /** Over `files` as written: a changed byte anywhere is seen. */
  readonly integrity: string;
  readonly files: readonly SourceFile[];
}

function encodeSet(digest: string, files: readonly SourceFile[]): string {
  const plain = files.map(({ path, digest: own, text }) => ({ path, digest: own, text }));
  const stored: StoredSet = {
    schema: 1,
    digest,
    integrity: sha256(JSON.stringify(plain)),
    files: plain,
  };
  return JSON.stringify(stored);
}

function decodeSet(digest: string, content: string): readonly SourceFile[] {
  let stored: Partial<StoredSet> | null;
  try {
    stored = JSON.parse(content) as Partial<StoredSet> | null;
  } catch {
    throw damaged(digest);
  }
  if (stored?.schema !== 1 || stored.digest !== digest || !Array.isArray(stored.files)) {
    throw damaged(digest);
  }
  const files: readonly SourceFile[] = stored.files;
  if (stored.integrity !== sha256(JSON.stringify(files))) throw damaged(digest);
  if (!files.every((file) => sha256(file.text) === file.digest)) throw damaged(digest);
  return files;
}

function damaged(digest: string): StoreError {
  return new StoreError('set_damaged', `the stored files of set \`${digest}\` were changed`);
}

/** The hex of a digest; what is not one could name another file. */
function hexOf(digest: string): string {
  const hex = DIGEST.exec(digest)?.[1];
  if (hex === undefined)
    throw new StoreError('digest_invalid', 'a set digest is `sha256:` and hex');
  return hex;
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(ignoreMissing);
}

function ignoreMissing(error: unknown): undefined {
  if (systemCode(error) === 'ENOENT') return undefined;
  throw error;
}

async function closeToOthers(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return true;
  return chmod(path, 0o700).then(
    () => true,
    () => false,
  );
}

async function attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError('store_io', `cannot ${what}: ${systemCode(error)}`, { cause: error });
  }
}
