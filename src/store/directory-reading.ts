/** One reading of a policy directory: every file with its text, or what is wrong with it. */
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceFile } from '../rollout/activation.ts';
import { sha256, sourceFile } from './digest.ts';
import { systemCode } from './store-error.ts';

/** More files than any policy repository has; fewer than what makes a scan slow. */
export const DIRECTORY_FILES_MAX = 10_000;
/** The largest keyword list that compiles is smaller. */
export const DIRECTORY_FILE_BYTES_MAX = 16 * 1024 * 1024;
/** All files together: they are held in memory twice while a save settles. */
export const DIRECTORY_BYTES_MAX = 128 * 1024 * 1024;
/** Folders within folders; a deeper tree is a mistake (a link that goes up). */
export const DIRECTORY_DEPTH_MAX = 16;

export interface DirectoryLimits {
  readonly filesMax: number;
  readonly fileBytesMax: number;
  readonly bytesMax: number;
  readonly depthMax: number;
}

export const DIRECTORY_LIMITS: DirectoryLimits = {
  filesMax: DIRECTORY_FILES_MAX,
  fileBytesMax: DIRECTORY_FILE_BYTES_MAX,
  bytesMax: DIRECTORY_BYTES_MAX,
  depthMax: DIRECTORY_DEPTH_MAX,
};

export type SourceErrorCode =
  | 'directory_unreadable'
  | 'directory_too_deep'
  | 'directory_too_large'
  | 'too_many_files'
  | 'file_unreadable'
  | 'file_too_large'
  | 'file_not_utf8';

export interface SourceError {
  /** Relative, with `/`; `.` is the directory itself. */
  readonly path: string;
  readonly code: SourceErrorCode;
  readonly message: string;
}

export interface DirectoryReading {
  /** Sorted by path. With errors it is incomplete: not a save. */
  readonly files: readonly SourceFile[];
  readonly errors: readonly SourceError[];
  /** Equal for readings with the same files, bytes and errors. */
  readonly fingerprint: string;
}

interface Listed {
  readonly path: string;
  /** Identity of the file's present content, as far as the file system tells. */
  readonly signature: string;
  readonly bytes: number;
}

export interface Listing {
  readonly files: readonly Listed[];
  readonly errors: readonly SourceError[];
  /** Changes when a name, an inode, a size or a time does: cheap to compare, never proof of sameness. */
  readonly signature: string;
}

const POLICY_FILE = /\.(?:ya?ml|json)$/;
/** Leaves out the folder that it stands in: recipes, drafts. */
export const IGNORE_FILE = '.switchyardignore';
const READS_AT_ONCE = 16;
/** A file may vanish between list and read (every atomic save does that): then the list was old. */
const LISTS_MAX = 3;

/**
 * Reads every `*.yaml`, `*.yml` and `*.json` under `directory`, following links, skipping names that begin
 * with a dot (so a ConfigMap's files are read once, through its links), and folders with an IGNORE_FILE, but not
 * `directory` itself. Never throws.
 */
export async function readDirectory(
  directory: string,
  limits: DirectoryLimits = DIRECTORY_LIMITS,
): Promise<DirectoryReading> {
  for (let attempt = 1; ; attempt++) {
    const listing = await listDirectory(directory, limits);
    const reading = await readListed(directory, listing, limits, attempt === LISTS_MAX);
    if (reading !== undefined) return reading;
  }
}

/** Lists without reading: one `stat` per file. Never throws. */
export async function listDirectory(
  directory: string,
  limits: DirectoryLimits = DIRECTORY_LIMITS,
): Promise<Listing> {
  const walk = new Walk(directory, limits);
  await walk.enter('', []);
  const files = walk.files.sort(byPath);
  const errors = walk.errors.sort(byPath);
  const lines = files.map((file) => `${file.path}\0${file.signature}`);
  return { files, errors, signature: sha256(JSON.stringify([lines, errors])) };
}

class Walk {
  readonly files: Listed[] = [];
  readonly errors: SourceError[] = [];
  readonly #root: string;
  readonly #limits: DirectoryLimits;
  #bytes = 0;
  #full = false;

  constructor(root: string, limits: DirectoryLimits) {
    this.#root = root;
    this.#limits = limits;
  }

  /** `above`: the real paths of the folders that led here; a link to one of them is a circle. */
  async enter(folder: string, above: readonly string[]): Promise<void> {
    const shown = folder === '' ? '.' : folder;
    let names: string[];
    let real: string;
    try {
      real = await realpath(join(this.#root, folder));
      names = (await readdir(real)).sort();
    } catch (error) {
      this.#fail(shown, 'directory_unreadable', unreadable(error));
      return;
    }
    if (above.includes(real)) return;
    if (above.length > this.#limits.depthMax) {
      const message = `is deeper than ${this.#limits.depthMax} folders; make the tree flatter`;
      this.#fail(shown, 'directory_too_deep', message);
      return;
    }
    if (folder !== '' && names.includes(IGNORE_FILE)) return;
    for (const name of names) {
      if (this.#full) return;
      if (!name.startsWith('.')) {
        await this.#visit(folder === '' ? name : `${folder}/${name}`, [...above, real]);
      }
    }
  }

  async #visit(path: string, above: readonly string[]): Promise<void> {
    const policy = POLICY_FILE.test(path);
    try {
      const found = await stat(join(this.#root, path), { bigint: true });
      if (found.isDirectory()) {
        await this.enter(path, above);
        return;
      }
      if (!policy) return;
      if (!found.isFile()) {
        this.#fail(path, 'file_unreadable', 'is not a regular file');
        return;
      }
      const { dev, ino, size, mtimeNs, ctimeNs } = found;
      this.#add({
        path,
        signature: `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`,
        bytes: Number(size),
      });
    } catch (error) {
      if (policy) this.#fail(path, 'file_unreadable', unreadable(error));
    }
  }

  #add(file: Listed): void {
    const { filesMax, fileBytesMax, bytesMax } = this.#limits;
    if (this.files.length >= filesMax) {
      this.#full = true;
      const message = `is one file more than the ${filesMax} that are read`;
      this.#fail(file.path, 'too_many_files', message);
      return;
    }
    if (file.bytes > fileBytesMax) {
      this.#fail(file.path, 'file_too_large', `is larger than ${fileBytesMax} bytes`);
      return;
    }
    this.#bytes += file.bytes;
    if (this.#bytes > bytesMax) {
      this.#full = true;
      const message = `brings the directory over ${bytesMax} bytes`;
      this.#fail(file.path, 'directory_too_large', message);
      return;
    }
    this.files.push(file);
  }

  #fail(path: string, code: SourceErrorCode, message: string): void {
    this.errors.push({ path, code, message });
  }
}

const VANISHED = 'cannot be read: ENOENT';

function unreadable(error: unknown): string {
  return `cannot be read: ${systemCode(error)}`;
}

/** `undefined`: the list was old and may be made again. */
async function readListed(
  directory: string,
  listing: Listing,
  limits: DirectoryLimits,
  last: boolean,
): Promise<DirectoryReading | undefined> {
  const vanished = listing.errors.some((error) => error.message === VANISHED);
  if (vanished && !last) return undefined;
  const files: SourceFile[] = [];
  const errors: SourceError[] = [...listing.errors];
  for (let start = 0; start < listing.files.length; start += READS_AT_ONCE) {
    const batch = listing.files.slice(start, start + READS_AT_ONCE);
    const results = await Promise.all(
      batch.map(({ path }) => readOne(directory, path, limits.fileBytesMax)),
    );
    for (const result of results) {
      if ('text' in result) files.push(result);
      else if (result.message === VANISHED && !last) return undefined;
      else errors.push(result);
    }
  }
  errors.sort(byPath);
  const names = files.map(({ path, digest }) => [path, digest]);
  return { files, errors, fingerprint: sha256(JSON.stringify([names, errors])) };
}

async function readOne(
  directory: string,
  path: string,
  fileBytesMax: number,
): Promise<SourceFile | SourceError> {
  let bytes: Buffer;
  try {
    bytes = await readUpTo(join(directory, path), fileBytesMax + 1);
  } catch (error) {
    return { path, code: 'file_unreadable', message: unreadable(error) };
  }
  if (bytes.length > fileBytesMax) {
    return { path, code: 'file_too_large', message: `is larger than ${fileBytesMax} bytes` };
  }
  try {
    // With its byte order mark, so that the digest is that of the bytes.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return sourceFile(path, text);
  } catch {
    return { path, code: 'file_not_utf8', message: 'is not utf-8; save it as such' };
  }
}

/** A file may grow after it was listed: reads at most `bytesMax`. */
async function readUpTo(path: string, bytesMax: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    while (length < bytesMax) {
      const chunk = Buffer.allocUnsafe(Math.min(64 * 1024, bytesMax - length));
      const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
      if (bytesRead === 0) break;
      chunks.push(chunk.subarray(0, bytesRead));
      length += bytesRead;
    }
    return Buffer.concat(chunks, length);
  } finally {
    await file.close();
  }
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
