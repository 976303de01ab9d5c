/** docs/reference/detectors.md, held to the schema: every key is on it, and every example compiles. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { compilePolicies } from '../../src/policy/compile.ts';
import { formatCompileError } from '../../src/policy/errors.ts';
import { compileSchema } from '../../src/policy/json-schema.ts';
import { BASELINE } from '../../src/policy/kinds/baseline.ts';
import { JSON_VALUES } from '../../src/policy/kinds/json.ts';
import { KEYWORDS } from '../../src/policy/kinds/keywords.ts';
import { REGEX } from '../../src/policy/kinds/regex.ts';
import { TOOL } from '../../src/policy/kinds/tool.ts';
import { DEFAULT_LIMITS } from '../../src/policy/limits.ts';
import { sha256 } from './compiling.ts';

const page = readFileSync(new URL('../../docs/reference/detectors.md', import.meta.url), 'utf8');
const section = (name: string): string => page.split(/^## /m).find((one) => one.startsWith(name))!;

describe('docs/reference/detectors.md', () => {
  for (const [name, kind] of [
    ['keywords', KEYWORDS],
    ['regex', REGEX],
    ['tool', TOOL],
    ['json', JSON_VALUES],
    ['baseline', BASELINE],
  ] as const)
    it(`names every key of ${name}`, () => {
      const rows = [...section(name).matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)];
      const named = rows.flatMap(([, keys]) =>
        [...keys!.matchAll(/`(\w+)`/g)].map(([, key]) => key),
      );
      for (const key of Object.keys(kind.schema.properties)) assert.ok(named.includes(key), key);
    });

  it('names only keywords of schemas that are taken', () => {
    const list = /knows\n([\s\S]*?) `\$ref` to/.exec(page)![1]!;
    const keywords = [...list.matchAll(/`(\w+)`/g)].map(([, keyword]) => keyword!);
    assert.ok(keywords.length > 20);
    for (const keyword of keywords) {
      const result = compileSchema({ [keyword]: 0 }, DEFAULT_LIMITS);
      assert.ok(result.ok || !result.message.includes('not among the keywords'), keyword);
    }
    for (const keyword of ['format', 'uniqueItems'])
      assert.ok(!compileSchema({ [keyword]: 'x' }, DEFAULT_LIMITS).ok, keyword);
  });

  it('has examples that compile', () => {
    const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text]) => text!);
    assert.ok(examples.length >= 6);
    for (const example of examples) {
      const then = example.includes('then:') ? '' : 'then: block\n';
      const inspect = /^match:.*pii/m.test(example) ? 'inspect: [response]\n' : '';
      const body = `${inspect}${example}${then}`.replace(/^(?=.)/gm, '    ');
      const text = `kind: Policy\nmetadata: { name: p, layer: platform }\nclass: security\nrules:\n  - id: a\n${body}`;
      const result = compilePolicies([{ path: 'page', text }], { sha256 });
      assert.ok(
        result.ok,
        result.ok ? '' : `${text}\n${result.errors.map(formatCompileError).join('\n')}`,
      );
    }
  });
});
