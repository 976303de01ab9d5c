import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { compilePolicies } from '../../src/policy/compile.ts';
import { LINT_CODES, type LintCode, lintSet } from '../../src/policy/lint.ts';
import { policy, sha256 } from './compiling.ts';

const BLOCK = 'then: { block: { message: Not here. } }';
const rule = (match: string, then = BLOCK, more = '') =>
  `{ id: r, inspect: [request], match: { ${match} }, ${then}${more} }`;
const CASE = (named = ', rule: r') =>
  `---\nkind: GoldenSet\npolicy: p\ncases:\n  - { name: n, request: { user: zebra }, expect: { then: block${named} } }\n`;

function codesOf(text: string): LintCode[] {
  const compiled = compilePolicies([{ path: 'p.yaml', text }], { sha256 });
  assert.ok(compiled.ok);
  return lintSet(compiled.set, compiled.cases).map(({ code }) => code);
}

describe('lint', () => {
  const ZEBRA = 'keywords: { words: [zebra] }';

  it('has nothing to say of a policy that is clear and tested', () => {
    assert.deepEqual(codesOf(policy([rule(ZEBRA)]) + CASE()), []);
  });

  const surprising: readonly (readonly [LintCode, string])[] = [
    ['matches_ordinary_text', policy([rule('keywords: { words: [the, zebra] }')]) + CASE()],
    ['matches_ordinary_text', policy([rule('regex: { pattern: "[0-9]{2}" }')]) + CASE()],
    [
      'allow_everything',
      `${policy([rule(ZEBRA), '{ id: a, priority: -1, then: allow }'])}${CASE()}`,
    ],
    [
      'fails_open',
      policy([rule('secrets: { kinds: [github_token] }', BLOCK, ', onError: allow')]) + CASE(),
    ],
    ['plain_refusal', policy([rule(ZEBRA, 'then: block')]) + CASE()],
    ['shadow', policy([rule(ZEBRA, BLOCK, ', enforcement: shadow')]) + CASE()],
    ['no_golden_case', policy([rule(ZEBRA)])],
    ['rule_without_case', policy([rule(ZEBRA)]) + CASE('')],
  ];
  for (const [code, text] of surprising)
    it(`says ${code}`, () => assert.deepEqual(codesOf(text), [code]));

  it('says loosens', () => {
    const allow = policy([`{ id: lift, when: 'region == "eu"', then: allow }`], {
      name: 'q',
      layer: 'tenant',
    });
    const text = `${policy([rule(ZEBRA, BLOCK, ', overridable: true')])}${CASE()}---\n${allow}`;
    assert.deepEqual(codesOf(text).sort(), ['loosens', 'no_golden_case']);
  });

  it('says at the rule what this version does not do, and at the file which module nobody uses', () => {
    const hold = '{ hold: { approvers: [a], ttl: 1h, onTimeout: deny } }';
    const module =
      '---\nkind: Module\nmetadata: { name: m }\nclass: security\nrules: [{ id: x, then: flag }]\n';
    const text = `${policy([rule(ZEBRA, `then: ${hold}`)])}${CASE(', rule: r').replace('then: block', 'then: hold')}${module}`;
    const compiled = compilePolicies([{ path: 'p.yaml', text }], { sha256 });
    assert.ok(compiled.ok);
    const found = lintSet(compiled.set, compiled.cases);
    assert.deepEqual(
      found.map(({ code, level }) => [code, level]),
      [
        ['unused_module', 'note'],
        ['not_enforced', 'warning'],
      ],
    );
    assert.deepEqual(found[1]?.position, compiled.set.rules[0]?.position);
    for (const { message } of found) assert.doesNotMatch(message, /overridable/u);
  });

  it('has every code on its page', () => {
    const page = readFileSync(new URL('../../docs/reference/lint.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, code, told]) => [
      code,
      told,
    ]);
    assert.deepEqual(rows, Object.entries(LINT_CODES));
  });
});
