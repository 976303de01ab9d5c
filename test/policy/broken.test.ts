/**
 * Every broken document says at its end what it gets: `# expect: line:column: code`, one for each error.
 * They end in `.txt` so that no formatter of YAML moves what they point at, or stumbles over it.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { compilePolicies } from '../../src/policy/compile.ts';
import { COMPILE_ERRORS, formatCompileError } from '../../src/policy/errors.ts';
import { sha256 } from './compiling.ts';

const folder = new URL('./broken/', import.meta.url);
const reference = new URL('../../docs/reference/policy-errors.md', import.meta.url);

/** Codes that no document of ordinary size shows; compile.test.ts has a case at the edge of each. */
const SHOWN_AT_THE_LIMIT = [
  'nesting_limit',
  'file_too_large',
  'too_many_documents',
  'too_many_rules',
  'too_many_keywords',
  'regex_too_large',
  'matcher_too_large',
  'too_many_cases',
  // Cases are run by the engine: test/engine/golden.test.ts.
  'golden_failed',
  'golden_timeout',
  // Signatures are checked by the engine: test/engine/golden-overrides.test.ts.
  'golden_lost',
  'golden_override',
  'tenant_share',
];

describe('broken documents', () => {
  const shown = new Set<string>(SHOWN_AT_THE_LIMIT);
  for (const file of readdirSync(folder).sort()) {
    it(`${file} gets what it says`, () => {
      const text = readFileSync(new URL(file, folder), 'utf8');
      const expected = [...text.matchAll(/^# expect: (.*)$/gm)].map((match) => match[1]);
      const result = compilePolicies([{ path: file, text }], { sha256 });
      assert.ok(!result.ok, 'it compiled');
      assert.deepEqual(
        result.errors.map((error) => `${error.line}:${error.column}: ${error.code}`),
        expected,
        result.errors.map(formatCompileError).join('\n'),
      );
      for (const error of result.errors) {
        shown.add(error.code);
        assert.match(error.message, /^[`a-z0-9]/, 'begins in lower case');
        assert.match(error.message, /;|: .*;| needs |by rule/, `says what to do: ${error.message}`);
        assert.match(
          formatCompileError(error),
          new RegExp(`^${file}:${error.line}:${error.column}: ${error.code}: .+$`),
        );
      }
    });
  }

  it('show every code of the table', () => {
    assert.deepEqual([...shown].sort(), Object.keys(COMPILE_ERRORS).sort());
  });
});

describe('docs/reference/policy-errors.md', () => {
  it('lists every code with its meaning, and no other', () => {
    const rows = [
      ...readFileSync(reference, 'utf8').matchAll(/^\|\s*`([a-z_]+)`\s*\|\s*(.*?)\s*\|$/gm),
    ];
    assert.deepEqual(
      rows.map(([, code, meaning]) => [code, meaning]),
      Object.entries(COMPILE_ERRORS),
    );
  });
});
