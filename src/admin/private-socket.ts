/** A Unix socket that nobody but its owner could ever connect to, not even while it is being made. */
import * as fs from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';

/** `sun_path` holds 108 bytes, the last of them zero. */
const SUN_PATH_BYTES_MAX = 107;

/** Why the socket cannot be made, in words for the operator. */
export class AdminSocketError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AdminSocketError';
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else reject(error);
    });
  });
}

/** A socket left by a killed server may be replaced; a living one and anything else may not. */
async function assertReplaceable(path: string): Promise<void> {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) {
    throw new AdminSocketError(
      `\`${path}\` exists and is no socket: move it or choose another path`,
    );
  }
  if (await isAnswered(path)) {
    throw new AdminSocketError(
      `another server answers on \`${path}\`: stop it or choose another path`,
    );
  }
}

/**
 * Listens on `path`, mode 0600. The socket is bound inside a fresh directory of mode 0700 and only
 * then moved to its name: no umask and no moment lets anybody else in. The result removes it again.
 * Throws AdminSocketError, or the system's error.
 */
export async function listenPrivately(server: Server, path: string): Promise<() => void> {
  const directory = dirname(path);
  if (Buffer.byteLength(join(directory, '.a-000000/s')) > SUN_PATH_BYTES_MAX) {
    throw new AdminSocketError(
      `\`${directory}\` is too long for a Unix socket: choose a shorter path`,
    );
  }
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  await assertReplaceable(path);
  const room = fs.mkdtempSync(join(directory, '.a-'));
  try {
    const bound = join(room, 's');
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(bound, () => {
        server.off('error', reject);
        resolve();
      });
    });
    fs.chmodSync(bound, 0o600);
    fs.renameSync(bound, path);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    fs.rmSync(room, { recursive: true, force: true });
  }
  const own = fs.lstatSync(path).ino;
  return () => {
    if (fs.lstatSync(path, { throwIfNoEntry: false })?.ino === own)
      fs.rmSync(path, { force: true });
  };
}
