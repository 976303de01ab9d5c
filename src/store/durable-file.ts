import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Begins the name of a file that is being written; what a crash leaves behind is recognised by it. */
export const UNFINISHED_PREFIX = '.unfinished-';

/**
 * Replaces `path` so that a crash or a power loss at any moment leaves the old bytes or the new ones:
 * temporary file, fsync, rename, fsync of the directory. Mode 0600.
 */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const directory = dirname(path);
  const unfinished = join(directory, `${UNFINISHED_PREFIX}${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(unfinished, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  await syncDirectory(directory);
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
