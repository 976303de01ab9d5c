/**
 * Rolled-back bytes stay out (SEMANTICS §4): by file, because a set changes its digest with every other
 * file in it, and a restart or the saving of that other file must not bring the bad one back.
 */
import {
  ABSENT,
  type ActivationRecord,
  type Evidence,
  type FileRef,
  QUARANTINED_MAX,
  type Quarantined,
  type QuarantineReason,
  type SetRef,
  type SourceFile,
} from './activation.ts';

/** Whether a set holds something that is quarantined. O(files + entries). */
export function isTainted(set: SetRef, quarantined: readonly Quarantined[]): boolean {
  if (quarantined.length === 0) return false;
  const versions = versionsOf(set.files);
  const digests = new Set(versions.values());
  return quarantined.some((entry) => matches(entry, versions, digests));
}

/** The entries for everything in which `bad` differs from `good`. */
export function differences(
  bad: SetRef,
  good: SetRef,
  reason: QuarantineReason,
  atMs: number,
  evidence?: Evidence,
): readonly Quarantined[] {
  const badVersions = versionsOf(bad.files);
  const goodVersions = versionsOf(good.files);
  const goodDigests = new Set(goodVersions.values());
  const paths = [...new Set([...badVersions.keys(), ...goodVersions.keys()])].sort();
  const entries: Quarantined[] = [];
  for (const path of paths) {
    const digest = badVersions.get(path) ?? ABSENT;
    const goodDigest = goodVersions.get(path) ?? ABSENT;
    if (digest === goodDigest) continue;
    entries.push({
      path,
      digest,
      good: goodDigest,
      anyPath: digest !== ABSENT && !goodDigests.has(digest),
      set: bad.digest,
      reason,
      atMs,
      ...(evidence === undefined ? {} : { evidence }),
    });
  }
  return entries;
}

/** Adds entries, the newest wins for the same bytes under the same path. */
export function quarantine(
  record: ActivationRecord,
  added: readonly Quarantined[],
): ActivationRecord {
  if (added.length === 0) return record;
  const fresh = new Set(added.map(exactKey));
  const kept = record.quarantined.filter((entry) => !fresh.has(exactKey(entry)));
  return { ...record, quarantined: [...kept, ...added].slice(-QUARANTINED_MAX) };
}

/** Forgets the entries that `set` holds: somebody who may has said that it serves. */
export function lift(record: ActivationRecord, set: SetRef): ActivationRecord {
  const versions = versionsOf(set.files);
  const digests = new Set(versions.values());
  return keepEntries(record, (entry) => !matches(entry, versions, digests));
}

/**
 * Forgets the entries whose path has moved on: the set that serves, and has proven itself, has bytes there
 * that are neither the quarantined ones nor those that replaced them.
 */
export function liftOutdated(record: ActivationRecord): ActivationRecord {
  if (record.blue === undefined) return record;
  const versions = versionsOf(record.blue.files);
  return keepEntries(record, (entry) => {
    const serving = versions.get(entry.path) ?? ABSENT;
    return serving === entry.digest || serving === entry.good;
  });
}

/**
 * What a directory means under quarantine: each file whose bytes may not serve is replaced by the version
 * of the set that serves (left out when it has none; a renamed one, by the good version under the old
 * name), and each quarantined deletion is undone. Sorted by path. O(files + entries).
 */
export function effectiveFiles(
  directoryFiles: readonly SourceFile[],
  quarantined: readonly Quarantined[],
  servingFiles: readonly SourceFile[],
): readonly SourceFile[] {
  const serving = new Map(servingFiles.map((file) => [file.path, file]));
  const servingDigests = new Set(servingFiles.map((file) => file.digest));
  const inDirectory = new Set(directoryFiles.map((file) => file.path));
  const barred = new Set(quarantined.map(exactKey));
  const barredAnywhere = new Map<string, string>();
  for (const entry of quarantined) {
    if (entry.anyPath && !servingDigests.has(entry.digest)) {
      barredAnywhere.set(entry.digest, entry.path);
    }
  }
  const result = new Map<string, SourceFile>();
  const restore = (path: string) => {
    const good = serving.get(path);
    if (good !== undefined) result.set(path, good);
  };
  for (const file of directoryFiles) {
    const formerPath = barredAnywhere.get(file.digest);
    if (formerPath === undefined && !barred.has(exactKey(file))) {
      result.set(file.path, file);
      continue;
    }
    restore(file.path);
    if (formerPath !== undefined && !inDirectory.has(formerPath)) restore(formerPath);
  }
  for (const entry of quarantined) {
    if (entry.digest === ABSENT && !inDirectory.has(entry.path)) restore(entry.path);
  }
  return [...result.values()].sort(byPath);
}

/** The names of files, sorted, as a `SetRef` holds them. */
export function fileRefs(files: readonly FileRef[]): readonly FileRef[] {
  return files.map(({ path, digest }) => ({ path, digest })).sort(byPath);
}

/** A digest holds no blank, so the first one divides. */
function exactKey(file: FileRef): string {
  return `${file.digest} ${file.path}`;
}

function byPath(a: FileRef, b: FileRef): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

function matches(
  entry: Quarantined,
  versions: ReadonlyMap<string, string>,
  digests: ReadonlySet<string>,
): boolean {
  if ((versions.get(entry.path) ?? ABSENT) === entry.digest) return true;
  return entry.anyPath && digests.has(entry.digest);
}

function versionsOf(files: readonly FileRef[]): ReadonlyMap<string, string> {
  return new Map(files.map((file) => [file.path, file.digest]));
}

function keepEntries(
  record: ActivationRecord,
  keep: (entry: Quarantined) => boolean,
): ActivationRecord {
  const quarantined = record.quarantined.filter(keep);
  return quarantined.length === record.quarantined.length ? record : { ...record, quarantined };
}
