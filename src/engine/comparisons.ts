/**
 * The judges of what runs now: one per rollout or watch, made when it begins, fed with every exchange,
 * gone when it ends. Never reset because somebody looked.
 */
import { History } from '../judge/history.ts';
import { type JudgePlan, judgePlan } from '../judge/judge-plan.ts';
import type { Judgement, JudgementTrigger } from '../judge/judgement.ts';
import { RolloutJudge } from '../judge/rollout-judge.ts';
import { WatchJudge } from '../judge/watch-judge.ts';
import type { JudgeExpectation } from '../rollout/outlook.ts';
import type { ExchangeOutcome } from './ports.ts';

type Comparison =
  | {
      readonly kind: 'rollout';
      readonly expectation: JudgeExpectation;
      readonly judge: RolloutJudge;
    }
  | { readonly kind: 'watch'; readonly expectation: JudgeExpectation; readonly judge: WatchJudge };

export interface Failed {
  readonly expectation: JudgeExpectation;
  readonly trigger: JudgementTrigger;
}

export class Comparisons {
  private readonly overrides: Partial<Omit<JudgePlan, 'sessions'>>;
  private readonly running = new Map<string, Comparison>();
  /** The recent past of each set that serves or has served: what a watch compares with. */
  private readonly histories = new Map<string, History>();

  /** `overrides`: of the judge's defaults, for every comparison. */
  constructor(overrides: Partial<Omit<JudgePlan, 'sessions'>> = {}) {
    this.overrides = overrides;
  }

  /** Makes the judges fit what serves now. Those that go on keep their evidence. */
  follow(expectations: readonly JudgeExpectation[], nowMs: number): void {
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

  /** Feeds one finished exchange; returns what has failed by it. About 1 µs, more when it was denied. */
  observe(outcome: ExchangeOutcome, nowMs: number): Failed | undefined {
    const { set, session, denied, errored } = outcome;
    if (session !== undefined) this.history(set).record(session, denied);
    let failed: Failed | undefined;
    for (const comparison of this.running.values()) {
      const { expectation } = comparison;
      const isCandidate = set === expectation.candidate;
      if (!isCandidate && set !== expectation.baseline) continue;
      const seen = { denied, errored, ...(session !== undefined && { session }) };
      if (comparison.kind === 'rollout') {
        comparison.judge.observe({ ...seen, cohort: isCandidate ? 'canary' : 'control' }, nowMs);
      } else if (isCandidate) comparison.judge.observe(seen, nowMs);
      else continue;
      if (isCandidate && (denied || errored)) failed ??= this.look(comparison, nowMs);
    }
    return failed;
  }

  /** What has failed by now, looked at by the clock: a set that stops denying shows no denied exchange. */
  failed(nowMs: number): readonly Failed[] {
    return [...this.running.values()].flatMap((comparison) => this.look(comparison, nowMs) ?? []);
  }

  judgement(id: string, nowMs: number): Judgement | undefined {
    return this.running.get(id)?.judge.judge(nowMs);
  }

  /** ln of the evidence against each candidate that has failed, or 0: for metrics. */
  evidence(nowMs: number): readonly { readonly metric: string; readonly logE: number }[] {
    return [...this.running.values()].flatMap(({ judge }) => judge.judge(nowMs).evidence);
  }

  private look(comparison: Comparison, nowMs: number): Failed | undefined {
    const { trigger } = comparison.judge.judge(nowMs);
    return trigger && { expectation: comparison.expectation, trigger };
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
    if (expectation.comparing === 'rollout') {
      return { kind: 'rollout', expectation, judge: new RolloutJudge(judged, nowMs) };
    }
    const past = this.history(expectation.baseline).newestFirst();
    return { kind: 'watch', expectation, judge: new WatchJudge(judged, past, nowMs) };
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

/** Sets whose recent past is remembered. */
const HISTORIES_MAX = 8;
