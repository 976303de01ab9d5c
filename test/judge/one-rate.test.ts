import assert from 'node:assert/strict';
import { EProcess } from '../../src/judge/e-process.ts';
import { RateAbove, RateBelow } from '../../src/judge/one-rate.ts';
import { seeded } from './traffic.ts';

/** Expectation of the wealth after n outcomes at a rate, over all 2^n sequences. */
function expectedWealth(n: number, rate: number, wealth: (outcomes: boolean[]) => number): number {
  let sum = 0;
  for (let bits = 0; bits < 2 ** n; bits++) {
    const outcomes = Array.from({ length: n }, (_, i) => ((bits >> i) & 1) === 1);
    const hits = outcomes.filter(Boolean).length;
    sum += rate ** hits * (1 - rate) ** (n - hits) * wealth(outcomes);
  }
  return sum;
}

describe('judge: evidence about one rate', () => {
  it('expects no gain at or below the limit, and gains above it', () => {
    const above = (outcomes: boolean[]) => {
      const test = new RateAbove(0.1);
      for (const hit of outcomes) test.observe(hit);
      return test.wealth;
    };
    for (const rate of [0, 0.01, 0.05, 0.1]) assert.ok(expectedWealth(10, rate, above) <= 1 + 1e-9);
    assert.ok(Math.abs(expectedWealth(10, 0.1, above) - 1) < 1e-9);
    assert.ok(expectedWealth(10, 0.5, above) > 10);
  });

  it('mirrored: expects no gain at or above the limit', () => {
    const below = (outcomes: boolean[]) => {
      const test = new RateBelow(0.3);
      for (const hit of outcomes) test.observe(hit);
      return Math.exp(test.logWealth);
    };
    for (const rate of [0.3, 0.5, 1]) assert.ok(expectedWealth(10, rate, below) <= 1 + 1e-9);
    assert.ok(expectedWealth(10, 0.01, below) > 3);
  });

  it('needs five errors in a row against 5 % at 10^-5, three against 1 % at 2 in 10,000', () => {
    const needed = (limit: number, alpha: number) => {
      const test = new RateAbove(limit);
      while (test.peak < 1 / alpha) test.observe(true);
      return test.count;
    };
    assert.equal(needed(0.05, 1e-5), 5);
    assert.equal(needed(0.01, 2e-4), 3);
  });

  it('finds harm that begins after a long clean time', () => {
    const test = new RateAbove(0.05);
    for (let i = 0; i < 100_000; i++) test.observe(false);
    const clean = test.count;
    while (test.peak < 1e5) test.observe(true);
    assert.ok(test.count - clean <= 15, `took ${test.count - clean}`);
  });

  it('stays finite however long everything fails', () => {
    const test = new RateAbove(0.001);
    for (let i = 0; i < 5_000; i++) test.observe(true);
    assert.ok(Number.isFinite(test.wealth));
  });

  it('at exactly the limit, alarms no oftener than alpha', () => {
    let alarms = 0;
    const random = seeded(7);
    for (let run = 0; run < 400; run++) {
      const test = new RateAbove(0.05);
      for (let i = 0; i < 2_000; i++) test.observe(random.next() < 0.05);
      if (test.peak >= 100) alarms += 1;
    }
    assert.ok(alarms <= 8, `${alarms} of 400 at alpha 1 %`);
  });

  it('mixes late starts with what was never staked', () => {
    const process = new EProcess(1, true);
    process.step([Math.log(3)]);
    // 1/2 staked and tripled, 1/2 still owned.
    assert.ok(Math.abs(Math.exp(process.logWealth) - 2) < 1e-12);
    process.step([Math.log(0.5)]);
    // (3/2 + 1/6) / 2 + 1/3
    assert.ok(Math.abs(Math.exp(process.logWealth) - 7 / 6) < 1e-12);
    assert.ok(Math.abs(Math.exp(process.logPeak) - 2) < 1e-12);
  });

  it('refuses limits that are no rate', () => {
    for (const limit of [0, 1, -1, Number.NaN]) {
      assert.throws(() => new RateAbove(limit), RangeError);
      assert.throws(() => new RateBelow(limit), RangeError);
    }
  });
});
