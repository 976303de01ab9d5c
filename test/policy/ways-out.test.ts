/** What an author reads who made one of the common slips: the sentence must say what to write instead. */
import assert from 'node:assert/strict';
import { compilePolicies } from '../../src/policy/compile.ts';
import { sha256 } from './compiling.ts';

const document = (line: string): string => `kind: Policy
metadata: { name: p, layer: platform }
class: security
rules:
  - id: r
${line}
---
kind: GoldenSet
policy: p
cases:
  - { name: n, request: { user: hello }, expect: { then: allow } }
`;

function told(line: string): readonly string[] {
  const result = compilePolicies([{ path: 'p.yaml', text: document(line) }], { sha256 });
  return result.ok ? [] : result.errors.map(({ code, message }) => `${code}: ${message}`);
}

const MATCH = '    inspect: [response]\n    match: ';
const SLIPS: readonly (readonly [what: string, line: string, out: RegExp])[] = [
  [
    'a colon in a text',
    '    then: { block: { message: Note: not here } }',
    /; put a text with `: ` in it in quotes$/u,
  ],
  [
    'a colon in a text of a block',
    '    then:\n      block:\n        message: Note: not here',
    /; put a text with `: ` in it in quotes$/u,
  ],
  [
    'a glob without quotes',
    '    models: { deny: [*-preview] }',
    /^alias_limit: .*; a text that begins with `\*` stands in quotes: `"\*-preview"`$/u,
  ],
  [
    'a condition that begins with !',
    '    when: !("a" in consent)\n    then: block',
    /; put a text that begins with `!` in quotes$/u,
  ],
  [
    'a text that begins with a backtick',
    '    then: { block: { message: `no` } }',
    /; put a text that begins with a backtick in quotes$/u,
  ],
  [
    'quotes in quotes',
    "    when: 'region in ['eu', 'us']'\n    then: block",
    /; a text in single quotes ends at the next one; inside of it write `"`, or two of them/u,
  ],
  [
    'a comma in a text',
    '    then: { block: { message: Not here, please. } }',
    /^unknown_key: .*, and a text with a comma stands in quotes between `\{` and `\}`$/u,
  ],
  ['a tab', '\tthen: block', /^yaml_syntax: .*; write spaces$/u],
  [
    'a text for a list',
    `${MATCH}{ keywords: { words: zebra } }\n    then: block`,
    /^wrong_type: .*; write `words: \[zebra\]`$/u,
  ],
  [
    'a text for a map',
    `${MATCH}{ topic: finance }\n    then: flag`,
    /^wrong_type: .*; its keys are `name`, `threshold` or `terms`$/u,
  ],
  [
    'a number in quotes',
    `${MATCH}{ injection: { threshold: "0.8" } }\n    then: block`,
    /^wrong_type: .*; write it without quotes$/u,
  ],
  [
    'a part of a word',
    `${MATCH}{ pii: { entities: [ssn] } }\n    then: redact`,
    /^unknown_word: .*; did you mean `us_ssn`\?$/u,
  ],
  [
    'the beginning of several words',
    `${MATCH}{ secrets: { kinds: [openai] } }\n    then: redact`,
    /^unknown_word: .*; did you mean `openai_api_key`, `openai_project_key` or `openai_style_key`\?$/u,
  ],
  [
    'a word that is longer than it should be',
    '    inspect: [response]\n    matches: { keywords: { words: [zebra] } }\n    then: block',
    /^unknown_key: .*; did you mean `match`\?$/u,
  ],
  [
    'a text without quotes in a condition',
    "    when: 'region == eu'\n    then: block",
    /^when_unknown_name: .*; a text stands in quotes, `"eu"`, and /u,
  ],
  [
    'one = in a condition',
    `    when: 'region = "eu"'\n    then: block`,
    /^when_syntax: .*; compare with `==`$/u,
  ],
  [
    'a word for an operator',
    `    when: 'region == "eu" and model == "m"'\n    then: block`,
    /^when_syntax: .*; write `&&` for and, `\|\|` for or$/u,
  ],
];

describe('a common slip', () => {
  for (const [what, line, out] of SLIPS)
    it(`${what} is told once, with the way out`, () => {
      const sentences = told(line);
      assert.equal(sentences.length, 1, sentences.join('\n'));
      assert.match(sentences[0] ?? '', out);
    });

  it('a name that nobody has is told where all documents were read', () => {
    assert.match(
      told('    then: block\n---\nkind: GoldenSet\npolicy: q\ncases: []').join('\n'),
      /out_of_range/u,
    );
    const text = document('    then: block').replace('policy: p', 'policy: q');
    const result = compilePolicies([{ path: 'p.yaml', text }], { sha256 });
    assert.deepEqual(!result.ok && result.errors.map(({ code }) => code), ['unknown_policy']);
  });

  it('rules of modules are no strangers while the policy that uses them is not read', () => {
    const text = `kind: Policy
metadata: { name: p, layer: platform }
clas: security
use: [m]
---
kind: Module
metadata: { name: m }
class: security
rules: [{ id: x, then: block }]
---
kind: GoldenSet
policy: p
cases:
  - { name: n, request: { user: hello }, expect: { then: block, rule: p/m/x } }
`;
    const result = compilePolicies([{ path: 'p.yaml', text }], { sha256 });
    assert.deepEqual(!result.ok && result.errors.map(({ code }) => code), ['unknown_key']);
  });

  it('what merely contains a colon, a quote or a star goes on being read', () => {
    for (const message of ['Until 14:00 CET', "It's over", 'See https://x.example/a', 'a * b'])
      assert.deepEqual(told(`    then: { block: { message: ${message} } }`), []);
  });
});
