/** What a classifier points at is replaced: in every format, whole and in deltas, beside what other rules replace. */
import assert from 'node:assert/strict';
import { goldenFaults, runCases } from '../../src/engine/golden/gate.ts';
import { DEFAULT_LIMITS } from '../../src/engine/limits.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import { formatCompileError } from '../../src/policy/errors.ts';
import { GOLDEN_FORMATS, GOLDEN_WORDS } from '../../src/policy/golden/schema.ts';
import { trialMeans } from '../cli/means.ts';
import { sha256 } from '../policy/compiling.ts';

const POLICY = `kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
  - id: people
    inspect: [request, response, tool_call, tool_result]
    match: { classifier: { name: names, threshold: 0.8, labels: [person, home-town] } }
    then: redact
  - id: tone
    inspect: [request, response]
    match: { classifier: { name: tone, threshold: 0.8 } }
    then: { rewrite: { with: "(removed)" } }
  - id: mail
    inspect: [request, response]
    match: { pii: { entities: [email] } }
    then: redact
  - id: bare
    inspect: [request]
    match: { classifier: { name: bare, threshold: 0.8 } }
    then: block
`;

async function faultsOf(cases: readonly string[], policy = POLICY): Promise<readonly string[]> {
  const text = `${policy}---\nkind: GoldenSet\npolicy: p\ncases:\n${cases.map((one) => `  - ${one}\n`).join('')}`;
  const compiled = compilePolicies([{ path: 'p.yaml', text }], { sha256 });
  if (!compiled.ok) assert.fail(compiled.errors.map(formatCompileError).join('\n'));
  const means = { ...trialMeans, limits: DEFAULT_LIMITS, routes: [] };
  const results = await runCases(compiled.set, compiled.cases, means, DEFAULT_LIMITS);
  return goldenFaults(compiled.cases, results, DEFAULT_LIMITS);
}

const NAMES =
  'classifier: { names: { "Ann Lee": { person: 0.97 }, Ulm: { home-town: 0.8, other: 1 } } }';
const SAID = 'Ask Ann Lee at ann@acme.example, Ann Lee of Ulm.';
const LEFT = 'Ask [PERSON_1] at [EMAIL_1], [PERSON_1] of [HOME_TOWN_1].';

describe('what a classifier points at', () => {
  for (const format of GOLDEN_FORMATS) {
    const { request, response } = GOLDEN_WORDS[format];
    it(`is replaced in ${format}`, async () => {
      const cases = [
        ...(request.includes('user') ? [`request: { format: ${format}, user: "${SAID}" }`] : []),
        ...(response.includes('text') ? [`response: { format: ${format}, text: "${SAID}" }`] : []),
        ...(response.includes('stream')
          ? [
              `response: { format: ${format}, stream: ["Ask Ann L", "ee at ann@acme.example, Ann Lee of U", "lm."] }`,
            ]
          : []),
      ].map(
        (side, index) =>
          `{ name: n${index}, ${NAMES}, ${side}, expect: { then: redact, rule: people, text: "${LEFT}" } }`,
      );
      assert.ok(cases.length > 0);
      assert.deepEqual(await faultsOf(cases), []);
    });
  }

  it('is replaced beside placeholders that are put back for the client, before, between and behind them', async () => {
    const reversible = POLICY.replace(
      /(entities: \[email\] \} \}\n {4}then:) redact/u,
      '$1 { redact: { reversible: true } }',
    );
    assert.notEqual(reversible, POLICY);
    const user = 'Mail ann@acme.example and bob@acme.example';
    const said = 'Ann Lee: [EMAIL_1]Ann Lee[EMAIL_2], Ulm [EMAIL_1]';
    const left =
      '[PERSON_1]: ann@acme.example[PERSON_1]bob@acme.example, [HOME_TOWN_1] ann@acme.example';
    const cases = (
      ['openai.chat', 'anthropic.messages', 'openai.responses', 'gemini'] as const
    ).flatMap((format) =>
      [`text: "${said}"`, `stream: ${JSON.stringify(said.match(/.{1,5}/gu))}`].map(
        (answer, index) =>
          `{ name: ${format} ${index}, ${NAMES}, request: { format: ${format}, user: ${user} }, response: { format: ${format}, ${answer} }, expect: { then: redact, rule: people, text: "${left}" } }`,
      ),
    );
    assert.deepEqual(await faultsOf(cases, reversible), []);
    // A span that reaches into a placeholder is told of the words that the classifier read: all of it goes.
    const across = `{ name: across, classifier: { names: { "to [EMAIL_1]": { person: 0.9 } } }, request: { user: ${user} }, response: { text: "Go to [EMAIL_1] now" }, expect: { then: redact, rule: people, text: "Go [PERSON_1] now" } }`;
    assert.deepEqual(await faultsOf([across], reversible), []);
  });

  it('stays JSON in the arguments of a tool', async () => {
    const call = 'tool_call: { name: find, arguments: { who: "Ann Lee", of: "x \\" Ulm" } }';
    const cases = ['openai.chat', 'anthropic.messages', 'gemini', 'openai.responses'].map(
      (format) =>
        `{ name: ${format}, ${NAMES}, response: { format: ${format}, ${call} }, expect: { then: redact, rule: people } }`,
    );
    assert.deepEqual(await faultsOf(cases), []);
  });

  it('is the whole text where it does not point, and nothing below the threshold', async () => {
    const asked = 'request: { user: You are venom }';
    const cases = [
      `{ name: whole, classifier: { tone: 0.9 }, ${asked}, expect: { then: rewrite, rule: tone, text: (removed) } }`,
      `{ name: part, classifier: { tone: { venom: 0.8 } }, ${asked}, expect: { then: rewrite, rule: tone, text: You are (removed) } }`,
      `{ name: less, classifier: { tone: { venom: 0.79 } }, ${asked}, expect: { then: allow, text: You are venom } }`,
      `{ name: label, classifier: { names: { venom: { person: 0.9, home-town: 0.1 } } }, ${asked}, expect: { then: redact, text: "You are [PERSON_1]" } }`,
    ];
    assert.deepEqual(await faultsOf(cases), []);
  });

  it('gives way to a rule that blocks, and is refused where there is no verdict', async () => {
    const asked = 'request: { user: Ann Lee }';
    const cases = [
      `{ name: blocked, classifier: { names: { Ann: { person: 1 } }, bare: 1 }, ${asked}, expect: { then: block, rule: bare } }`,
      `{ name: failed, classifier: { names: unreachable }, ${asked}, expect: { then: block, rule: people } }`,
    ];
    assert.deepEqual(await faultsOf(cases), []);
  });
});
