/** Golden cases run by the code that serves; what they say must be what happened. */
import assert from 'node:assert/strict';
import { goldenFaults, runCases } from '../../src/engine/golden/gate.ts';
import { DEFAULT_LIMITS } from '../../src/engine/limits.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import { formatCompileError } from '../../src/policy/errors.ts';
import { GOLDEN_FORMATS, GOLDEN_WORDS } from '../../src/policy/golden/schema.ts';
import { trialMeans } from '../cli/means.ts';
import { sha256 } from '../policy/compiling.ts';

const POLICY = `kind: Policy
metadata: { name: p, layer: tenant, selector: { tenant: acme } }
class: security
rules:
  - id: rivals
    inspect: [response, tool_result]
    match: { keywords: { words: [Bank A] } }
    then: { rewrite: { with: another bank } }
  - id: zebra
    inspect: [request, tool_call, tool_definition, system]
    match: { keywords: { words: [zebra] } }
    then: { block: { message: Not about that., status: 451 } }
  - id: curious
    inspect: [request]
    match: { keywords: { words: [lion] } }
    then: flag
  - id: quiet
    inspect: [request]
    match: { keywords: { words: [tiger] } }
    then: block
    enforcement: shadow
  - id: night
    when: 'time.getHours() < 6'
    then: block
`;

/** Faults of the cases, each without its place; cases are written one a line. */
async function faultsOf(cases: readonly string[], limits = DEFAULT_LIMITS): Promise<string[]> {
  const golden = ['kind: GoldenSet', 'policy: p', 'cases:', ...cases.map((one) => `  - ${one}`)];
  const text = `${POLICY}---\n${golden.join('\n')}\n`;
  const compiled = compilePolicies([{ path: 'p.yaml', text }], { sha256 });
  if (!compiled.ok) assert.fail(compiled.errors.map(formatCompileError).join('\n'));
  const means = { ...trialMeans, limits };
  const results = await runCases(compiled.set, compiled.cases, means, limits);
  return goldenFaults(compiled.cases, results, limits).map((line) =>
    line.replace(/^p\.yaml:\d+:\d+: /, ''),
  );
}

const NOON = 'at: "2026-01-31T12:00:00Z"';

describe('golden cases', () => {
  for (const format of GOLDEN_FORMATS) {
    const { request, response } = GOLDEN_WORDS[format];
    it(`are told apart in ${format}, asked and answered, whole and in deltas`, async () => {
      const asked = request.map((word) => {
        const written: Record<string, string> = {
          tools: '[{ name: find, description: a zebra }]',
          tool_call: '{ name: find, arguments: { of: a zebra } }',
          tool_result: 'see Bank A',
          assistant: 'I said lion',
        };
        const then: Record<string, string> = {
          tool_result: '{ then: rewrite, rule: rivals }',
          assistant: '{ then: flag, rule: curious }',
        };
        const expected =
          then[word] ?? '{ then: block, rule: zebra, status: 451, text: Not about that. }';
        return `{ name: ${word}, ${NOON}, request: { format: ${format}, ${word}: ${written[word] ?? 'a zebra'} }, expect: ${expected} }`;
      });
      const ways: Record<string, string> = {
        text: 'text: Ask Bank A now',
        stream: 'stream: ["Ask Ba", "nk A now"]',
        tool_call: 'stream: [Ask], tool_call: { name: find, arguments: { of: a zebra } }',
      };
      const answered = response.map((way) => {
        const expected =
          way === 'tool_call'
            ? '{ then: block, rule: zebra, text: Not about that. }'
            : '{ then: rewrite, rule: rivals, text: Ask another bank now }';
        return `{ name: answer ${way}, ${NOON}, response: { format: ${format}, ${ways[way]} }, expect: ${expected} }`;
      });
      const all = [...asked, ...answered];
      assert.deepEqual(await faultsOf(all), []);
      // Every one of them fails when it expects something else.
      const wrong = all.map((one) => one.replace(/expect: .*/, 'expect: { then: allow } }'));
      const flags = wrong.filter((one) => one.startsWith('{ name: assistant,')).length;
      assert.equal((await faultsOf(wrong)).length, all.length - flags);
    }).timeout(20_000);
  }

  it('have the facts that the policy selects, and their own', async () => {
    const asked = (facts: string, then: string) =>
      `{ name: a, ${NOON}, ${facts} request: { user: zebra }, expect: { then: ${then} } }`;
    assert.deepEqual(await faultsOf([asked('', 'block')]), []);
    assert.deepEqual(await faultsOf([asked('facts: { tenant: other },', 'allow')]), []);
  });

  it('run at the time that they say', async () => {
    const at = (time: string, then: string) =>
      `{ name: "${time}", at: "2026-01-31T${time}:00Z", request: { user: hello }, expect: { then: ${then} } }`;
    assert.deepEqual(await faultsOf([at('05:59', 'block'), at('06:00', 'allow')]), []);
  });

  it('tell flags and shadows from what acts', async () => {
    const asked = (name: string, user: string, expect: string) =>
      `{ name: ${name}, ${NOON}, request: { user: a ${user} }, expect: ${expect} }`;
    assert.deepEqual(
      await faultsOf([
        asked('flag', 'lion', '{ then: flag, rule: curious }'),
        asked('both', 'lion', '{ then: allow }'),
        asked('shadow', 'tiger', '{ then: block, rule: quiet, enforcement: shadow }'),
        asked('passes', 'tiger', '{ then: allow }'),
      ]),
      [],
    );
    assert.deepEqual(
      await faultsOf([
        asked('one', 'tiger', '{ then: block, rule: quiet }'),
        asked('two', 'tiger', '{ then: flag, rule: curious }'),
        asked('three', 'zebra', '{ then: block, status: 400 }'),
        asked('four', 'zebra', '{ then: block, text: Something else. }'),
      ]),
      [
        'golden_failed: case `one`: expected `block` by `p/quiet`, but it passed unchanged; matched: `p/quiet` (block, not enforced); change the policy or the case',
        'golden_failed: case `two`: expected `flag` by `p/curious`, but it passed unchanged; matched: `p/quiet` (block, not enforced); change the policy or the case',
        'golden_failed: case `three`: expected status 400, but it is 451; change the policy or the case',
        'golden_failed: case `four`: expected the client to read `Something else.`, but the refusal does not say it; change the policy or the case',
      ],
    );
  });

  it('are not run beyond goldenMsMax, and that is a fault', async () => {
    const asked = [1, 2, 3].map(
      (name) => `{ name: "${name}", ${NOON}, request: { user: hello }, expect: { then: allow } }`,
    );
    const [first, ...rest] = await faultsOf(asked, { ...DEFAULT_LIMITS, goldenMsMax: -1 });
    assert.match(first ?? '', /^golden_timeout: .* and 3 were not run; write fewer/);
    assert.deepEqual(rest, []);
    assert.deepEqual(await faultsOf(asked), []);
  });
});
