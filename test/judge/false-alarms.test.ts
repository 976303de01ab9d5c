import assert from 'node:assert/strict';
import { judgePlan } from '../../src/judge/judge-plan.ts';
import { NAIVE_DEFAULTS, NaiveRule } from '../../src/judge/naive.ts';
import { RolloutJudge } from '../../src/judge/rollout-judge.ts';
import { exchanges, seeded } from './traffic.ts';

const ROLLOUTS = 200;
const HOUR_MS = 3_600_000;

/** One hour of 10 rps with nothing changed, judged at several shares of the same traffic. */
function rollBacks(
  seed: number,
  shares: readonly number[],
): { judge: boolean[]; naive: boolean[] } {
  const plan = judgePlan();
  const judges = shares.map(() => new RolloutJudge(plan, 0));
  const naives = shares.map(() => new NaiveRule(NAIVE_DEFAULTS, 0));
  for (const { session, denied, atMs } of exchanges({
    random: seeded(seed),
    rps: 10,
    durationMs: HOUR_MS,
    requests: 20,
    alive: 50,
    denyRate: 0.05,
    correlation: 0.1,
  })) {
    for (let i = 0; i < shares.length; i++) {
      const cohort = session.bucket < shares[i]! ? 'canary' : 'control';
      judges[i]!.observe({ cohort, session: session.key, denied, errored: false }, atMs);
      naives[i]!.observe({ cohort, denied }, atMs);
    }
  }
  return {
    judge: judges.map((judge) => judge.judge(HOUR_MS).state === 'fail'),
    naive: naives.map((naive) => naive.poll(HOUR_MS) !== undefined),
  };
}

describe('judge: rollouts of a set that changes nothing', () => {
  it('rolls back none of 200 where the naive rule rolls back nearly all', () => {
    const shares = [0.5, 0.1];
    const judge = [0, 0];
    const naive = [0, 0];
    for (let seed = 1; seed <= ROLLOUTS; seed++) {
      const found = rollBacks(seed, shares);
      for (let i = 0; i < shares.length; i++) {
        if (found.judge[i]) judge[i]! += 1;
        if (found.naive[i]) naive[i]! += 1;
      }
    }
    shares.forEach((share, i) => {
      console.log(
        `      share ${share * 100} %: judge ${judge[i]} of ${ROLLOUTS} rolled back, naive rule ${naive[i]} of ${ROLLOUTS}`,
      );
      assert.equal(judge[i], 0);
      assert.ok(naive[i]! >= 190);
    });
  }).timeout(240_000);
});
