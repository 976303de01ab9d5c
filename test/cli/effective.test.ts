/** `explain --effective` on the page's own example (MISSION rows 18 and 25). */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../store/temporary-directory.ts';
import { runTrialCommand } from './trial-rig.ts';

const page = readFileSync(new URL('../../docs/reference/layers.md', import.meta.url), 'utf8');
const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';

describe('explain --effective', () => {
  const directory = temporaryDirectory();

  const explain = async (...words: string[]): Promise<string> => {
    const policy = join(directory(), 'set.yaml');
    writeFileSync(policy, example);
    const done = await runTrialCommand(['explain', '--policy', policy, '--effective', ...words]);
    assert.equal(done.code, 0, done.err);
    return done.out.replaceAll(policy, 'set.yaml');
  };

  const rules = async (...words: string[]) =>
    (
      JSON.parse(await explain('--json', ...words)) as {
        rules: {
          rule: string;
          condition: string;
          liftedWithin: string[];
          liftedBy: string | null;
        }[];
        denies: string[];
      }
    ).rules.map((one) => [one.rule, one.condition, one.liftedBy ?? one.liftedWithin.join()]);

  it('lists exactly what composes for each asker, in order, with what overrides what', async () => {
    assert.deepEqual(await rules(), [
      ['house/advice', 'none', ''],
      ['house/project', 'none', ''],
    ]);
    const acme = (legal: string) => [
      ['house/advice', 'none', 'acme/may-advise'],
      ['house/project', 'none', ''],
      ['acme/legal/imprint', legal, ''],
      ['acme/may-advise', 'none', ''],
      ['acme/pii/addresses', 'none', ''],
    ];
    assert.deepEqual(await rules('--tenant', 'acme'), acme('not'));
    assert.deepEqual(await rules('--tenant', 'acme', '--facts', 'region=eu'), acme('holds'));
    const at = (hour: string) =>
      rules('--tenant', 'acme', '--app', 'agent', '--at', `2026-07-01T${hour}:30:00Z`);
    // In office hours the agent's own allow lifts what the house left overridable, for the whole exchange.
    const office = (condition: string) => [
      ...acme('not').map(([rule, own, lifting]) =>
        rule === 'house/advice' && condition === 'holds'
          ? [rule, own, 'acme-agent/office-hours']
          : [rule, own, lifting],
      ),
      ['acme-agent/office-hours', condition, ''],
    ];
    // Berlin is two hours ahead in July.
    assert.deepEqual(await at('05'), office('not'));
    assert.deepEqual(await at('06'), office('holds'));
    assert.deepEqual(await at('15'), office('holds'));
    assert.deepEqual(await at('16'), office('not'));
  });

  it('says it in words', async () => {
    const out = await explain('--tenant', 'acme', '--app', 'agent', '--at', '2026-07-01T03:00:00Z');
    for (const said of [
      /^facts +tenant acme, app agent$/m,
      /^composes +acme 2\.3\.1, of layer tenant$/m,
      /^ +pii 2\.1\.0, a module of acme$/m,
      /^ {2}1 {2}house\/advice {2}set\.yaml:6:5$/m,
      /^ +overridden by acme\/may-advise, where that one matches$/m,
      /^ +does not act: `region == "eu"` is false$/m,
      /^default +deny, of layer app: /m,
    ])
      assert.match(out, said);
    assert.doesNotMatch(out, /^.* legal 1\.0\.0/m);
  });
});
