/**
 * Writes what was decided (SEMANTICS §9, invariant 8). A denial, a mutation and a transition are in
 * the file when the call returns, so that the reply they justify may leave afterwards. Allows are
 * written behind, in order, in front of the next denial at the latest.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { type AppendCalls, AppendFile } from './append-file.ts';
import { runId } from './files.ts';
import { recordLine } from './line.ts';
import type { DecisionRecord, TransitionRecord } from './record.ts';
import { AuditUnavailable, errnoOf } from './unavailable.ts';
import { WaitingLines } from './waiting-lines.ts';

export type AuditRecord = DecisionRecord | TransitionRecord;
export type AuditKind = AuditRecord['kind'];

/** What happens to records, for metrics. Called synchronously; must not throw. */
export interface AuditObserver {
  /** Records of `kind` reached the file. */
  written(kind: AuditKind, count: number): void;
  /** Records will never reach a file: lossy ones that found no room, or those of a failed write. */
  lost(count: number): void;
  /** The disk began to fail (an errno code) or recovered (`undefined`). */
  disk?(failing: string | undefined): void;
}

export interface AuditWriterOptions {
  /** Created with mode 0700 when it does not exist. */
  readonly dir: string;
  /** A file does not grow beyond this, unless one write is larger. Default 64 MiB. */
  readonly rotateBytes?: number;
  /** Files kept in `dir`, the current one included, of this and earlier runs. Default 16; at least 1. */
  readonly retainFiles?: number;
  /** Allow records that may wait. Default 10 000. */
  readonly allowQueueMax?: number;
  /** Bytes of allow records that may wait while the disk fails. Default 8 MiB. */
  readonly allowQueueBytesMax?: number;
  /** Waiting bytes that are written without waiting longer. Default 64 KiB. */
  readonly flushBytes?: number;
  /** Longest wait of an allow record on a healthy disk. Default 20 ms. */
  readonly flushMs?: number;
  /** Denials and mutations also survive power loss: an fdatasync each, ms instead of µs. Default false. */
  readonly denialsToDisk?: boolean;
  readonly observer?: AuditObserver;
  /** For tests: system calls, and the timer of the write-behind. */
  readonly calls?: AppendCalls;
  readonly after?: (delayMs: number, action: () => void) => () => void;
}

export interface AuditWriter {
  /** Id of this run, in every line. */
  readonly run: string;
  /**
   * Writes now any record that justifies a reply: a denial, a mutation, an unavailable.
   * Throws AuditUnavailable when it is not in the file; the record is then never written later.
   */
  denied(record: DecisionRecord): void;
  /** Writes now, to disk: a transition survives power loss. Throws AuditUnavailable. */
  transition(record: TransitionRecord): void;
  /** Writes many now, with one `write(2)`: all or, throwing AuditUnavailable, none. */
  batch(records: readonly AuditRecord[]): void;
  /**
   * Writes behind. With a full queue the record is written now, or throws AuditUnavailable; one marked
   * `lossy` (class declared `async`) is then counted as lost instead.
   */
  allowed(record: DecisionRecord, lossy?: boolean): void;
  /** Writes what waits. Throws AuditUnavailable; what waited then waits on. */
  flush(): void;
  /** Writes what waits, to disk, and closes. Idempotent. Throws AuditUnavailable when that failed. */
  close(): void;
}

const REAL_CALLS: AppendCalls = fs;

function afterTimer(delayMs: number, action: () => void): () => void {
  const timer = setTimeout(action, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}

class FileAuditWriter implements AuditWriter {
  readonly run: string;
  readonly #file: AppendFile;
  readonly #allowQueueMax: number;
  readonly #allowQueueBytesMax: number;
  readonly #flushBytes: number;
  readonly #flushMs: number;
  readonly #denialsToDisk: boolean;
  readonly #observer: AuditObserver | undefined;
  readonly #after: (delayMs: number, action: () => void) => () => void;
  #seq = 0;
  readonly #waiting: WaitingLines;
  /** How many of the lines that wait are of each kind. */
  readonly #waitingKinds = new Map<AuditKind, number>();
  #waitingCount = 0;
  #cancelFlush: (() => void) | undefined;
  #failing = false;
  #closed = false;

  constructor(options: AuditWriterOptions) {
    fs.mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    this.run = runId(Date.now(), randomBytes(6));
    this.#allowQueueMax = options.allowQueueMax ?? 10_000;
    this.#allowQueueBytesMax = options.allowQueueBytesMax ?? 8 * 1024 * 1024;
    this.#flushBytes = options.flushBytes ?? 64 * 1024;
    this.#flushMs = options.flushMs ?? 20;
    // Room for the line that makes it full: what is added is measured before it is known how many bytes it has.
    this.#waiting = new WaitingLines(2 * this.#flushBytes);
    this.#denialsToDisk = options.denialsToDisk ?? false;
    this.#observer = options.observer;
    this.#after = options.after ?? afterTimer;
    this.#file = new AppendFile({
      dir: options.dir,
      run: this.run,
      rotateBytes: options.rotateBytes ?? 64 * 1024 * 1024,
      retainFiles: Math.max(1, options.retainFiles ?? 16),
      calls: options.calls ?? REAL_CALLS,
    });
  }

  denied(record: DecisionRecord): void {
    this.#writeNow([record], this.#denialsToDisk);
  }

  transition(record: TransitionRecord): void {
    this.#writeNow([record], true);
  }

  batch(records: readonly AuditRecord[]): void {
    if (records.length === 0) return;
    this.#writeNow(
      records,
      this.#denialsToDisk || records.some((record) => record.kind === 'transition'),
    );
  }

  allowed(record: DecisionRecord, lossy = false): void {
    if (this.#closed) {
      this.#observer?.lost(1);
      if (lossy) return;
      throw new AuditUnavailable('closed');
    }
    const line = recordLine(this.run, ++this.#seq, record);
    // UTF-16 units stand for bytes here: the bounds are about memory, and lines are nearly all ASCII.
    const full =
      this.#waitingCount >= this.#allowQueueMax ||
      this.#waiting.length + line.length > this.#allowQueueBytesMax;
    if (full) {
      if (lossy) this.#observer?.lost(1);
      else this.#append(line, [record.kind], false);
      return;
    }
    this.#waiting.add(line);
    this.#waitingCount += 1;
    this.#countOne(record.kind);
    // A failing disk is tried again by the timer only, not by every allowed request.
    if (this.#waiting.length >= this.#flushBytes && !this.#failing) this.#flushQuietly();
    else this.#scheduleFlush();
  }

  flush(): void {
    if (this.#waitingCount > 0) this.#append('', [], false);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    try {
      this.#append('', [], true);
    } catch (error) {
      this.#observer?.lost(this.#waitingCount);
      this.#nothingWaits();
      throw error;
    } finally {
      this.#file.close();
    }
  }

  #writeNow(records: readonly AuditRecord[], toDisk: boolean): void {
    if (this.#closed) {
      this.#observer?.lost(records.length);
      throw new AuditUnavailable('closed');
    }
    let lines = '';
    for (const record of records) lines += recordLine(this.run, ++this.#seq, record);
    this.#append(
      lines,
      records.map((record) => record.kind),
      toDisk,
    );
  }

  /** Writes what waits and then `lines`, so that the file is in the order of `seq`. */
  #append(lines: string, kinds: readonly AuditKind[], toDisk: boolean): void {
    const before = this.#waiting.length;
    this.#waiting.add(lines);
    try {
      if (this.#waiting.length > 0) this.#file.append(this.#waiting.bytes, toDisk);
      else if (toDisk) this.#file.sync();
    } catch (error) {
      this.#waiting.takeBack(before);
      const reason = errnoOf(error);
      if (!this.#failing) this.#observer?.disk?.(reason);
      this.#failing = true;
      if (kinds.length > 0) this.#observer?.lost(kinds.length);
      if (this.#waitingCount > 0) this.#scheduleFlush();
      throw new AuditUnavailable(reason);
    }
    if (this.#failing) this.#observer?.disk?.(undefined);
    this.#failing = false;
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    for (const kind of kinds) this.#countOne(kind);
    for (const [kind, count] of this.#waitingKinds) this.#observer?.written(kind, count);
    this.#nothingWaits();
  }

  #countOne(kind: AuditKind): void {
    this.#waitingKinds.set(kind, (this.#waitingKinds.get(kind) ?? 0) + 1);
  }

  #nothingWaits(): void {
    this.#waiting.clear();
    this.#waitingKinds.clear();
    this.#waitingCount = 0;
  }

  #scheduleFlush(): void {
    if (this.#closed || this.#cancelFlush !== undefined) return;
    this.#cancelFlush = this.#after(this.#flushMs, () => {
      this.#cancelFlush = undefined;
      this.#flushQuietly();
    });
  }

  /** Nobody waits for these records: a failure is told to the observer and tried again. */
  #flushQuietly(): void {
    try {
      this.flush();
    } catch (error) {
      if (!(error instanceof AuditUnavailable)) throw error;
    }
  }
}

/** Opens a fresh file for this run. Throws the system's error when the directory cannot be written. */
export function openAuditWriter(options: AuditWriterOptions): AuditWriter {
  return new FileAuditWriter(options);
}
