/**
 * The file that audit lines are appended to: rotation by size, whole lines only. A write that fails
 * half-way leaves no half line behind that a later line could run into.
 */
import type * as fs from 'node:fs';
import { join } from 'node:path';
import { auditFileName, dropOldest } from './files.ts';

/** The system calls used, replaceable to test full and failing disks. */
export type AppendCalls = Pick<
  typeof fs,
  'openSync' | 'writeSync' | 'ftruncateSync' | 'fdatasyncSync' | 'fsyncSync' | 'closeSync'
>;

export interface AppendFileOptions {
  readonly dir: string;
  readonly run: string;
  readonly rotateBytes: number;
  readonly retainFiles: number;
  readonly calls: AppendCalls;
}

const NEW_LINE = Buffer.from('\n');

/** Only the owner may read who was refused what. */
const FILE_MODE = 0o600;

/** Errors after which the same file works again once there is space. */
const SPACE_ERRORS: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

export class AppendFile {
  readonly #options: AppendFileOptions;
  #fd: number | undefined;
  #number = 0;
  #bytes = 0;
  /** A half line that could not be cut off stands at the end. */
  #torn = false;

  constructor(options: AppendFileOptions) {
    this.#options = options;
    this.#open();
  }

  /** Path of the file written to. */
  get path(): string {
    return join(this.#options.dir, auditFileName(this.#options.run, this.#number));
  }

  /**
   * Appends whole lines, normally in one `write(2)`. `toDisk` waits until they survive power loss.
   * Throws the system's error; then none of these lines is a line of the file.
   */
  append(lines: Uint8Array, toDisk: boolean): void {
    const data = this.#torn ? Buffer.concat([NEW_LINE, lines]) : lines;
    if (this.#fd === undefined) this.#open();
    else if (this.#bytes > 0 && this.#bytes + data.length > this.#options.rotateBytes) {
      this.#release();
      this.#open();
    }
    const fd = this.#fd!;
    const { calls } = this.#options;
    let written = 0;
    try {
      while (written < data.length) {
        written += calls.writeSync(fd, data, written, data.length - written);
      }
      if (toDisk) calls.fdatasyncSync(fd);
    } catch (error) {
      this.#takeBack(written);
      if (!SPACE_ERRORS.has((error as NodeJS.ErrnoException).code ?? '')) this.#release();
      throw error;
    }
    this.#bytes += written;
    this.#torn = false;
  }

  sync(): void {
    if (this.#fd !== undefined) this.#options.calls.fdatasyncSync(this.#fd);
  }

  close(): void {
    this.#release();
  }

  #takeBack(written: number): void {
    if (written === 0) return;
    try {
      this.#options.calls.ftruncateSync(this.#fd!, this.#bytes);
    } catch {
      this.#bytes += written;
      this.#torn = true;
    }
  }

  #release(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    this.#torn = false;
    if (fd === undefined) return;
    try {
      this.#options.calls.closeSync(fd);
    } catch {
      // Nothing can be done with it any more; its lines were written before.
    }
  }

  #open(): void {
    const { dir, retainFiles, calls } = this.#options;
    this.#number += 1;
    // `ax`: O_APPEND | O_CREAT | O_EXCL. An existing file is never ours: the run id is fresh.
    try {
      this.#fd = calls.openSync(this.path, 'ax', FILE_MODE);
    } catch (error) {
      this.#number -= 1;
      throw error;
    }
    this.#bytes = 0;
    this.#torn = false;
    this.#syncDirectory();
    dropOldest(dir, retainFiles);
  }

  /** Makes the new name survive power loss; a file system that cannot do it loses nothing else. */
  #syncDirectory(): void {
    const { dir, calls } = this.#options;
    try {
      const fd = calls.openSync(dir, 'r');
      try {
        calls.fsyncSync(fd);
      } finally {
        calls.closeSync(fd);
      }
    } catch {
      // Some file systems refuse to sync a directory.
    }
  }
}
