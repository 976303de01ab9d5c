/** Token buckets: `max` requests in a window on the average, `burst` at once. */
import type { Action, Rule } from '../policy/set.ts';
import type { Clock } from './clock.ts';
import { type Bucket, type SubjectMemory, subjectKey } from './subject-memory.ts';

type Rate = Pick<Extract<Action, { kind: 'throttle' }>, 'max' | 'windowMs' | 'burst'>;

export interface Taking {
  /** What the bucket is from now on. */
  readonly bucket: Bucket;
  /** Ms until there is a token; 0: one was taken. */
  readonly waitMs: number;
}

/** Takes a token at `nowMs` (monotonic). A bucket that nobody knows is full. */
export function take(rate: Rate, known: Bucket | undefined, nowMs: number): Taking {
  const perMs = rate.max / rate.windowMs;
  const since = known === undefined ? 0 : Math.max(0, nowMs - known.atMs);
  const before = known === undefined ? rate.burst : known.tokens;
  // A rule that was changed may hold less than before.
  const tokens = Math.min(rate.burst, before + since * perMs);
  if (tokens >= 1) return { bucket: { tokens: tokens - 1, atMs: nowMs }, waitMs: 0 };
  return { bucket: { tokens, atMs: nowMs }, waitMs: Math.ceil((1 - tokens) / perMs) };
}

/** Takes a token of the rule's for a subject. Ms until there is one; 0: one was taken, or the rule is none. */
export function throttled(
  rule: Rule,
  subject: string,
  buckets: SubjectMemory<Bucket>,
  clock: Clock,
): number {
  const { action, enforcement } = rule;
  if (action.kind !== 'throttle') return 0;
  // What is only watched must not use up what is enforced, when it is a rule of the other set.
  const key = subjectKey(rule, `${enforcement}:${action.per}`, subject);
  const { bucket, waitMs } = take(action, buckets.get(key), clock.monotonicMs());
  buckets.set(key, bucket);
  return waitMs;
}
