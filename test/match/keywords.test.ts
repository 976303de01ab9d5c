import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type KeywordOptions, keywordDetector } from '../../src/match/keywords.ts';
import { TextScanner } from '../../src/match/scanner.ts';
import { partition, progressByForesight, progressOf, scan, textsOver } from './oracle.ts';

const WORD = /[\p{L}\p{N}\p{M}_]/u;

const UNSEEN = /\u00ad|[\u200b-\u200f]|\ufe0f|\ufeff|[\u{e0000}-\u{e01ef}]/u;
const MARK = /[\u0300-\u036f]/u;
const ALIKE: Readonly<Record<string, string>> = {
  ...{ а: 'a', А: 'A', Β: 'B', β: 'b' },
  ...{ '\u2018': "'", '\u2019': "'", '\u201b': "'", '\u02bc': "'", '\u2032': "'", '\u00b4': "'" },
  ...{ '\u201c': '"', '\u201d': '"', '\u201e': '"', '\u201f': '"' },
  ...{ '\u2010': '-', '\u2011': '-', '\u2012': '-', '\u2013': '-', '\u2212': '-' },
};

/** Drawn as one, and read as several. */
const LIGATURE = /[\ufb00-\ufb06\u0132\u0133\u01c4-\u01cc\u01f1-\u01f3]/u;

/** What is seen of a text, each character at its plainest. */
const plain = (text: string): string =>
  [...text]
    .filter((character) => !UNSEEN.test(character) && !MARK.test(character))
    .map((character) => {
      const base = character.normalize('NFKD').replaceAll(/\p{M}/gu, '');
      if (LIGATURE.test(character)) return base;
      const one = base.length === 1 && !/\s/u.test(base) ? base : character;
      return ALIKE[one] ?? one;
    })
    .join('');

const fold = (text: string): string =>
  [...plain(text)]
    .map((character) => {
      if (/ß/iu.test(character)) return 'ss';
      const folded = character.toUpperCase().toLowerCase();
      return folded.length === character.length && character.length === 1 ? folded : character;
    })
    .join('');

const characterBefore = (text: string, at: number): string => [...text.slice(0, at)].at(-1) ?? ' ';
const characterAt = (text: string, at: number): string => [...text.slice(at)][0] ?? ' ';

const isWord = (character: string): boolean => WORD.test(character) && !UNSEEN.test(character);

/** Nothing unseen stands between the last letter and its marks. */
const endsInMarks = (text: string): boolean =>
  !UNSEEN.test([...text].findLast((character) => !MARK.test(character)) ?? '');

function naive(options: KeywordOptions) {
  const same = options.caseSensitive === true ? plain : fold;
  const keywords = [...options.words, ...Object.values(options.aliases ?? {}).flat()].map(
    (word) => {
      const parts = same(word).split(' ');
      const written = parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/gu, '\\$&'));
      return new RegExp(`^${written.join('[\\s-]\\s{0,7}')}$`, 'u');
    },
  );
  return (text: string) =>
    partition(text, (whole, start) => {
      for (let end = whole.length; end > start; end--) {
        const part = whole.slice(start, end);
        const [begins, ends] = [characterAt(part, 0), characterBefore(part, part.length)];
        if (UNSEEN.test(begins) || MARK.test(begins) || UNSEEN.test(ends)) continue;
        // A run of white space is one also where something unseen stands in it.
        const seen = same(part);
        if (!keywords.some((keyword) => keyword.test(seen))) continue;
        const first = characterAt(seen, 0);
        const last = characterBefore(seen, seen.length);
        const wordsEdge = options.substring !== true && WORD.test(last);
        if (MARK.test(ends) && (!wordsEdge || !endsInMarks(part))) continue;
        const bound =
          (WORD.test(first) && isWord(characterBefore(whole, start))) ||
          (WORD.test(last) && isWord(characterAt(whole, end)));
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
    ['wants whole words', BANKS, 'Bank Ab Bank A1 Bank A_ xBank A Bank Áb', []],
    ['takes an apostrophe for an edge', BANKS, "Bank A's rates", ['Bank A']],
    [
      'takes marks with their letter',
      BANKS,
      'B\u0308ank A\u0301\u0302.',
      ['B\u0308ank A\u0301\u0302'],
    ],
    ['takes a marked letter for part of a word', BANKS, 'Bank A\u0301b', []],
    ['reads letters with diacritics', BANKS, 'Bänk Á, Bànkå', ['Bänk Á', 'Bànkå']],
    [
      'reads a keyword with diacritics',
      { words: ['Café'] },
      'CAFE cafe\u0301',
      ['CAFE', 'cafe\u0301'],
    ],
    ['reads full width', BANKS, 'Ｂａｎｋ Ａ', ['Ｂａｎｋ Ａ']],
    ['reads circles and superscripts', BANKS, 'Ⓑⓐⁿⓚ ᴬ', ['Ⓑⓐⁿⓚ ᴬ']],
    ['reads letters drawn alike', BANKS, 'Ваnk А Βаnκ А', ['Βаnκ А']],
    [
      'keeps the case of another script',
      { words: ['Новости'] },
      'НОВОСТИ новости',
      ['НОВОСТИ', 'новости'],
    ],
    ['reads mathematical letters', BANKS, '𝐁𝐚nk 𝖠 𝟙', ['𝐁𝐚nk 𝖠']],
    [
      'skips what is not seen',
      BANKS,
      'B\u200ba\u00adn\ufeffk\u2060 \ufe0fA\u200d!',
      ['B\u200ba\u00adn\ufeffk\u2060 \ufe0fA'],
    ],
    ['skips tags', BANKS, 'Ba\u{e0041}nk\u{e0100} A\u{e0042}', ['Ba\u{e0041}nk\u{e0100} A']],
    ['begins at what is seen', BANKS, '\u200b\u{e0041}Bank A', ['Bank A']],
    ['ends a word at what is not seen', BANKS, 'Bank A\u200bx', ['Bank A']],
    [
      'takes controls for nothing, and no white space for a control',
      BANKS,
      'B\u0000an\u001fk\u007f A\u0080 Ba\tnk A',
      ['B\u0000an\u001fk\u007f A'],
    ],
    ['skips 64 units', BANKS, `B${'\u200b'.repeat(64)}ank A`, [`B${'\u200b'.repeat(64)}ank A`]],
    ['does not skip 65', BANKS, `B${'\u200b'.repeat(65)}ank A`, []],
    [
      'is not blind behind 65 marks',
      BANKS,
      `Bank A${'\u0301'.repeat(65)}`,
      [`Bank A${'\u0301'.repeat(64)}`],
    ],
    [
      'takes white space as it comes',
      BANKS,
      'Bank\u00a0A, Bank\r\n\tB',
      ['Bank\u00a0A', 'Bank\r\n\tB'],
    ],
    ['takes 8 units of it', BANKS, `Bank${' '.repeat(8)}A`, [`Bank${' '.repeat(8)}A`]],
    ['does not take 9', BANKS, `Bank${' '.repeat(9)}A`, []],
    [
      'takes a hyphen for a space, also before white space',
      BANKS,
      'Bank-A, bank\u2011b and Bank\u2013 A, Bank\u2212\r\nB',
      ['Bank-A', 'bank\u2011b', 'Bank\u2013 A', 'Bank\u2212\r\nB'],
    ],
    ['takes one of them, and none behind a space', BANKS, 'Bank--A, Bank -A, Bank\u2014A', []],
    [
      'takes apostrophes and quotes as people and models write them',
      { words: ["O'Neil Trust", 'The "A" Bank'] },
      'o\u2019neil trust, O\u02bcNeil\u00a0Trust, The \u201cA\u201d Bank, O Neil Trust, ONeil Trust',
      ['o\u2019neil trust', 'O\u02bcNeil\u00a0Trust', 'The \u201cA\u201d Bank'],
    ],
    ['takes no space for a hyphen', { words: ['T-Bank'] }, 'T Bank, T\u2010Bank', ['T\u2010Bank']],
    [
      'finds what is joined by a hyphen beside what has one',
      { words: ['Bank B c', 'bank-a', 'Bank-B-d'] },
      'bank-b c, Bank-B-C, Bank-A, Bank A, Bank-B-D, Bank B-d',
      ['bank-b c', 'Bank-B-C', 'Bank-A', 'Bank-B-D'],
    ],
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
    [
      'reads ligatures and digraphs, in the text and in the keyword',
      { words: ['Efficient', 'ĳsland', 'Ǆep', 'office'] },
      'Eﬃcient eﬀicient EﬃcIent efﬁcient IJSLAND dzep ǆep ofﬁces oﬃce',
      ['Eﬃcient', 'eﬀicient', 'EﬃcIent', 'efﬁcient', 'IJSLAND', 'dzep', 'ǆep', 'oﬃce'],
    ],
    [
      'reads a sharp s as two, in the text and in the keyword',
      { words: ['Straße', 'Moss', 'ssh'] },
      'STRASSE straẞe Moß MOẞ ßh moßy Moß\u0301!',
      ['STRASSE', 'straẞe', 'Moß', 'MOẞ', 'ßh', 'Moß\u0301'],
    ],
    [
      'takes a sharp s for itself where case counts, and a ligature for its letters',
      { words: ['Straße', 'fix'], caseSensitive: true },
      'Straße Strasse ﬁx Fix',
      ['Straße', 'ﬁx'],
    ],
    [
      'takes a ligature whole or not at all',
      { words: ['ing', 'of'], substring: true },
      'oﬀ oﬃng xing',
      ['ing'],
    ],
    [
      'skips what is not seen around a ligature',
      { words: ['ofﬁce'] },
      'o\u200bﬃ\u0301\u200bce',
      ['o\u200bﬃ\u0301\u200bce'],
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

  it('refuses more ways to put hyphens and spaces than twice the keywords would take', () => {
    // Each says that a hyphen leads on by itself in one more place: all ways from there are ways of the last one.
    const steps = Array.from({ length: 40 }, (_, count) => `${'a '.repeat(count)}a-x`);
    assert.throws(() => keywordDetector({ words: [...steps, 'a '.repeat(41)] }), /hyphens alone/u);
    assert.doesNotThrow(() => keywordDetector({ words: steps.slice(0, 2) }));
  });

  it('states its longest match', () => {
    assert.equal(keywordDetector(BANKS).unitsMax, 4 * 2 + 8 + 2 + 64);
  });

  const keyword = fc
    .string({
      unit: fc.constantFrom('a', 'b', 'B', '.', ' ', '-', '𝐁', '😀'),
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
    unit: fc.constantFrom(
      ...['a', 'b', 'B', '.', ' ', '\n', '-', '\u2011', '𝐁', '😀', 'é', '\ud835'],
      ...['á', 'ｂ', 'а', 'Β', '\u0301', '\u200b', '\ufe0f', '\u{e0041}', '\u{e0100}'],
    ),
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

  it('finds it in ligatures and sharp s, too', () => {
    const letters = ['f', 'F', 'i', 's', 't', 'ﬁ', 'ﬀ', 'ﬃ', 'ß', ' '];
    const word = fc
      .string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 4 })
      .map((given) => given.replace(/\s+/gu, ' ').trim())
      .filter((given) => given !== '');
    const given = fc.record({
      words: fc.array(word, { minLength: 1, maxLength: 4 }),
      substring: fc.boolean(),
      caseSensitive: fc.boolean(),
    });
    const unit = fc.constantFrom(...letters, '\u200b', '\u0301', '𝐟', 'ﬆ', 'ẞ');
    fc.assert(
      fc.property(
        given,
        fc.string({ unit, maxLength: 24 }),
        fc.array(fc.nat()),
        (one, whole, cuts) => {
          assert.deepEqual(scan(keywordDetector(one), whole, cuts), naive(one)(whole));
        },
      ),
      { numRuns: 500 },
    );
  });

  for (const alphabet of [
    ['f', 'i', 'ﬁ', ' '],
    ['a', 'b', '.', ' '],
    ['a', 'b', '-', ' '],
    ['a', 'á', ' ', '\u0301', '\u200b'],
  ])
    it(`holds exactly what may become a match of ${JSON.stringify(alphabet)}`, () => {
      const continuations = textsOver(alphabet, 4);
      const unit = fc.constantFrom(...alphabet);
      const word = fc
        .string({ unit, minLength: 1, maxLength: 3 })
        .map((given) => given.replace(/\s+/gu, ' ').trim())
        .filter((given) => plain(given) !== '' && plain(given).trim() === plain(given));
      fc.assert(
        fc.property(
          fc.record({
            words: fc.array(word, { minLength: 1, maxLength: 3 }),
            substring: fc.boolean(),
          }),
          fc.string({ unit, maxLength: 7 }),
          (given, prefix) => {
            assert.deepEqual(
              progressOf(keywordDetector(given), prefix),
              progressByForesight(prefix, continuations, naive(given)),
            );
          },
        ),
        { numRuns: 60 },
      );
    });

  it('holds half of a character only if it may become part of a match', () => {
    const live = (words: readonly string[], prefix: string): number =>
      progressOf(keywordDetector({ words }), prefix).liveStart;
    const none = Number.POSITIVE_INFINITY;
    // A mathematical letter may begin a word of Latin letters, a tag begins nothing.
    assert.equal(live(['Bank'], '\ud835'), 0);
    assert.equal(live(['Bank'], 'x\ud835'), none);
    assert.equal(live(['東京'], '\ud835'), none);
    assert.equal(live(['Bank'], '\udb40'), none);
    assert.equal(live(['Bank'], 'Ba\udb40'), 0);
    assert.equal(live(['Bank A'], 'Bank\ud835'), none);
    // What follows a word decides whether it is one: a face is no letter, whichever it is.
    assert.equal(live(['Bank'], 'Bank\ud83d'), none);
    assert.equal(live(['Bank'], 'Bank\ud801'), 0);
    assert.equal(live(['Bank'], 'Bank\udb40'), none);
    // Between two halves nothing stands, seen or not: they were no character.
    assert.equal(live(['😀😀'], '\ud83d'), 0);
    assert.equal(live(['😀😀'], '😀\u200b\ud83d'), 0);
    for (const unseen of ['\u200b', '\u0301', '\udb40'])
      assert.equal(live(['😀😀'], `\ud83d${unseen}`), none);
    const detector = keywordDetector({ words: ['😀😀'] });
    assert.deepEqual(scan(detector, '\ud83d\u200b\ude00😀'), []);
    const scanner = new TextScanner([{ rule: 0, detector }]);
    scanner.push('\ud83d\u200b');
    assert.equal(scanner.safe, 2);
  });

  it('does a bounded number of steps per unit in a flood', () => {
    const detector = keywordDetector({ words: [`${'a'.repeat(30)}b`], substring: true });
    const [tracker] = detector.start();
    const units = 10_000;
    for (let at = 0; at < units; at++) tracker?.step(0x61, at, () => assert.fail());
    assert.ok((tracker as unknown as { work: number }).work <= units * (detector.unitsMax ?? 0));
  });
});
