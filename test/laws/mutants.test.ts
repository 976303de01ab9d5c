/** The faults of `npm run mutants` still stand where they can be planted, and every format has one. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MUTANTS, NOTHING_TO_PLANT } from './mutant-list.ts';

const project = join(import.meta.dirname, '../..');

describe('the planted faults', () => {
  for (const { file, from, to, suites = [] } of MUTANTS)
    it(`${file}: ${from.split('\n')[0]}`, () => {
      const source = readFileSync(join(project, 'src', file), 'utf8');
      assert.equal(source.split(from).length - 1, 1, 'how often it stands in the file');
      assert.notEqual(from, to);
      for (const suite of suites) assert.ok(existsSync(join(project, `test/${suite}.test.ts`)));
    });

  it('are in every file of the formats', () => {
    const planted = new Set(MUTANTS.map(({ file }) => file));
    const bare = readdirSync(join(project, 'src/formats'))
      .map((name) => `formats/${name}`)
      .filter((file) => !planted.has(file) && !NOTHING_TO_PLANT.has(file));
    assert.deepEqual(bare, []);
  });
});
