import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { readProjectFile } from '../house/project-files.ts';
import { clientsPage } from './page.ts';

const PAGE = new URL('../../docs/clients.md', import.meta.url);

/** Pinned versions by package; those of Python under `python:`. */
function pinned(): Readonly<Record<string, string>> {
  const { devDependencies } = JSON.parse(readProjectFile('package.json')) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  const python = readProjectFile('setup/python-clients.txt')
    .split('\n')
    .flatMap((line) => {
      const [name, version] = line.split('==');
      return version === undefined ? [] : [[`python:${name}`, version] as const];
    });
  return { ...devDependencies, ...Object.fromEntries(python) };
}

describe('docs/clients.md', () => {
  it('says what the clients are held to', () => {
    const page = clientsPage(pinned());
    if (process.env.WRITE_REFERENCE === '1') writeFileSync(PAGE, page);
    assert.equal(readFileSync(PAGE, 'utf8'), page);
  });
});
