import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ShapeIndex } from '../../src/match/pii/shape-index.ts';

const EXPRESSIONS = [
  '\\d{2,4}',
  '\\d+(?:-\\d)*',
  '[A-Z]{2}\\d',
  '\\b[a-c]{1,3}\\b',
  '1?x',
  '(?i:é)-',
];
/** Any digit is as good as any other, and so is any letter. */
const SHAPES = [
  /^\d{2,4}$/,
  /^\d+(?:-\d)*$/,
  /^[A-Za-z]{2}\d$/,
  /^[A-Za-z]{1,3}$/,
  /^\d?[A-Za-z]$/,
  /^[éÉ]-$/,
];
const index = (statesMax?: number) =>
  new ShapeIndex(
    EXPRESSIONS.map((expression, item) => [expression, item] as const),
    statesMax,
  );
const wanted = (text: string): readonly number[] =>
  SHAPES.flatMap((shape, item) => (shape.test(text) ? [item] : []));

const texts = fc.array(
  fc.string({ unit: fc.constantFrom('1', '7', 'a', 'Z', '-', 'é', 'É', '.', '😀'), maxLength: 6 }),
  { maxLength: 20 },
);

describe('the index of shapes', () => {
  it('gives those whose expressions have the shape of the text, in their order', () => {
    const roomy = index();
    fc.assert(
      fc.property(texts, (all) => {
        for (const text of all) assert.deepEqual(roomy.candidates(text), wanted(text), text);
      }),
      { numRuns: 500 },
    );
  });

  it('gives the same with room for one state, or three', () => {
    fc.assert(
      fc.property(texts, fc.constantFrom(1, 3), (all, statesMax) => {
        const tight = index(statesMax);
        for (const text of all) assert.deepEqual(tight.candidates(text), wanted(text), text);
        assert.ok(tight.statesKept <= statesMax);
      }),
      { numRuns: 300 },
    );
  });
});
