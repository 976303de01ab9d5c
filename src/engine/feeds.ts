/**
 * The feeds that conditions look things up in, each in the version that was last read whole. A broken document changes
 * nothing, and the status says so; what serves is one assignment of one frozen version.
 */
import type { TransitionRecord } from '../audit/record.ts';
import { type FeedKind, readFeed } from '../policy/feed.ts';
import type { Clock } from './clock.ts';
import type { FeedVersion } from './surroundings.ts';

export interface FeedConfig {
  readonly name: string;
  readonly kind: FeedKind;
  readonly file: string;
}

export interface FeedStatus {
  readonly name: string;
  readonly kind: FeedKind;
  /** Of the version in use; absent where none was ever read whole. */
  readonly digest?: string;
  readonly entries: number;
  readonly sinceMs: number;
  /** Why the last document was not taken; absent when it was. */
  readonly fault?: string;
}

export type FeedEvent =
  | { readonly kind: 'taken'; readonly digest: string; readonly entries: number }
  | { readonly kind: 'refused' };

export interface FeedDeps {
  readonly clock: Clock;
  readonly limits: { readonly feedEntriesMax: number };
  readonly sha256: (text: string) => string;
  readonly epoch: () => number;
  /** Throws when the change cannot be recorded; then it is not made. */
  readonly recordTransition: (record: TransitionRecord) => void;
  readonly onEvent: (event: FeedEvent) => void;
}

interface Kept {
  readonly kind: FeedKind;
  readonly version?: FeedVersion;
  readonly sinceMs: number;
  readonly fault?: string;
}

export class FeedBook {
  private readonly deps: FeedDeps;
  private readonly feeds = new Map<string, Kept>();

  constructor(config: readonly FeedConfig[], deps: FeedDeps) {
    this.deps = deps;
    for (const { name, kind } of config) this.feeds.set(name, { kind, sinceMs: 0 });
  }

  /** Cost: constant. */
  get(name: string): FeedVersion | undefined {
    return this.feeds.get(name)?.version;
  }

  /**
   * Takes a new document of a configured feed, step by step, to be gone through to the end; the same again changes
   * nothing. Cost: linear in its text.
   */
  *update(name: string, text: string): Generator<undefined, void> {
    const kept = this.feeds.get(name);
    if (kept === undefined) return;
    const digest = `sha256:${this.deps.sha256(text)}`;
    if (kept.version?.digest === digest) {
      this.feeds.set(name, withoutFault(kept));
      return;
    }
    const parsed = yield* readFeed(kept.kind, text, this.deps.limits.feedEntriesMax);
    if (!parsed.ok) {
      this.refuse(name, parsed.fault);
      return;
    }
    const { clock, epoch, recordTransition, onEvent } = this.deps;
    const nowMs = clock.nowMs();
    try {
      recordTransition({
        kind: 'transition',
        atMs: nowMs,
        epoch: epoch(),
        transition: 'feed',
        from: kept.version?.digest ?? '',
        to: digest,
        by: 'file',
        reason: name,
      });
    } catch {
      this.refuse(name, 'the change could not be recorded');
      return;
    }
    const version = Object.freeze({ entries: parsed.entries, digest });
    this.feeds.set(name, { kind: kept.kind, version, sinceMs: nowMs });
    onEvent({ kind: 'taken', digest, entries: parsed.entries.size });
  }

  /** The document could not be read; what was read before stays. */
  refuse(name: string, fault: string): void {
    const kept = this.feeds.get(name);
    if (kept === undefined || kept.fault === fault) return;
    this.feeds.set(name, { ...kept, fault });
    this.deps.onEvent({ kind: 'refused' });
  }

  status(): readonly FeedStatus[] {
    return [...this.feeds].map(([name, { kind, version, sinceMs, fault }]) => ({
      name,
      kind,
      ...(version && { digest: version.digest }),
      entries: version?.entries.size ?? 0,
      sinceMs,
      ...(fault !== undefined && { fault }),
    }));
  }
}

const withoutFault = ({ kind, version, sinceMs }: Kept): Kept => ({
  kind,
  sinceMs,
  ...(version && { version }),
});
