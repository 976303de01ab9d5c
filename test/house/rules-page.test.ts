/** `docs/rules.md` is what its generator writes, and has a row or a reason for every word in every format. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { FORMAT_SAMPLES } from '../../src/formats/detect.ts';
import { ACTION_KINDS } from '../../src/policy/actions/table.ts';
import { MatchSchema } from '../../src/policy/kinds/table.ts';
import { RESTRICTION_KINDS } from '../../src/policy/restrictions/table.ts';
import { cellsOf } from '../envoy/rules/cells.ts';
import { ACTIONS, KINDS, nameOf, RESTRICTIONS } from '../envoy/rules/examples.ts';
import { rulesPage } from '../envoy/rules/page.ts';
import { COLUMNS, WIRES } from '../envoy/rules/wires.ts';

const PAGE = new URL('../../docs/rules.md', import.meta.url);
const EXAMPLES = [...KINDS, ...ACTIONS, ...RESTRICTIONS];

const wordsOf = (examples: readonly { readonly word: string }[]): readonly string[] =>
  [...new Set(examples.map(({ word }) => word))].sort();

/** Words under `match:`, those that a later version takes included. */
const matchWords = (): readonly string[] => {
  const schema = MatchSchema as { properties: object; 'x-later'?: readonly string[] };
  return [...Object.keys(schema.properties), ...(schema['x-later'] ?? [])].sort();
};

describe('the table of rules', () => {
  it('is written by its generator: `npm run docs:rules` writes it anew', () => {
    const page = rulesPage();
    if (process.env.WRITE_REFERENCE === '1') writeFileSync(PAGE, page);
    assert.equal(readFileSync(PAGE, 'utf8'), page);
  });

  it('has an example for every word of the language', () => {
    const kinds = wordsOf(KINDS).filter((word) => word !== 'no match');
    assert.deepEqual(kinds, matchWords(), 'test/envoy/rules/examples.ts, under KINDS');
    assert.deepEqual(wordsOf(ACTIONS), Object.keys(ACTION_KINDS).sort());
    assert.deepEqual(wordsOf(RESTRICTIONS), Object.keys(RESTRICTION_KINDS).sort());
  });

  it('says of every example what comes of it in every format, direction and shape', () => {
    const everywhere = FORMAT_SAMPLES.flatMap(({ name }) =>
      COLUMNS.map((column) => `${name} ${column}`),
    );
    assert.deepEqual(
      [...new Set(WIRES.map(({ format, column }) => `${format} ${column}`))],
      everywhere,
      'test/envoy/rules/wires.ts',
    );
    for (const example of EXAMPLES) {
      const cells = cellsOf(example);
      assert.equal(cells.length, WIRES.length * example.tries.length);
      for (const { wire, what } of cells) {
        const place = `${nameOf(example)}, ${wire.format}, ${wire.column}`;
        if ('absent' in what) assert.match(what.absent, /\w/u, `${place} has no reason`);
        else if (what.why !== undefined) assert.match(what.why, /\w/u, place);
      }
    }
  });

  it('calls a rule of which no server takes the set not yet enforced, and no other', () => {
    const idle = EXAMPLES.filter((example) =>
      cellsOf(example).every(({ what }) => 'absent' in what),
    );
    assert.deepEqual(idle.map(nameOf).sort(), ['baseline', 'hold', 'limit']);
  });
});
