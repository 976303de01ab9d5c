/** Reads files again when they change: feeds, which others write. Each is read whole or told to be broken. */
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { setImmediate as others } from 'node:timers/promises';
import { systemCode } from './store-error.ts';

/** How often names, sizes and times are compared. A change counts when two looks agree, so that none is half. */
export const FEED_POLL_MS = 500;

export interface FeedFilesOptions {
  readonly files: readonly { readonly name: string; readonly file: string }[];
  readonly bytesMax: number;
  /** What there is to do about it is gone through step by step, others have their turn between. Must not throw. */
  readonly onText: (name: string, text: string) => Iterable<unknown>;
  /** Why the file could not be read: a code of the system, `too_large` or `no_regular_file`. Must not throw. */
  readonly onFault: (name: string, code: string) => void;
  readonly pollMs?: number;
}

/** Every file was looked at once when it resolves. */
export async function watchFeedFiles(
  options: FeedFilesOptions,
): Promise<{ close(): Promise<void> }> {
  const { pollMs = FEED_POLL_MS } = options;
  const watched = options.files.map((one) => ({ ...one, read: '', seen: '' }));
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const look = async (isFirst: boolean): Promise<void> => {
    for (const one of watched) {
      const now = await signatureOf(one.file);
      const settled = isFirst || now === one.seen;
      one.seen = now;
      if (!settled || now === one.read || closed) continue;
      const text = await textOf(one.file, options.bytesMax);
      // Written meanwhile: the next looks find out.
      if ((await signatureOf(one.file)) !== now || closed) continue;
      one.read = now;
      if (text.ok) for (const _ of options.onText(one.name, text.text)) await others();
      else options.onFault(one.name, text.code);
    }
  };
  let looking = look(true);
  await looking;
  const again = (): void => {
    if (closed || watched.length === 0) return;
    timer = setTimeout(() => {
      looking = look(false).finally(again);
    }, pollMs);
    timer.unref();
  };
  again();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await looking;
    },
  };
}

async function signatureOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    return systemCode(error);
  }
}

type Text =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: string };

async function textOf(path: string, bytesMax: number): Promise<Text> {
  try {
    // A pipe that nobody writes to would be waited for, in one of the few threads that read files.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await file.stat();
      if (!found.isFile()) return { ok: false, code: 'no_regular_file' };
      // What is read is bounded whatever `stat` said: the file may grow.
      const buffer = Buffer.alloc(Math.min(found.size, bytesMax) + 1);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      if (bytesRead > bytesMax) return { ok: false, code: 'too_large' };
      return { ok: true, text: buffer.toString('utf8', 0, bytesRead) };
    } finally {
      await file.close();
    }
  } catch (error) {
    return { ok: false, code: systemCode(error) };
  }
}
