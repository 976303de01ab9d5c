/** Of lists of rules, what is held and what is told, against all that may follow: laws (b) and "no longer than that". */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { regexDetector } from '../../src/match/regex.ts';
import { TextScanner } from '../../src/match/scanner.ts';
import { pieces, progressByForesight, type Span, textsOver } from './oracle.ts';
import { naive } from './regex-oracle.ts';

const ALPHABET = ['a', 'b', ' '];
/** One more than what is left of the longest match, since a boundary is seen only behind it. */
const continuations = textsOver(ALPHABET, 5);

const atom = fc.constantFrom(
  ...['a', 'b', '[ab]', 'a?', 'b?', ' ', '[^a]', '(?:ab|b)', 'a{1,2}'],
  ...['\\b', '\\B', '$', '^'],
);
const pattern = fc
  .array(atom, { minLength: 1, maxLength: 3 })
  .map((atoms) => atoms.join(''))
  .filter((given) => regexDetector({ pattern: given }).ok);

const known = new Map<string, (text: string) => readonly Span[]>();
function matchesOf(given: string): (text: string) => readonly Span[] {
  const matches = naive(given);
  const spans = new Map<string, readonly Span[]>();
  const remembered = (text: string): readonly Span[] => {
    const found = spans.get(text) ?? matches(text);
    spans.set(text, found);
    return found;
  };
  const made = known.get(given) ?? remembered;
  known.set(given, made);
  return made;
}

describe('what a list of rules holds', () => {
  it('is what may become a match, and nothing else, after every piece', () => {
    const patterns = fc.array(pattern, { minLength: 1, maxLength: 3 });
    const text = fc.string({ unit: fc.constantFrom(...ALPHABET), maxLength: 5 });
    fc.assert(
      fc.property(patterns, text, fc.array(fc.nat(), { maxLength: 3 }), (given, whole, cuts) => {
        const rules = given.map((one, rule) => {
          const made = regexDetector({ pattern: one });
          assert.ok(made.ok);
          return { rule, detector: made.detector };
        });
        const scanner = new TextScanner(rules);
        const told: Span[][] = given.map(() => []);
        for (const piece of pieces(whole, cuts)) {
          scanner.push(piece);
          for (const { rule, start, end } of scanner.takeMatches()) told[rule]?.push([start, end]);
          const seen = whole.slice(0, scanner.length);
          const expected = given.map((one) =>
            progressByForesight(seen, continuations, matchesOf(one)),
          );
          assert.equal(
            scanner.safe,
            Math.min(seen.length, ...expected.map(({ liveStart }) => liveStart)),
            `held of ${JSON.stringify(seen)}`,
          );
          assert.deepEqual(
            told,
            expected.map(({ reported }) => reported),
            `told of ${JSON.stringify(seen)}`,
          );
        }
      }),
      { numRuns: Number(process.env.RUNS ?? 60) },
    );
  }).timeout(60_000);
});
