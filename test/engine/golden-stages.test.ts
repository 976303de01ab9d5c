/** The slow stage of golden cases: which forms a case has, and that a verdict which depends on one is found. */
import assert from 'node:assert/strict';
import { formsOf } from '../../src/engine/golden/forms.ts';
import { failedCases, runCases } from '../../src/engine/golden/gate.ts';
import { slowRun } from '../../src/engine/golden/slow-stage.ts';
import { DEFAULT_LIMITS } from '../../src/engine/limits.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import { formatCompileError } from '../../src/policy/errors.ts';
import { trialMeans } from '../cli/means.ts';
import { sha256 } from '../policy/compiling.ts';

const rules = (...written: readonly string[]) => `kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
${written.map((one) => `  - ${one}\n`).join('')}---
kind: GoldenSet
policy: p
cases:
`;
const REWRITES =
  '{ id: rivals, inspect: [response], match: { keywords: { words: [Bank A] } }, then: { rewrite: { with: another bank } } }';
const BLOCKS =
  '{ id: zebra, inspect: [request, response, tool_call], match: { keywords: { words: [zebra] } }, then: { block: { message: Not that., status: 451 } } }';
const APPENDS =
  '{ id: coda, inspect: [response], match: { keywords: { words: [shares] } }, then: { append: { text: No advice., oncePer: message } } }';

function compiled(text: string) {
  const result = compilePolicies([{ path: 'p.yaml', text }], { sha256 });
  if (!result.ok) assert.fail(result.errors.map(formatCompileError).join('\n'));
  return result;
}

async function slowFaults(text: string, cuttings = 4): Promise<readonly string[]> {
  const { set, cases } = compiled(text);
  const means = { ...trialMeans, limits: DEFAULT_LIMITS, routes: [] };
  const results = await runCases(
    set,
    cases,
    means,
    { goldenMsMax: 600_000 },
    slowRun({ seed: 7, cuttings }),
  );
  return failedCases(results).map(({ line }) => line.replace(/^p\.yaml:\d+:\d+: /, ''));
}

describe('the forms of a golden case', () => {
  const formsIn = (written: string) =>
    formsOf(compiled(`${rules(BLOCKS)}  - ${written}\n`).cases[0]!).map(({ how }) => how);
  const APIS = [
    'openai.chat',
    'openai.responses',
    'openai.completions',
    'anthropic.messages',
    'gemini',
  ];
  const both = (api: string) => [`in ${api}, streamed`, `in ${api}, whole`];

  it('are those of every API with a place for its words', () => {
    const then = 'expect: { then: allow }';
    assert.deepEqual(
      formsIn(`{ name: n, request: { user: a }, ${then} }`),
      APIS.map((api) => `in ${api}`),
    );
    assert.deepEqual(
      formsIn(`{ name: n, request: { system: a, user: b }, ${then} }`),
      APIS.filter((api) => api !== 'openai.completions').map((api) => `in ${api}`),
    );
    assert.deepEqual(
      formsIn(`{ name: n, response: { stream: [a] }, ${then} }`),
      APIS.flatMap(both),
    );
    assert.deepEqual(
      formsIn(`{ name: n, response: { text: a, tool_call: { name: t } }, ${then} }`),
      APIS.filter((api) => api !== 'openai.completions').flatMap((api) => both(api).reverse()),
    );
  });

  it('stay in the API, and on the path, that the author names', () => {
    const then = 'expect: { then: allow }';
    for (const [written, forms] of [
      ['request: { format: gemini, user: a }', ['in gemini']],
      ['response: { format: anthropic.messages, text: a }', both('anthropic.messages').reverse()],
      ['request: { path: /v1/chat/completions, user: a }', ['in openai.chat']],
      ['request: { method: PUT, user: a }', ['in openai.chat']],
      ['request: { body: { a: b } }', ['in openai.chat']],
      ['request: { user: a }, response: { body: { a: b } }', ['in openai.chat, whole']],
      ['response: { format: sse, stream: [a] }', ['in sse, streamed']],
    ] as const)
      assert.deepEqual(formsIn(`{ name: n, ${written}, ${then} }`), forms, written);
  });
});

describe('the slow stage', function () {
  this.timeout(60_000);

  it('holds what is said, whatever it is said in', async () => {
    const text = `${rules(REWRITES, BLOCKS, APPENDS)}  - { name: rewritten, response: { stream: ["Try Ba", "nk A today"] }, expect: { then: rewrite, rule: rivals, text: Try another bank today } }
  - { name: asked, request: { user: a zebra }, expect: { then: block, status: 451, text: Not that. } }
  - { name: answered, response: { text: "It is \\"a zebra\\" \\u00e9\\U0001f993" }, expect: { then: block, status: 451, text: Not that. } }
  - { name: appended, response: { text: Buy shares. }, expect: { then: append, rule: coda, text: "Buy shares.\\n\\nNo advice." } }
  - { name: called, response: { tool_call: { name: find, arguments: { of: a zebra } } }, expect: { then: block, rule: zebra } }
  - { name: harmless, request: { user: Hello }, response: { stream: [A, " bank"] }, expect: { then: allow } }
`;
    assert.deepEqual(await slowFaults(text), []);
  });

  it('names the form in which a case does not hold', async () => {
    const inChat = BLOCKS.replace('{ id', '{ when: \'request.path == "/v1/chat/completions"\', id');
    const faults = await slowFaults(
      `${rules(inChat)}  - { name: asked, request: { user: a zebra }, expect: { then: block } }\n`,
    );
    assert.deepEqual(faults, [
      'golden_failed: case `asked`: in openai.responses: expected `block`, but it passed unchanged; no rule matched; change the policy or the case',
    ]);
  });

  it('says what a case fails with in the fast stage, as that does', async () => {
    const faults = await slowFaults(
      `${rules(BLOCKS)}  - { name: asked, request: { user: a lion }, expect: { then: block } }\n`,
    );
    assert.deepEqual(faults, [
      'golden_failed: case `asked`: expected `block`, but it passed unchanged; no rule matched; change the policy or the case',
    ]);
  });
});
