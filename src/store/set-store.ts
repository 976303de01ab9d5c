import type { ActivationRecord, SourceFile } from '../rollout/activation.ts';

export interface StoredActivation {
  readonly record: ActivationRecord;
  /**
   * Present when the record itself was unreadable and this is its backup: why, in words for an operator.
   * Pass the record through `recovered` before it serves.
   */
  readonly damage?: string;
}

/** Where sets and the activation record live. One suite of tests holds every implementation to this. */
export interface SetStore {
  /**
   * Keeps the files of the set `digest` (the digest of the compiled set); durable when it resolves. Again
   * with the same digest replaces the files (same meaning, other comments).
   */
  putSet(digest: string, files: readonly SourceFile[]): Promise<void>;
  /** The files of a set, verified; `undefined` when it is not there. Throws `set_damaged`. */
  getSet(digest: string): Promise<readonly SourceFile[] | undefined>;
  /** `undefined` before the first write. Throws `activation_damaged`. */
  readActivation(): Promise<StoredActivation | undefined>;
  /** Durable when it resolves: only then may what it says take effect. */
  writeActivation(record: ActivationRecord): Promise<void>;
  /** Deletes every set that is not in `keepDigests`; resolves to how many there were. */
  prune(keepDigests: Iterable<string>): Promise<number>;
}
