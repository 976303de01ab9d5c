/** Where a server listens, and what has to be right on disk before it does. */
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, rename, rmdir, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';

export interface TlsMaterial {
  /** PEM. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** PEM of those who may sign client certificates; needed with `requireClientCert`. */
  readonly ca?: Buffer;
  readonly requireClientCert?: boolean;
}

export type ListenAddress =
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly tls?: TlsMaterial;
    }
  /** `mode`: permission bits of the socket, e.g. 0o660. */
  | { readonly kind: 'unix'; readonly path: string; readonly mode: number };

export class ListenError extends Error {
  readonly code: 'address_in_use' | 'not_a_socket' | 'ca_missing' | 'bind_failed';
  constructor(code: ListenError['code'], address: string) {
    super(`cannot listen on \`${address}\`: ${code}`);
    this.name = 'ListenError';
    this.code = code;
  }
}

/** A socket that is bound where nobody may enter, and moved to its path once its mode is right. */
export interface StagedSocket {
  readonly bindPath: string;
  /** After the bind. Replaces a dead socket in one step; nobody ever sees one with a wider mode. */
  publish(): Promise<void>;
  /** Removes the socket, if it is still ours. */
  remove(): Promise<void>;
}

/** Throws ListenError when something else, or somebody alive, is at `path`. */
export async function stageSocket(path: string, mode: number): Promise<StagedSocket> {
  await refuseOccupied(path);
  const directory = join(dirname(path), `.sw${randomBytes(3).toString('hex')}`);
  await mkdir(directory, { mode: 0o700 });
  const bindPath = join(directory, 's');
  let inode: number | undefined;
  return {
    bindPath,
    async publish() {
      await chmod(bindPath, mode);
      inode = (await lstat(bindPath)).ino;
      await rename(bindPath, path);
      await rmdir(directory);
    },
    async remove() {
      if (inode === undefined) {
        await unlink(bindPath).catch(ignoreAbsent);
        await rmdir(directory).catch(ignoreAbsent);
        return;
      }
      const found = await lstat(path).catch(ignoreAbsent);
      if (found?.ino === inode) await unlink(path).catch(ignoreAbsent);
    },
  };
}

async function refuseOccupied(path: string): Promise<void> {
  const found = await lstat(path).catch(ignoreAbsent);
  if (found === undefined) return;
  if (!found.isSocket()) throw new ListenError('not_a_socket', path);
  if (await answers(path)) throw new ListenError('address_in_use', path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

function ignoreAbsent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  return undefined;
}
