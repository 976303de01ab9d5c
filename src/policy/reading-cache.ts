/**
 * Readings of files, kept from one compilation to the next: what did not change is neither read nor built again,
 * and its detectors stay the same, with what their automata have learned.
 */
import type { CompileLimits } from './limits.ts';
import type { PolicyFile } from './load.ts';
import { type FileReading, readFile } from './read-document.ts';

/** Compilations that a reading outlives its last use: one set serves, another is tried, a third waits. */
const KEPT_COMPILATIONS = 4;

interface Kept {
  readonly text: string;
  readonly reading: FileReading;
  usedIn: number;
}

/** One of them serves one compiler after the other; different limits read everything anew. */
export class ReadingCache {
  private readonly kept = new Map<string, Kept[]>();
  private limits = '';
  private compilation = 0;

  /** Readings in the order of the files. */
  readAll(files: readonly PolicyFile[], limits: CompileLimits): readonly FileReading[] {
    const asked = JSON.stringify(limits);
    if (asked !== this.limits) this.kept.clear();
    this.limits = asked;
    this.compilation += 1;
    const readings = files.map((file) => this.read(file, limits));
    this.forget();
    return readings;
  }

  private read(file: PolicyFile, limits: CompileLimits): FileReading {
    const versions = this.kept.get(file.path) ?? [];
    const known = versions.find(({ text }) => text === file.text);
    if (known !== undefined) {
      known.usedIn = this.compilation;
      return known.reading;
    }
    const reading = readFile(file, limits);
    versions.push({ text: file.text, reading, usedIn: this.compilation });
    this.kept.set(file.path, versions);
    return reading;
  }

  private forget(): void {
    const oldest = this.compilation - KEPT_COMPILATIONS;
    for (const [path, versions] of this.kept) {
      const live = versions.filter(({ usedIn }) => usedIn > oldest);
      if (live.length === 0) this.kept.delete(path);
      else if (live.length < versions.length) this.kept.set(path, live);
    }
  }
}
