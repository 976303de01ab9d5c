/** docs/reference/classifiers.md, held to the schemas: keys, defaults, reasons, and examples that compile. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { CALLS_MAX } from '../../src/classifiers/classifier.ts';
import { CONTRACTS } from '../../src/classifiers/table.ts';
import { CLASSIFIER_DEFAULTS, ClassifierSchema } from '../../src/engine/classifier-config.ts';
import { resolveConfig } from '../../src/engine/server-config.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import { formatCompileError } from '../../src/policy/errors.ts';
import { CLASSIFIER } from '../../src/policy/kinds/classifier.ts';
import { CLASSIFIER_OUTCOMES } from '../../src/telemetry/metrics.ts';
import { sha256 } from '../policy/compiling.ts';

const page = readFileSync(new URL('../../docs/reference/classifiers.md', import.meta.url), 'utf8');
const section = (name: string): string => page.split(/^## /m).find((one) => one.startsWith(name))!;
const rowsOf = (text: string): readonly (readonly string[])[] =>
  [...text.matchAll(/^\| `(\w+)` \| (.*?) \|/gm)].map(([, key, next]) => [key!, next!]);
const yamlOf = (text: string): string => /^```yaml\n([\s\S]*?)^```/m.exec(text)![1]!;

describe('docs/reference/classifiers.md', () => {
  it('has a row for each setting of a rule', () => {
    const rows = rowsOf(page.split('## ')[0]!).map(([key]) => key);
    assert.deepEqual(rows, Object.keys(CLASSIFIER.schema.properties));
  });

  it('has a row for each key of the configuration, with its default', () => {
    const rows = rowsOf(section('Configuration'));
    assert.deepEqual(
      rows.map(([key]) => key),
      Object.keys(ClassifierSchema.properties),
    );
    const said = Object.fromEntries(
      rows.filter(([, value]) => value !== '–').map(([key, value]) => [key, value!.slice(1, -1)]),
    );
    const defaults = Object.entries({ ...CLASSIFIER_DEFAULTS, headers: '[]' });
    assert.deepEqual(said, Object.fromEntries(defaults.map(([key, value]) => [key, `${value}`])));
  });

  it('gives every reason for which there is no verdict', () => {
    const rows = rowsOf(section('When there is no verdict')).map(([reason]) => reason);
    const failures = CLASSIFIER_OUTCOMES.filter((one) => one !== 'judged' && one !== 'cached');
    assert.deepEqual(rows, failures);
  });

  it('says how much one question may be', () => {
    assert.ok(page.includes(`more than ${CALLS_MAX} calls`));
    for (const name of ['switchyard', 'openai'] as const)
      assert.ok(page.includes(`at most ${CONTRACTS[name].textsMax} texts`), name);
  });

  it('has a configuration and rules that are taken', () => {
    const text = yamlOf(section('Configuration'));
    const resolved = resolveConfig({ path: 'page', text }, {}, {});
    assert.ok(resolved.ok, resolved.ok ? '' : resolved.errors.join('\n'));
    assert.equal(resolved.config.classifiers.length, 3);
    const rules = yamlOf(page).replace(/^(?=.)/gm, '  ');
    const policy = `kind: Policy\nmetadata: { name: p, layer: platform }\nclass: security\nrules:\n${rules}`;
    const result = compilePolicies([{ path: 'page', text: policy }], { sha256 });
    assert.ok(result.ok, result.ok ? '' : result.errors.map(formatCompileError).join('\n'));
  });
});
