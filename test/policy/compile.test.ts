import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import type { Detector } from '../../src/match/detector.ts';
import { keywordDetector } from '../../src/match/keywords.ts';
import { regexDetector } from '../../src/match/regex.ts';
import { unionBytesMax } from '../../src/match/union-automaton.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import { formatCompileError } from '../../src/policy/errors.ts';
import { DEFAULT_LIMITS } from '../../src/policy/limits.ts';
import { scopeOf } from '../../src/policy/scope.ts';
import { codes, compileFiles, compileText, policy, refusals, ruleOf, sha256 } from './compiling.ts';

function regexOf(pattern: string): Detector {
  const made = regexDetector({ pattern });
  assert.ok(made.ok);
  return made.detector;
}

const THREE_AM = `kind: Policy
metadata: { name: stop-the-leak, layer: platform }
class: security
rules:
  - { id: project-name, inspect: [request, response], match: { keywords: { words: [Project Zebra] } }, then: block }
`;

describe('compilePolicies', () => {
  it('takes the bare document of 3 am and fills in what it leaves out', () => {
    const set = compileText(THREE_AM);
    const rule = ruleOf(set, 'stop-the-leak/project-name');
    assert.equal(rule.onError, 'deny');
    assert.equal(rule.enforcement, 'enforce');
    assert.deepEqual(rule.action, {
      kind: 'block',
      message: 'This request was refused by policy.',
      status: 400,
      as: 'error',
    });
    assert.deepEqual([...rule.inspect], ['request', 'response']);
    assert.deepEqual(rule.position, { file: 'p.yaml', line: 5, column: 5 });
    assert.match(set.digest, /^sha256:[0-9a-f]{64}$/);
    assert.deepEqual(set.policies, [{ name: 'stop-the-leak', layer: 'platform', file: 'p.yaml' }]);
  });

  it('compiles the shipped policies without a warning', () => {
    const files = ['platform-security', 'platform-conduct'].map((name) => {
      const path = `policies/${name}.yaml`;
      return { path, text: readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8') };
    });
    const set = compileFiles(files);
    assert.deepEqual(set.warnings, []);
    assert.deepEqual(
      set.rules.map(({ id, action }) => `${id} ${action.kind}`),
      [
        'platform-conduct/mentions-confidential flag',
        'platform-conduct/rival-banks rewrite',
        'platform-security/no-pii-out redact',
        'platform-security/project-zebra block',
      ],
    );
  });

  it('gives each class its stance', () => {
    const set = compileText(
      policy([
        '{ id: a, then: block }',
        '{ id: b, class: operational, then: flag }',
        '{ id: c, class: operational, onError: deny, then: flag }',
        '{ id: d, class: regulatory, onError: allow, signedOffBy: a@b.example, then: flag }',
      ]),
    );
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((id) => ruleOf(set, `p/${id}`).onError),
      ['deny', 'allow', 'deny', 'allow'],
    );
  });

  it('ranks by layer, then priority with the higher first, then lineage', () => {
    const set = compileText(
      [
        policy(['{ id: z, then: flag }', '{ id: a, priority: -1, then: flag }'], { name: 'one' }),
        policy(['{ id: top, priority: 9, then: flag }'], { name: 'two', layer: 'model' }),
        policy(['{ id: b, priority: 5, then: flag }'], { name: 'three' }),
      ].join('---\n'),
    );
    assert.deepEqual(
      set.rules.map(({ id, rank }) => `${rank} ${id}`),
      ['0 three/b', '1 one/z', '2 one/a', '3 two/top'],
    );
  });

  it('reads JSON, also indented with tabs', () => {
    const text = JSON.stringify(
      {
        kind: 'Policy',
        metadata: { name: 'j', layer: 'app', selector: { tenant: 'acme' } },
        class: 'security',
        // biome-ignore lint/suspicious/noThenProperty: a word of the language
        rules: [{ id: 'r', then: { block: { status: 451, message: 'No.', as: 'refusal' } } }],
      },
      null,
      '\t',
    );
    const set = compileFiles([{ path: 'j.json', text }]);
    assert.equal(ruleOf(set, 'j/r').position.line, 12);
    assert.equal(scopeOf(set, { tenant: 'acme' }, true).rules.length, 1);
    assert.equal(scopeOf(set, {}, true).rules.length, 0);
  });

  it('leaves rules that are off out, but still reads them', () => {
    assert.deepEqual(compileText(policy(['{ id: a, enforcement: off, then: block }'])).rules, []);
    assert.deepEqual(codes(policy(['{ id: a, enforcement: off, then: blokc }'])), ['unknown_word']);
  });

  it('freezes the set through and through', () => {
    const set = compileText(THREE_AM);
    const rule = set.rules[0]!;
    for (const part of [set, set.rules, rule, rule.action, rule.selector, rule.position]) {
      assert.ok(Object.isFrozen(part));
    }
    assert.throws(() => (rule.inspect as Set<string>).add('system'), TypeError);
  });

  it('tells the errors of all files at once, sorted by place', () => {
    const bad = policy(['{ id: a, inspct: [request], then: block }', '{ id: a, then: blok }']);
    assert.deepEqual(
      refusals([
        { path: 'b.yaml', text: bad },
        { path: 'a.yaml', text: 'kind: Polcy\n' },
      ]),
      ['1:7: unknown_kind', '5:14: unknown_key', '6:11: duplicate_rule', '6:20: unknown_word'],
    );
  });

  it('refuses to serve nothing, unless asked to', () => {
    for (const text of ['', '# all commented out\n', '---\n---\n']) {
      assert.deepEqual(codes(text), ['no_policies']);
    }
    assert.deepEqual(codes([]), ['no_policies']);
    assert.deepEqual(compileFiles([], { allowEmpty: true }).rules, []);
  });

  it('names what a document lacks only once when a misspelt key explains it', () => {
    assert.deepEqual(codes(policy(['{ id: a, thn: block }'])), ['unknown_key']);
  });

  it('keeps `__proto__` and `constructor` ordinary unknown keys', () => {
    assert.deepEqual(codes(policy(['{ id: a, __proto__: { then: block }, then: block }'])), [
      'unknown_key',
    ]);
    assert.deepEqual(codes(policy(['{ id: a, constructor: 1, then: block }'])), ['unknown_key']);
  });
});

describe('the digest', () => {
  const digest = (text: string, path = 'p.yaml') => compileFiles([{ path, text }]).digest;

  it('is the hash of the canonical documents', () => {
    const text = policy(['{ id: a, then: block }']);
    assert.equal(
      digest(text),
      `sha256:${sha256(
        '{"class":"security","kind":"Policy","metadata":{"layer":"platform","name":"p"},"rules":[{"id":"a","then":"block"}]}',
      )}`,
    );
  });

  it('does not change with comments, spaces, key order or the file name', () => {
    const text = policy(['{ id: a, then: block }']);
    assert.equal(digest(text), digest(`# why\n${text}\n\n`));
    assert.equal(digest(text), digest(text, 'other.yml'));
    assert.equal(digest(text), digest(text.replace('id: a, then: block', 'then: "block", id: a')));
  });

  it('changes with any value', () => {
    assert.notEqual(
      digest(policy(['{ id: a, then: block }'])),
      digest(policy(['{ id: a, then: flag }'])),
    );
    assert.notEqual(
      digest(policy(['{ id: a, priority: 1, then: flag }'])),
      digest(policy(['{ id: a, then: flag }'])),
    );
  });
});

describe('limits', () => {
  const rule = (id: string) => `{ id: ${id}, then: flag }`;

  it('rulesMax: at the limit and one beyond', () => {
    const text = policy([rule('a'), rule('b')]);
    assert.deepEqual(codes(text, { rulesMax: 2 }), []);
    assert.deepEqual(refusals(text, { rulesMax: 1 }), ['6:5: too_many_rules']);
  });

  it('documentsMax', () => {
    const text = [policy([rule('a')], { name: 'x' }), policy([rule('a')], { name: 'y' })].join(
      '---\n',
    );
    assert.deepEqual(codes(text, { documentsMax: 2 }), []);
    assert.deepEqual(codes(text, { documentsMax: 1 }), ['too_many_documents']);
  });

  it('fileCharsMax', () => {
    const text = policy([rule('a')]);
    assert.deepEqual(codes(text, { fileCharsMax: text.length }), []);
    assert.deepEqual(codes(text, { fileCharsMax: text.length - 1 }), ['file_too_large']);
  });

  it('nestingMax, and nesting that no parser survives', () => {
    const nested = (depth: number) => `kind: Policy\nx: ${'['.repeat(depth)}${']'.repeat(depth)}\n`;
    assert.ok(!codes(nested(4), { nestingMax: 4 }).includes('nesting_limit'));
    assert.deepEqual(codes(nested(5), { nestingMax: 4 }), ['nesting_limit']);
    assert.deepEqual(codes(nested(5_000)), ['nesting_limit']);
  });

  it('aliasNodesMax, and an alias that holds itself', () => {
    const text = policy([
      '{ id: a, inspect: &i [request, response], match: { regex: { pattern: abc } }, then: flag }',
      '{ id: b, inspect: *i, match: { regex: { pattern: abc } }, then: flag }',
    ]);
    assert.deepEqual(codes(text, { aliasNodesMax: 3 }), []);
    assert.deepEqual(codes(text, { aliasNodesMax: 2 }), ['alias_limit']);
    assert.deepEqual(codes('kind: Policy\nx: &x [*x]\n'), ['nesting_limit']);
    const laughs = [
      'a: &a [x, x]',
      ...'bcdefghij'.split('').map((key, index) => {
        const before = 'abcdefghij'[index];
        return `${key}: &${key} [${Array(9).fill(`*${before}`).join(', ')}]`;
      }),
    ];
    assert.deepEqual(codes(`${laughs.join('\n')}\n`), ['alias_limit']);
  });

  it('keywordsMax counts words and aliases; keywordCharsMax', () => {
    const keywords = (text: string) =>
      policy([`{ id: a, inspect: [request], match: { keywords: ${text} }, then: flag }`]);
    const three = keywords('{ words: [ab, cd], aliases: { ab: [ef] } }');
    assert.deepEqual(codes(three, { keywordsMax: 3 }), []);
    assert.deepEqual(codes(three, { keywordsMax: 2 }), ['too_many_keywords']);
    assert.deepEqual(codes(three, { keywordCharsMax: 2 }), []);
    assert.deepEqual(codes(three, { keywordCharsMax: 1 }), [
      'keyword_invalid',
      'keyword_invalid',
      'keyword_invalid',
    ]);
  });

  describe('of tables', () => {
    const listed = (words: readonly string[]) =>
      policy([
        '{ id: a, inspect: [request], match: { regex: { pattern: "a[0-9]{9}" } }, then: flag }',
        `{ id: b, inspect: [response], match: { keywords: { words: ${JSON.stringify(words)} } }, then: flag }`,
      ]);
    const names = (count: number, units: number) =>
      Array.from({ length: count }, (_, index) => index.toString(36).padEnd(units, 'xyz'));

    it('matcherBytesMax counts the tables at their largest, and says the figure at the rule', () => {
      const text = listed(['alpha', 'beta']);
      const told = (matcherBytesMax: number): string => {
        const files = [{ path: 'p.yaml', text }];
        const result = compilePolicies(files, { sha256, matcherBytesMax });
        return result.ok ? 'ok' : result.errors.map(formatCompileError).join('\n');
      };
      const detectors = [keywordDetector({ words: ['alpha', 'beta'] }), regexOf('a[0-9]{9}')];
      const nodes = detectors.reduce((sum, { part }) => sum + (part?.nodes ?? 0), 0);
      const bytes = detectors.reduce((sum, one) => sum + one.bytes, unionBytesMax(nodes));
      assert.equal(told(bytes), 'ok');
      const refused = told(bytes - 1);
      assert.match(refused, /^p\.yaml:6:\d+: matcher_too_large: with rule `p\/b` /);
      assert.ok(refused.includes(`${bytes} bytes, more than the ${bytes - 1} allowed`), refused);
    });

    it('counts once what rules for secrets share', () => {
      const secrets = (count: number): string =>
        policy(
          Array.from(
            { length: count },
            (_, at) => `{ id: s${at}, inspect: [request], match: { secrets: {} }, then: flag }`,
          ),
        );
      assert.deepEqual(codes(secrets(8)), []);
    }).timeout(20_000);

    it('takes 10,000 keywords with room to spare, and refuses what 100,000 long ones take', () => {
      const most = DEFAULT_LIMITS.matcherBytesMax;
      const bytesOf = (count: number, units: number): number => {
        const { bytes, part } = keywordDetector({ words: names(count, units) });
        return bytes + unionBytesMax(part?.nodes ?? 0);
      };
      assert.ok(bytesOf(10_000, 24) < 0.75 * most);
      assert.ok(bytesOf(100_000, 5) < most);
      assert.ok(bytesOf(100_000, 24) > most);
      const text = listed(names(3_000, 24));
      assert.deepEqual(codes(text), []);
      assert.deepEqual(codes(text, { matcherBytesMax: 32 << 20 }), ['matcher_too_large']);
    }).timeout(60_000);

    it('regexNodesMax counts all expressions together, and no keywords', () => {
      const own = regexOf('a[0-9]{9}').part?.nodes ?? 0;
      const text = listed(['alpha']);
      assert.deepEqual(codes(text, { regexNodesMax: own }), []);
      assert.deepEqual(codes(text, { regexNodesMax: own - 1 }), ['regex_too_large']);
    });

    it('regexStatesMax', () => {
      const text = policy([
        '{ id: a, inspect: [request], match: { regex: { pattern: "[0-9a-f]{200}x" } }, then: flag }',
      ]);
      assert.deepEqual(codes(text, { regexStatesMax: 200 }), []);
      assert.deepEqual(codes(text, { regexStatesMax: 199 }), ['regex_states']);
    });
  });

  it('regexCharsMax', () => {
    const text = policy([
      '{ id: a, inspect: [request], match: { regex: { pattern: abcd } }, then: flag }',
    ]);
    assert.deepEqual(codes(text, { regexCharsMax: 4 }), []);
    assert.deepEqual(codes(text, { regexCharsMax: 3 }), ['regex_too_large']);
  });

  it('errorsMax leaves errors out, never turns them into success', () => {
    assert.equal(
      codes(policy(['{ id: a, then: x }', '{ id: b, then: x }']), { errorsMax: 1 }).length,
      1,
    );
  });
});
