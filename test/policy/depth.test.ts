import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { nestsTooDeep, PARSER_DEPTH_MAX } from '../../src/policy/depth.ts';
import { codes, policy } from './compiling.ts';

const SHAPES: Readonly<Record<string, (depth: number) => string>> = {
  'flow lists': (depth) => `x: ${'['.repeat(depth)}${']'.repeat(depth)}`,
  'flow maps': (depth) => '{a: '.repeat(depth),
  'open brackets': (depth) => '['.repeat(depth),
  dashes: (depth) => `${'- '.repeat(depth)}x`,
  'explicit keys': (depth) => `${'? '.repeat(depth)}x`,
  'explicit values': (depth) => `? a\n${': '.repeat(depth)}`,
  indentation: (depth) =>
    Array.from({ length: depth }, (_, index) => `${' '.repeat(index)}a:`).join('\n'),
  'lists in maps': (depth) =>
    Array.from({ length: depth }, (_, index) => `${'  '.repeat(index)}- a:`).join('\n'),
};

describe('nesting is measured before a parser recurses', () => {
  for (const [name, shape] of Object.entries(SHAPES)) {
    it(name, () => {
      assert.ok(!nestsTooDeep(shape(30), PARSER_DEPTH_MAX));
      assert.ok(nestsTooDeep(shape(PARSER_DEPTH_MAX + 2), PARSER_DEPTH_MAX));
      assert.deepEqual(codes(shape(2_000)), ['nesting_limit']);
    });
  }

  it('is exact for brackets', () => {
    assert.ok(!nestsTooDeep('['.repeat(10), 10));
    assert.ok(nestsTooDeep('['.repeat(11), 10));
  });

  it('does not count what stands in texts, comments or beside each other', () => {
    const brackets = '['.repeat(1_000);
    const text = [
      `a: "${brackets}"`,
      `b: '${brackets}'`,
      `c: |\n  ${brackets}\n  - - - - -`,
      `# ${brackets}`,
      ...Array.from({ length: 1_000 }, (_, index) => `k${index}: [1, { a: b }]\nl${index}:\n  - x`),
    ].join('\n');
    assert.ok(!nestsTooDeep(text, 8));
  });

  it('leaves an ordinary policy alone', () => {
    const rules = Array.from({ length: 500 }, (_, index) => `{ id: r${index}, then: flag }`);
    assert.deepEqual(codes(policy(rules)), []);
  });
});
