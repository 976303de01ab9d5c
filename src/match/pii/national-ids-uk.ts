/** Numbers that the United Kingdom gives to people. */
import { allSame, digitAt, weighted } from './check-digits.ts';
import { digitsIn, idIn, type PiiKind } from './pii-kind.ts';

function isNhs(token: string): boolean {
  const digits = digitsIn(token);
  const check = (11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11;
  return check === digitAt(digits, 9) && !allSame(digits);
}

const NINO_NEVER = /^(?:BG|GB|KN|NK|NT|TN|ZZ)/;
const isNino = (token: string): boolean => !NINO_NEVER.test(idIn(token));

const NINO_PREFIX = '[A-CEGHJ-PR-TW-Za-ceghj-pr-tw-z][A-CEGHJ-NPR-TW-Za-ceghj-npr-tw-z]';
/** The same sign between all groups, or none. */
const NINO_DIGITS =
  '\\d{6}| \\d{2} \\d{2} \\d{2}|-\\d{2}-\\d{2}-\\d{2}| \\d{6}| \\d{3} \\d{3}|\\d{3} \\d{3}|\\d{2} \\d{2} \\d{2}';

function isUtr(token: string): boolean {
  const digits = digitsIn(token);
  const rest = weighted(digits.slice(1), [6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11;
  return '21987654321'[rest] === digits[0];
}

export const BRITISH_IDS: readonly PiiKind[] = [
  {
    entity: 'uk_nhs',
    label: 'UK_NHS',
    what: 'NHS number of the United Kingdom',
    check: 'modulo 11',
    names: [
      'nhs',
      'nhs number',
      'national health',
      'health service',
      'patient id',
      'patient number',
    ],
    forms: [
      { expression: '\\d{3}[ -]\\d{3}[ -]\\d{4}', score: 0.55, valid: isNhs },
      { expression: '\\d{10}', score: 0.3, valid: isNhs },
    ],
    source: 'NHS Data Dictionary, "NHS number"',
  },
  {
    entity: 'uk_nino',
    label: 'UK_NINO',
    what: 'National insurance number of the United Kingdom',
    check: 'prefixes that are given out',
    names: ['nino', 'national insurance', 'national insurance number', 'ni', 'ni number', 'nin'],
    forms: [
      { expression: `${NINO_PREFIX}(?:${NINO_DIGITS})[ -]?[A-Da-d]`, score: 0.75, valid: isNino },
      { expression: `${NINO_PREFIX}(?:${NINO_DIGITS})`, score: 0.25, valid: isNino },
    ],
    source: 'HMRC, National Insurance Manual NIM39110',
  },
  {
    entity: 'uk_trn',
    label: 'UK_TRN',
    what: 'Temporary reference number of the United Kingdom',
    check: 'none',
    names: [
      'trn',
      'temporary reference',
      'paye',
      'national insurance',
      'temporary reference number',
    ],
    forms: [{ expression: '\\d{2} ?[A-Za-z] ?(?:\\d{5}|\\d{3} \\d{2}|\\d{2} \\d{3})', score: 0.3 }],
    source: 'HMRC, National Insurance Manual NIM39110',
  },
  {
    entity: 'uk_utr',
    label: 'UK_UTR',
    what: 'Unique taxpayer reference of the United Kingdom',
    check: 'modulo 11',
    names: ['utr', 'unique taxpayer', 'tax reference', 'unique taxpayer reference'],
    forms: [{ expression: '\\d{5} ?\\d{5}', score: 0.25, valid: isUtr }],
    source: 'HMRC, "Find your UTR number"',
  },
];
