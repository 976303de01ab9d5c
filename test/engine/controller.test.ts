import assert from 'node:assert/strict';
import type { TransitionRecord } from '../../src/audit/record.ts';
import { Comparisons } from '../../src/engine/comparisons.ts';
import { type ControllerEvent, PolicyController } from '../../src/engine/controller.ts';
import { lostCases } from '../../src/engine/golden/overrides.ts';
import { RouteStances } from '../../src/engine/route-stances.ts';
import { Serving } from '../../src/engine/snapshot.ts';
import { SwapQueue } from '../../src/engine/swap-queue.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import type { GoldenOverride } from '../../src/policy/golden/override.ts';
import type { ActivationRecord, SourceFile } from '../../src/rollout/activation.ts';
import { sha256, VirtualClock } from './rig.ts';

const policy = (word: string): SourceFile => {
  const text = `kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
  - { id: r, inspect: [request], match: { keywords: { words: [${word}] } }, then: block }
`;
  return { path: 'p.yaml', text, digest: `sha256:${sha256(text)}` };
};

/** What a data directory keeps. */
const emptyStore = () => ({
  sets: new Map<string, readonly SourceFile[]>(),
  stored: [] as ActivationRecord[],
});

/** `signed`: an override that lets all in. */
function controller({ sets, stored } = emptyStore(), signed?: GoldenOverride) {
  const events: ControllerEvent[] = [];
  const serving = new Serving();
  const written: TransitionRecord[] = [];
  let auditFails = false;
  const made = new PolicyController({
    clock: new VirtualClock(),
    serving,
    queue: new SwapQueue(),
    store: {
      putSet: async (digest, files) => void sets.set(digest, files),
      getSet: async (digest) => sets.get(digest),
      readActivation: async () => (stored.length > 0 ? { record: stored.at(-1)! } : undefined),
      writeActivation: async (record) => void stored.push(record),
      prune: async () => 0,
    },
    compile: (files) => {
      const result = compilePolicies(files, { sha256 });
      return result.ok ? result : { ok: false, errors: result.errors.map((e) => e.code) };
    },
    golden: async ({ cases, inForce }) =>
      signed === undefined
        ? { faults: lostCases(inForce, cases).map(({ line }) => line), overridden: [] }
        : { faults: [], overridden: [{ override: signed, cases }] },
    xxh64: (_bytes, seed) => seed,
    stances: new RouteStances(),
    classifiers: ['toxicity'],
    comparisons: new Comparisons(),
    recordTransition: (record) => {
      if (auditFails) throw new Error('disk full');
      written.push(record);
    },
    onEvent: (event) => void events.push(event),
    watchMs: 1_000,
    directory: 'policies',
    version: '0.0.0',
    breakers: () => [],
  });
  return {
    made,
    serving,
    stored,
    events,
    written,
    failAudit: (fails: boolean) => {
      auditFails = fails;
    },
  };
}

const reading = (file: SourceFile) => ({ files: [file], errors: [] });

describe('the controller', () => {
  it('changes nothing, also not what a restart would find, when a transition cannot be recorded', async () => {
    const { made, serving, stored, events, failAudit } = controller();
    await made.boot(reading(policy('one')));
    const before = serving.current;
    assert.equal(before.epoch, 1);
    failAudit(true);
    await made.directoryChanged(reading(policy('two')));
    assert.equal(serving.current, before);
    assert.equal(stored.at(-1)?.blue?.digest, before.blue?.digest);
    assert.equal(stored.at(-1)?.epoch, 1);
    assert.ok(events.some((event) => event.kind === 'failed'));
    failAudit(false);
    await made.directoryChanged(reading(policy('two')));
    assert.equal(serving.current.epoch, 2);
    await made.close();
  });

  it('keeps what serves when a save is broken, and says where', async () => {
    const { made, serving } = controller();
    await made.boot(reading(policy('one')));
    const before = serving.current;
    await made.directoryChanged({ files: [{ ...policy('x'), text: 'kind: Polic' }], errors: [] });
    assert.equal(serving.current, before);
    assert.ok((made.status().directory?.errors.length ?? 0) > 0);
    await made.close();
  });

  it('takes no set that asks a classifier which nobody configured, also not in shadow', async () => {
    const { made, serving } = controller();
    const asking = (name: string, more = ''): SourceFile => {
      const rule = `match: { classifier: { name: ${name}, threshold: 0.8 } }, then: block${more}`;
      const text = policy('one').text.replace(
        /\{ id: r.*/,
        `{ id: r, inspect: [request], ${rule} }`,
      );
      return { path: 'p.yaml', text, digest: `sha256:${sha256(text)}` };
    };
    await made.boot(reading(policy('one')));
    const before = serving.current;
    for (const more of ['', ', enforcement: shadow']) {
      await made.directoryChanged(reading(asking('toxicty', more)));
      assert.equal(serving.current, before);
      assert.match(
        made.status().directory?.errors[0] ?? '',
        /^p\.yaml:5:5: classifier_unknown: .*`toxicty`.*it has `toxicity`/,
      );
    }
    await made.directoryChanged(reading(asking('toxicity')));
    assert.equal(serving.current.epoch, before.epoch + 1);
    await made.close();
  });

  const counting = [
    ['limit', 'limit: { of: requests, per: session, max: 9, window: 1d }'],
    ['hold', "when: 'true', then: { hold: { approvers: [ann], ttl: 1h, onTimeout: deny } }"],
    ['baseline', 'match: { baseline: { of: requests, over: 30d, factor: 5 } }, then: block'],
  ] as const;
  for (const [word, rule] of counting)
    it(`takes no set in which ${word} would act, as nothing keeps its counts; in shadow it does`, async () => {
      const { made, serving } = controller();
      const saved = (more: string): SourceFile => {
        const text = policy('one').text.replace(/\{ id: r.*/, `{ id: r, ${rule}${more} }`);
        return { path: 'p.yaml', text, digest: `sha256:${sha256(text)}` };
      };
      await made.boot(reading(policy('one')));
      const before = serving.current;
      await made.directoryChanged(reading(saved('')));
      assert.equal(serving.current, before);
      const [told, ...more] = made.status().directory?.errors ?? [];
      assert.match(
        told ?? '',
        new RegExp(`^p\\.yaml:5:5: not_enforceable: .*\`${word}\`.*; write`),
      );
      assert.deepEqual(more, []);
      await made.directoryChanged(reading(saved(', enforcement: shadow')));
      assert.equal(serving.current.epoch, before.epoch + 1);
      await made.close();
    });
});

describe('the gate of golden cases in the controller', () => {
  const OVERRIDE: GoldenOverride = {
    set: 'sha256:any',
    cases: [],
    by: 'jane',
    reason: 'it is over',
    until: '2026-01-31T12:00:00Z',
    untilMs: 0,
    key: 'lead',
    signature: '',
    position: { file: 'o.yaml', line: 1, column: 1 },
  };
  const golden = (more: string): SourceFile => {
    const text = `kind: GoldenSet\npolicy: p\n${more}cases:\n  - { name: safe, request: { user: hello }, expect: { then: allow } }\n`;
    return { path: 'g.yaml', text, digest: `sha256:${sha256(text)}` };
  };
  const PROTECTED = golden('protected: true\n');
  const both = (word: string, set: SourceFile) => ({ files: [policy(word), set], errors: [] });

  it('keeps protected cases in force over a restart, and over a save that changes them alone', async () => {
    const store = emptyStore();
    const before = controller(store);
    await before.made.boot(both('one', golden('')));
    await before.made.directoryChanged(both('one', PROTECTED));
    assert.deepEqual(before.made.status().directory?.errors, []);
    await before.made.close();

    const { made, serving } = controller(store);
    await made.boot(reading(policy('two')));
    const [told = '', ...more] = made.status().directory?.errors ?? [];
    assert.deepEqual(more, []);
    assert.match(told, /golden_lost: the protected case `safe` of `p`, .* is gone/);
    assert.equal(serving.current.blue?.digest, store.stored.at(-1)?.blue?.digest);
    await made.directoryChanged(both('two', golden('')));
    assert.match(made.status().directory?.errors[0] ?? '', /is not protected any more/);
    assert.equal(serving.current.epoch, 1);
    await made.directoryChanged(both('two', PROTECTED));
    assert.equal(serving.current.epoch, 2);
    await made.close();
  });

  it('writes an override down before the set serves, and once', async () => {
    const store = emptyStore();
    const { made, serving, written, failAudit } = controller(store, OVERRIDE);
    failAudit(true);
    await made.boot(reading(policy('one'))).catch(() => {});
    assert.equal(serving.current.epoch, 0);
    failAudit(false);
    await made.directoryChanged(both('one', PROTECTED));
    await made.directoryChanged(both('one', golden('# read again\n')));
    assert.deepEqual(
      written.map(({ transition, to, by }) => [transition, to, by]),
      [
        ['golden_override', serving.current.blue?.digest, 'jane'],
        ['activate', serving.current.blue?.digest, 'directory'],
      ],
    );
    assert.deepEqual(written[0]?.evidence, {
      key: 'lead',
      until: '2026-01-31T12:00:00Z',
      cases: 1,
      named: 'p/safe',
    });
    await made.close();

    const again = controller(store, OVERRIDE);
    await again.made.boot(both('one', PROTECTED));
    assert.deepEqual(again.written, []);
    await again.made.close();
  });
});
