/** docs/reference/actions.md: the words and keys of the schema, and examples that compile. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { ACTION_KINDS } from '../../src/policy/actions/table.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import { formatCompileError } from '../../src/policy/errors.ts';
import { RESTRICTION_KINDS } from '../../src/policy/restrictions/table.ts';
import { sha256 } from './compiling.ts';

const page = readFileSync(new URL('../../docs/reference/actions.md', import.meta.url), 'utf8');

interface Section {
  readonly word: string;
  readonly text: string;
}

/** The parts under a heading of the second level, by their own headings. */
function sections(title: string): readonly Section[] {
  const part = page.split(/^## /mu).find((text) => text.startsWith(`${title}\n`)) ?? '';
  return part
    .split(/^### /mu)
    .slice(1)
    .map((text) => ({ word: text.split('\n', 1)[0] ?? '', text }));
}

/** First cells of the table whose head is `key`. */
function keysOf({ text }: Section): readonly string[] {
  const [, table = ''] = text.split('| key | value |\n|---|---|\n');
  const rows = table.split('\n');
  const end = rows.findIndex((row) => !row.startsWith('|'));
  return rows.slice(0, end).map((row) => /^\| `(\w+)`/u.exec(row)?.[1] ?? row);
}

const TABLES = { Actions: ACTION_KINDS, Restrictions: RESTRICTION_KINDS };

describe('the page of actions', () => {
  for (const [title, kinds] of Object.entries(TABLES)) {
    it(`has a section for each of the ${title.toLowerCase()}, with the keys of its schema`, () => {
      const told = sections(title).map((one) => [one.word, keysOf(one).toSorted()]);
      const meant = Object.entries(kinds).map(([word, { schema }]) => [
        word,
        Object.keys((schema as { properties?: object }).properties ?? {}).toSorted(),
      ]);
      assert.deepEqual(told.toSorted(), meant.toSorted());
    });
  }

  it('has examples that compile', () => {
    const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/gu)].map((match) => match[1] ?? '');
    assert.ok(examples.length >= 6);
    for (const rules of examples) {
      const text = `kind: Policy\nmetadata: { name: p, layer: platform }\nclass: security\nrules:\n${rules.replace(/^/gmu, '  ')}`;
      const result = compilePolicies([{ path: 'page.yaml', text }], { sha256 });
      assert.ok(result.ok, result.ok ? '' : result.errors.map(formatCompileError).join('\n'));
    }
  });
});
