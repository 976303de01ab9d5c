import { basename, relative } from 'node:path';
import { watch } from 'chokidar';
import {
  DIRECTORY_LIMITS,
  type DirectoryLimits,
  type DirectoryReading,
  listDirectory,
  readDirectory,
} from './directory-reading.ts';
import { systemCode } from './store-error.ts';

/** Quiet time before a save is read, and between the two readings that must agree. */
export const DEBOUNCE_MS = 50;
/** How often names, sizes and times are compared, should an event have been missed. */
export const POLL_MS = 500;
/** How often the bytes themselves are. */
export const RECONCILE_MS = 2_000;
/** Events that never stop do not put a save off for longer. */
export const DEBOUNCE_MS_MAX = 500;
/** A poll of a large directory takes long: it may take this share of the time, no more. */
const POLL_TIME_RATIO = 0.05;

export interface DirectorySourceOptions {
  readonly directory: string;
  /** Called with every settled reading that differs from the one before; must not throw. */
  readonly onChange: (reading: DirectoryReading) => void;
  /** Watching failed (the code of the system, e.g. `ENOSPC`): polling goes on alone. */
  readonly onWatchError?: (code: string) => void;
  readonly debounceMs?: number;
  readonly pollMs?: number;
  readonly reconcileMs?: number;
  /** `false`: polling alone, for file systems without events. Default `true`. */
  readonly events?: boolean;
  readonly limits?: Partial<DirectoryLimits>;
}

export interface DirectorySource {
  /** The last settled reading. */
  readonly current: DirectoryReading;
  /** When it was last compared with the directory, ms since the epoch. */
  readonly lastReadMs: number;
  /** Reads again now, outside the order of events; does not call `onChange`. */
  read(): Promise<DirectoryReading>;
  close(): Promise<void>;
}

/**
 * Watches a directory of policy files. A save counts when two readings, `debounceMs` apart, agree: half of
 * an editor's save or of a ConfigMap's swap is never handed on. Events come from chokidar; polling finds
 * what they miss. The first reading is in `current` when it resolves.
 */
export async function watchDirectory(options: DirectorySourceOptions): Promise<DirectorySource> {
  const source = new WatchedDirectory(options);
  await source.start();
  return source;
}

class WatchedDirectory implements DirectorySource {
  current: DirectoryReading = { files: [], errors: [], fingerprint: '' };
  lastReadMs = 0;
  readonly #directory: string;
  readonly #limits: DirectoryLimits;
  readonly #options: DirectorySourceOptions;
  readonly #debounceMs: number;
  #stopWatching: () => Promise<void> = async () => {};
  #pollTimer: NodeJS.Timeout | undefined;
  #signature = '';
  #reconciledMs = 0;
  /** Something happened since the last reading began. */
  #dirty = false;
  #settling: Promise<void> | undefined;
  #closed = false;
  #wake: () => void = () => {};

  constructor(options: DirectorySourceOptions) {
    this.#options = options;
    this.#directory = options.directory;
    this.#limits = { ...DIRECTORY_LIMITS, ...options.limits };
    this.#debounceMs = options.debounceMs ?? DEBOUNCE_MS;
  }

  async start(): Promise<void> {
    // Events of this time wait: the first reading is not a change.
    let started = () => {};
    this.#settling = new Promise((resolve) => {
      started = resolve;
    });
    if (this.#options.events !== false) await this.#listen();
    this.#take(await this.#settledReading());
    this.#settling = undefined;
    started();
    if (this.#dirty) this.#changed();
    this.#schedulePoll(0);
  }

  async read(): Promise<DirectoryReading> {
    return readDirectory(this.#directory, this.#limits);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#pollTimer);
    this.#wake();
    await this.#stopWatching();
    await this.#settling;
  }

  async #listen(): Promise<void> {
    const watcher = watch(this.#directory, {
      ignoreInitial: true,
      ignored: (path) => this.#isHidden(path),
      // Readings decide what is whole: no need to wait here.
      awaitWriteFinish: false,
      atomic: false,
      // chokidar 5 forgets to close what it opens while it is being closed: let that hold no process.
      persistent: false,
    });
    watcher.on('all', () => this.#changed());
    watcher.on('error', (error) => this.#options.onWatchError?.(systemCode(error)));
    this.#stopWatching = () => watcher.close();
    await new Promise<void>((resolve) => {
      watcher.once('ready', resolve);
      watcher.once('error', () => resolve());
    });
  }

  /** `.git` and editors' swap files; not the `..data` of a ConfigMap, whose swap is the event. */
  #isHidden(path: string): boolean {
    if (relative(this.#directory, path) === '') return false;
    const name = basename(path);
    return name.startsWith('.') && !name.startsWith('..');
  }

  #changed(): void {
    this.#dirty = true;
    if (this.#settling !== undefined || this.#closed) return;
    this.#settling = this.#settle().finally(() => {
      this.#settling = undefined;
      // An event may have come after the last look and before this line.
      if (this.#dirty && !this.#closed) this.#changed();
    });
  }

  async #settle(): Promise<void> {
    while (this.#dirty && !this.#closed) {
      for (let waitedMs = 0; this.#dirty && waitedMs < DEBOUNCE_MS_MAX; ) {
        this.#dirty = false;
        await this.#sleep(this.#debounceMs);
        waitedMs += Math.max(1, this.#debounceMs);
      }
      this.#dirty = false;
      const reading = await this.#settledReading();
      if (this.#closed || !this.#take(reading)) continue;
      this.#options.onChange(reading);
    }
  }

  /** Reads until two readings agree. */
  async #settledReading(): Promise<DirectoryReading> {
    let { signature } = await listDirectory(this.#directory, this.#limits);
    let reading = await this.read();
    while (!this.#closed) {
      await this.#sleep(this.#debounceMs);
      const again = await listDirectory(this.#directory, this.#limits);
      const second = await this.read();
      if (second.fingerprint === reading.fingerprint) break;
      reading = second;
      signature = again.signature;
    }
    // Of the list before the reading: what came later is seen by the next poll.
    this.#signature = signature;
    return reading;
  }

  /** Keeps a reading; whether it differs from the one before. */
  #take(reading: DirectoryReading): boolean {
    this.lastReadMs = Date.now();
    this.#reconciledMs = this.lastReadMs;
    if (reading.fingerprint === this.current.fingerprint) return false;
    this.current = reading;
    return true;
  }

  #schedulePoll(tookMs: number): void {
    if (this.#closed) return;
    const pollMs = Math.max(this.#options.pollMs ?? POLL_MS, tookMs / POLL_TIME_RATIO);
    this.#pollTimer = setTimeout(() => void this.#poll(), pollMs);
    this.#pollTimer.unref();
  }

  async #poll(): Promise<void> {
    const startedMs = performance.now();
    if (this.#settling === undefined) {
      const listing = await listDirectory(this.#directory, this.#limits);
      const isDue = Date.now() - this.#reconciledMs >= (this.#options.reconcileMs ?? RECONCILE_MS);
      if (listing.signature !== this.#signature) {
        this.#signature = listing.signature;
        this.#changed();
      } else if (isDue) {
        await this.#reconcile();
      }
    }
    this.#schedulePoll(performance.now() - startedMs);
  }

  async #reconcile(): Promise<void> {
    const reading = await this.read();
    this.lastReadMs = Date.now();
    this.#reconciledMs = this.lastReadMs;
    if (reading.fingerprint !== this.current.fingerprint) this.#changed();
  }

  #sleep(delayMs: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
