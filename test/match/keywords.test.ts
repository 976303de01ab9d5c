import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type KeywordOptions, keywordDetector } from '../../src/match/keywords.ts';
import { partition, progressByForesight, progressOf, scan, textsOver } from './oracle.ts';

const WORD = /[\p{L}\p{N}\p{M}_]/u;

const fold = (text: string): string =>
  [...text]
    .map((character) => {
      const folded = character.toUpperCase().toLowerCase();
      return folded.length === character.length && character.length === 1 ? folded : character;
    })
    .join('');

const characterBefore = (text: string, at: number): string => [...text.slice(0, at)].at(-1) ?? ' ';
const characterAt = (text: string, at: number): string => [...text.slice(at)][0] ?? ' ';

function naive(options: KeywordOptions) {
  const same = options.caseSensitive === true ? (text: string) => text : fold;
  const keywords = [...options.words, ...Object.values(options.aliases ?? {}).flat()].map(same);
  return (text: string) =>
    partition(text, (whole, start) => {
      for (let end = whole.length; end > start; end--) {
        const part = whole.slice(start, end);
        if (!keywords.includes(same(part.replace(/\s{1,8}/gu, ' ')))) continue;
        const first = characterAt(part, 0);
        const last = characterBefore(part, part.length);
        const bound =
          (WORD.test(first) && WORD.test(characterBefore(whole, start))) ||
          (WORD.test(last) && WORD.test(characterAt(whole, end)));
        if (options.substring === true || !bound) return end;
      }
      return 0;
    });
}

const BANKS: KeywordOptions = {
  words: ['Bank A', 'Bank B'],
  aliases: { 'Bank A': ['BankA', 'B.A.'] },
};

const found = (options: KeywordOptions, text: string): string[] =>
  scan(keywordDetector(options), text).map(([start, end]) => text.slice(start, end));

describe('keywords', () => {
  const cases: [string, KeywordOptions, string, string[]][] = [
    ['ignores case', BANKS, 'try bANK b now', ['bANK b']],
    ['wants whole words', BANKS, 'Bank Ab Bank A1 Bank A_ xBank A Bank Á', []],
    ['takes an apostrophe for an edge', BANKS, "Bank A's rates", ['Bank A']],
    ['takes a combining mark for part of a word', BANKS, 'Bank A\u0301', []],
    [
      'takes white space as it comes',
      BANKS,
      'Bank\u00a0A, Bank\r\n\tB',
      ['Bank\u00a0A', 'Bank\r\n\tB'],
    ],
    ['takes 8 units of it', BANKS, `Bank${' '.repeat(8)}A`, [`Bank${' '.repeat(8)}A`]],
    ['does not take 9', BANKS, `Bank${' '.repeat(9)}A`, []],
    ['needs no edge where a keyword has none', BANKS, 'B.A.x xB.A.', ['B.A.']],
    [
      'reads letters beyond the basic plane',
      BANKS,
      'Bank A𝐁 Bank A😀 𝐁Bank A 😀Bank A',
      ['Bank A', 'Bank A'],
    ],
    ['finds keywords beyond it', { words: ['😀 ok', '𝐁'] }, 'x😀 ok 𝐁𝐁 𝐁', ['😀 ok', '𝐁']],
    ['finds parts if asked', { words: ['bank'], substring: true }, 'embankment', ['bank']],
    ['minds case if asked', { words: ['Bank'], caseSensitive: true }, 'bank Bank', ['Bank']],
    ['folds what simple folding folds', { words: ['skill'] }, 'ſ\u212aILL', ['ſ\u212aILL']],
    [
      'takes the longest',
      { words: ['new', 'new york'] },
      'new york new yorker',
      ['new york', 'new'],
    ],
    ['ends at the text', BANKS, 'Bank A', ['Bank A']],
    ['collapses white space in the keyword', { words: [' a \n b '] }, 'a b', ['a b']],
  ];
  for (const [title, options, text, expected] of cases)
    it(title, () => assert.deepEqual(found(options, text), expected));

  it('refuses keywords that could never be found', () => {
    for (const word of ['', ' \n', '\ud800x', 'x\udc00'])
      assert.throws(() => keywordDetector({ words: [word] }), RangeError);
  });

  it('states its longest match', () => {
    assert.equal(keywordDetector(BANKS).unitsMax, 4 + 8 + 1);
  });

  const keyword = fc
    .string({
      unit: fc.constantFrom('a', 'b', 'B', '.', ' ', '𝐁', '😀'),
      minLength: 1,
      maxLength: 4,
    })
    .map((text) => text.replace(/\s+/gu, ' ').trim())
    .filter((text) => text !== '');
  const options = fc.record({
    words: fc.array(keyword, { minLength: 1, maxLength: 4 }),
    substring: fc.boolean(),
    caseSensitive: fc.boolean(),
  });
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', 'B', '.', ' ', '\n', '𝐁', '😀', 'é', '\ud835'),
    maxLength: 24,
  });

  it('finds what the definition says, however the text is cut', () => {
    fc.assert(
      fc.property(options, text, fc.array(fc.nat()), (given, whole, cuts) => {
        assert.deepEqual(scan(keywordDetector(given), whole, cuts), naive(given)(whole));
      }),
      { numRuns: 2_000 },
    );
  });

  it('holds exactly what may become a match', () => {
    const continuations = textsOver(['a', 'b', '.', ' '], 4);
    const small = fc.string({ unit: fc.constantFrom('a', 'b', '.', ' '), maxLength: 7 });
    const word = fc
      .string({ unit: fc.constantFrom('a', 'b', '.', ' '), minLength: 1, maxLength: 3 })
      .map((given) => given.replace(/\s+/gu, ' ').trim())
      .filter((given) => given !== '');
    fc.assert(
      fc.property(
        fc.record({
          words: fc.array(word, { minLength: 1, maxLength: 3 }),
          substring: fc.boolean(),
        }),
        small,
        (given, prefix) => {
          assert.deepEqual(
            progressOf(keywordDetector(given), prefix),
            progressByForesight(prefix, continuations, naive(given)),
          );
        },
      ),
      { numRuns: 80 },
    );
  });

  it('does a bounded number of steps per unit in a flood', () => {
    const detector = keywordDetector({ words: [`${'a'.repeat(30)}b`], substring: true });
    const [tracker] = detector.start();
    const units = 10_000;
    for (let at = 0; at < units; at++) tracker?.step(0x61, at, () => assert.fail());
    assert.ok((tracker as unknown as { work: number }).work <= units * (detector.unitsMax ?? 0));
  });
});
