/** Telephone numbers: with a calling code anywhere, in the ways of single countries by their shape. */
import { NOT_WORD } from '../heads.ts';
import { isDay } from './check-digits.ts';
import { internationalNumber, isNationalNumber, type PhoneRegion } from './phone-plan.ts';
import { digitsIn, type PiiForm, type PiiKind } from './pii-kind.ts';

/** Between two groups of digits: one sign, or a bracket with a sign on either side. */
const GAP = '(?:[ .-]|/|[ .-]?\\(|\\)[ .-]?| - )';
const EXTENSION = '(?:,? ?(?:x|ext\\.?|extension) ?\\d{1,6})?';

const withoutExtension = (token: string): string =>
  token.includes('x') || token.includes('X') ? token.replace(/,? ?(?:x|ext).*$/i, '') : token;

/** `2024-05-31`. */
const DATE_UNITS_MAX = 10;

const isDate = (token: string): boolean => {
  const parts = /^(\d{1,4})([-./ ])(\d{1,2})\2(\d{1,4})$/.exec(token);
  if (parts === null) return false;
  const [, first = '', , second, third = ''] = parts;
  const middle = Number(second);
  if (first.length === 4) return third.length <= 2 && isDay(middle, Number(third));
  return (
    first.length <= 2 &&
    (third.length === 4 || third.length === 2) &&
    (isDay(middle, Number(first)) || isDay(Number(first), middle))
  );
};

/** Brackets come in pairs, one at most. */
function hasPairedBrackets(token: string): boolean {
  const open = token.indexOf('(');
  const close = token.indexOf(')');
  if (open < 0 || close < 0) return open === close;
  return open < close && !token.includes('(', open + 1) && !token.includes(')', close + 1);
}

const IN_PLAN = 0.65;
const BY_SHAPE = 0.5;
const PERHAPS = 0.3;
const HARDLY = 0.15;

function scoreInternational(token: string): number {
  const number = withoutExtension(token);
  const digits = digitsIn(number).replace(/^(?:00|011)/, '');
  if (!hasPairedBrackets(number.replace('(0)', ''))) return 0;
  switch (internationalNumber(digits)) {
    case 'valid':
      return 0.9;
    case 'possible':
      return 0.55;
    default:
      return 0;
  }
}

/** Nine to eleven digits whose groups say where they are dialled. */
function scoreByShape(number: string, digits: string): number {
  const count = digits.length;
  if (
    (count === 10 || count === 11) &&
    /^1?[ .-]?\(?[2-9]\d{2}\)?[ .-]{0,3}\d{3}[ .-]{1,3}\d{4}$/.test(number)
  )
    return BY_SHAPE;
  if (number.startsWith('(') && /^\(\d{2,5}\)/.test(number) && count >= 8 && count <= 12)
    return BY_SHAPE;
  if (number.startsWith('0') && count >= 9 && count <= 12 && number[1] !== '0') {
    // One group may be of many digits, all others have two or more.
    return number.split(/\D+/).every((group) => group.length >= 2) ? BY_SHAPE : PERHAPS;
  }
  if (count >= 11 && /^\d{1,3}\D/.test(number) && internationalNumber(digits) === 'valid')
    return BY_SHAPE;
  if (count === 7 && /^[2-9]\d{2}-\d{4}$/.test(number)) return PERHAPS;
  return count >= 8 ? PERHAPS : HARDLY;
}

function scoreNational(regions: readonly PhoneRegion[]): (token: string) => number {
  return (token) => {
    const number = withoutExtension(token);
    if (number.length < 7) return 0;
    const digits = digitsIn(number);
    if (digits.length < 7 || digits.length > 13 || !hasPairedBrackets(number)) return 0;
    // Here as below, what is cheap to see comes before the expression that it rules out.
    if (number.length <= DATE_UNITS_MAX && isDate(number)) return 0;
    const dotted = number.includes('.');
    if (dotted && /^\d{1,3}(?:\.\d{1,3}){3}$/.test(number)) return 0;
    // A social security number, thousands with points, years.
    if (
      (dotted || digits.length === 9 || number.length === 9) &&
      /^\d{3}([-. ])\d{2}\1\d{4}$|^\d{2}-\d{7}$|^\d{1,3}(?:\.\d{3})+$|^\d{4}[-/ ]\d{4}$/.test(
        number,
      )
    )
      return HARDLY;
    const shape = scoreByShape(number, digits);
    const extended = token === number ? 0 : 0.15;
    if (
      digits.length >= 9 &&
      shape >= PERHAPS &&
      regions.some((region) => isNationalNumber(digits, region))
    )
      return Math.max(shape, /^\d+ \d+$/.test(number) ? PERHAPS : IN_PLAN) + extended;
    return shape + extended;
  };
}

/** Digits only: with a 0 in front they are dialled somewhere, else only regions that are named say so. */
function scoreBare(regions: readonly PhoneRegion[], alone: boolean): (token: string) => number {
  return (token) => {
    const inPlan = regions.some((region) => isNationalNumber(token, region));
    if (inPlan && token.startsWith('0')) return BY_SHAPE;
    if (inPlan) return alone ? BY_SHAPE : 0.35;
    if (token.startsWith('0'))
      return alone && token.length >= 10 && token.length <= 12 ? BY_SHAPE : PERHAPS;
    if (token.length < 11) return HARDLY;
    return alone && internationalNumber(token) === 'valid' ? BY_SHAPE : 0.25;
  };
}

const NAMES = [
  ...[
    'phone',
    'phones',
    'telephone',
    'tel',
    'tele',
    'mobile',
    'mob',
    'cell',
    'cellphone',
    'cellular',
  ],
  ...[
    'fax',
    'call',
    'calls',
    'called',
    'calling',
    'dial',
    'text',
    'sms',
    'whatsapp',
    'hotline',
    'landline',
  ],
  ...[
    'contact',
    'contacts',
    'reach',
    'ring',
    'voicemail',
    'phone number',
    'contact number',
    'pager',
    'msisdn',
  ],
  ...[
    'telefon',
    'telefonnummer',
    'handy',
    'handynummer',
    'rufnummer',
    'mobil',
    'mobilnummer',
    'anrufen',
  ],
  ...[
    'telephoner',
    'portable',
    'appeler',
    'appelez',
    'telefono',
    'movil',
    'celular',
    'llamar',
    'llame',
  ],
  ...[
    'cellulare',
    'telefone',
    'telemovel',
    'ligar',
    'telefoon',
    'telefoonnummer',
    'bellen',
    'gsm',
    'puhelin',
  ],
  ...['telefonu', 'komorka', 'signal', 'telegram', 'toll free', 'helpline', 'emergency contact'],
  ...[
    '\u7535\u8bdd',
    '\u96fb\u8a71',
    '\u624b\u673a',
    '\u624b\u6a5f',
    '\u643a\u5e2f',
    '\uc804\ud654',
    '\ud734\ub300\ud3f0',
  ],
  ...['\u0442\u0435\u043b\u0435\u0444\u043e\u043d', '\u0442\u0435\u043b'],
];

const formsFor = (regions: readonly PhoneRegion[]): readonly PiiForm[] => [
  {
    expression: `(?:\\+ ?|\\(\\+|\\b00 ?|\\b011 ?)[1-9](?:[ .()/-]{0,2}\\d){6,14}${EXTENSION}`,
    score: 0.9,
    scoreOf: scoreInternational,
    open: 'start',
    head: '[\\w+]',
  },
  {
    expression: `(?:\\(|\\b)\\d{1,5}(?:${GAP}\\d{2,9}){1,5}${EXTENSION}`,
    score: 0.8,
    scoreOf: scoreNational(regions),
    open: 'start',
    head: `[\\w+$\u20ac\u00a3#)]|\\d[-./,:]|[+][\\d ().-]{1,14}|${NOT_WORD}[A-Za-z]{2}\\d{2}[ -]?(?:[A-Z0-9]{4}[ -]){0,6}`,
    tail: '[-./:,]\\d',
  },
  {
    expression: '\\d{7,13}',
    score: BY_SHAPE,
    scoreOf: scoreBare(regions, false),
    head: '[+(#$\u20ac\u00a3]|\\d[-./,:]',
  },
  { expression: '\\A\\d{9,13}\\z', score: BY_SHAPE, scoreOf: scoreBare(regions, true), tail: '' },
];

/** Without a calling code a number counts where the plan of one of `regions` has it, or its shape says enough. */
export const phoneKind = (regions: readonly PhoneRegion[]): PiiKind => ({
  entity: 'phone',
  label: 'PHONE',
  what: 'Telephone number, with a calling code or in the ways of single countries',
  check: 'numbering plans, of all countries with a calling code and of `regions` without; shape',
  names: NAMES,
  forms: formsFor(regions),
  source: 'ITU-T E.123 and E.164; numbering plans of libphonenumber',
});

/** Where numbers without a calling code are dialled if nothing is said: decided by the figures in docs/detection.md. */
export const DEFAULT_PHONE_REGIONS: readonly PhoneRegion[] = ['US', 'GB'];
