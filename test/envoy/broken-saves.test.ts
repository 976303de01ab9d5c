/**
 * Broken documents, saved one after the other where traffic passes: each is refused with its place, its code and a
 * way out, what serves keeps serving, and no exchange fails for it. 60 of them; BROKEN_SAVES says how many.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { compilePolicies } from '../../src/policy/compile.ts';
import { formatCompileError } from '../../src/policy/errors.ts';
import { brokenDocuments } from '../policy/breaking.ts';
import { sha256 } from '../policy/compiling.ts';
import { VALID_DOCUMENTS } from '../policy/valid-documents.ts';
import { chat } from './chat.ts';
import { requireEnvoy, type Stack, startStack } from './harness.ts';
import { statusOf, statusWhere } from './operator.ts';

const SAVES = Number(process.env.BROKEN_SAVES ?? 60);
const SEED = Number(process.env.BROKEN_SEED ?? 20_261_121);
/** Saves, then as long without any, by turns: what a save costs others is read off side by side. */
const SAVES_IN_A_ROW = 10;

const GUARD = `kind: Policy
metadata: { name: guard, layer: platform }
class: security
rules:
  - { id: word, inspect: [request], match: { keywords: { words: [Needle] } }, then: block }
`;

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

describe('broken saves under live traffic', function () {
  this.timeout(60_000 + SAVES * 2_000);
  let stack: Stack;

  before(async function () {
    requireEnvoy(this);
    stack = await startStack({ policies: { 'guard.yaml': GUARD } });
  });

  after(() => stack?.stop());

  it(`${SAVES} are refused, each as the compiler refuses it, and slow nobody`, async () => {
    const { switchyard, envoy } = stack;
    const served = (await statusOf(switchyard)).blue?.digest;
    let saving = false;
    let over = false;
    const tookMs: Record<'saving' | 'quiet', number[]> = { saving: [], quiet: [] };
    const wrong: string[] = [];
    const lane = async (): Promise<void> => {
      for (let turn = 0; !over && wrong.length < 20; turn += 1) {
        const refused = turn % 4 === 3;
        const during = saving ? 'saving' : 'quiet';
        const startedAt = performance.now();
        const answer = await chat(envoy.port, {
          prompt: refused ? 'the Needle' : 'the hay',
          stream: turn % 2 === 0,
        });
        tookMs[during].push(performance.now() - startedAt);
        if (answer.status !== (refused ? 400 : 200) || !answer.complete)
          wrong.push(`${answer.status} ${answer.error}`);
      }
    };
    const lanes = [lane(), lane()];
    let savedAtMs = performance.now();
    // Nothing at all is a mistake only where it is all there is.
    const broken = brokenDocuments(VALID_DOCUMENTS, SAVES, SEED).filter(
      ({ text }) => !/^\s*(#.*)?\s*$/.test(text),
    );
    for (const [index, { how, text }] of broken.entries()) {
      saving = true;
      const files = [
        { path: 'broken.yaml', text },
        { path: 'guard.yaml', text: GUARD },
      ];
      const expected = compilePolicies(files, { sha256 });
      assert.ok(!expected.ok);
      const errors = expected.errors.map(formatCompileError);
      await switchyard.save('broken.yaml', text);
      const status = await statusWhere(
        switchyard,
        `the refusal of ${how}: ${errors.join('\n')}`,
        ({ directory }) => directory?.errors.join('\n') === errors.join('\n'),
      );
      assert.equal(status.blue?.digest, served, 'what serves keeps serving');
      if (index % SAVES_IN_A_ROW !== SAVES_IN_A_ROW - 1) continue;
      saving = false;
      await sleep(performance.now() - savedAtMs);
      savedAtMs = performance.now();
    }
    over = true;
    await Promise.all(lanes);
    assert.deepEqual(wrong, []);
    const [during, beside] = [tookMs.saving, tookMs.quiet].map((list) =>
      list.sort((a, b) => a - b),
    ) as [number[], number[]];
    assert.ok(during.length > SAVES && beside.length > SAVES, 'the load was no load');
    const told = [0.5, 0.99].map((share) => {
      const [one, other] = [quantile(during, share), quantile(beside, share)];
      return `p${share * 100} ${one.toFixed(1)} ms, ${(one / other).toFixed(1)} times`;
    });
    console.log(
      `      ${during.length} exchanges beside saves: ${told.join('; ')} what it is without`,
    );
  });
});
