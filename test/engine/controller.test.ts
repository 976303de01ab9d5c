import assert from 'node:assert/strict';
import { Comparisons } from '../../src/engine/comparisons.ts';
import { type ControllerEvent, PolicyController } from '../../src/engine/controller.ts';
import { RouteStances } from '../../src/engine/route-stances.ts';
import { Serving } from '../../src/engine/snapshot.ts';
import { SwapQueue } from '../../src/engine/swap-queue.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
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

function controller() {
  const sets = new Map<string, readonly SourceFile[]>();
  const stored: ActivationRecord[] = [];
  const events: ControllerEvent[] = [];
  const serving = new Serving();
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
    golden: async () => ({ faults: [], overridden: [] }),
    xxh64: (_bytes, seed) => seed,
    stances: new RouteStances(),
    classifiers: ['toxicity'],
    comparisons: new Comparisons(),
    recordTransition: () => {
      if (auditFails) throw new Error('disk full');
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
