import assert from 'node:assert/strict';
import fc from 'fast-check';
import { piiDetector } from '../../src/match/pii.ts';
import { partition, progressByForesight, progressOf, type Span, scan } from './oracle.ts';

const cards = piiDetector({ entities: ['credit_card'] });

/** Some of what is not seen: the one that occurs here is among them. */
const GRAMMAR =
  /^\p{Nd}(?:[ \u00a0\u00ad\u200b-\u200d\u2060\u2007\u202f\u2010-\u2013\u2212-]?\p{Nd}){12,18}$/u;
const DIGIT = /\p{Nd}/u;

/** The zeros of the scripts that occur here. */
const zeros = ['0', '０', '٠', '०'];
function digitValue(character: string): number {
  const code = character.charCodeAt(0);
  return Math.min(...zeros.map((zero) => code - zero.charCodeAt(0)).filter((value) => value >= 0));
}

function luhn(digits: readonly number[]): boolean {
  let sum = 0;
  for (const [place, digit] of [...digits].reverse().entries())
    sum += place % 2 === 0 ? digit : ((digit * 2) % 10) + Math.floor((digit * 2) / 10);
  return sum % 10 === 0;
}

/** The issuers' ranges once more, as patterns. */
function issued(number: string): boolean {
  return [
    /^4(\d{12}|\d{15}|\d{18})$/,
    /^5[1-5]\d{14}$/,
    /^2(22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}$/,
    /^220[0-4]\d{12,15}$/,
    /^3[47]\d{13}$/,
    /^3(0[0-5]|[689]\d)\d{11,16}$/,
    /^3095\d{10,15}$/,
    /^35(2[89]|[3-8]\d)\d{12,15}$/,
    /^(50|5[6-8]|6\d)\d{11,17}$/,
  ].some((pattern) => pattern.test(number) && number.length >= 13 && number.length <= 19);
}

function isCard(part: string): boolean {
  if (!GRAMMAR.test(part)) return false;
  const digits = [...part].filter((character) => DIGIT.test(character)).map(digitValue);
  return issued(digits.join('')) && luhn(digits);
}

function naive(text: string): Span[] {
  return partition(text, (whole, start) => {
    if (start > 0 && DIGIT.test(whole[start - 1] as string)) return 0;
    for (let end = Math.min(whole.length, start + 37); end > start; end--)
      if (!DIGIT.test(whole[end] ?? ' ') && isCard(whole.slice(start, end))) return end;
    return 0;
  });
}

const VISA = '4111 1111 1111 1111';
const found = (text: string): string[] =>
  scan(cards, text).map(([start, end]) => text.slice(start, end));

describe('card numbers', () => {
  const cases: [string, string, string[]][] = [
    ['plain', '4111111111111111', ['4111111111111111']],
    ['with hyphens', 'card 5555-5555-5555-4444.', ['5555-5555-5555-4444']],
    ['American Express', '3782 822463 10005', ['3782 822463 10005']],
    ['behind another number', `23 ${VISA}`, [VISA]],
    ['in front of another number', `${VISA} 12`, [VISA]],
    ['behind a number that a check digit alone would take for its beginning', `22 ${VISA}`, [VISA]],
    ['two in a row', `${VISA} ${VISA}`, [VISA, VISA]],
    ['with no-break spaces', VISA.replaceAll(' ', '\u00a0'), [VISA.replaceAll(' ', '\u00a0')]],
    [
      'in fullwidth digits',
      '４１１１１１１１１１１１１１１１',
      ['４１１１１１１１１１１１１１１１'],
    ],
    [
      'with one unit that is not seen between digits',
      VISA.replaceAll(' ', '\u200b'),
      [VISA.replaceAll(' ', '\u200b')],
    ],
    ['not with more of them', VISA.replaceAll(' ', '\u200b '), []],
    ['not with a wrong check digit', '4111 1111 1111 1112', []],
    ['not inside a longer number', '14111111111111111 41111111111111112', []],
    ['not with two separators', '4111  1111 1111 1111', []],
    ['not of no issuer', '1111 1111 1111 1117 0000 0000 0000 0000 7000000000000005', []],
    ['not 12 digits', '400000000006', []],
    ['13 digits', '4222222222222', ['4222222222222']],
    ['19 digits', '6304000000000000000', ['6304000000000000000']],
    ['not 20 digits', '63040000000000000000', []],
  ];
  for (const [title, text, expected] of cases)
    it(title, () => {
      assert.deepEqual(found(text), expected);
      assert.deepEqual(
        found(text),
        naive(text).map(([start, end]) => text.slice(start, end)),
      );
    });

  const unit = fc.constantFrom(
    '4',
    '4111',
    '1111',
    '11111111',
    '0',
    '5',
    '9',
    ' ',
    '-',
    ' ',
    '\u200b',
    'x',
    '５',
    '4111111111111111',
    '٣',
  );
  const text = fc.string({ unit, maxLength: 24 });

  it('finds what the definition says, however the text is cut', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat()), (whole, cuts) => {
        assert.deepEqual(scan(cards, whole, cuts), naive(whole));
      }),
      { numRuns: 4_000 },
    );
  });

  it('finds what the definition says in floods', () => {
    const flood = fc
      .tuple(fc.string({ unit, minLength: 1, maxLength: 6 }), fc.integer({ min: 60, max: 400 }))
      .map(([part, units]) => part.repeat(Math.ceil(units / part.length)));
    fc.assert(
      fc.property(flood, fc.array(fc.nat(), { maxLength: 8 }), (whole, cuts) => {
        assert.deepEqual(scan(cards, whole, cuts), naive(whole));
      }),
      { numRuns: 300 },
    );
  });

  it('holds 19 digits only if their check digit is right', () => {
    assert.equal(progressOf(cards, '6304000000000000000').liveStart, 0);
    assert.equal(progressOf(cards, '6304000000000000001').liveStart, Number.POSITIVE_INFINITY);
    assert.equal(progressOf(cards, '630400000000000001').liveStart, 0);
  });

  it('holds exactly what may become one', () => {
    // Every last digit, at once or after as many digits as are missing, and behind a separator too.
    // Threes, as 35 begins a number only when 28 to 89 follow; a five first, as 309 does when 5 follows.
    const filled = Array.from({ length: 18 }, (_, count) => [
      '0'.repeat(count),
      '3'.repeat(count),
      '5'.padEnd(count, '0').slice(0, count),
    ]);
    const continuations = ['', 'x'].concat(
      ['', ' '].flatMap((gap) =>
        filled.flat().flatMap((fill) => [...'0123456789'].map((last) => `${gap}${fill}${last}`)),
      ),
    );
    fc.assert(
      fc.property(text, (whole) => {
        const foreseen = progressByForesight(whole, continuations, (all) => scan(cards, all));
        assert.deepEqual(progressOf(cards, whole), foreseen);
      }),
      { numRuns: 150, examples: [['\u066309']] },
    );
  });
});
