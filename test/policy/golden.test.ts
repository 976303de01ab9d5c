import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { GOLDEN_FORMATS, GOLDEN_WORDS, GoldenSetSchema } from '../../src/policy/golden/schema.ts';
import { DEFAULT_LIMITS } from '../../src/policy/limits.ts';
import { compileText, policy, refusals } from './compiling.ts';

const RULE = '{ id: r, inspect: [request], match: { keywords: { words: [a] } }, then: block }';

const golden = (cases: readonly string[], of = 'p') =>
  `${policy([RULE])}---\nkind: GoldenSet\npolicy: ${of}\ncases:\n${cases.map((one) => `  - ${one}\n`).join('')}`;

const CASE = '{ name: n, request: { user: a }, expect: { then: block, rule: r } }';

describe('golden sets', () => {
  it('do not change the digest of a set: they say what it must do, not what it does', () => {
    const { digest } = compileText(policy([RULE]));
    assert.equal(compileText(golden([CASE])).digest, digest);
  });

  const broken: readonly (readonly [what: string, text: string, refusal: string])[] = [
    ['an unknown policy', golden([CASE], 'q'), '8:9: unknown_policy'],
    ['an unknown rule', golden([CASE.replace('rule: r', 'rule: s')]), '10:67: unknown_rule'],
    ['two cases of one name', golden([CASE, CASE]), '11:13: duplicate_case'],
    ['a case of nothing', golden(['{ name: n, expect: { then: allow } }']), '10:5: golden_case'],
    [
      'a response that says nothing',
      golden(['{ name: n, response: {}, expect: { then: allow } }']),
      '10:26: golden_case',
    ],
    [
      'words beside a body',
      golden(['{ name: n, request: { user: a, body: {} }, expect: { then: allow } }']),
      '10:36: golden_case',
    ],
    [
      'words that the format has no place for',
      golden(['{ name: n, request: { format: text, system: a }, expect: { then: allow } }']),
      '10:41: golden_case',
    ],
    [
      'a feed that is none',
      golden([CASE.replace('request:', 'feed: { a: [1] }, request:')]),
      '10:27: golden_case',
    ],
    [
      'a load beyond all',
      golden([CASE.replace('request:', 'load: 1.5, request:')]),
      '10:22: out_of_range',
    ],
    ...['1.5', 'late', '[]', '{ a: [] }', '{ a: {} }', '{ "": 0.9 }'].map(
      (said) =>
        [
          `a verdict that is none: ${said}`,
          golden([CASE.replace('request:', `classifier: { x: ${said} }, request:`)]),
          '10:33: golden_case',
        ] as const,
    ),
    [
      'a fact that is none',
      golden([CASE.replace('request', 'facts: { tenent: a }, request')]),
      '10:25: unknown_fact',
    ],
    [
      'a time that is none',
      golden([CASE.replace('request', 'at: noon, request')]),
      '10:20: bad_unit',
    ],
    ['an action that is none', golden([CASE.replace('block', 'blok')]), '10:54: unknown_word'],
  ];
  for (const [what, text, refusal] of broken)
    it(`refuse ${what}`, () => assert.deepEqual(refusals(text), [refusal]));

  it('have at most goldenCasesMax cases', () => {
    const two = golden([CASE, CASE.replace('name: n', 'name: m')]);
    assert.deepEqual(refusals(two, { goldenCasesMax: 2 }), []);
    assert.deepEqual(refusals(two, { goldenCasesMax: 1 }), ['11:5: too_many_cases']);
    assert.ok(DEFAULT_LIMITS.goldenCasesMax >= 1_000);
  });
});

describe('docs/reference/golden-sets.md', () => {
  const page = readFileSync(
    new URL('../../docs/reference/golden-sets.md', import.meta.url),
    'utf8',
  );

  it('has the words of every format', () => {
    const words = (list: readonly string[]) =>
      list.length === 0 ? 'none' : list.map((word) => `\`${word}\``).join(', ');
    for (const format of GOLDEN_FORMATS) {
      const { request, response } = GOLDEN_WORDS[format];
      assert.ok(
        page.includes(`| \`${format}\` | ${words(request)} | ${words(response)} |`),
        format,
      );
    }
  });

  it('has every key of a case and of what it expects', () => {
    const { properties } = GoldenSetSchema.properties.cases.items;
    for (const key of [...Object.keys(properties), ...Object.keys(properties.expect.properties)])
      assert.ok(page.includes(`| \`${key}\` |`), key);
  });
});
