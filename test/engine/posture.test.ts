import assert from 'node:assert/strict';
import type { TransitionRecord } from '../../src/audit/record.ts';
import {
  type PostureEvent,
  PostureKeeper,
  type PostureState,
  parsePosture,
} from '../../src/engine/posture.ts';
import { VirtualClock } from './rig.ts';

const HOUR_MS = 3_600_000;

function keeper(stored?: unknown, clock = new VirtualClock()) {
  const disk = { state: stored, failing: false, recording: true };
  const records: TransitionRecord[] = [];
  const events: PostureEvent[] = [];
  const made = new PostureKeeper({
    clock,
    repository: {
      read: async () => {
        if (disk.failing) throw new Error('disk');
        return structuredClone(disk.state);
      },
      write: async (state) => {
        if (disk.failing) throw new Error('disk');
        disk.state = state;
      },
    },
    epoch: () => 7,
    recordTransition: (record) => {
      if (!disk.recording) throw new Error('no records');
      records.push(record);
    },
    onEvent: (event) => void events.push(event),
  });
  return { clock, disk, records, events, posture: made };
}

const attack = { posture: 'attack', reason: 'a flood', by: 'ann' } as const;

describe('the posture', () => {
  it('is normal until somebody says otherwise, and then what was said, with a version', async () => {
    const { posture, records, disk } = keeper();
    await posture.boot();
    assert.deepEqual([posture.current?.posture, posture.current?.version], ['normal', 0]);
    await posture.set(attack);
    await posture.set({ ...attack, posture: 'elevated' });
    assert.deepEqual([posture.current?.posture, posture.current?.version], ['elevated', 2]);
    assert.deepEqual(disk.state, posture.current);
    assert.deepEqual(
      records.map(({ transition, from, to, by, reason, epoch }) => [
        ...[transition, from, to],
        ...[by, reason, epoch],
      ]),
      [
        ['posture', 'normal', 'attack', 'ann', 'a flood', 7],
        ['posture', 'attack', 'elevated', 'ann', 'a flood', 7],
      ],
    );
  });

  it('ends by itself at its time, not before it, in a version and with a record of its own', async () => {
    const { posture, clock, records, disk } = keeper();
    await posture.boot();
    await posture.set({ ...attack, forMs: 2 * HOUR_MS });
    clock.advance(2 * HOUR_MS - 1);
    assert.equal(posture.current?.posture, 'attack');
    clock.advance(1);
    assert.deepEqual(
      [posture.current?.posture, posture.current?.version, posture.current?.by],
      ['normal', 2, 'clock'],
    );
    await posture.close();
    assert.equal((disk.state as PostureState).posture, 'normal');
    assert.deepEqual(
      records.map(({ from, to }) => `${from} ${to}`),
      ['normal attack', 'attack normal'],
    );
  });

  it('survives a restart, but not its time', async () => {
    const before = keeper();
    await before.posture.set({ ...attack, forMs: HOUR_MS });
    before.clock.advance(HOUR_MS / 2);
    const after = keeper(before.disk.state, before.clock);
    await after.posture.boot();
    assert.deepEqual(after.posture.current, before.posture.current);
    after.clock.advance(HOUR_MS);
    const late = keeper(before.posture.current, before.clock);
    await late.posture.boot();
    assert.equal(late.posture.current?.posture, 'normal');
  });

  it('does not change when it cannot be kept, and does afterwards', async () => {
    const { posture, disk, records } = keeper();
    await posture.boot();
    disk.failing = true;
    await assert.rejects(posture.set(attack));
    assert.deepEqual([posture.current?.posture, records.length], ['normal', 0]);
    disk.failing = false;
    await posture.set(attack);
    assert.equal(posture.current?.posture, 'attack');
  });

  it('does not change when it cannot be recorded, not even by a restart', async () => {
    const { posture, disk, clock } = keeper();
    await posture.boot();
    await posture.set({ ...attack, posture: 'elevated' });
    disk.recording = false;
    await assert.rejects(posture.set(attack));
    assert.equal(posture.current?.posture, 'elevated');
    const after = keeper(disk.state, clock);
    await after.posture.boot();
    assert.deepEqual(after.posture.current, posture.current);
  });

  it('takes changes in the order in which they were asked for', async () => {
    const { posture, records } = keeper();
    const words = ['attack', 'elevated', 'attack', 'normal'] as const;
    await Promise.all(words.map((word) => posture.set({ ...attack, posture: word })));
    assert.deepEqual(
      records.map(({ to }) => to),
      words,
    );
    assert.equal(posture.current?.version, 4);
  });

  it('is nobody\u2019s when what was stored cannot be read: conditions on it fail, until it is set', async () => {
    const state = { posture: 'attack', version: 1, sinceMs: 5, by: 'ann' };
    const broken: readonly unknown[] = [
      { ...state, posture: 'calm' },
      { ...state, version: -1 },
      { ...state, version: 'x' },
      { ...state, untilMs: 0.5 },
      { ...state, by: 7 },
      null,
      'attack',
    ];
    for (const stored of broken) {
      const { posture, events } = keeper(stored);
      await posture.boot();
      assert.equal(posture.current, undefined, JSON.stringify(stored));
      assert.deepEqual(events, [{ kind: 'failed' }]);
      await posture.set(attack);
      assert.equal((posture.current as PostureState | undefined)?.posture, 'attack');
    }
    assert.deepEqual(parsePosture({ ...state, more: 1 }), state);
  });
});
