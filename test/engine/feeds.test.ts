import assert from 'node:assert/strict';
import type { TransitionRecord } from '../../src/audit/record.ts';
import { FeedBook, type FeedEvent } from '../../src/engine/feeds.ts';
import { LOAD_HALF_LIFE_MS, LOAD_SAMPLE_MS, LoadGauge } from '../../src/engine/load.ts';
import { ReadOnce, type World } from '../../src/engine/surroundings.ts';
import { NO_SESSION } from '../../src/policy/surroundings.ts';
import { sha256, VirtualClock } from './rig.ts';

function book() {
  const records: TransitionRecord[] = [];
  const events: FeedEvent[] = [];
  const state = { failing: false };
  const feeds = new FeedBook([{ name: 'bad', kind: 'networks', file: 'bad.txt' }], {
    clock: new VirtualClock(),
    limits: { feedEntriesMax: 3 },
    sha256,
    epoch: () => 7,
    recordTransition(record) {
      if (state.failing) throw new Error('disk');
      records.push(record);
    },
    onEvent: (event) => void events.push(event),
  });
  return { feeds, records, events, state };
}

/** In one go. */
const take = (steps: Iterable<unknown>): void => {
  for (const _ of steps);
};

describe('a feed', () => {
  it('is in the version that was last read whole, each by its digest and with a record', () => {
    const { feeds, records } = book();
    assert.equal(feeds.get('bad'), undefined);
    take(feeds.update('bad', '192.0.2.0/24'));
    take(feeds.update('bad', '192.0.2.0/24\n198.51.100.0/24'));
    take(feeds.update('bad', '192.0.2.0/24\n198.51.100.0/24'));
    const version = feeds.get('bad');
    assert.equal(version?.entries.has('198.51.100.1'), true);
    assert.equal(version?.digest, `sha256:${sha256('192.0.2.0/24\n198.51.100.0/24')}`);
    assert.deepEqual(
      records.map(({ transition, from, to, reason }) => [transition, from, to, reason]),
      [
        ['feed', '', `sha256:${sha256('192.0.2.0/24')}`, 'bad'],
        ['feed', `sha256:${sha256('192.0.2.0/24')}`, version?.digest, 'bad'],
      ],
    );
  });

  it('keeps the version before a broken one, and says so until a good one comes', () => {
    const { feeds, records, events, state } = book();
    take(feeds.update('bad', '192.0.2.0/24'));
    const before = feeds.get('bad');
    take(feeds.update('bad', '192.0.2.0/24\nnonsense'));
    feeds.refuse('bad', 'its file could not be read: EACCES');
    take(feeds.update('bad', '192.0.2.1\n192.0.2.2\n192.0.2.3\n192.0.2.4'));
    state.failing = true;
    take(feeds.update('bad', '203.0.113.0/24'));
    assert.equal(feeds.get('bad'), before);
    assert.match(feeds.status()[0]?.fault ?? '', /recorded/);
    assert.equal(records.length, 1);
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['taken', 'refused', 'refused', 'refused', 'refused'],
    );
    take(feeds.update('bad', '192.0.2.0/24'));
    assert.equal(feeds.status()[0]?.fault, undefined);
    assert.equal(feeds.get('bad'), before);
  });

  it('that is not configured is none', () => {
    const { feeds, events } = book();
    take(feeds.update('other', '192.0.2.0/24'));
    feeds.refuse('other', 'x');
    assert.deepEqual(
      [feeds.get('other'), feeds.get('constructor'), events],
      [undefined, undefined, []],
    );
  });
});

describe('the load', () => {
  it('follows what is in use, by half in its half-life, and falls again', () => {
    const clock = new VirtualClock();
    let share = 0.8;
    const gauge = new LoadGauge(clock, () => [0.1, share]);
    gauge.start();
    assert.equal(gauge.current, 0);
    clock.advance(LOAD_HALF_LIFE_MS);
    assert.equal(gauge.current, 0.4);
    clock.advance(20 * LOAD_HALF_LIFE_MS);
    assert.equal(gauge.current, 0.8);
    share = 0;
    clock.advance(LOAD_HALF_LIFE_MS);
    assert.equal(gauge.current, 0.45);
    gauge.stop();
    clock.advance(10 * LOAD_HALF_LIFE_MS);
    assert.equal(gauge.current, 0.45);
  });

  it('is half when the timers of the process come late by as much again, and never above 1', () => {
    let ms = 0;
    let due = (): void => {};
    const clock = {
      nowMs: () => ms,
      monotonicMs: () => ms,
      soon() {},
      after: (_delayMs: number, action: () => void) => {
        due = action;
        return () => {};
      },
    };
    const gauge = new LoadGauge(clock, () => []);
    gauge.start();
    for (let turn = 0; turn < 40; turn++) {
      ms += 2 * LOAD_SAMPLE_MS;
      due();
    }
    assert.equal(gauge.current, 0.5);
    const full = new LoadGauge(clock, () => [7]);
    full.start();
    ms += 1_000 * LOAD_SAMPLE_MS;
    due();
    assert.equal(full.current, 1);
  });
});

describe('what an exchange reads of its surroundings', () => {
  const world = (): World & { asked: string[] } => {
    const asked: string[] = [];
    const feed = { entries: new Map([['a', true]]), digest: 'sha256:1' };
    return {
      asked,
      posture: () => {
        asked.push('posture');
        return { posture: asked.length > 1 ? 'normal' : 'attack', version: 3 };
      },
      load: () => asked.push('load') / 10,
      feed: (name) => {
        asked.push(name);
        return name === 'bad' ? feed : undefined;
      },
      session: () => NO_SESSION,
    };
  };

  it('is asked for once, stays what it was, and is all that the record says', () => {
    const around = world();
    const once = new ReadOnce(around, 's');
    assert.equal(once.read, undefined);
    assert.deepEqual([once.posture(), once.posture()], ['attack', 'attack']);
    assert.equal(once.feed('bad')?.has('a'), true);
    assert.equal(once.feed('bad')?.has('a'), true);
    assert.deepEqual(around.asked, ['posture', 'bad']);
    assert.deepEqual(once.read, {
      posture: 'attack',
      postureVersion: 3,
      feeds: { bad: 'sha256:1' },
    });
  });

  it('names no feed in the record that is none: the name may come out of a header', () => {
    const once = new ReadOnce(world(), undefined);
    assert.equal(once.feed('said by a client'), undefined);
    assert.equal(once.read, undefined);
  });

  it('is no posture where nobody knows it', () => {
    const once = new ReadOnce({ ...world(), posture: () => undefined }, undefined);
    assert.equal(once.posture(), undefined);
    assert.deepEqual(once.read, { posture: 'unknown', postureVersion: 0 });
  });
});
