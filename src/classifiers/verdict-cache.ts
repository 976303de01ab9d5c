/**
 * Verdicts that were given before, by who asked (set and direction) and keyed hash of the text: no text is kept, and
 * no set is told what another one was. The one that was used longest ago gives way.
 */
import type { TextVerdict } from '../match/classifier.ts';

export interface VerdictCacheOptions {
  /** 0 keeps nothing. */
  readonly entriesMax: number;
  readonly keepMs: number;
  /** Keyed hash of a text: nobody outside can find two that are equal. */
  readonly hash: (text: string) => string;
  readonly monotonicMs: () => number;
}

export class VerdictCache {
  private readonly options: VerdictCacheOptions;
  private readonly entries = new Map<
    string,
    { readonly verdict: TextVerdict; readonly atMs: number }
  >();
  private version: string | undefined;

  constructor(options: VerdictCacheOptions) {
    this.options = options;
  }

  get size(): number {
    return this.entries.size;
  }

  get(asker: string, text: string): TextVerdict | undefined {
    if (this.entries.size === 0) return undefined;
    const key = this.keyOf(asker, text);
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key);
    if (this.options.monotonicMs() - entry.atMs >= this.options.keepMs) return undefined;
    this.entries.set(key, entry);
    return entry.verdict;
  }

  put(asker: string, text: string, verdict: TextVerdict): void {
    const { entriesMax, monotonicMs } = this.options;
    if (entriesMax === 0) return;
    const key = this.keyOf(asker, text);
    this.entries.delete(key);
    if (this.entries.size >= entriesMax)
      for (const oldest of this.entries.keys()) {
        this.entries.delete(oldest);
        break;
      }
    this.entries.set(key, { verdict, atMs: monotonicMs() });
  }

  /** What the classifier calls itself: what it said before under another name is forgotten. */
  toldVersion(version: string | undefined): void {
    if (version === undefined || version === this.version) return;
    this.version = version;
    this.entries.clear();
  }

  private keyOf(asker: string, text: string): string {
    return `${asker} ${this.options.hash(text)}`;
  }
}
