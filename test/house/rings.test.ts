import assert from 'node:assert/strict';
import { projectFiles, readProjectFile } from './project-files.ts';
import { checkRings } from './rings.ts';

function sentencesOf(file: string, text: string): readonly string[] {
  return checkRings(new Map([[file, text]])).map(({ sentence }) => sentence);
}

describe('rings', () => {
  it('hold in src', () => {
    const sources = projectFiles('src').filter((path) => path.endsWith('.ts'));
    assert.ok(sources.length > 0);
    const files = new Map(
      sources.map((path) => [path.slice('src/'.length), readProjectFile(path)]),
    );
    const shown = checkRings(files).map(
      ({ file, line, sentence }) => `src/${file}:${line}: ${sentence}`,
    );
    assert.deepEqual(shown, []);
  });

  const planted: readonly (readonly [why: string, file: string, text: string, finds: RegExp])[] = [
    ['pure → engine', 'match/a.ts', "import '../engine/clock.ts';", /pure folders only/],
    ['pure → I/O', 'judge/a.ts', "import { x } from '../store/b.ts';", /pure folders only/],
    [
      'pure → I/O by type',
      'judge/a.ts',
      "import type { X } from '../audit/record.ts';",
      /pure folders/,
    ],
    ['pure re-exports I/O', 'policy/a.ts', "export * from '../admin/b.ts';", /pure folders only/],
    [
      'pure imports at run time',
      'policy/a.ts',
      "const x = import('../admin/b.ts');",
      /pure folders only/,
    ],
    [
      'pure import type node',
      'policy/a.ts',
      "type X = import('../admin/b.ts').X;",
      /pure folders only/,
    ],
    ['pure in a subfolder', 'policy/cel/a.ts', "import '../../store/b.ts';", /pure folders only/],
    ['pure → node', 'rollout/a.ts', "import { createHash } from 'node:crypto';", /arguments/],
    ['pure → node, old name', 'rollout/a.ts', "import fs from 'fs';", /arguments/],
    ['pure → impure package', 'match/a.ts', "import pino from 'pino';", /not known to be pure/],
    ['pure, computed import', 'match/a.ts', 'const x = import(name);', /not known to be pure/],
    ['pure async function', 'state/a.ts', 'export async function f() {}', /async/],
    ['pure async arrow', 'state/a.ts', 'const f = async () => 1;', /async/],
    ['pure async method', 'state/a.ts', 'class A { async f() {} }', /async/],
    ['pure for await', 'state/a.ts', 'for await (const x of y) z(x);', /await/],
    ['pure clock', 'judge/a.ts', 'const now = Date.now();', /Date\.now/],
    ['pure new Date', 'judge/a.ts', 'const now = new Date();', /new Date/],
    ['pure randomness', 'rollout/a.ts', 'const x = Math.random();', /Math\.random/],
    ['pure timer', 'formats/a.ts', 'setTimeout(f, 1);', /setTimeout/],
    ['pure timer, handed on', 'formats/a.ts', 'const later = setTimeout;', /setTimeout/],
    ['pure process', 'formats/a.ts', 'const x = process.env.X;', /process/],
    ['pure console', 'formats/a.ts', "console.log('x');", /console/],
    ['pure global object', 'formats/a.ts', 'globalThis.x = 1;', /globalThis/],
    ['engine → I/O', 'engine/a.ts', "import { x } from '../store/b.ts';", /engine\/ does no I\/O/],
    [
      'engine → record by value',
      'engine/a.ts',
      "import { x } from '../audit/record.ts';",
      /no I\/O/,
    ],
    ['engine → node', 'engine/a.ts', "import { x } from 'node:fs';", /arguments/],
    ['engine clock', 'engine/a.ts', 'const now = Date.now();', /Date\.now/],
    ['engine timer', 'engine/a.ts', 'setTimeout(f, 1);', /setTimeout/],
    ['I/O → other I/O', 'admin/a.ts', "import { x } from '../store/b.ts';", /strangers/],
    ['I/O → other I/O by type', 'cli/a.ts', "import type { X } from '../admin/b.ts';", /strangers/],
    ['anyone → main', 'cli/a.ts', "import '../main.ts';", /it composes/],
    ['anyone → the library', 'cli/a.ts', "import '../library.ts';", /it composes/],
    ['out of src', 'match/a.ts', "import '../../test/x.ts';", /outside src/],
    ['a folder of no ring', 'misc/a.ts', 'export {};', /in no ring/],
    ['a file beside main', 'server.ts', 'export {};', /in no ring/],
  ];
  for (const [why, file, text, finds] of planted)
    it(`finds a planted violation: ${why}`, () => {
      const sentences = sentencesOf(file, text);
      assert.ok(
        sentences.some((sentence) => finds.test(sentence)),
        `found only ${JSON.stringify(sentences)}`,
      );
    });

  const innocent: readonly (readonly [why: string, file: string, text: string])[] = [
    ['pure → pure', 'match/a.ts', "import { x } from '../policy/set.ts';"],
    ['pure → buffer', 'match/a.ts', "import { Buffer } from 'node:buffer';"],
    ['pure → pure package', 'policy/a.ts', "import { parse } from '@bufbuild/cel';"],
    ['a date of a given time', 'policy/a.ts', 'const at = new Date(nowMs);'],
    ['a member of that name', 'policy/a.ts', 'const x = port.process; const y = { console: 1 };'],
    [
      'a method of that name',
      'policy/a.ts',
      'interface P { process(): void } class Q { fetch() {} }',
    ],
    ['engine → pure', 'engine/a.ts', "import { x } from '../policy/set.ts';"],
    [
      'engine → the record as a type',
      'engine/a.ts',
      "import type { R } from '../audit/record.ts';",
    ],
    ['engine waits', 'engine/a.ts', 'export async function f(p: Promise<void>) { await p; }'],
    ['I/O → engine', 'admin/a.ts', "import type { C } from '../engine/control.ts';"],
    ['I/O → itself', 'transport/grpcjs/a.ts', "import { x } from '../address.ts';"],
    ['I/O → anything outside', 'store/a.ts', "import fs from 'node:fs'; import pino from 'pino';"],
    ['main composes', 'main.ts', "import './store/a.ts'; import './admin/b.ts'; process.exit(0);"],
    [
      'words in a comment',
      'policy/a.ts',
      '// no async, no Date.now() and no setTimeout here\nexport {};',
    ],
  ];
  for (const [why, file, text] of innocent)
    it(`lets pass: ${why}`, () => assert.deepEqual(sentencesOf(file, text), []));
});
