/** `all` and `any` held to what they mean, over random texts: slowly, from the whole text. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { allTexts, type Member } from '../../src/match/all.ts';
import { anyDetector } from '../../src/match/any.ts';
import type { Detector, Match } from '../../src/match/detector.ts';
import { keywordDetector } from '../../src/match/keywords.ts';
import { regexDetector } from '../../src/match/regex.ts';
import { TextScanner } from '../../src/match/scanner.ts';

const word = (text: string): Detector => keywordDetector({ words: [text], substring: true });

function scanned(detector: Detector, pieces: readonly string[]): readonly Match[] {
  const scanner = new TextScanner([{ rule: 0, detector }]);
  const found: Match[] = [];
  for (const piece of pieces) {
    scanner.push(piece);
    found.push(...scanner.takeMatches());
  }
  scanner.end();
  found.push(...scanner.takeMatches());
  return found
    .map(({ start, end, label }) => ({ start, end, label }))
    .sort((a, b) => a.start - b.start || a.end - b.end);
}

/** What `all` means, from all that its members find. */
function expected(members: readonly Member[], within: number, text: string): readonly Match[] {
  const sides = members.map(({ detector }) => scanned(detector, [text]));
  return sides
    .flatMap((matches, side) =>
      members[side]!.negated
        ? []
        : matches.filter(({ start }) =>
            sides.every((others, other) => {
              if (other === side) return true;
              const near = others.some((one) => Math.abs(one.start - start) <= within);
              return near !== members[other]!.negated;
            }),
          ),
    )
    .sort((a, b) => a.start - b.start || a.end - b.end);
}

const regex = (pattern: string): Detector => {
  const compiled = regexDetector({ pattern });
  assert.ok(compiled.ok);
  return compiled.detector;
};

describe('all', () => {
  const choices: readonly (readonly Member[])[] = [
    [
      { detector: word('a'), negated: false },
      { detector: word('b'), negated: false },
    ],
    [
      { detector: word('a'), negated: false },
      { detector: word('c'), negated: true },
    ],
    [
      { detector: word('ab'), negated: false },
      { detector: regex('b+c'), negated: false },
      { detector: word('d'), negated: true },
    ],
    [
      { detector: anyDetector([word('a'), word('cd')]), negated: false },
      { detector: regex('b{2,4}'), negated: false },
    ],
  ];

  it('finds what stands near all the others, however the text is cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...choices),
        fc.constantFrom(1, 3, 8, undefined),
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd', ' '), maxLength: 9 }), {
          maxLength: 6,
        }),
        (members, within, pieces) => {
          const detector = allTexts({ members, ...(within === undefined ? {} : { within }) });
          const text = pieces.join('');
          const wanted = expected(members, within ?? Number.POSITIVE_INFINITY, text);
          assert.deepEqual(scanned(detector, pieces), wanted);
          assert.equal(detector.matches(text), wanted.length > 0);
        },
      ),
      { numRuns: 1_000, seed: 7 },
    );
  });

  it('holds from the first that may count, no longer than the others may be away', () => {
    const detector = allTexts({
      members: [
        { detector: word('aa'), negated: false },
        { detector: word('bb'), negated: false },
      ],
      within: 5,
    });
    const scanner = new TextScanner([{ rule: 0, detector }]);
    const safe = [...'xaa.....yy'].map((unit) => {
      scanner.push(unit);
      return scanner.safe;
    });
    assert.deepEqual(safe, [1, 1, 1, 1, 1, 1, 7, 8, 9, 10]);
    assert.deepEqual(scanner.takeMatches(), []);
  });

  it('is decided as soon as all are there', () => {
    const members = [
      { detector: word('aa'), negated: false },
      { detector: word('bb'), negated: false },
    ];
    const scanner = new TextScanner([{ rule: 0, detector: allTexts({ members }) }]);
    scanner.push('aa and bb');
    assert.deepEqual(
      scanner.takeMatches().map(({ start, end, decidedAt }) => [start, end, decidedAt]),
      [
        [0, 2, 9],
        [7, 9, 9],
      ],
    );
    assert.equal(scanner.safe, 9);
  });

  it('stays linear where one member floods and another never comes', () => {
    const members = [
      { detector: word('a'), negated: false },
      { detector: word('zz'), negated: false },
    ];
    const detector = allTexts({ members, within: 32_768 });
    const timed = (units: number): number => {
      const from = process.cpuUsage().user;
      scanned(detector, ['a'.repeat(units)]);
      return process.cpuUsage(undefined).user - from;
    };
    timed(8_000);
    assert.ok(timed(64_000) < 40 * timed(8_000) + 50_000);
  });
});

describe('any', () => {
  it('finds what each of its members finds', () => {
    const detector = anyDetector([word('ab'), regex('b+c')]);
    assert.deepEqual(
      scanned(detector, ['xa', 'bb', 'c']).map(({ start, end, label }) => [start, end, label]),
      [
        [1, 3, 'KEYWORD'],
        [2, 5, 'REGEX'],
      ],
    );
    assert.deepEqual(detector.labels, ['KEYWORD', 'REGEX']);
  });
});
