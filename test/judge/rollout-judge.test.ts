import assert from 'node:assert/strict';
import { type JudgePlan, judgePlan } from '../../src/judge/judge-plan.ts';
import type { Judgement } from '../../src/judge/judgement.ts';
import { NAIVE_DEFAULTS, NaiveRule } from '../../src/judge/naive.ts';
import { RolloutJudge } from '../../src/judge/rollout-judge.ts';
import { WatchJudge } from '../../src/judge/watch-judge.ts';
import { seeded } from './traffic.ts';

const RUNS = 50;

interface Run {
  /** Canary exchanges until the verdict, or all of them. */
  readonly canary: number;
  readonly judgement: Judgement;
}

/** Sessions of one request, ten a second, until the judge fails or `canaryMax` were seen. */
function untilFailed(
  plan: JudgePlan,
  traffic: { share: number; control: number; canary: number; canaryMax: number },
  seed: number,
): Run {
  const random = seeded(seed);
  const judge = new RolloutJudge(plan, 0);
  let canary = 0;
  let atMs = 0;
  for (let i = 0; canary < traffic.canaryMax; i++) {
    const isCanary = random.next() < traffic.share;
    if (isCanary) canary += 1;
    const denied = random.next() < (isCanary ? traffic.canary : traffic.control);
    atMs = i * 100;
    const cohort = isCanary ? 'canary' : 'control';
    judge.observe({ cohort, session: `s${i}`, denied, errored: false }, atMs);
    // Asking often is harmless, but the words of an answer cost time.
    if (isCanary && canary % 10 === 0) {
      const judgement = judge.judge(atMs);
      if (judgement.state === 'fail') return { canary, judgement };
    }
  }
  return { canary: Number.POSITIVE_INFINITY, judgement: judge.judge(atMs) };
}

function report(name: string, runs: readonly Run[]): number[] {
  const needed = runs.map((run) => run.canary).sort((a, b) => a - b);
  console.log(
    `      ${name}: median ${needed[RUNS / 2]}, 9 of 10 within ${needed[RUNS * 0.9]}, all within ${needed.at(-1)} canary exchanges`,
  );
  return needed;
}

describe('judge: harm', () => {
  for (const [control, canary, share, metric] of [
    [0.05, 0.35, 0.2, 'deny_rate_up'],
    [0.05, 0.35, 0.5, 'deny_rate_up'],
    [0.2, 0, 0.2, 'deny_rate_down'],
    [0.2, 0, 0.5, 'deny_rate_down'],
    [0.35, 0, 0.2, 'deny_rate_down'],
  ] as const) {
    it(`denials from ${control * 100} % to ${canary * 100} % at a share of ${share * 100} %`, () => {
      const runs = Array.from({ length: RUNS }, (_, seed) =>
        untilFailed(judgePlan(), { share, control, canary, canaryMax: 200 }, seed + 1),
      );
      const needed = report(`${control * 100} % -> ${canary * 100} %`, runs);
      assert.ok(needed.filter((n) => n <= 200).length >= 45);
      for (const run of runs) {
        if (run.judgement.state !== 'fail') continue;
        const trigger = run.judgement.trigger!;
        assert.equal(trigger.metric, metric);
        assert.ok(trigger.evidence >= trigger.threshold);
        assert.equal(trigger.threshold, 2_000);
        assert.ok(trigger.canaryCount <= run.canary);
        assert.match(trigger.words, /^deny rate, (rise: .* > limit|fall: .* < limit) /);
      }
    });
  }

  it('denials that stop: from 5 % to 0 % is found in the end', () => {
    const traffic = { share: 0.5, control: 0.05, canary: 0, canaryMax: 2_000 };
    const runs = Array.from({ length: RUNS }, (_, seed) =>
      untilFailed(judgePlan(), traffic, seed + 1),
    );
    const needed = report('5 % -> 0 %', runs);
    assert.ok(needed.every((n) => n <= 2_000));
  });

  it('errors on every exchange: at most five, one after another, with and without a session', () => {
    for (const session of [undefined, 's']) {
      const judge = new RolloutJudge(judgePlan(), 0);
      let canary = 0;
      while (judge.judge(canary).state !== 'fail') {
        canary += 1;
        assert.ok(canary <= 5, 'more than five');
        judge.observe(
          { cohort: 'canary', denied: false, errored: true, ...(session ? { session } : {}) },
          canary,
        );
      }
      const { trigger } = judge.judge(10);
      assert.equal(trigger!.metric, 'error_rate');
      assert.match(trigger!.words, /^errors: observed 100 % > limit \d % *; evidence/);
    }
  });

  it('the hard limit alone needs five', () => {
    const plan = judgePlan({ errorAlpha: 1e-300 });
    const judge = new RolloutJudge(plan, 0);
    for (let i = 1; i <= 5; i++) {
      assert.equal(judge.judge(i).state, 'inconclusive');
      judge.observe({ cohort: 'canary', denied: false, errored: true }, i);
    }
    assert.equal(judge.judge(6).trigger!.limit, 0.05);
  });

  it('errors of the control are not the canary’s', () => {
    const judge = new RolloutJudge(judgePlan(), 0);
    for (let i = 0; i < 1_000; i++) {
      judge.observe({ cohort: 'control', session: `c${i}`, denied: false, errored: true }, i);
    }
    assert.equal(judge.judge(1_000).state, 'inconclusive');
  });

  it('a fail stays, whatever comes after', () => {
    const judge = new RolloutJudge(judgePlan(), 0);
    for (let i = 0; i < 5; i++) {
      judge.observe({ cohort: 'canary', denied: false, errored: true }, i);
    }
    const before = judge.judge(5).trigger;
    for (let i = 0; i < 10_000; i++) {
      judge.observe({ cohort: 'canary', session: `s${i}`, denied: false, errored: false }, i + 6);
    }
    assert.equal(judge.judge(20_000).state, 'fail');
    assert.deepEqual(judge.judge(20_000).trigger, before);
  });
});

describe('judge: announced changes', () => {
  const up = { share: 0.5, control: 0.05, canary: 0.35, canaryMax: 500 };
  const down = { share: 0.5, control: 0.35, canary: 0, canaryMax: 500 };

  for (const [name, plan] of [
    ['expected rise', judgePlan({ expectDenyRate: 'up' })],
    ['emergency', judgePlan({ emergency: true })],
  ] as const) {
    it(`${name}: more denials alert and do not fail; fewer still do`, () => {
      const risen = untilFailed(plan, up, 1).judgement;
      assert.notEqual(risen.state, 'fail');
      assert.ok(risen.lines.some((line) => line.startsWith('alert: deny rate, rise')));
      assert.equal(untilFailed(plan, down, 1).judgement.trigger?.metric, 'deny_rate_down');
    });
  }

  it('expected fall: fewer denials alert; more still fail', () => {
    const plan = judgePlan({ expectDenyRate: 'down' });
    const fallen = untilFailed(plan, down, 1).judgement;
    assert.notEqual(fallen.state, 'fail');
    assert.ok(fallen.lines.some((line) => line.startsWith('alert: deny rate, fall')));
    assert.equal(untilFailed(plan, up, 1).judgement.trigger?.metric, 'deny_rate_up');
  });
});

describe('judge: safety', () => {
  function feed(judge: RolloutJudge, exchanges: number, withSession = true): number {
    const random = seeded(3);
    for (let i = 0; i < exchanges; i++) {
      const cohort = random.next() < 0.5 ? 'canary' : 'control';
      const session = withSession ? { session: `s${i}` } : {};
      judge.observe({ cohort, denied: random.next() < 0.3, errored: false, ...session }, i * 100);
    }
    return exchanges * 100;
  }

  it('passes only once every rate is proven, and not any more when it goes blind', () => {
    const judge = new RolloutJudge(judgePlan(), 0);
    assert.equal(judge.judge(0).state, 'inconclusive');
    feed(judge, 200);
    assert.equal(judge.judge(20_000).state, 'inconclusive');
    const later = new RolloutJudge(judgePlan(), 0);
    const endMs = feed(later, 10_000);
    assert.equal(later.judge(endMs).state, 'pass');
    assert.equal(later.judge(endMs - 100 + 299_000).state, 'pass');
    const blind = later.judge(endMs + 300_000);
    assert.equal(blind.state, 'inconclusive');
    assert.equal(blind.blind, true);
    assert.ok(blind.lines.some((line) => line.startsWith('blind')));
  });

  it('does not pass without canary traffic, nor without sessions', () => {
    const alone = new RolloutJudge(judgePlan(), 0);
    for (let i = 0; i < 20_000; i++) {
      alone.observe({ cohort: 'control', session: `s${i}`, denied: false, errored: false }, i);
    }
    assert.equal(alone.judge(20_000).state, 'inconclusive');
    assert.equal(alone.judge(20_000).blind, true);
    const nameless = new RolloutJudge(judgePlan(), 0);
    const endMs = feed(nameless, 10_000, false);
    assert.equal(nameless.judge(endMs).state, 'inconclusive');
  });

  it('looking changes nothing', () => {
    const plan = judgePlan();
    const quiet = new RolloutJudge(plan, 0);
    const watched = new RolloutJudge(plan, 0);
    const random = seeded(11);
    const looks = seeded(12);
    for (let i = 0; i < 5_000; i++) {
      const atMs = i * 70;
      const seen = {
        cohort: random.next() < 0.3 ? 'canary' : 'control',
        session: `s${Math.floor(i / 6)}-${i % 3}`,
        denied: random.next() < 0.1,
        errored: random.next() < 0.002,
      } as const;
      quiet.observe(seen, atMs);
      watched.observe(seen, atMs);
      if (looks.next() < 0.2) watched.judge(atMs + looks.next() * 70);
    }
    assert.deepEqual(watched.judge(350_000), quiet.judge(350_000));
  });

  it('leaves sessions out beyond the limit and says so', () => {
    const judge = new RolloutJudge(judgePlan({ sessions: { sessionsMax: 10 } }), 0);
    for (let i = 0; i < 12; i++) {
      judge.observe({ cohort: 'canary', session: `s${i}`, denied: false, errored: false }, i);
    }
    assert.ok(
      judge
        .judge(12)
        .lines.includes('sessions: 2 exchanges left out, more sessions than `sessionsMax`'),
    );
  });

  it('refuses a plan that cannot be judged', () => {
    assert.throws(() => judgePlan({ errorRateMax: 0 }), /errorRateMax/);
    assert.throws(() => judgePlan({ denyAlpha: 1 }), /denyAlpha/);
    assert.throws(() => judgePlan({ denyRateChangeMax: Number.NaN }), /denyRateChangeMax/);
    assert.throws(() => judgePlan({ sessions: { sessionsMax: 0 } }), /sessionsMax/);
  });
});

describe('judge: a set activated at once', () => {
  function watch(past: number, now: number, seed: number, exchanges = 1_500) {
    const random = seeded(seed);
    const history = Array.from({ length: 2_000 }, () => random.next() < past);
    const judge = new WatchJudge(judgePlan(), history, 0);
    for (let i = 0; i < exchanges; i++) {
      judge.observe({ session: `s${i}`, denied: random.next() < now, errored: false }, i * 100);
      if (judge.judge(i * 100).state === 'fail') return { needed: i + 1, judge };
    }
    return { needed: Number.POSITIVE_INFINITY, judge };
  }

  it('is compared with what the set before it did', () => {
    for (let seed = 1; seed <= 20; seed++) {
      assert.ok(watch(0.05, 0.35, seed).needed <= 250);
      assert.ok(watch(0.35, 0, seed).needed <= 150);
    }
  });

  it('fails no healthy set', () => {
    for (let seed = 1; seed <= 20; seed++) {
      assert.equal(watch(0.05, 0.05, seed).needed, Number.POSITIVE_INFINITY);
    }
  });

  it('fails within five errors, and says when its history is used up', () => {
    const judge = new WatchJudge(judgePlan(), [true, false], 0);
    judge.observe({ session: 'a', denied: false, errored: false }, 0);
    assert.ok(
      judge.judge(0).lines.includes('history: 0 sessions of the previous set left to compare with'),
    );
    for (let i = 1; i <= 5; i++) judge.observe({ denied: false, errored: true }, i);
    assert.equal(judge.judge(6).trigger!.metric, 'error_rate');
  });
});

describe('judge: the naive rule', () => {
  it('waits ten minutes, then compares the last five', () => {
    const rule = new NaiveRule(NAIVE_DEFAULTS, 0);
    for (let s = 0; s < 600; s++) {
      rule.observe({ cohort: 'control', denied: s % 10 === 0 }, s * 1_000);
      rule.observe({ cohort: 'canary', denied: s % 5 === 0 }, s * 1_000);
    }
    assert.equal(rule.poll(599_999), undefined);
    const found = rule.poll(600_000);
    assert.equal(found!.change, 1);
  });

  it('leaves a change of exactly a fifth, an empty cohort and two zeros alone', () => {
    const equal = new NaiveRule(NAIVE_DEFAULTS, 0);
    const empty = new NaiveRule(NAIVE_DEFAULTS, 0);
    const zeros = new NaiveRule(NAIVE_DEFAULTS, 0);
    for (let s = 0; s < 600; s++) {
      equal.observe({ cohort: 'control', denied: s % 2 === 0 }, s * 1_000);
      equal.observe({ cohort: 'canary', denied: s % 5 < 3 }, s * 1_000);
      empty.observe({ cohort: 'control', denied: true }, s * 1_000);
      zeros.observe({ cohort: s % 2 ? 'control' : 'canary', denied: false }, s * 1_000);
    }
    assert.equal(equal.poll(600_000), undefined);
    assert.equal(empty.poll(600_000), undefined);
    assert.equal(zeros.poll(600_000), undefined);
  });
});
