import assert from 'node:assert/strict';
import type { TransitionRecord } from '../../src/audit/record.ts';
import type { ControlOutcome } from '../../src/engine/control.ts';
import { activate, emergencyExpired, watchEnded } from '../../src/rollout/activate.ts';
import {
  EMERGENCY_MS_MAX,
  EMPTY_ACTIVATION,
  HISTORY_MAX,
  PREVIOUS_SETS_MAX,
  WATCH_MS_DEFAULT,
} from '../../src/rollout/activation.ts';
import { parseActivation } from '../../src/rollout/activation-schema.ts';
import { boot, EPOCH_LEAP, recovered } from '../../src/rollout/boot.ts';
import { advance, canary } from '../../src/rollout/canary.ts';
import type { RefusalCode, ServingTransition } from '../../src/rollout/outcome.ts';
import {
  due,
  judgeExpectations,
  keptSets,
  knownSet,
  servingPlan,
} from '../../src/rollout/outlook.ts';
import { promote } from '../../src/rollout/promote.ts';
import { effectiveFiles } from '../../src/rollout/quarantine.ts';
import { rollback } from '../../src/rollout/rollback.ts';
import { saved } from '../../src/rollout/saved.ts';
import { act, filesOf, PLAN, refusal, savedInTurn, setOf, setOfFiles, taken } from './made-sets.ts';

const A1 = setOf({ 'a.yaml': '1' });
const A2 = setOf({ 'a.yaml': '2' });
const A2_PLANNED = setOf({ 'a.yaml': '2' }, PLAN);
const A3 = setOf({ 'a.yaml': '3' });
const EVIDENCE = { metric: 'errors', evalue: 1e6 };

// What this ring writes fits what the rings outside have declared.
const _record: TransitionRecord = {} as ServingTransition;
const _code: Extract<ControlOutcome, { ok: false }>['code'] = '' as Exclude<RefusalCode, 'stale'>;

describe('a save', () => {
  it('serves at once when nothing did, with nothing to watch it against', () => {
    const { record, transitions } = taken(saved(EMPTY_ACTIVATION, A1, act(7)));
    assert.deepEqual(servingPlan(record), { epoch: 1, blue: A1.digest });
    assert.equal(record.watch, undefined);
    assert.equal(record.blue?.sinceMs, 7);
    assert.deepEqual(transitions, [
      {
        kind: 'transition',
        atMs: 7,
        epoch: 1,
        transition: 'activate',
        from: '',
        to: A1.digest,
        by: 'test',
        reason: 'saved',
      },
    ]);
  });

  it('without a rollout serves at once and is watched', () => {
    const record = savedInTurn(A1, A2);
    assert.deepEqual(servingPlan(record), { epoch: 2, blue: A2.digest });
    assert.deepEqual(judgeExpectations(record), [
      {
        comparing: 'watch',
        id: `watch-${WATCH_MS_DEFAULT}-${A2.digest}`,
        baseline: A1.digest,
        candidate: A2.digest,
        denyRise: 'rolls_back',
      },
    ]);
    assert.deepEqual(due(record), [{ kind: 'watch', atMs: WATCH_MS_DEFAULT }]);
    const unwatched = taken(saved(savedInTurn(A1), A2, { ...act(), watchMs: 0 })).record;
    assert.equal(unwatched.watch, undefined);
  });

  it('that nobody watches any more still answers for its errors, to the set it replaced', () => {
    const standing = {
      comparing: 'standing',
      id: `standing-0-${A2.digest}`,
      baseline: A1.digest,
      candidate: A2.digest,
      denyRise: 'alerts',
    };
    const watched = savedInTurn(A1, A2);
    const after = taken(watchEnded(watched, act(WATCH_MS_DEFAULT))).record;
    assert.deepEqual(judgeExpectations(after), [standing]);
    const bad = { cause: 'judge', bad: A2.digest, evidence: EVIDENCE } as const;
    const back = taken(rollback(after, bad, act())).record;
    assert.equal(back.blue?.digest, A1.digest);
    // What was gone back to, what was forced and what came first have nothing to go back to.
    assert.deepEqual(judgeExpectations(back), []);
    const forced = taken(promote(back, { force: true }, act())).record;
    assert.equal(forced.blue?.digest, A2.digest);
    assert.deepEqual(judgeExpectations(forced), []);
    assert.deepEqual(judgeExpectations(savedInTurn(A1)), []);
  });

  it('of what serves changes nothing', () => {
    const record = savedInTurn(A1);
    assert.equal(taken(saved(record, A1, act())).record, record);
    const commented = { ...A1, files: [{ path: 'a.yaml', digest: 'f:1 # why' }] };
    const again = taken(saved(record, commented, act()));
    assert.deepEqual(again.transitions, []);
    assert.equal(again.record.epoch, 1);
    assert.deepEqual(again.record.blue?.files, commented.files);
  });

  it('with a rollout becomes green at its first stage', () => {
    const { record } = taken(saved(savedInTurn(A1), A2_PLANNED, act(10)));
    assert.equal(record.epoch, 2);
    assert.equal(record.blue?.digest, A1.digest);
    assert.equal(record.rollout?.green.digest, A2_PLANNED.digest);
    assert.equal(record.rollout?.sharePpm, 50_000);
    assert.equal(record.rollout?.stage, 0);
    assert.deepEqual(due(record), [
      { kind: 'stage', atMs: 1_010, rolloutId: record.rollout?.id, stage: 0 },
    ]);
    assert.deepEqual(servingPlan(record)?.green, {
      digest: A2_PLANNED.digest,
      rolloutId: record.rollout?.id,
      sharePpm: 50_000,
    });
  });

  it('during a rollout waits, the newest replaces the one that waits, green itself clears it', () => {
    const running = savedInTurn(A1, A2_PLANNED);
    const waits = taken(saved(running, A3, act()));
    assert.equal(waits.record.waiting?.digest, A3.digest);
    assert.equal(waits.record.epoch, running.epoch);
    assert.equal(waits.transitions[0]?.transition, 'waiting');
    assert.equal(taken(saved(waits.record, A3, act())).record, waits.record);
    const newer = setOf({ 'a.yaml': '4' });
    assert.equal(taken(saved(waits.record, newer, act())).record.waiting?.digest, newer.digest);
    assert.equal(taken(saved(waits.record, A2_PLANNED, act())).record.waiting, undefined);
  });
});

describe('a rollout', () => {
  const running = savedInTurn(A1, A2_PLANNED);
  const id = running.rollout!.id;

  it('walks its stages and ends as what serves', () => {
    const second = taken(advance(running, { rolloutId: id, stage: 0 }, act(5))).record;
    assert.deepEqual(
      [second.epoch, second.rollout?.stage, second.rollout?.sharePpm, second.rollout?.stageSinceMs],
      [3, 1, 200_000, 5],
    );
    assert.equal(second.rollout?.id, id);
    assert.equal(refusal(advance(second, { rolloutId: id, stage: 0 }, act())), 'stale');
    const end = taken(advance(second, { rolloutId: id, stage: 1 }, act(9))).record;
    assert.deepEqual(servingPlan(end), { epoch: 4, blue: A2_PLANNED.digest });
    assert.equal(end.watch, undefined);
    assert.deepEqual(
      end.previous.map(({ digest }) => digest),
      [A1.digest],
    );
  });

  it('holds a last stage that has a duration', () => {
    const plan = { ...PLAN, stages: [PLAN.stages[0]!, { sharePpm: 1_000_000, durationMs: 5 }] };
    const held = savedInTurn(A1, setOf({ 'a.yaml': '2' }, plan));
    const last = taken(advance(held, { rolloutId: held.rollout!.id, stage: 0 }, act())).record;
    assert.equal(last.rollout?.sharePpm, 1_000_000);
    const end = taken(advance(last, { rolloutId: held.rollout!.id, stage: 1 }, act())).record;
    assert.equal(end.rollout, undefined);
  });

  it('can be moved by hand, and does not shrink by going on', () => {
    const moved = taken(canary(running, { sharePpm: 300_000 }, act())).record;
    assert.deepEqual([moved.rollout?.stage, moved.rollout?.sharePpm, moved.epoch], [1, 300_000, 3]);
    const low = taken(canary(running, { sharePpm: 100_000 }, act())).record;
    const wide = { ...low, rollout: { ...low.rollout!, sharePpm: 250_000 } };
    const next = taken(advance(wide, { rolloutId: id, stage: 0 }, act())).record;
    assert.equal(next.rollout?.sharePpm, 250_000);
    assert.equal(taken(canary(running, { sharePpm: 50_000 }, act())).record, running);
    for (const sharePpm of [-1, 0.5, 1_000_001, Number.NaN]) {
      assert.equal(refusal(canary(running, { sharePpm }, act())), 'invalid_argument');
    }
    assert.equal(
      refusal(canary(running, { sharePpm: 1, candidate: A3 }, act())),
      'rollout_running',
    );
  });

  it('can be started by hand', () => {
    assert.equal(refusal(canary(savedInTurn(A1), { sharePpm: 1 }, act())), 'no_green');
    assert.equal(
      refusal(canary(EMPTY_ACTIVATION, { sharePpm: 1, candidate: A1 }, act())),
      'no_previous_set',
    );
    assert.equal(
      refusal(canary(savedInTurn(A1), { sharePpm: 1, candidate: A1 }, act())),
      'no_green',
    );
    const { record } = taken(canary(savedInTurn(A1), { sharePpm: 1_000, candidate: A2 }, act()));
    assert.equal(record.rollout?.sharePpm, 1_000);
    assert.deepEqual(due(record), []);
    const own = { rolloutId: record.rollout!.id, stage: 0 };
    assert.equal(refusal(advance(record, own, act())), 'stale');
  });

  it('promoted early is watched, and the one that waited has its turn', () => {
    const waiting = taken(saved(running, A3, act())).record;
    const { record, transitions } = taken(promote(waiting, { force: false }, act(3)));
    assert.deepEqual(
      transitions.map(({ transition, epoch }) => [transition, epoch]),
      [
        ['promoted', 3],
        ['activate', 4],
      ],
    );
    assert.equal(record.blue?.digest, A3.digest);
    assert.equal(record.watch?.against.digest, A2_PLANNED.digest);
    assert.equal(record.waiting, undefined);
    const alone = taken(promote(running, { force: false }, act(3))).record;
    assert.equal(alone.watch?.against.digest, A1.digest);
  });

  it('tells the judge what to expect', () => {
    assert.equal(judgeExpectations(running)[0]?.denyRise, 'rolls_back');
    const up = setOf({ 'a.yaml': '2' }, { ...PLAN, expectDenyRate: 'up' });
    const [expectation] = judgeExpectations(savedInTurn(A1, up));
    assert.equal(expectation?.denyRise, 'alerts');
    assert.equal(expectation?.plan?.expectDenyRate, 'up');
    assert.equal(expectation?.comparing, 'rollout');
  });
});

describe('a rollback', () => {
  it('of a rollout keeps what serves, is a new epoch and quarantines what green changed', () => {
    const blue = setOf({ 'a.yaml': '1', 'gone.yaml': 'g' });
    const green = setOf({ 'a.yaml': '2', 'new.yaml': 'n' }, PLAN);
    const request = { cause: 'judge', bad: green.digest, evidence: EVIDENCE } as const;
    const { record, transitions } = taken(rollback(savedInTurn(blue, green), request, act(4)));
    assert.deepEqual(servingPlan(record), { epoch: 3, blue: blue.digest });
    assert.deepEqual(
      record.quarantined.map(({ path, digest, good, anyPath, reason }) =>
        [path, digest, good, anyPath, reason].join(' '),
      ),
      [
        'a.yaml f:2 f:1 true automatic',
        'gone.yaml absent f:g false automatic',
        'new.yaml f:n absent true automatic',
      ],
    );
    assert.deepEqual(record.quarantined[0]?.evidence, EVIDENCE);
    assert.deepEqual(transitions[0]?.evidence, EVIDENCE);
    assert.equal(transitions[0]?.transition, 'rolled_back');
    assert.equal(refusal(rollback(record, request, act())), 'stale');
  });

  it('of a watched set serves the set before', () => {
    const request = { cause: 'judge', bad: A2.digest, evidence: EVIDENCE } as const;
    const { record } = taken(rollback(savedInTurn(A1, A2), request, act()));
    assert.deepEqual(servingPlan(record), { epoch: 3, blue: A1.digest });
    assert.equal(record.watch, undefined);
    assert.equal(record.rolledBack?.digest, A2.digest);
  });

  it('by an operator goes back, set by set, never to what was rolled back', () => {
    const operator = { cause: 'operator' } as const;
    const first = taken(rollback(savedInTurn(A1, A2, A3), operator, act())).record;
    assert.equal(first.blue?.digest, A2.digest);
    const second = taken(rollback(first, operator, act())).record;
    assert.equal(second.blue?.digest, A1.digest);
    assert.equal(refusal(rollback(second, operator, act())), 'no_previous_set');
    assert.equal(refusal(rollback(second, { cause: 'operator', to: A3 }, act())), 'quarantined');
    assert.equal(
      refusal(rollback(second, { cause: 'operator', to: A1 }, act())),
      'invalid_argument',
    );
    assert.equal(second.quarantined[0]?.reason, 'operator');
    assert.equal(refusal(rollback(EMPTY_ACTIVATION, operator, act())), 'no_previous_set');
  });

  it('to a named set ends a rollout on the way', () => {
    const record = taken(saved(savedInTurn(A1, A3), A2_PLANNED, act())).record;
    const back = taken(rollback(record, { cause: 'operator', to: A1 }, act())).record;
    assert.deepEqual(servingPlan(back), { epoch: record.epoch + 1, blue: A1.digest });
    assert.deepEqual(
      back.quarantined.map(({ digest }) => digest),
      ['f:3', 'f:2'],
    );
  });

  it('may reach a set that is older than a file whose deletion was rolled back', () => {
    const old = setOf({ 'a.yaml': '1' });
    const more = setOf({ 'a.yaml': '1', 'p.yaml': 'p' });
    const deleted = setOf({ 'a.yaml': '9' });
    const bad = { cause: 'judge', bad: deleted.digest, evidence: EVIDENCE } as const;
    const record = taken(rollback(savedInTurn(old, more, deleted), bad, act())).record;
    const back = taken(rollback(record, { cause: 'operator', to: old }, act())).record;
    assert.equal(back.blue?.digest, old.digest);
    const other = setOf({ 'a.yaml': '1', 'q.yaml': 'q' });
    assert.equal(taken(saved(back, other, act())).record.blue?.digest, other.digest);
  });

  it('while another save waits: it starts if it is clean, else the directory is to be read again', () => {
    const green = setOf({ 'a.yaml': '2' }, PLAN);
    const request = { cause: 'judge', bad: green.digest, evidence: EVIDENCE } as const;
    const clean = taken(saved(savedInTurn(A1, green), A3, act())).record;
    const started = taken(rollback(clean, request, act()));
    assert.equal(started.record.blue?.digest, A3.digest);
    assert.equal(started.rereadDirectory, false);
    const onTop = setOf({ 'a.yaml': '2', 'b.yaml': 'b' });
    const tainted = taken(saved(savedInTurn(A1, green), onTop, act())).record;
    const dropped = taken(rollback(tainted, request, act()));
    assert.equal(dropped.record.blue?.digest, A1.digest);
    assert.equal(dropped.record.waiting, undefined);
    assert.equal(dropped.rereadDirectory, true);
  });

  it('of what serves ends the rollout that was compared with it', () => {
    const record = taken(saved(savedInTurn(A1, A3), A2_PLANNED, act())).record;
    assert.equal(judgeExpectations(record).length, 2);
    const request = { cause: 'judge', bad: A3.digest, evidence: EVIDENCE } as const;
    assert.equal(taken(rollback(record, request, act())).record.blue?.digest, A1.digest);
  });
});

describe('a quarantine', () => {
  const bad = { cause: 'judge', bad: A2.digest, evidence: EVIDENCE } as const;
  const rolledBack = taken(rollback(savedInTurn(A1, A2), bad, act())).record;
  const good = filesOf({ 'a.yaml': '1' });
  const effective = (contents: Record<string, string>) =>
    setOfFiles(effectiveFiles(filesOf(contents), rolledBack.quarantined, good));

  it('survives a restart and the saving of another file', () => {
    const directory = { kind: 'set', candidate: effective({ 'a.yaml': '2' }) } as const;
    const text = JSON.stringify(rolledBack);
    const parsed = parseActivation(text);
    assert.ok(parsed.ok);
    const booted = taken(boot(parsed.record, directory, act()));
    assert.equal(booted.record.blue?.digest, A1.digest);
    const other = effective({ 'a.yaml': '2', 'b.yaml': 'b' });
    assert.equal(other.digest, setOf({ 'a.yaml': '1', 'b.yaml': 'b' }).digest);
    assert.equal(taken(saved(booted.record, other, act())).record.blue?.digest, other.digest);
  });

  it('refuses a set that holds the bytes, by any way in', () => {
    const raw = setOf({ 'a.yaml': '2', 'b.yaml': 'b' });
    assert.equal(refusal(saved(rolledBack, raw, act())), 'quarantined');
    assert.equal(
      refusal(canary(rolledBack, { sharePpm: 1, candidate: raw }, act())),
      'quarantined',
    );
    assert.equal(
      refusal(activate(rolledBack, { candidate: raw, emergency: true }, act())),
      'quarantined',
    );
    assert.equal(
      refusal(activate(rolledBack, { candidate: raw, emergency: false }, act())),
      'quarantined',
    );
    const running = taken(saved(rolledBack, setOf({ 'a.yaml': '3' }, PLAN), act())).record;
    assert.equal(refusal(saved(running, raw, act())), 'quarantined');
  });

  it('follows a document that is renamed, and keeps its good version', () => {
    assert.equal(effective({ 'renamed.yaml': '2' }).digest, A1.digest);
    const raw = setOf({ 'renamed.yaml': '2' });
    assert.equal(refusal(saved(rolledBack, raw, act())), 'quarantined');
  });

  it('undoes a deletion', () => {
    const both = setOf({ 'a.yaml': '1', 'b.yaml': 'b' });
    const request = { cause: 'judge', bad: A1.digest, evidence: EVIDENCE } as const;
    const record = taken(rollback(savedInTurn(both, A1), request, act())).record;
    const files = effectiveFiles(
      filesOf({ 'a.yaml': '1' }),
      record.quarantined,
      filesOf({ 'a.yaml': '1', 'b.yaml': 'b' }),
    );
    assert.equal(setOfFiles(files).digest, both.digest);
    assert.equal(refusal(saved(record, A1, act())), 'quarantined');
  });

  it('does not bar the old name of a renamed document', () => {
    const renamed = setOf({ 'b.yaml': '1' });
    const request = { cause: 'judge', bad: renamed.digest, evidence: EVIDENCE } as const;
    const record = taken(rollback(savedInTurn(A1, renamed), request, act())).record;
    assert.equal(record.blue?.digest, A1.digest);
    const files = effectiveFiles(filesOf({ 'a.yaml': '1' }), record.quarantined, good);
    assert.equal(setOfFiles(files).digest, A1.digest);
  });

  it('ends with other bytes, once these have proven themselves', () => {
    assert.equal(effective({ 'a.yaml': '3' }).digest, A3.digest);
    const replaced = taken(saved(rolledBack, A3, act(100))).record;
    assert.equal(replaced.quarantined.length, 1);
    const proven = taken(watchEnded(replaced, act(100 + WATCH_MS_DEFAULT))).record;
    assert.deepEqual(proven.quarantined, []);
    assert.equal(taken(saved(proven, A2, act())).record.blue?.digest, A2.digest);
    const beforeItsTime = taken(watchEnded(replaced, act(99 + WATCH_MS_DEFAULT))).record;
    assert.equal(beforeItsTime, replaced);
  });

  it('does not end with the proof of another file', () => {
    const other = setOf({ 'a.yaml': '1', 'b.yaml': 'b' });
    const served = taken(saved(rolledBack, other, act())).record;
    const proven = taken(watchEnded(served, act(WATCH_MS_DEFAULT))).record;
    assert.equal(proven.watch, undefined);
    assert.equal(proven.quarantined.length, 1);
  });

  it('ends with force', () => {
    assert.equal(refusal(promote(rolledBack, { force: false }, act())), 'no_green');
    const { record } = taken(promote(rolledBack, { force: true }, act()));
    assert.deepEqual(servingPlan(record), { epoch: 4, blue: A2.digest });
    assert.deepEqual(record.quarantined, []);
    assert.equal(record.watch, undefined);
    const directory = setOf({ 'a.yaml': '2', 'b.yaml': 'b' });
    const named = taken(promote(rolledBack, { force: true, candidate: directory }, act())).record;
    assert.equal(named.blue?.digest, directory.digest);
    assert.deepEqual(named.quarantined, []);
    assert.equal(refusal(promote(savedInTurn(A1), { force: true }, act())), 'no_green');
  });
});

describe('an activation by hand', () => {
  it('serves a named or waiting set at once, but not in a rollout', () => {
    const record = taken(
      activate(savedInTurn(A1), { candidate: A2, emergency: false }, act()),
    ).record;
    assert.equal(record.blue?.digest, A2.digest);
    assert.equal(record.watch?.against.digest, A1.digest);
    const running = savedInTurn(A1, A2_PLANNED);
    const request = { candidate: A3, emergency: false };
    assert.equal(refusal(activate(running, request, act())), 'rollout_running');
    assert.equal(refusal(activate(savedInTurn(A1), { emergency: false }, act())), 'no_green');
    assert.equal(
      refusal(activate(savedInTurn(A1), { ...request, forMs: 5 }, act())),
      'invalid_argument',
    );
  });

  it('in an emergency is not undone by a rise of denials, and expires', () => {
    const request = { candidate: A2, emergency: true, forMs: 1_000 };
    const { record } = taken(activate(savedInTurn(A1), request, act(50)));
    assert.deepEqual(record.emergency, { digest: A2.digest, untilMs: 1_050, previous: A1 });
    assert.deepEqual(
      judgeExpectations(record).map(({ denyRise }) => denyRise),
      ['alerts'],
    );
    assert.equal(taken(emergencyExpired(record, act(1_049))).record, record);
    const expired = taken(emergencyExpired(record, act(1_050))).record;
    assert.deepEqual(servingPlan(expired), { epoch: 3, blue: A1.digest });
    assert.equal(expired.emergency, undefined);
    assert.equal(expired.watch, undefined);
    assert.equal(expired.quarantined[0]?.reason, 'emergency_expired');
    assert.equal(refusal(saved(expired, A2, act())), 'quarantined');
  });

  it('in an emergency interrupts a rollout, which waits for its end; so do saves', () => {
    const emergency = setOf({ 'a.yaml': '1', 'stop.yaml': 's' });
    const request = { candidate: emergency, emergency: true, forMs: 1_000 };
    const { record } = taken(activate(savedInTurn(A1, A2_PLANNED), request, act()));
    assert.equal(record.rollout, undefined);
    assert.equal(record.waiting?.digest, A2_PLANNED.digest);
    assert.equal(taken(saved(record, A3, act())).record.waiting?.digest, A3.digest);
    assert.equal(refusal(canary(record, { sharePpm: 1 }, act())), 'rollout_running');
    const ended = taken(emergencyExpired(record, act(1_000)));
    assert.deepEqual(
      ended.transitions.map(({ transition }) => transition),
      ['emergency_expired', 'rollout_started'],
    );
    assert.equal(ended.record.rollout?.green.digest, A2_PLANNED.digest);
  });

  it('in an emergency may be declared on what serves, kept for good, or rolled back', () => {
    const declared = taken(
      activate(savedInTurn(A1, A2), { candidate: A2, emergency: true }, act()),
    );
    assert.equal(declared.record.emergency?.previous.digest, A1.digest);
    assert.equal(declared.record.epoch, 2);
    const kept = taken(promote(declared.record, { force: false }, act())).record;
    assert.equal(kept.emergency, undefined);
    assert.equal(kept.blue?.digest, A2.digest);
    const back = taken(rollback(declared.record, { cause: 'operator' }, act())).record;
    assert.equal(back.blue?.digest, A1.digest);
    assert.equal(back.emergency, undefined);
  });

  it('in an emergency has a duration from 1 ms to a week, and a way back', () => {
    const at = (forMs: number) =>
      refusal(activate(savedInTurn(A1), { candidate: A2, emergency: true, forMs }, act()));
    for (const forMs of [0, 0.5, EMERGENCY_MS_MAX + 1]) assert.equal(at(forMs), 'invalid_argument');
    for (const forMs of [1, EMERGENCY_MS_MAX - 1, EMERGENCY_MS_MAX]) {
      assert.equal(at(forMs), 'not refused');
    }
    const nothing = activate(EMPTY_ACTIVATION, { candidate: A1, emergency: true }, act());
    assert.equal(refusal(nothing), 'no_previous_set');
  });
});

describe('a start', () => {
  it('with a broken directory serves the persisted last good set', () => {
    const record = savedInTurn(A1);
    const booted = taken(boot(record, { kind: 'errors' }, act()));
    assert.equal(booted.record, record);
    assert.equal(booted.message, 'the last good set serves');
  });

  it('with nothing has no set', () => {
    const booted = taken(boot(undefined, { kind: 'errors' }, act()));
    assert.equal(servingPlan(booted.record), undefined);
    assert.equal(booted.message, 'no set serves');
  });

  it('takes a directory that changed meanwhile as a save', () => {
    const first = taken(boot(undefined, { kind: 'set', candidate: A1 }, act())).record;
    assert.equal(first.epoch, 1);
    const changed = taken(boot(first, { kind: 'set', candidate: A2_PLANNED }, act())).record;
    assert.equal(changed.rollout?.green.digest, A2_PLANNED.digest);
    const again = taken(boot(changed, { kind: 'set', candidate: A2_PLANNED }, act()));
    assert.equal(again.record, changed);
  });

  it('catches up with what became due', () => {
    const request = { candidate: A2, emergency: true, forMs: 10 };
    const { record } = taken(activate(savedInTurn(A1), request, act()));
    const booted = taken(boot(record, { kind: 'errors' }, act(10)));
    assert.equal(booted.record.blue?.digest, A1.digest);
    const watched = taken(
      boot(savedInTurn(A1, A2), { kind: 'none' }, act(WATCH_MS_DEFAULT)),
    ).record;
    assert.equal(watched.watch, undefined);
  });

  it('from a backup leaves a gap in the epochs', () => {
    const { record, transitions } = taken(recovered(savedInTurn(A1), act()));
    assert.equal(record.epoch, 1 + EPOCH_LEAP);
    assert.equal(record.blue?.digest, A1.digest);
    assert.equal(transitions[0]?.transition, 'recovered');
  });
});

describe('an activation record', () => {
  it('keeps a bounded past', () => {
    const sets = Array.from({ length: HISTORY_MAX + 5 }, (_, i) => setOf({ 'a.yaml': `${i}` }));
    const record = savedInTurn(...sets);
    assert.equal(record.history.length, HISTORY_MAX);
    assert.equal(record.history[0]?.epoch, HISTORY_MAX + 5);
    assert.equal(record.previous.length, PREVIOUS_SETS_MAX);
    assert.equal(keptSets(record).length, PREVIOUS_SETS_MAX + 1);
    assert.deepEqual(knownSet(record, record.previous[0]!.digest), record.previous[0]);
    assert.equal(knownSet(record, 'sha256:nobody'), undefined);
  });

  it('is read back as it was written, and nothing else is', () => {
    const record = taken(
      activate(savedInTurn(A1, A2_PLANNED), { candidate: A3, emergency: true }, act()),
    ).record;
    const parsed = parseActivation(JSON.stringify(record));
    assert.deepEqual(parsed, { ok: true, record });
    const wrong = (change: object) => parseActivation(JSON.stringify({ ...record, ...change }));
    assert.equal((wrong({ schema: 2 }) as { code: string }).code, 'schema_unknown');
    assert.equal((wrong({ schema: '1' }) as { code: string }).code, 'shape_wrong');
    assert.equal((wrong({ blue: { digest: 'x' } }) as { code: string }).code, 'shape_wrong');
    assert.equal((wrong({ quarantined: [{}] }) as { code: string }).code, 'shape_wrong');
    assert.equal((parseActivation('{') as { code: string }).code, 'not_json');
    assert.equal((parseActivation('null') as { code: string }).code, 'shape_wrong');
  });
});
