import assert from 'node:assert/strict';
import { DenyRates } from '../../src/judge/deny-rates.ts';
import { judgePlan } from '../../src/judge/judge-plan.ts';
import { denyMargins, SessionLane } from '../../src/judge/session-lane.ts';
import { WatchJudge } from '../../src/judge/watch-judge.ts';

const margins = denyMargins(0.2, 0.002);
const timing = { closeMs: 120_000, forgetMs: 1_800_000, sessionsMax: 1_000 };

describe('judge: deny rates by session', () => {
  it('ends a tick when its time is over and both cohorts are in it, not before', () => {
    const lane = new SessionLane(1, 1_000, margins);
    lane.add('control', 1, 0, 0);
    lane.advance(5_000);
    assert.equal(lane.ticks, 0);
    lane.add('canary', 1, 1, 5_000);
    lane.advance(5_000);
    assert.equal(lane.ticks, 1);
    lane.add('control', 1, 0, 6_000);
    lane.add('canary', 1, 1, 6_500);
    lane.advance(6_999);
    assert.equal(lane.ticks, 1);
    lane.advance(7_000);
    assert.equal(lane.ticks, 2);
  });

  it('divides the strongest lane by the number of lanes, for each could have alarmed', () => {
    const rates = new DenyRates({ ...timing, tickMs: 1_000, margins });
    const lane = new SessionLane(1, 1_000, margins);
    for (let i = 0; i < 200; i++) {
      const cohort = i % 2 === 0 ? 'canary' : 'control';
      rates.observe(`s${i}`, cohort, cohort === 'canary', i * 100);
      lane.add(cohort, 1, cohort === 'canary' ? 1 : 0, i * 100);
    }
    const alone = lane.evidence('harm_up')!.logPeak;
    assert.ok(alone > 10);
    assert.ok(Math.abs(rates.logPeak('harm_up') - (alone - Math.log(3))) < 1e-9);
  });

  it('has no edge for a fall when any fall is permitted', () => {
    assert.equal(denyMargins(1, 0.002).down, undefined);
    assert.notEqual(denyMargins(0.999, 0.002).down, undefined);
    const rates = new DenyRates({ ...timing, tickMs: 1_000, margins: denyMargins(1, 0.002) });
    assert.equal(rates.logPeak('harm_down'), -Infinity);
  });

  it('doubles the margins where the past stands in for a control', () => {
    const judge = new WatchJudge(judgePlan(), [true, false, true, false], 0);
    for (let i = 0; i < 2; i++) {
      judge.observe({ session: `s${i}`, denied: false, errored: false }, i);
    }
    const lines = judge.judge(10).lines;
    assert.ok(lines.some((line) => line.includes('limit 70.4 % (baseline 50 %)')));
    assert.ok(lines.some((line) => line.includes('limit 29.6 % (baseline 50 %)')));
  });
});
