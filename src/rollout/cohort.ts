/**
 * Which cohort a session belongs to (SEMANTICS §7; published vectors: docs/reference/cohorts.md):
 * SipHash-2-4(prf key, source ‖ 0 ‖ session key) → xxHash64 of its 8 bytes, seeded by the rollout → top 48
 * bits against a threshold. Keyed, so that nobody outside can choose a cohort; seeded, so that it is not
 * the same sessions that try every rollout; a threshold that only grows never moves a session back.
 */
import { canonicalSessionKey, SESSION_KEY_UNITS_MAX } from './session-key.ts';
import { type SipKey, sipHash24Text } from './siphash.ts';

/** xxHash64 of `bytes`. Pure and synchronous; the real one is WebAssembly, made ready at start. */
export type Xxh64 = (bytes: Uint8Array, seed: bigint) => bigint;

export type Cohort = 'control' | 'canary';

/** The keyed pseudonym of a session: meaningless outside one deployment. `hex` is what records carry. */
export interface SessionHash {
  /** 8 bytes. */
  readonly bytes: Uint8Array;
  /** The same, 16 hex digits. */
  readonly hex: string;
}

/** What splits the traffic of one rollout at one share. Prepared once per snapshot. */
export interface Split {
  readonly seed: bigint;
  /** 0..2^48: buckets below it are canary. */
  readonly threshold: number;
}

/** The part of a serving snapshot that assignment reads. */
export interface Serving<Set> {
  readonly epoch: number;
  readonly blue: Set;
  readonly green?: { readonly set: Set; readonly split: Split };
}

export interface Assignment<Set> {
  readonly epoch: number;
  readonly set: Set;
  readonly cohort: Cohort;
  /** Whether the exchange belongs to the comparison: no session key, no evidence. */
  readonly counted: boolean;
}

const BUCKETS = 2 ** 48;
const SHARE_PPM_MAX = 1_000_000;

/**
 * The pseudonym of `rawKey` as read from `source`, or `undefined` when it is no key (see
 * `canonicalSessionKey`). `source` is our own word (`session`, `principal`, ...), never a client's; it may
 * hold no NUL (throws `RangeError`), so that no two pairs meet in one message. About 2 µs.
 */
export function sessionHash(
  key: SipKey,
  source: string,
  rawKey: string,
  unitsMax: number = SESSION_KEY_UNITS_MAX,
): SessionHash | undefined {
  if (source.includes('\0')) throw new RangeError('a key source holds no NUL');
  const sessionKey = canonicalSessionKey(rawKey, unitsMax);
  if (sessionKey === undefined) return undefined;
  const bytes = sipHash24Text(key, `${source}\0${sessionKey}`);
  return { bytes, hex: hex(bytes) };
}

/** The seed of a rollout: xxHash64 (seed 0) of its id in UTF-8. */
export function rolloutSeed(xxh64: Xxh64, rolloutId: string): bigint {
  return xxh64(new TextEncoder().encode(rolloutId), 0n);
}

/** The bucket of a session in a rollout: 0 ≤ bucket < 2^48. */
export function bucketOf(xxh64: Xxh64, seed: bigint, session: SessionHash): number {
  return Number(xxh64(session.bytes, seed) >> 16n);
}

/**
 * floor(sharePpm · 2^48 / 10^6), exactly: 2^48 = 281 474 976 · 10^6 + 710 656, and no product here reaches
 * 2^53. One double division would be off by one for some shares. Throws `RangeError` outside 0..10^6.
 */
export function thresholdOf(sharePpm: number): number {
  if (!Number.isInteger(sharePpm) || sharePpm < 0 || sharePpm > SHARE_PPM_MAX) {
    throw new RangeError('a share is a whole number of ppm, 0 to 1000000');
  }
  const quotient = Math.floor(BUCKETS / SHARE_PPM_MAX);
  const remainder = BUCKETS - quotient * SHARE_PPM_MAX;
  return sharePpm * quotient + Math.floor((sharePpm * remainder) / SHARE_PPM_MAX);
}

/** Prepares the split of a rollout. */
export function splitOf(xxh64: Xxh64, rolloutId: string, sharePpm: number): Split {
  return { seed: rolloutSeed(xxh64, rolloutId), threshold: thresholdOf(sharePpm) };
}

/**
 * Assigns a session to a set (invariant "one exchange, one set": the caller keeps the result). Without a
 * session hash: control, and outside the statistics.
 */
export function assign<Set>(
  serving: Serving<Set>,
  session: SessionHash | undefined,
  xxh64: Xxh64,
): Assignment<Set> {
  const { epoch, blue, green } = serving;
  if (session === undefined) return { epoch, set: blue, cohort: 'control', counted: false };
  if (green !== undefined && bucketOf(xxh64, green.split.seed, session) < green.split.threshold) {
    return { epoch, set: green.set, cohort: 'canary', counted: true };
  }
  return { epoch, set: blue, cohort: 'control', counted: true };
}

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte < 16 ? `0${byte.toString(16)}` : byte.toString(16);
  return text;
}
