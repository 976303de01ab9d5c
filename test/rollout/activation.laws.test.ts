import assert from 'node:assert/strict';
import fc from 'fast-check';
import { activate, emergencyExpired, watchEnded } from '../../src/rollout/activate.ts';
import {
  ABSENT,
  type ActivationRecord,
  EMPTY_ACTIVATION,
  type SetRef,
  type SourceFile,
} from '../../src/rollout/activation.ts';
import { parseActivation } from '../../src/rollout/activation-schema.ts';
import { boot } from '../../src/rollout/boot.ts';
import { advance, canary } from '../../src/rollout/canary.ts';
import type { Outcome } from '../../src/rollout/outcome.ts';
import { keptSets, servingPlan } from '../../src/rollout/outlook.ts';
import { promote } from '../../src/rollout/promote.ts';
import { effectiveFiles } from '../../src/rollout/quarantine.ts';
import { rollback } from '../../src/rollout/rollback.ts';
import { saved } from '../../src/rollout/saved.ts';
import { act, filesOf, PLAN, setOfFiles } from './made-sets.ts';

const EVIDENCE = { metric: 'errors', evalue: 2000 };
const EMERGENCY_MS = 3;
const WATCH_MS = 4;

/** A server without I/O: a directory, a store, a clock that ticks with every command. */
interface World {
  record: ActivationRecord;
  readonly directory: Map<string, string>;
  planned: boolean;
  readonly store: Map<string, readonly SourceFile[]>;
  nowMs: number;
}

type Command =
  | { readonly do: 'write'; readonly path: string; readonly text: string | undefined }
  | { readonly do: 'plan'; readonly planned: boolean }
  | { readonly do: 'canary'; readonly sharePpm: number; readonly pick: number }
  | { readonly do: 'advance' | 'promote' | 'force' | 'rollback' | 'restart' | 'broken restart' }
  | { readonly do: 'judge'; readonly green: boolean }
  | { readonly do: 'rollback to' | 'activate' | 'emergency'; readonly pick: number }
  | { readonly do: 'wait'; readonly forMs: number };

const pick = fc.nat(20);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      path: fc.constantFrom('a', 'b', 'c'),
      text: fc.constantFrom('0', '1', '2', undefined),
    }),
  },
  fc.record({ do: fc.constant('plan' as const), planned: fc.boolean() }),
  fc.record({
    do: fc.constant('canary' as const),
    sharePpm: fc.constantFrom(0, 60_000, 1_000_000),
    pick,
  }),
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'advance' as const,
        'promote' as const,
        'force' as const,
        'rollback' as const,
        'restart' as const,
        'broken restart' as const,
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('judge' as const), green: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('rollback to' as const, 'activate' as const, 'emergency' as const),
      pick,
    }),
  },
  fc.record({ do: fc.constant('wait' as const), forMs: fc.constantFrom(1, 5) }),
);

/** What the directory means now, stored. */
function candidateOf(world: World, raw = false): SetRef {
  const files = filesOf(Object.fromEntries(world.directory));
  const serving = world.store.get(world.record.blue?.digest ?? '') ?? [];
  const chosen = raw ? files : effectiveFiles(files, world.record.quarantined, serving);
  const set = setOfFiles(chosen, world.planned ? PLAN : undefined);
  world.store.set(set.digest, chosen);
  return set;
}

function stored(world: World, index: number): SetRef | undefined {
  const digests = [...world.store.keys()];
  const digest = digests[index % Math.max(1, digests.length)];
  if (digest === undefined) return undefined;
  return setOfFiles(world.store.get(digest)!, digest.endsWith('+') ? PLAN : undefined);
}

function run(world: World, step: Command): Outcome {
  const { record } = world;
  const who = { ...act(world.nowMs), watchMs: WATCH_MS };
  const { rollout } = record;
  const candidate = (index: number) => {
    const set = stored(world, index);
    return set === undefined ? {} : { candidate: set };
  };
  switch (step.do) {
    case 'write':
      if (step.text === undefined) world.directory.delete(step.path);
      else world.directory.set(step.path, step.text);
      return saved(record, candidateOf(world), who);
    case 'plan':
      world.planned = step.planned;
      return saved(record, candidateOf(world), who);
    case 'canary': {
      const request = { sharePpm: step.sharePpm, ...(rollout ? {} : candidate(step.pick)) };
      return canary(record, request, who);
    }
    case 'advance':
      return advance(record, { rolloutId: rollout?.id ?? '', stage: rollout?.stage ?? 0 }, who);
    case 'promote':
      return promote(record, { force: false }, who);
    case 'force':
      return promote(record, { force: true, candidate: candidateOf(world, true) }, who);
    case 'rollback':
      return rollback(record, { cause: 'operator' }, who);
    case 'rollback to': {
      const to = stored(world, step.pick);
      return rollback(record, { cause: 'operator', ...(to && { to }) }, who);
    }
    case 'judge': {
      const bad = (step.green ? rollout?.green.digest : record.blue?.digest) ?? 'nothing';
      return rollback(record, { cause: 'judge', bad, evidence: EVIDENCE }, who);
    }
    case 'activate':
      return activate(record, { ...candidate(step.pick), emergency: false }, who);
    case 'emergency':
      return activate(
        record,
        { ...candidate(step.pick), emergency: true, forMs: EMERGENCY_MS },
        who,
      );
    case 'wait': {
      world.nowMs += step.forMs;
      const later = { ...who, nowMs: world.nowMs };
      const ended = emergencyExpired(record, later);
      return ended.ok && ended.transitions.length > 0 ? ended : watchEnded(record, later);
    }
    case 'restart':
      return boot(record, { kind: 'set', candidate: candidateOf(world) }, who);
    case 'broken restart':
      return boot(record, { kind: 'errors' }, who);
  }
}

/** Runs a story and checks `law` after each of its transitions. */
function everyStep(
  law: (before: ActivationRecord, outcome: Outcome, step: Command, world: World) => void,
): void {
  fc.assert(
    fc.property(fc.array(command, { minLength: 1, maxLength: 40 }), (story) => {
      const world: World = {
        record: EMPTY_ACTIVATION,
        directory: new Map(),
        planned: false,
        store: new Map(),
        nowMs: 0,
      };
      for (const step of story) {
        world.nowMs++;
        const before = world.record;
        const outcome = run(world, step);
        law(before, outcome, step, world);
        if (outcome.ok) world.record = outcome.record;
        // As the engine does: what waited on top of bad files is made again without them.
        if (outcome.ok && outcome.rereadDirectory) {
          const reread: Command = { do: 'plan', planned: world.planned };
          const again = run(world, reread);
          law(world.record, again, reread, world);
          if (again.ok) world.record = again.record;
        }
      }
    }),
    { numRuns: 400 },
  );
}

function holds(set: SetRef | undefined, path: string, digest: string): boolean {
  if (set === undefined) return false;
  return (set.files.find((file) => file.path === path)?.digest ?? ABSENT) === digest;
}

describe('whatever happens to an activation record', () => {
  it('epochs only grow, and grow whenever what serves changes', () => {
    everyStep((before, outcome) => {
      if (!outcome.ok) return;
      const { record, transitions } = outcome;
      assert.ok(record.epoch >= before.epoch);
      const shown = (of: ActivationRecord) => JSON.stringify({ ...servingPlan(of), epoch: 0 });
      if (shown(record) !== shown(before)) assert.ok(record.epoch > before.epoch);
      let epoch = before.epoch;
      for (const transition of transitions) {
        assert.ok(transition.epoch >= epoch);
        epoch = transition.epoch;
      }
      assert.equal(epoch, record.epoch);
      if (record.rollout && record.rollout.id !== before.rollout?.id) {
        assert.ok(Number(record.rollout.id.split('-')[0]) > before.epoch);
      }
    });
  });

  it('quarantined bytes neither serve nor are tried', () => {
    everyStep((_, outcome) => {
      if (!outcome.ok) return;
      const { blue, rollout, waiting, quarantined } = outcome.record;
      for (const { path, digest } of quarantined) {
        for (const set of [blue, rollout?.green, waiting]) {
          assert.ok(!holds(set, path, digest), `${digest} at ${path}`);
        }
      }
    });
  });

  it('a quarantine ends by force, by going back to the bytes, or by proven other bytes', () => {
    everyStep((before, outcome, step) => {
      if (!outcome.ok || step.do === 'force') return;
      const { blue, quarantined } = outcome.record;
      const wentBack = outcome.transitions.some(({ transition }) =>
        ['rolled_back', 'emergency_expired'].includes(transition),
      );
      for (const entry of before.quarantined) {
        const kept = quarantined.some(
          ({ path, digest }) => path === entry.path && digest === entry.digest,
        );
        if (kept || wentBack) continue;
        assert.ok(blue !== undefined);
        assert.ok(!holds(blue, entry.path, entry.digest), 'it serves without force');
        assert.ok(!holds(blue, entry.path, entry.good), 'no other bytes');
        assert.ok(
          outcome.transitions.some(({ transition }) =>
            ['watch_ended', 'promoted'].includes(transition),
          ),
          'not proven',
        );
      }
    });
  });

  it('a rollback ends in the good set, and quarantines all that the bad one changed', () => {
    everyStep((before, outcome, step) => {
      if (!outcome.ok || (step.do !== 'judge' && step.do !== 'rollback')) return;
      const [first] = outcome.transitions;
      assert.equal(first?.transition, 'rolled_back');
      const ofGreen =
        before.rollout !== undefined &&
        (step.do === 'rollback' || before.rollout.green.digest === first.from);
      const good = ofGreen ? before.blue : (before.emergency?.previous ?? before.watch?.against);
      if (good !== undefined) assert.equal(first.to, good.digest);
      const bad = ofGreen ? before.rollout?.green : before.blue;
      for (const { path, digest } of bad?.files ?? []) {
        const to = keptSets(outcome.record).find((set) => set.digest === first.to)!;
        if (holds(to, path, digest)) continue;
        assert.ok(
          outcome.record.quarantined.some((e) => e.path === path && e.digest === digest),
          `${digest} at ${path}`,
        );
      }
    });
  });

  it('what served is never lost', () => {
    everyStep((before, outcome, _, world) => {
      if (!outcome.ok) return;
      const { record } = outcome;
      if (before.blue !== undefined) {
        assert.ok(record.blue !== undefined);
        const kept = keptSets(record).map(({ digest }) => digest);
        assert.ok(kept.includes(before.blue.digest));
        assert.ok(!record.watch || kept.includes(record.watch.against.digest));
        assert.ok(!record.emergency || kept.includes(record.emergency.previous.digest));
        for (const digest of kept) assert.ok(world.store.has(digest));
      }
    });
  });

  it('the directory under quarantine is always a set that may be saved', () => {
    everyStep((_, outcome, step) => {
      if (step.do !== 'write' && step.do !== 'plan') return;
      assert.ok(outcome.ok, outcome.ok ? '' : outcome.message);
    });
  });

  it('a restart with the same directory changes nothing more', () => {
    everyStep((_, outcome, step, world) => {
      if (!outcome.ok || step.do !== 'restart') return;
      const after = { ...world, record: outcome.record };
      if (outcome.rereadDirectory) {
        const reread = run(after, { do: 'plan', planned: world.planned });
        if (reread.ok) after.record = reread.record;
      }
      const again = run(after, step);
      assert.ok(again.ok);
      assert.deepEqual(again.transitions, []);
    });
  });

  it('it is read back as it was written', () => {
    everyStep((_, outcome) => {
      if (!outcome.ok) return;
      const { record } = outcome;
      assert.deepEqual(parseActivation(JSON.stringify(record)), { ok: true, record });
    });
  });
});
