import assert from 'node:assert/strict';
import { History } from '../../src/judge/history.ts';
import { type ClosedSession, denialsWithin, Sessions } from '../../src/judge/sessions.ts';

const TIMING = { closeMs: 100, forgetMs: 1_000, sessionsMax: 2 };

function collect(sessions: Sessions, nowMs: number): ClosedSession[] {
  const closed: ClosedSession[] = [];
  sessions.closeDue(nowMs, (session) => closed.push(session));
  return closed;
}

describe('judge: sessions', () => {
  it('closes at a time fixed at the start, however long the session goes on', () => {
    const sessions = new Sessions(TIMING);
    assert.equal(sessions.observe('a', 'canary', true, 0), 'first');
    assert.equal(sessions.observe('a', 'canary', false, 50), 'later');
    assert.equal(sessions.observe('a', 'canary', true, 99), 'later');
    assert.deepEqual(collect(sessions, 99), []);
    const [closed] = collect(sessions, 100);
    assert.deepEqual(closed, { cohort: 'canary', requests: 3, denialBits: 0b101, closedAtMs: 100 });
    assert.equal(denialsWithin(closed!, 1), 1);
    assert.equal(denialsWithin(closed!, 2), 1);
    assert.equal(denialsWithin(closed!, 20), 2);
    assert.equal(sessions.observe('a', 'canary', true, 101), 'closed');
    assert.deepEqual(collect(sessions, 500), []);
  });

  it('counts a session once until it was quiet long enough', () => {
    const sessions = new Sessions(TIMING);
    sessions.observe('a', 'control', false, 0);
    collect(sessions, 100);
    assert.equal(sessions.observe('a', 'control', false, 900), 'closed');
    collect(sessions, 1_899);
    assert.equal(sessions.observe('b', 'control', false, 1_899), 'first');
    assert.equal(sessions.size, 2);
    collect(sessions, 1_900);
    assert.equal(sessions.size, 1);
    assert.equal(sessions.observe('a', 'control', false, 1_900), 'first');
  });

  it('leaves new sessions out beyond the limit, and says so', () => {
    const sessions = new Sessions(TIMING);
    assert.equal(sessions.observe('a', 'canary', false, 0), 'first');
    assert.equal(sessions.observe('b', 'canary', false, 0), 'first');
    assert.equal(sessions.observe('c', 'canary', true, 0), 'left_out');
    assert.equal(sessions.observe('a', 'canary', false, 0), 'later');
    assert.equal(sessions.leftOut, 1);
    assert.equal(sessions.size, 2);
  });

  it('does not charge one cohort with what a session did in the other', () => {
    const sessions = new Sessions(TIMING);
    sessions.observe('a', 'control', false, 0);
    assert.equal(sessions.observe('a', 'canary', true, 1), 'crossed');
    assert.equal(collect(sessions, 100)[0]!.denialBits, 0);
  });

  it('remembers thirty requests of a session and no more', () => {
    const sessions = new Sessions(TIMING);
    for (let i = 0; i < 40; i++) sessions.observe('a', 'canary', true, i);
    const [closed] = collect(sessions, 100);
    assert.equal(closed!.requests, 30);
    assert.equal(denialsWithin(closed!, 30), 30);
  });

  it('keeps the last sessions of the history, one entry each, newest first', () => {
    const history = new History(2);
    history.record('a', true);
    history.record('a', false);
    history.record('b', false);
    assert.deepEqual(history.newestFirst(), [false, true]);
    history.record('c', true);
    assert.equal(history.size, 2);
    assert.deepEqual(history.newestFirst(), [true, false]);
  });
});
