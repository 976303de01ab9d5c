/** 500 documents, each with a mistake made from a seed: all of them refused, with place, code and a way out. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { compilePolicies } from '../../src/policy/compile.ts';
import { COMPILE_ERRORS, formatCompileError } from '../../src/policy/errors.ts';
import { brokenDocuments, WAYS } from './breaking.ts';
import { sha256 } from './compiling.ts';
import { VALID_DOCUMENTS } from './valid-documents.ts';

const COUNT = Number(process.env.BROKEN_DOCUMENTS ?? 500);
const SEED = Number(process.env.BROKEN_SEED ?? 20_261_121);

describe('documents broken from a seed', () => {
  const broken = brokenDocuments(VALID_DOCUMENTS, COUNT, SEED);

  it('begin as valid ones', () => {
    for (const text of VALID_DOCUMENTS) {
      const result = compilePolicies([{ path: 'p.yaml', text }], { sha256 });
      assert.ok(result.ok, result.ok ? '' : result.errors.map(formatCompileError).join('\n'));
    }
  });

  it(`are ${COUNT}, in every way`, () => {
    assert.equal(broken.length, COUNT);
    const ways = new Set(broken.map(({ how }) => how));
    assert.deepEqual(
      Object.keys(WAYS).filter((how) => !ways.has(how)),
      [],
    );
  });

  it('are refused, each with its place, a code of the table and what to do', () => {
    for (const { how, text } of broken) {
      const what = `${how}:\n${text}`;
      const result = compilePolicies([{ path: 'p.yaml', text }], { sha256 });
      assert.ok(!result.ok, `it compiled: ${what}`);
      const lines = text.split('\n');
      for (const error of result.errors) {
        const told = `${formatCompileError(error)}\n${what}`;
        assert.ok(error.code in COMPILE_ERRORS, told);
        assert.ok(error.line >= 1 && error.line <= lines.length + 1, told);
        const width = (lines[error.line - 1] ?? '').length;
        assert.ok(error.column >= 1 && error.column <= width + 1, told);
        assert.match(error.message, /^[`"a-z0-9]/, told);
        assert.match(error.message, /;|: .*;| needs |by rule/, told);
      }
    }
  }).timeout(60_000);

  it('shipped policies are valid', () => {
    const folder = new URL('../../policies/', import.meta.url);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.ya?ml$/.test(name) && !name.includes('cookbook'))
      .map((path) => ({ path, text: readFileSync(new URL(path, folder), 'utf8') }));
    const result = compilePolicies(files, { sha256 });
    assert.ok(result.ok, result.ok ? '' : result.errors.map(formatCompileError).join('\n'));
  });
});
