/** What the judges are fed: exchanges that take as long as they take, of sets that come and go. */
import assert from 'node:assert/strict';
import { Comparisons, type Failed } from '../../src/engine/comparisons.ts';
import type { ExchangeOutcome } from '../../src/engine/ports.ts';
import { SETTLE_MS } from '../../src/judge/settling.ts';
import type { JudgeExpectation } from '../../src/rollout/outlook.ts';
import { seeded } from '../judge/traffic.ts';

const ROLLOUT: JudgeExpectation = {
  comparing: 'rollout',
  id: 'r',
  baseline: 'blue',
  candidate: 'green',
  denyRise: 'rolls_back',
};
const WATCH: JudgeExpectation = { ...ROLLOUT, comparing: 'watch', id: 'w' };
const STANDING: JudgeExpectation = { ...ROLLOUT, comparing: 'standing', id: 's' };

interface Period {
  readonly untilMs: number;
  readonly epoch: number;
  /** Share of the sessions that green judges. */
  readonly share: number;
  readonly denyRate: number;
}

/** An answer takes half a minute, a refusal no time. */
const ANSWER_MS = 30_000;
const PER_SECOND = 50;

/** One request per session; in the order in which they end. */
function exchanges(periods: readonly Period[]): (ExchangeOutcome & { readonly endedMs: number })[] {
  const random = seeded(7);
  const all: (ExchangeOutcome & { endedMs: number })[] = [];
  let startedMs = 0;
  for (const { untilMs, epoch, share, denyRate } of periods)
    for (; startedMs < untilMs; startedMs += 1_000 / PER_SECOND) {
      const isGreen = random.next() < share;
      const denied = random.next() < denyRate;
      all.push({
        set: isGreen ? 'green' : 'blue',
        cohort: isGreen ? 'canary' : 'control',
        epoch,
        session: `s${all.length}`,
        denied,
        errored: false,
        startedMs,
        endedMs: startedMs + (denied ? 5 : ANSWER_MS),
      });
    }
  return all.sort((a, b) => a.endedMs - b.endedMs);
}

/** Plays the periods; `changes` are made at the given time. Returns the first failure and its time. */
function play(
  comparisons: Comparisons,
  periods: readonly Period[],
  changes: readonly { readonly atMs: number; readonly change: () => void }[],
): { readonly failed: Failed; readonly atMs: number } | undefined {
  const ends = exchanges(periods);
  const waiting = [...changes];
  let at = 0;
  for (let nowMs = 0; nowMs < periods.at(-1)!.untilMs + ANSWER_MS; nowMs += 1_000) {
    while (waiting[0] !== undefined && waiting[0].atMs <= nowMs) waiting.shift()?.change();
    for (let next = ends[at]; next && next.endedMs <= nowMs + 1_000; next = ends[++at]) {
      const failed = comparisons.observe(next, next.endedMs);
      if (failed) return { failed, atMs: next.endedMs };
    }
    const [failed] = comparisons.failed(nowMs + 1_000);
    if (failed) return { failed, atMs: nowMs + 1_000 };
  }
  return undefined;
}

const MINUTE = 60_000;

describe('comparisons: answers that take half a minute', () => {
  /** A set that serves alone, a rollout of another at 20 %, then at 50 %. */
  const grown = (denyRate: number): readonly Period[] => [
    { untilMs: 2 * MINUTE, epoch: 1, share: 0, denyRate },
    { untilMs: 5 * MINUTE, epoch: 2, share: 0.2, denyRate },
    { untilMs: 8 * MINUTE, epoch: 3, share: 0.5, denyRate },
  ];

  it('roll back no rollout whose share grows', () => {
    const comparisons = new Comparisons();
    comparisons.follow([], 1, 0);
    const failure = play(comparisons, grown(0.05), [
      { atMs: 2 * MINUTE, change: () => comparisons.follow([ROLLOUT], 2, 2 * MINUTE) },
      { atMs: 5 * MINUTE, change: () => comparisons.follow([ROLLOUT], 3, 5 * MINUTE) },
    ]);
    assert.equal(failure, undefined);
  });

  const replaced = (before: number, after: number): readonly Period[] => [
    { untilMs: 5 * MINUTE, epoch: 1, share: 0, denyRate: before },
    { untilMs: 12 * MINUTE, epoch: 2, share: 1, denyRate: after },
  ];
  const watched = (before: number, after: number, expectation = WATCH) => {
    const comparisons = new Comparisons();
    comparisons.follow([], 1, 0);
    const atMs = 5 * MINUTE;
    return play(comparisons, replaced(before, after), [
      { atMs, change: () => comparisons.follow([expectation], 2, atMs) },
    ]);
  };

  it('roll back no set that was activated at once', () => {
    assert.equal(watched(0.05, 0.05), undefined);
  });

  it('hide neither a set activated at once that refuses more, nor one that stops refusing', () => {
    const up = watched(0.05, 0.35);
    assert.equal(up?.failed.trigger.metric, 'deny_rate_up');
    assert.ok(up.atMs >= 5 * MINUTE + SETTLE_MS);
    assert.equal(watched(0.35, 0)?.failed.trigger.metric, 'deny_rate_down');
  });

  it('undo no emergency that refuses everything', () => {
    assert.equal(watched(0.05, 1)?.failed.trigger.metric, 'deny_rate_up');
    assert.equal(watched(0.05, 1, { ...WATCH, denyRise: 'alerts' }), undefined);
  });

  it('have no past to compare with when the set before served for less than they settle in', () => {
    const comparisons = new Comparisons();
    comparisons.follow([], 1, 0);
    const periods = [
      { untilMs: 20_000, epoch: 1, share: 0, denyRate: 0.05 },
      { untilMs: 4 * MINUTE, epoch: 2, share: 1, denyRate: 0.05 },
    ];
    const change = (): void => comparisons.follow([WATCH], 2, 20_000);
    assert.equal(play(comparisons, periods, [{ atMs: 20_000, change }]), undefined);
  });
});

describe('comparisons: errors', () => {
  const outcome = (set: string, errored: boolean, session?: string): ExchangeOutcome => ({
    set,
    epoch: 1,
    cohort: 'control',
    session,
    denied: false,
    errored,
    startedMs: 0,
  });

  /** Exchanges that fail, one after another, until one is found to be too many. */
  function errorsNeeded(comparing: JudgeExpectation, epoch = 1): number {
    const comparisons = new Comparisons();
    comparisons.follow([comparing], epoch, 0);
    for (let sent = 1; sent <= 50; sent++) {
      if (comparisons.observe(outcome('green', true, `s${sent}`), sent)) return sent;
    }
    return Number.POSITIVE_INFINITY;
  }

  it('end a rollout, a watch and a set that served everybody, within ten', () => {
    for (const comparing of [ROLLOUT, WATCH, STANDING]) {
      const needed = errorsNeeded(comparing);
      assert.ok(needed <= 10, `${comparing.comparing}: ${needed}`);
    }
  });

  it('count also when the exchange began before the share changed', () => {
    assert.ok(errorsNeeded(ROLLOUT, 2) <= 10);
  });

  it('of the set before, or of one that is gone, are not the candidate’s', () => {
    for (const comparing of [ROLLOUT, WATCH, STANDING]) {
      const comparisons = new Comparisons();
      comparisons.follow([comparing], 1, 0);
      for (let sent = 1; sent <= 200; sent++) {
        assert.equal(comparisons.observe(outcome('blue', true), sent), undefined);
        assert.equal(comparisons.observe(outcome('gone', true), sent), undefined);
      }
    }
  });
});
