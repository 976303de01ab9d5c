/** Every recipe compiles alone, its golden set holds and reaches every rule, and the page names it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { goldenFaults, runCases } from '../../src/engine/golden/gate.ts';
import { DEFAULT_LIMITS } from '../../src/engine/limits.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import { formatCompileError } from '../../src/policy/errors.ts';
import { lintSet } from '../../src/policy/lint.ts';
import { trialMeans } from '../cli/means.ts';
import { sha256 } from './compiling.ts';

const folder = new URL('../../policies/cookbook/', import.meta.url);
const page = readFileSync(new URL('../../docs/cookbook.md', import.meta.url), 'utf8');

describe('the cookbook', () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
    it(`has ${file}, whose golden set holds`, async () => {
      const text = readFileSync(new URL(file, folder), 'utf8');
      const compiled = compilePolicies([{ path: file, text }], { sha256 });
      if (!compiled.ok) assert.fail(compiled.errors.map(formatCompileError).join('\n'));
      const { set, cases } = compiled;
      const means = { ...trialMeans, limits: DEFAULT_LIMITS, routes: [] };
      const results = await runCases(set, cases, means, DEFAULT_LIMITS);
      assert.deepEqual(goldenFaults(cases, results, DEFAULT_LIMITS), []);
      const reached = new Set(results.flatMap(({ rules }) => [...rules]));
      const enforced = set.rules.filter(({ enforcement }) => enforcement === 'enforce');
      assert.deepEqual(
        enforced.map(({ id }) => id).filter((id) => !reached.has(id)),
        [],
      );
      const warnings = lintSet(set, cases).filter(({ level }) => level === 'warning');
      assert.deepEqual(warnings, []);
      assert.ok(page.includes(`(../policies/cookbook/${file})`), 'the page does not name it');
    }).timeout(20_000);
  }

  it('holds with all recipes at once beside what is shipped, but those that the page excepts', async () => {
    const shipped = new URL('../../policies/', import.meta.url);
    const excepted = ['consent.yaml', 'read-only.yaml', 'region-modules.yaml'];
    const told = /^Several recipes.*?\n\n/ms.exec(page)?.[0] ?? '';
    for (const name of excepted) assert.ok(told.includes(`policies/cookbook/${name})`), name);
    const files = [shipped, folder].flatMap((from) =>
      readdirSync(from)
        .filter((name) => name.endsWith('.yaml') && !excepted.includes(name))
        .map((name) => ({ path: name, text: readFileSync(new URL(name, from), 'utf8') })),
    );
    const compiled = compilePolicies(files, { sha256 });
    if (!compiled.ok) assert.fail(compiled.errors.map(formatCompileError).join('\n'));
    const means = { ...trialMeans, limits: DEFAULT_LIMITS, routes: [] };
    const results = await runCases(compiled.set, compiled.cases, means, DEFAULT_LIMITS);
    assert.deepEqual(goldenFaults(compiled.cases, results, DEFAULT_LIMITS), []);
  }).timeout(30_000);
});
