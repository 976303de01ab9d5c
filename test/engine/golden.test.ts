/** Golden cases run by the code that serves; what they say must be what happened. */
import assert from 'node:assert/strict';
import { goldenFaults, runCases } from '../../src/engine/golden/gate.ts';
import { DEFAULT_LIMITS } from '../../src/engine/limits.ts';
import type { FormatRoute } from '../../src/formats/detect.ts';
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
async function faultsOf(
  cases: readonly string[],
  { limits = DEFAULT_LIMITS, routes = [] as readonly FormatRoute[], policy = POLICY } = {},
): Promise<string[]> {
  const golden = ['kind: GoldenSet', 'policy: p', 'cases:', ...cases.map((one) => `  - ${one}`)];
  const text = `${policy}---\n${golden.join('\n')}\n`;
  const compiled = compilePolicies([{ path: 'p.yaml', text }], { sha256 });
  if (!compiled.ok) assert.fail(compiled.errors.map(formatCompileError).join('\n'));
  const means = { ...trialMeans, limits, routes };
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
    const [first, ...rest] = await faultsOf(asked, {
      limits: { ...DEFAULT_LIMITS, goldenMsMax: -1 },
    });
    assert.match(first ?? '', /^golden_timeout: .* and 3 were not run; write fewer/);
    assert.deepEqual(rest, []);
    assert.deepEqual(await faultsOf(asked), []);
  });
});

/** MISSION row 108: the same request on a normal day and under attack, each by one thing that conditions read. */
describe('golden cases of surroundings', () => {
  const rows: readonly (readonly [what: string, when: string, normal: string, attack: string])[] = [
    [
      'the time of day, in a zone with summer time',
      'time.getHours("Europe/Berlin") >= 22',
      'at: "2026-07-01T19:59:59Z"',
      'at: "2026-07-01T20:00:00Z"',
    ],
    [
      'the same in winter',
      'time.getHours("Europe/Berlin") >= 22',
      'at: "2026-01-01T20:59:59Z"',
      'at: "2026-01-01T21:00:00Z"',
    ],
    [
      'a day that has begun elsewhere',
      'time.getDayOfWeek("Asia/Tokyo") == 0',
      'at: "2026-01-31T14:59:59Z"',
      'at: "2026-01-31T15:00:00Z"',
    ],
    ['a risk', 'risk > 0.8', 'facts: { risk: "0.8" }', 'facts: { risk: "0.81" }'],
    ['the load', 'load > 0.7', 'load: 0.7', 'load: 0.71'],
    [
      'a feed of networks',
      'source.ip in feed["bad"]',
      'ip: 192.0.3.1, feed: { bad: [192.0.2.0/24] }',
      'ip: 192.0.2.1, feed: { bad: [192.0.2.0/24] }',
    ],
    [
      'a feed that has changed',
      'tenant in feed["suspended"]',
      'feed: { suspended: [other] }',
      'feed: { suspended: [other, acme] }',
    ],
    [
      'a map',
      'feed["tiers"][tenant] == "free"',
      'feed: { tiers: { acme: gold } }',
      'feed: { tiers: { acme: free } }',
    ],
    ['the posture', 'posture != "normal"', 'posture: normal', 'posture: elevated'],
    [
      'an earlier topic',
      'session.topic == "loans"',
      'session: { topic: finance }',
      'session: { topics: [finance, loans] }',
    ],
    [
      'claims',
      'has(principal.role) && principal.role == "guest"',
      'claims: { role: clerk }',
      'claims: { role: guest }',
    ],
  ];
  for (const [what, when, normal, attack] of rows)
    it(`are told apart by ${what}`, async () => {
      const rule = `  - { id: guard, when: '${when}', inspect: [request], match: { keywords: { words: [okapi] } }, then: block }`;
      const head = POLICY.slice(0, POLICY.indexOf('  - id: rivals'));
      const cases = [
        `{ name: normal, request: { user: an okapi }, ${normal}, expect: { then: allow } }`,
        `{ name: attack, request: { user: an okapi }, ${attack}, expect: { then: block, rule: guard } }`,
      ];
      const golden = [
        'kind: GoldenSet',
        'policy: p',
        'cases:',
        ...cases.map((one) => `  - ${one}`),
      ];
      const text = `${head}${rule}\n---\n${golden.join('\n')}\n`;
      const compiled = compilePolicies([{ path: 'p.yaml', text }], { sha256 });
      if (!compiled.ok) assert.fail(compiled.errors.map(formatCompileError).join('\n'));
      const means = { ...trialMeans, limits: DEFAULT_LIMITS, routes: [] };
      const results = await runCases(compiled.set, compiled.cases, means, DEFAULT_LIMITS);
      assert.deepEqual(goldenFaults(compiled.cases, results, DEFAULT_LIMITS), []);
    });
});

describe('golden cases of a server', () => {
  const body = 'request: { format: json, path: /ask, body: { zebra: a zebra, q: "see" } }';
  const named = 'request: { format: json, path: /ask, body: { q: a zebra } }';
  const routes = [{ path: '/ask', format: 'json', textPaths: ['q'] }] as const;

  it('are read as its `formats` say, and a path of none everywhere', async () => {
    const blocked = 'expect: { then: block, rule: zebra }';
    const cases = [
      `{ name: named, ${NOON}, ${named}, ${blocked} }`,
      `{ name: elsewhere, ${NOON}, ${body}, expect: { then: allow } }`,
    ];
    assert.deepEqual(await faultsOf(cases, { routes }), []);
    const [fault, ...more] = await faultsOf(cases);
    assert.match(fault!, /^golden_failed: case `elsewhere`/);
    assert.deepEqual(more, []);
    // The same body on another path.
    const other = [`{ name: other, ${NOON}, ${body.replace('/ask', '/else')}, ${blocked} }`];
    assert.deepEqual(await faultsOf(other, { routes }), []);
  });

  it('may speak the format of a path that it names, for answers too', async () => {
    const route = [{ path: '/bot', format: 'openai.chat' }] as const;
    const cases = [
      `{ name: asked, ${NOON}, request: { path: /bot, user: a zebra }, expect: { then: block, status: 451 } }`,
      `{ name: told, ${NOON}, request: { path: /bot }, response: { stream: [Ba, nk A] }, expect: { then: rewrite, text: another bank } }`,
    ];
    assert.deepEqual(await faultsOf(cases, { routes: route }), []);
  });
});

describe('what a classifier says in a golden case', () => {
  const policy = `kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
  - { id: tone, inspect: [request, response], match: { classifier: { name: toxicity, threshold: 0.8 } }, then: { block: { message: Not so. } } }
  - { id: insult, inspect: [request], match: { classifier: { name: words, threshold: 0.8, labels: [insult] } }, then: flag }
  - { id: lax, onError: allow, inspect: [request], match: { classifier: { name: other, threshold: 0.8 } }, then: block }
`;
  const asked = 'request: { user: You are venom }';
  const hears = async (given: string, expect: string, request = asked): Promise<string[]> =>
    faultsOf([`{ name: n, ${given}${request}, expect: { ${expect} } }`], { policy });

  it('is its score, of every text or of those that have the words', async () => {
    const refused = 'then: block, rule: tone, text: Not so.';
    assert.deepEqual(await hears('classifier: { toxicity: 0.8 }, ', refused), []);
    assert.deepEqual(await hears('classifier: { toxicity: 0.79 }, ', 'then: allow'), []);
    const venom = 'classifier: { toxicity: { venom: 0.9 } }, ';
    assert.deepEqual(await hears(venom, refused), []);
    assert.deepEqual(await hears(venom, 'then: allow', 'request: { user: Hello }'), []);
    const answered = 'response: { stream: [You are ve, nom] }';
    assert.deepEqual(await hears(venom, refused, answered), []);
    // Who says nothing of it means nothing by it.
    assert.deepEqual(await hears('', 'then: allow'), []);
  });

  it('has labels', async () => {
    const flagged = 'then: flag, rule: insult';
    assert.deepEqual(
      await hears('classifier: { words: { venom: { insult: 0.9, threat: 0 } } }, ', flagged),
      [],
    );
    for (const other of ['0.9', '{ venom: { threat: 0.9, insult: 0.1 } }'])
      assert.deepEqual(await hears(`classifier: { words: ${other} }, `, 'then: allow'), []);
  });

  it('may be nothing, for a reason', async () => {
    const failed = 'then: block, rule: tone';
    assert.deepEqual(await hears('classifier: { toxicity: deadline }, ', failed), []);
    assert.deepEqual(await hears('classifier: { other: unreachable }, ', 'then: allow'), []);
  });
});
