/**
 * What conversations have shown so far, for conditions of their later turns. Facts, not verdicts (invariant 7,
 * `factsAreShared`): keyed by session and never by set, so that both cohorts read the same. Only rules in force leave
 * anything: a rule in shadow changes nothing, also not by a detour.
 */
import { NO_SESSION, type SessionFacts } from '../policy/surroundings.ts';
import type { Clock } from './clock.ts';
import type { Finding } from './findings.ts';
import { SubjectMemory } from './subject-memory.ts';

/** Topics, and rules that flagged, that are kept of one session; the oldest gives way. */
export const SESSION_WORDS_MAX = 32;

export class SessionFactMemory {
  private readonly sessions: SubjectMemory<SessionFacts>;

  constructor(
    clock: Clock,
    limits: { readonly subjectsMax: number; readonly subjectIdleMsMax: number },
  ) {
    this.sessions = new SubjectMemory(clock, limits.subjectsMax, limits.subjectIdleMsMax);
  }

  /** `session` is the keyed hash; without one nothing was said before. */
  read(session: string | undefined): SessionFacts {
    return (session === undefined ? undefined : this.sessions.get(session)) ?? NO_SESSION;
  }

  /** A turn is over. */
  learn(session: string | undefined, turn: Turn): void {
    if (session === undefined || turn.empty) return;
    const { topics, flags, injection } = this.read(session);
    const before = topics.filter((topic) => !turn.topics.has(topic));
    const known = Object.freeze([...before, ...turn.topics].slice(-SESSION_WORDS_MAX));
    const flagged = flags.filter((flag) => !turn.flags.has(flag));
    this.sessions.set(
      session,
      Object.freeze({
        topic: known.at(-1) ?? '',
        topics: known,
        flags: Object.freeze([...flagged, ...turn.flags].slice(-SESSION_WORDS_MAX)),
        injection: Math.max(injection, turn.injection),
      }),
    );
  }
}

/** What one exchange has come to. */
type Turn = Pick<TurnFacts, 'topics' | 'flags' | 'injection' | 'empty'>;

const NO_WORDS: ReadonlySet<string> = new Set();

/** What one exchange adds. */
export class TurnFacts {
  injection = 0;
  /** Made for the first of them: most exchanges have none. */
  private foundTopics: Set<string> | undefined;
  private foundFlags: Set<string> | undefined;

  get topics(): ReadonlySet<string> {
    return this.foundTopics ?? NO_WORDS;
  }

  get flags(): ReadonlySet<string> {
    return this.foundFlags ?? NO_WORDS;
  }

  get empty(): boolean {
    return this.topics.size === 0 && this.flags.size === 0 && this.injection === 0;
  }

  add({ rule, enforced, score }: Finding): void {
    if (!enforced) return;
    const topic = rule.detector?.topic;
    if (topic !== undefined) {
      // The last one found is the last of the set.
      this.foundTopics ??= new Set();
      this.foundTopics.delete(topic);
      this.foundTopics.add(topic);
    }
    if (rule.action.kind === 'flag') {
      this.foundFlags ??= new Set();
      this.foundFlags.add(rule.id);
    }
    if (rule.detector?.kind === 'injection' && score !== undefined)
      this.injection = Math.max(this.injection, score);
  }
}
