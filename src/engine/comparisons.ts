/**
 * The judges of what runs now: one per rollout or watch, made when it begins, fed with every exchange,
 * gone when it ends. Never reset because somebody looked.
 */
import { History } from '../judge/history.ts';
import { type JudgePlan, judgePlan } from '../judge/judge-plan.ts';
import type { Judgement, JudgementTrigger } from '../judge/judgement.ts';
import { RolloutJudge } from '../judge/rollout-judge.ts';
import { Settling } from '../judge/settling.ts';
import { StandingWatch } from '../judge/standing-watch.ts';
import { WatchJudge } from '../judge/watch-judge.ts';
import type { JudgeExpectation } from '../rollout/outlook.ts';
import type { ExchangeOutcome } from './ports.ts';

type Comparison =
  | {
      readonly kind: 'rollout';
      readonly expectation: JudgeExpectation;
      readonly judge: RolloutJudge;
    }
  | { readonly kind: 'watch'; readonly expectation: JudgeExpectation; readonly judge: WatchJudge }
  | {
      readonly kind: 'standing';
      readonly expectation: JudgeExpectation;
      readonly judge: StandingWatch;
    };

export interface Failed {
  readonly expectation: JudgeExpectation;
  readonly trigger: JudgementTrigger;
}

export class Comparisons {
  private readonly overrides: Partial<Omit<JudgePlan, 'sessions'>>;
  private readonly running = new Map<string, Comparison>();
  /** The recent past of each set that serves or has served: what a watch compares with. */
  private readonly histories = new Map<string, History>();
  private readonly settling = new Settling<ExchangeOutcome>((outcome, nowMs) =>
    this.settle(outcome, nowMs),
  );
  private epoch = 0;

  /** `overrides`: of the judge's defaults, for every comparison. */
  constructor(overrides: Partial<Omit<JudgePlan, 'sessions'>> = {}) {
    this.overrides = overrides;
  }

  /** Makes the judges fit what serves from `epoch` on. Those that go on keep their evidence. */
  follow(expectations: readonly JudgeExpectation[], epoch: number, nowMs: number): void {
    this.epoch = epoch;
    const wanted = new Set(expectations.map((expectation) => expectation.id));
    for (const id of this.running.keys()) if (!wanted.has(id)) this.running.delete(id);
    for (const expectation of expectations) {
      if (!this.running.has(expectation.id)) {
        this.running.set(expectation.id, this.begin(expectation, nowMs));
      }
    }
    const kept = new Set(expectations.flatMap((e) => [e.baseline, e.candidate]));
    for (const digest of this.histories.keys()) {
      if (!kept.has(digest) && this.histories.size > HISTORIES_MAX) this.histories.delete(digest);
    }
  }

  /** Feeds one finished exchange; returns what has failed by it. About 1 µs. */
  observe(outcome: ExchangeOutcome, nowMs: number): Failed | undefined {
    const { session, startedMs } = outcome;
    this.settling.advance(nowMs);
    if (session !== undefined) this.settling.add(outcome, startedMs);
    let failed: Failed | undefined;
    for (const comparison of this.running.values()) {
      this.feed(comparison, outcome, nowMs);
      failed ??= failureOf(comparison, comparison.judge.trigger);
    }
    return failed;
  }

  /** What has failed by now, looked at by the clock: a set that nobody asks any more brings no exchange. */
  failed(nowMs: number): readonly Failed[] {
    this.settling.advance(nowMs);
    return [...this.running.values()].flatMap(
      (comparison) => failureOf(comparison, comparison.judge.judge(nowMs).trigger) ?? [],
    );
  }

  judgement(id: string, nowMs: number): Judgement | undefined {
    return this.running.get(id)?.judge.judge(nowMs);
  }

  /** ln of the evidence against each candidate that has failed, or 0: for metrics. */
  evidence(nowMs: number): readonly { readonly metric: string; readonly logE: number }[] {
    return [...this.running.values()].flatMap(({ judge }) => judge.judge(nowMs).evidence);
  }

  private feed(comparison: Comparison, outcome: ExchangeOutcome, nowMs: number): void {
    const { set, session, denied, errored, epoch } = outcome;
    const isCandidate = set === comparison.expectation.candidate;
    switch (comparison.kind) {
      case 'rollout': {
        if (!isCandidate && set !== comparison.expectation.baseline) return;
        // Of the exchanges begun before the shares changed only those that took long come now: the
        // cohort that shrank would seem to refuse less, the one that grew to refuse more.
        const isComparable = session !== undefined && epoch === this.epoch;
        const cohort = isCandidate ? 'canary' : 'control';
        const seen = { cohort, denied, errored, ...(isComparable && { session }) } as const;
        comparison.judge.observe(seen, nowMs);
        return;
      }
      case 'watch':
        if (isCandidate) comparison.judge.observe({ denied, errored }, nowMs);
        return;
      case 'standing':
        if (isCandidate) comparison.judge.observe(errored, nowMs);
        return;
    }
  }

  private settle({ set, session, denied }: ExchangeOutcome, nowMs: number): void {
    if (session === undefined) return;
    this.history(set).record(session, denied);
    for (const comparison of this.running.values()) {
      if (comparison.kind === 'watch' && set === comparison.expectation.candidate) {
        comparison.judge.settled(session, denied, nowMs);
      }
    }
  }

  private begin(expectation: JudgeExpectation, nowMs: number): Comparison {
    const { plan, denyRise } = expectation;
    const judged = judgePlan({
      ...this.overrides,
      ...(plan && {
        denyRateChangeMax: plan.denyRateChangeMax,
        errorRateMax: plan.errorRateMax,
        denyAlpha: plan.alpha,
        expectDenyRate: plan.expectDenyRate,
      }),
      emergency: denyRise === 'alerts',
    });
    switch (expectation.comparing) {
      case 'rollout':
        return { kind: 'rollout', expectation, judge: new RolloutJudge(judged, nowMs) };
      case 'watch': {
        const past = this.history(expectation.baseline).newestFirst();
        return { kind: 'watch', expectation, judge: new WatchJudge(judged, past, nowMs) };
      }
      case 'standing':
        return { kind: 'standing', expectation, judge: new StandingWatch(judged, nowMs) };
    }
  }

  private history(digest: string): History {
    let history = this.histories.get(digest);
    if (!history) {
      history = new History();
      this.histories.set(digest, history);
    }
    return history;
  }
}

function failureOf(
  { expectation }: Comparison,
  trigger: JudgementTrigger | undefined,
): Failed | undefined {
  return trigger && { expectation, trigger };
}

/** Sets whose recent past is remembered. */
const HISTORIES_MAX = 8;
