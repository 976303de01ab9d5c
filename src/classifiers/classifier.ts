/**
 * One classifier: what is known already is not asked again, what is asked together goes in few calls, and a
 * question has a verdict or a reason for none within its deadline, whatever the other side does.
 */
import type { ClassifierConfig } from '../engine/classifier-config.ts';
import type { ClassifierOutcome, ClassifierQuery } from '../engine/classifiers.ts';
import type { Clock } from '../engine/clock.ts';
import type { DetectorGuard } from '../engine/rule-guard.ts';
import type { TextVerdict } from '../match/classifier.ts';
import type { ClassifierFailure } from '../policy/given-verdict.ts';
import { CallQueue, type QueuedCall } from './call-queue.ts';
import type { Contract, Question } from './contract.ts';
import type { CallOutcome } from './http-call.ts';
import { VerdictCache } from './verdict-cache.ts';
import { joined, windowsOf } from './windows.ts';

/** Calls that one question may be. */
export const CALLS_MAX = 64;

export interface ClassifierMetrics {
  /** How one question ended. */
  classifierOutcome(classifier: string, outcome: ClassifierFailure | 'judged' | 'cached'): void;
  /** From the first byte that was sent to the verdict. */
  classifierDuration(classifier: string, durationMs: number): void;
}

export interface ClassifierMeans {
  readonly clock: Clock;
  readonly guard: DetectorGuard;
  readonly metrics: ClassifierMetrics;
  readonly contract: Contract;
  /** Keyed hash of a text. */
  readonly hash: (text: string) => string;
  /** Sends JSON; the result ends it without a word. */
  readonly post: (body: string, told: (outcome: CallOutcome) => void) => () => void;
}

type CallResult = readonly TextVerdict[] | ClassifierFailure;

/**
 * Whose verdicts are whose: the direction is part of what a classifier is told, and how fast a verdict comes would
 * tell one tenant what another has sent.
 */
const cachedFor = ({ set, tenant, direction }: ClassifierQuery): string =>
  JSON.stringify([set, direction, tenant ?? null]);

export class Classifier {
  private readonly config: ClassifierConfig;
  private readonly means: ClassifierMeans;
  private readonly queue: CallQueue;
  private readonly cache: VerdictCache;

  constructor(config: ClassifierConfig, means: ClassifierMeans) {
    this.config = config;
    this.means = means;
    this.queue = new CallQueue(config.concurrencyMax, config.waitingMax);
    this.cache = new VerdictCache({
      entriesMax: config.cacheEntriesMax,
      keepMs: config.cacheMs,
      hash: means.hash,
      monotonicMs: () => means.clock.monotonicMs(),
    });
  }

  /** Calls that run or wait. */
  get backlog(): number {
    return this.queue.runningCalls + this.queue.waitingCalls;
  }

  ask(query: ClassifierQuery, told: (outcome: ClassifierOutcome) => void): void {
    const texts = query.texts.map((text) => windowsOf(text, this.config.windowUnits));
    const known = new Map<string, TextVerdict>();
    const missing = new Set<string>();
    for (const { value } of texts.flat()) {
      const verdict = this.cache.get(cachedFor(query), value);
      if (verdict === undefined) missing.add(value);
      else known.set(value, verdict);
    }
    const finish = (failure: ClassifierFailure | undefined): void => {
      const word = failure ?? (missing.size === 0 ? 'cached' : 'judged');
      this.means.metrics.classifierOutcome(this.config.name, word);
      if (failure !== undefined) {
        told({ kind: 'failed', reason: failure });
        return;
      }
      const verdicts = texts.map((windows) =>
        joined(
          windows,
          windows.map(({ value }) => known.get(value)!),
        ),
      );
      told({ kind: 'judged', verdicts });
    };
    if (missing.size === 0) finish(undefined);
    else this.judge([...missing], query, known, finish);
  }

  /** Asks about `texts`, in as many calls as the contract needs; the first that fails ends them all. */
  private judge(
    texts: readonly string[],
    query: ClassifierQuery,
    known: Map<string, TextVerdict>,
    finish: (failure: ClassifierFailure | undefined) => void,
  ): void {
    const { textsMax } = this.means.contract;
    const parts: string[][] = [];
    for (let at = 0; at < texts.length; at += textsMax) parts.push(texts.slice(at, at + textsMax));
    if (parts.length > CALLS_MAX) {
      finish('too_long');
      return;
    }
    const { deadlineMs, deferredDeadlineMs } = this.config;
    const enders: ((why: 'deadline' | 'given_up') => void)[] = [];
    let unanswered = parts.length;
    let over = false;
    const end = (failure: ClassifierFailure | undefined): void => {
      if (over) return;
      over = true;
      cancel();
      for (const stop of enders) stop(failure === 'deadline' ? 'deadline' : 'given_up');
      finish(failure);
    };
    const cancel = this.means.clock.after(query.urgent ? deadlineMs : deferredDeadlineMs, () =>
      end('deadline'),
    );
    for (const part of parts) {
      if (over) return;
      const { direction } = query;
      const question: Question = { texts: part, direction, model: this.config.model };
      const stop = this.call(question, query, (result) => {
        if (typeof result === 'string') {
          end(result);
          return;
        }
        for (const [index, text] of part.entries()) {
          known.set(text, result[index]!);
          this.cache.put(cachedFor(query), text, result[index]!);
        }
        unanswered--;
        if (unanswered === 0) end(undefined);
      });
      enders.push(stop);
    }
  }

  /** One call, when its turn comes. The result ends it. */
  private call(
    question: Question,
    { source, urgent }: ClassifierQuery,
    told: (result: CallResult) => void,
  ): (why: 'deadline' | 'given_up') => void {
    const { guard, clock, metrics, contract, post } = this.means;
    const { name } = this.config;
    let over = false;
    let stopRunning: ((why: 'deadline' | 'given_up') => void) | undefined;
    const end = (result: CallResult): void => {
      if (over) return;
      over = true;
      told(result);
    };
    const queued: QueuedCall = {
      source,
      drop: () => end('overloaded'),
      run: (free) => {
        const generation = guard.admit(name);
        if (generation === undefined) {
          end('breaker_open');
          free();
          return;
        }
        const startedMs = clock.monotonicMs();
        const abort = post(JSON.stringify(contract.body(question)), (outcome) => {
          metrics.classifierDuration(name, clock.monotonicMs() - startedMs);
          const result = this.understood(outcome, question);
          const failed = typeof result === 'string';
          // Nobody's text makes a classifier unreachable.
          const blamed = result === 'unreachable' ? undefined : source;
          guard.record(name, failed ? 'error' : 'ok', generation, blamed);
          free();
          end(result);
        });
        stopRunning = (why) => {
          abort();
          guard.record(name, why === 'deadline' ? 'error' : 'abandoned', generation, source);
          free();
        };
      },
    };
    if (!this.queue.add(queued, urgent)) end('overloaded');
    return (why) => {
      if (over) return;
      over = true;
      if (stopRunning === undefined) this.queue.remove(queued);
      else stopRunning(why);
    };
  }

  private understood(outcome: CallOutcome, question: Question): CallResult {
    if (outcome.kind === 'failed') return outcome.reason;
    const answer = this.means.contract.read(outcome.json, question);
    if (answer === undefined) return 'bad_answer';
    this.cache.toldVersion(answer.version);
    return answer.verdicts;
  }
}
