/**
 * What is remembered from one exchange to the next, by (rule lineage, subject): never by a set's version, so that
 * both cohorts share it and a rollback neither loses nor repeats anything (invariant 7). In memory alone.
 */
import type { Clock } from './clock.ts';
import { ModelHealth } from './model-health.ts';

/** Values by key; the one that was used longest ago gives way. Cost: constant. */
export class SubjectMemory<Value> {
  private readonly clock: Clock;
  private readonly entriesMax: number;
  private readonly keepMs: number;
  private readonly entries = new Map<string, { readonly value: Value; readonly atMs: number }>();

  /** `keepMs`: how long a value lasts that nobody asks for. */
  constructor(clock: Clock, entriesMax: number, keepMs: number) {
    this.clock = clock;
    this.entriesMax = entriesMax;
    this.keepMs = keepMs;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: string): Value | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    if (this.clock.monotonicMs() - entry.atMs >= this.keepMs) {
      this.entries.delete(key);
      return undefined;
    }
    this.set(key, entry.value);
    return entry.value;
  }

  set(key: string, value: Value): void {
    this.entries.delete(key);
    if (this.entries.size >= this.entriesMax) {
      const oldest = this.entries.keys().next();
      if (!oldest.done) this.entries.delete(oldest.value);
    }
    this.entries.set(key, { value, atMs: this.clock.monotonicMs() });
  }
}

/** Tokens left, as of a monotonic time. */
export interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** What rules remember of sessions and other subjects. */
export interface SubjectMemories {
  /** The model that a session was routed to, or '' where it stayed. */
  readonly routes: SubjectMemory<string>;
  /** Sessions that have had what a rule appends once. */
  readonly appended: SubjectMemory<true>;
  readonly buckets: SubjectMemory<Bucket>;
  readonly models: ModelHealth;
}

export function subjectMemories(
  clock: Clock,
  limits: { readonly subjectsMax: number; readonly subjectIdleMsMax: number },
): SubjectMemories {
  const { subjectsMax, subjectIdleMsMax } = limits;
  return Object.freeze({
    routes: new SubjectMemory<string>(clock, subjectsMax, subjectIdleMsMax),
    appended: new SubjectMemory<true>(clock, subjectsMax, subjectIdleMsMax),
    buckets: new SubjectMemory<Bucket>(clock, subjectsMax, subjectIdleMsMax),
    models: new ModelHealth(clock),
  });
}

/** The rule, whatever set it stands in, and who is meant. */
export function subjectKey(rule: { readonly id: string }, kind: string, subject: string): string {
  return `${rule.id} ${kind} ${subject}`;
}
