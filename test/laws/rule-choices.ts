/** Rules that the laws are tried with, and words that they find, nearly find, and must not find. */
import fc from 'fast-check';
import { bold, fullWidth } from './characters.ts';
import { ILL_FORMED_STAND_INS } from './documents.ts';
import { BOUNDARY, type Expression, one, oneOf, or, sequence, times, word } from './languages.ts';
import { type Doing, expression, keywords, type LawRule, type Looking } from './rules.ts';

export interface Choice {
  readonly look: Looking;
  readonly bait: readonly string[];
}

const LOWER = oneOf('[a-z0-9]', 'k0');
const UPPER = oneOf('[A-Z]', 'Q');
const DIGIT = oneOf('\\d', '7');
const NO_LINE_END = oneOf('[^\\n]', 'z 😀');
const FACE = oneOf('[😀-😄]', '😀😃');

export const CHOICES: readonly Choice[] = [
  {
    look: keywords(['Bank A', 'Bank B'], { aliases: { 'Bank A': ['BankA', 'B.A.'] } }),
    bait: [
      'Bank A',
      'bank  b',
      'Ban',
      'Bank ',
      'k A',
      'BankA',
      'B.A.',
      'xBank A',
      'Bank Ab',
      'Bank A\u0301',
      'Bank A\u0301b',
      'B\u200ba\u00adnk \ufe0fA',
      `${bold('B')}an${bold('k')} A`,
      [...'Bank'].map(fullWidth).join(''),
      'Bánk А',
      'Bank\u00a0\n\tA',
      `Bank${' '.repeat(8)}A`,
      'Bank\u2011A',
      'bank- B',
      'Bank-',
      `Bank${' '.repeat(9)}A`,
    ],
  },
  {
    look: keywords(['ring'], { substring: true }),
    bait: ['spring', 'rring', 'ri', 'ng', 'RING', 'rin', 'ri\u0301ng'],
  },
  {
    look: keywords(['Zebra', 'Zeb'], { caseSensitive: true }),
    bait: ['Zebra', 'ZEBRA', 'Zeb', 'Zebr', 'Zebras', 'ra', 'Z', '\u{e0041}'],
  },
  {
    look: keywords(['東京', '😀😀', 'Café']),
    bait: ['東京', '東京都', '東', 'CAFE', 'cafe\u0301', '😀', '😀😀😀', 'Caf'],
  },
  {
    look: keywords(['Efficient', 'Moß', 'first']),
    bait: [
      'eﬃcient',
      'Eﬀicient',
      'efﬁ',
      'ﬁ',
      'ﬁrﬆ',
      'ﬁrst',
      'MOSS',
      'moß',
      'mos',
      'ß',
      'cient',
      'eff',
      'm\u200boẞ',
    ],
  },
  {
    look: keywords(['stiff', 'ﬁj'], { substring: true }),
    bait: ['ﬆiﬀ', 'xstiff', 'sti', 'ff', 'ﬃ', 'ﬁj', 'fĳ', 'fij'],
  },
  { look: keywords(['-x-', 'x-y']), bait: ['-x-y', '-x-', 'x-y', 'x-', '-x'] },
  {
    look: expression(sequence(word('sk-'), times(LOWER, 3, 8))),
    bait: ['sk-', 'sk-abc', 'sk-abcdefghij', 's', 'sk-a1', 'k-abc'],
  },
  {
    look: expression(sequence(BOUNDARY, times(UPPER, 2, 2), times(DIGIT, 2, 4), BOUNDARY)),
    bait: ['QZ12', 'QZ12345', 'aQZ12', 'QZ', '123', 'QZ1234', 'Q'],
  },
  {
    look: expression(
      or(
        sequence(word('ab'), times(one('c'), 0, 1)),
        sequence(word('ab'), times(one('d'), 2, 2), one('!')),
      ),
    ),
    bait: ['ab', 'abc', 'abdd!', 'abdd', 'abd', 'a', 'aab'],
  },
  {
    look: expression(sequence(times(one('m'), 1, 3), times(one('n'), 0, 1)), 3),
    bait: ['m', 'mm', 'mmmm', 'mmn', 'n'],
  },
  {
    look: expression(sequence(one('q'), times(NO_LINE_END, 0, 3), one('w'))),
    bait: ['q', 'qw', 'qzzw', 'qzzzzw', 'q😀w', 'q\nw', 'w'],
  },
  { look: expression(times(FACE, 2, 2)), bait: ['😀', '😀😁', '😀😁😂', '😅', '\ud83d', '\ude00'] },
  {
    look: expression(sequence(times(DIGIT, 3, 3), one('-'), times(DIGIT, 4, 4))),
    bait: ['555-1234', '55-1234', '555-', '1234', '5555-12345'],
  },
  {
    look: { kind: 'pii', entities: ['email'] },
    bait: [
      'joe@acme.co',
      'joe',
      '@',
      'acme',
      '.co',
      'm.',
      'a@b.c',
      'é@é.éé',
      'x@y.xn--p1',
      'a@b.co@c.de',
      'u_.+x@b.cd-',
      'jo\u200be@ac\u00adme\uff0eco',
      'j\uff20b.co\u2060',
    ],
  },
  {
    look: { kind: 'pii', entities: ['credit_card'] },
    bait: [
      '4111 1111 1111 1111',
      '4111111111111111',
      '4111-1111',
      '-1111-1111',
      '378282246310005',
      '4111 1111 1111 1112',
      '4',
      '٤١١١١١١١١١١١١١١١',
      '51',
      '4222222222222',
      '4111\u200b111111111111',
    ],
  },
  {
    look: { kind: 'pii', entities: ['email', 'credit_card'], except: ['support@acme.co'] },
    bait: [
      'support@acme.co',
      'Support@ACME.co',
      'support@acme.com',
      '4111111111111111@acme.co',
      'support@acm',
    ],
  },
];

/** What stands between, and in odd places. */
const FILLERS: readonly string[] = [
  ' ',
  ' ',
  '.',
  ', ',
  'x',
  '1',
  '-',
  '"',
  '\\',
  '/',
  '\n',
  '\t',
  'é',
  '😀',
  '\u0301',
  '\u200b',
  '𐐀',
  '@',
  'ß',
  '{',
  '"}',
  '\\u0042',
  '\\n',
  ...ILL_FORMED_STAND_INS,
];

const { written } = fc.letrec<{ written: Expression }>((tie) => ({
  written: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(
      one('x'),
      one('y'),
      one('1'),
      one(' '),
      oneOf('[xy]', 'xy'),
      oneOf('[^x]', 'y😀'),
      oneOf('\\w', 'x'),
      FACE,
    ),
    fc.tuple(tie('written'), tie('written')).map(([a, b]) => sequence(a, b)),
    fc.tuple(tie('written'), tie('written')).map(([a, b]) => or(a, b)),
    fc
      .tuple(
        tie('written'),
        fc.constantFrom([0, 1], [1, 2], [2, 2], [0, 3], [1, Number.POSITIVE_INFINITY]),
      )
      .map(([part, [least, most]]) => times(part, least!, most!)),
    fc.constantFrom<Expression>(BOUNDARY, { kind: 'inside' }, { kind: 'begin' }, { kind: 'end' }),
  ),
}));

export const randomExpression: fc.Arbitrary<Choice> = fc
  .tuple(written, fc.integer({ min: 1, max: 7 }))
  .map(([of, unitsMax]) => ({
    look: expression(of, unitsMax),
    bait: ['x', 'y', 'xy', '1', ' ', '😀', 'xx', '\n'],
  }));

const choice: fc.Arbitrary<Choice> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...CHOICES) },
  { weight: 1, arbitrary: randomExpression },
);

const REWRITES = ['#', '«é😀»', '"\\\n#', '/'];
const changing: fc.Arbitrary<Doing> = fc.oneof(
  fc.constant<Doing>({ kind: 'redact' }),
  fc.constantFrom(...REWRITES).map((text): Doing => ({ kind: 'rewrite', with: text })),
);
/** Blocking is rarer, as it ends what there is to see. */
export const doing: fc.Arbitrary<Doing> = fc.oneof(
  { weight: 6, arbitrary: changing },
  { weight: 1, arbitrary: fc.constant<Doing>({ kind: 'block', message: 'No.' }) },
  { weight: 1, arbitrary: fc.constant<Doing>({ kind: 'flag' }) },
);

export interface Chosen {
  readonly rules: readonly LawRule[];
  /** For each text its words. */
  readonly texts: readonly string[];
}

/** Rules, and texts made of what they look for. */
export function chosen(act: fc.Arbitrary<Doing>, textsMax: number): fc.Arbitrary<Chosen> {
  return fc
    .array(fc.record({ choice, doing: act, shadow: fc.nat(9) }), { minLength: 1, maxLength: 4 })
    .chain((list) => {
      const baits = list.flatMap((each) => each.choice.bait);
      const piece = fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...baits) },
        { weight: 2, arbitrary: fc.constantFrom(...FILLERS) },
      );
      return fc.record({
        rules: fc.constant(
          list.map(
            ({ choice: { look }, doing, shadow }): LawRule =>
              shadow === 0 ? { look, doing, shadow: true } : { look, doing },
          ),
        ),
        texts: fc.array(
          fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
          { minLength: 1, maxLength: textsMax },
        ),
      });
    });
}
