import assert from 'node:assert/strict';
import { JUDGE_DEFAULTS } from '../../src/judge/judge-plan.ts';
import { Settling } from '../../src/judge/settling.ts';
import { STANDING_WINDOW_MS, StandingWatch } from '../../src/judge/standing-watch.ts';
import { seeded } from './traffic.ts';

describe('judge: a set that serves everybody', () => {
  /** Exchanges at `perSecond` until it fails, at most `most`. */
  function exchangesNeeded(
    watch: StandingWatch,
    options: { errorRate: number; perSecond: number; most: number; fromMs?: number },
  ): number {
    const random = seeded(3);
    const { errorRate, perSecond, most, fromMs = 0 } = options;
    for (let i = 1; i <= most; i++) {
      watch.observe(random.next() < errorRate, fromMs + (i * 1_000) / perSecond);
      if (watch.trigger) return i;
    }
    return Number.POSITIVE_INFINITY;
  }

  const watch = (): StandingWatch => new StandingWatch(JUDGE_DEFAULTS, 0);

  it('fails within ten errors in a row, in words that people read', () => {
    const failing = watch();
    assert.ok(exchangesNeeded(failing, { errorRate: 1, perSecond: 1, most: 100 }) <= 10);
    const { trigger, state, lines } = failing.judge(20_000);
    assert.equal(state, 'fail');
    assert.equal(trigger?.metric, 'error_rate');
    assert.match(
      lines[0] ?? '',
      /^errors after the rollout: observed 100 % > limit 5 %; evidence 10\^1\d of the 10\^12 needed$/,
    );
  });

  it('fails as soon after a long good time', () => {
    const old = watch();
    const good = { errorRate: 0.01, perSecond: 100, most: 500_000 };
    assert.equal(exchangesNeeded(old, good), Number.POSITIVE_INFINITY);
    const fromMs = 5_000_000;
    const bad = { errorRate: 1, perSecond: 100, most: 100, fromMs };
    assert.ok(exchangesNeeded(old, bad) <= 12);
    // What is shown is of the last five minutes only.
    assert.ok((old.trigger?.canaryCount ?? 0) <= (STANDING_WINDOW_MS / 1_000) * 100);
  });

  it('fails at 15 % and not at 5 %', () => {
    const most = 100_000;
    assert.ok(exchangesNeeded(watch(), { errorRate: 0.15, perSecond: 50, most }) <= 2_000);
    assert.equal(
      exchangesNeeded(watch(), { errorRate: 0.05, perSecond: 50, most }),
      Number.POSITIVE_INFINITY,
    );
  });

  it('forgets: eight errors, and eight more an hour later, are not sixteen', () => {
    const forgetful = watch();
    for (let i = 0; i < 8; i++) forgetful.observe(true, i);
    for (let i = 0; i < 8; i++) forgetful.observe(true, 3_600_000 + i);
    assert.equal(forgetful.trigger, undefined);
    assert.equal(forgetful.judge(7_200_000).blind, true);
  });
});

describe('judge: settling', () => {
  const settling = (most?: number) => {
    const settled: string[] = [];
    const queue = new Settling<string>((name) => settled.push(name), 10_000, most);
    return { settled, queue };
  };

  it('hands on in the order of the starts, at the same age', () => {
    const { settled, queue } = settling();
    queue.add('long', 1_000);
    queue.add('refused', 500);
    queue.advance(10_999);
    assert.deepEqual(settled, []);
    queue.advance(11_000);
    assert.deepEqual(settled.sort(), ['long', 'refused']);
    assert.equal(queue.size, 0);
  });

  it('hands on what took longer when it ends, once', () => {
    const { settled, queue } = settling();
    queue.advance(60_000);
    queue.add('very long', 1_000);
    queue.advance(61_000);
    queue.advance(62_000);
    assert.deepEqual(settled, ['very long']);
  });

  it('holds the limit and leaves out limit + 1, until there is room', () => {
    const { settled, queue } = settling(2);
    for (const name of ['a', 'b', 'c']) queue.add(name, 0);
    assert.equal(queue.size, 2);
    queue.advance(10_000);
    assert.deepEqual(settled, ['a', 'b']);
    queue.add('d', 10_000);
    assert.equal(queue.size, 1);
  });
});
