/** Numbers that states of Asia, Africa and the Pacific give to people. */
import { allSame, digitAt, isDay, luhn, numberAt, verhoeff, weighted } from './check-digits.ts';
import { digitsIn, type PiiKind } from './pii-kind.ts';

const isAadhaar = (token: string): boolean => {
  const digits = digitsIn(token);
  return /^[2-9]/.test(digits) && verhoeff(digits) && !allSame(digits);
};

const isTfn = (token: string): boolean => {
  const digits = digitsIn(token);
  return weighted(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0 && !allSame(digits);
};

/** One less at the front, and the weighted sum is a multiple of 89. */
const isAbn = (token: string): boolean => {
  const digits = digitsIn(token);
  return (weighted(digits, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 === 0;
};

const isAcn = (token: string): boolean => {
  const digits = digitsIn(token);
  return (10 - (weighted(digits, [8, 7, 6, 5, 4, 3, 2, 1]) % 10)) % 10 === digitAt(digits, 8);
};

const isAustralianMedicare = (token: string): boolean => {
  const digits = digitsIn(token);
  return (
    /^[2-6]/.test(digits) &&
    weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === digitAt(digits, 8) &&
    digits[9] !== '0'
  );
};

const ST_CHECKS = 'JZIHGFEDCBA';
const FG_CHECKS = 'XWUTRQPNMLK';
const M_CHECKS = 'XWUTRQPNJLK';
function isNric(token: string): boolean {
  const id = token.toUpperCase();
  const prefix = id[0] as string;
  const sum = weighted(id.slice(1), [2, 7, 6, 5, 4, 3, 2]);
  const checks = 'ST'.includes(prefix) ? ST_CHECKS : prefix === 'M' ? M_CHECKS : FG_CHECKS;
  const added = 'TG'.includes(prefix) ? 4 : prefix === 'M' ? 3 : 0;
  return checks[(sum + added) % 11] === id[8];
}

const isSouthAfricanId = (token: string): boolean =>
  isDay(numberAt(token, 2, 2), numberAt(token, 4, 2)) &&
  (token[10] === '0' || token[10] === '1' || token[10] === '2') &&
  luhn(token);

/** Numbers given out since October 2020 have no check digit: without it the date and the first digit count. */
const isRrn = (token: string): boolean => {
  const digits = digitsIn(token);
  return isDay(numberAt(digits, 2, 2), numberAt(digits, 4, 2)) && /^\d{6}[0-9]/.test(digits);
};
const RRN_WEIGHTS = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5];
const hasRrnCheck = (token: string): boolean => {
  const digits = digitsIn(token);
  return (11 - (weighted(digits, RRN_WEIGHTS) % 11)) % 10 === digitAt(digits, 12);
};

/** What the fourth letter of a PAN may say of its holder. */
const PAN_HOLDERS = /^[A-Z]{3}[ABCFGHLJPTK]/;

const RESIDENT_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const isResidentId = (token: string): boolean =>
  isDay(numberAt(token, 10, 2), numberAt(token, 12, 2)) &&
  /^\d{6}(?:19|20)/.test(token) &&
  '10X98765432'[weighted(token, RESIDENT_WEIGHTS) % 11] === token[17]?.toUpperCase();

const isThaiId = (token: string): boolean => {
  const digits = digitsIn(token);
  const sum = weighted(digits, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
  return (11 - (sum % 11)) % 10 === digitAt(digits, 12) && !allSame(digits);
};

const isTckn = (token: string): boolean => {
  const odd = weighted(token, [1, 0, 1, 0, 1, 0, 1, 0, 1]);
  const even = weighted(token, [0, 1, 0, 1, 0, 1, 0, 1]);
  const tenth = (((7 * odd - even) % 10) + 10) % 10;
  return tenth === digitAt(token, 9) && (odd + even + tenth) % 10 === digitAt(token, 10);
};

const isTeudatZehut = (token: string): boolean => luhn(token) && !allSame(token);

const MY_NUMBER_WEIGHTS = [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
const isMyNumber = (token: string): boolean => {
  const digits = digitsIn(token);
  const rest = weighted(digits, MY_NUMBER_WEIGHTS) % 11;
  return (rest < 2 ? 0 : 11 - rest) === digitAt(digits, 11);
};

const NZ_IRD = [3, 2, 7, 6, 5, 4, 3, 2];
const NZ_IRD_AGAIN = [7, 4, 3, 2, 5, 2, 7, 6];
const isIrd = (token: string): boolean => {
  const digits = digitsIn(token).padStart(9, '0');
  if (Number(digits) < 10_000_000 || Number(digits) > 150_000_000) return false;
  const checkBy = (weights: readonly number[]): number =>
    (11 - (weighted(digits, weights) % 11)) % 11;
  const first = checkBy(NZ_IRD);
  return (first < 10 ? first : checkBy(NZ_IRD_AGAIN)) === digitAt(digits, 8);
};

export const ASIAN_AND_PACIFIC_IDS: readonly PiiKind[] = [
  {
    entity: 'in_aadhaar',
    label: 'IN_AADHAAR',
    what: 'Aadhaar number of India',
    check: 'Verhoeff',
    names: ['aadhaar', 'aadhar', 'adhaar', 'uidai', 'uid', '\u0906\u0927\u093e\u0930'],
    forms: [
      { expression: '\\d{4}[ -]\\d{4}[ -]\\d{4}', score: 0.7, valid: isAadhaar },
      { expression: '\\d{12}', score: 0.4, valid: isAadhaar },
    ],
    source: 'UIDAI, "Aadhaar number scheme"',
  },
  {
    entity: 'in_pan',
    label: 'IN_PAN',
    what: 'Permanent account number of India',
    check: 'kind of its holder',
    names: ['pan', 'pan card', 'permanent account', 'permanent account number'],
    forms: [
      {
        expression: '[A-Za-z]{5}\\d{4}[A-Za-z]',
        score: 0.7,
        valid: (token) => PAN_HOLDERS.test(token.toUpperCase()),
      },
    ],
    source: 'Income Tax Department of India, "Structure of PAN"',
  },
  {
    entity: 'au_tfn',
    label: 'AU_TFN',
    what: 'Tax file number of Australia',
    check: 'weights modulo 11',
    names: ['tfn', 'tax file', 'tax file number'],
    forms: [
      { expression: '\\d{3}[ -]\\d{3}[ -]\\d{3}', score: 0.4, valid: isTfn },
      { expression: '\\d{9}', score: 0.25, valid: isTfn },
    ],
    source: 'Australian Taxation Office, "TFN declaration"; Australian Privacy (TFN) Rule 2015',
  },
  {
    entity: 'au_abn',
    label: 'AU_ABN',
    what: 'Business number of Australia',
    check: 'modulo 89',
    names: ['abn', 'australian business'],
    forms: [
      { expression: '\\d{2} \\d{3} \\d{3} \\d{3}', score: 0.7, valid: isAbn },
      { expression: '\\d{11}', score: 0.35, valid: isAbn },
    ],
    source: 'Australian Business Register, "Format of the ABN"',
  },
  {
    entity: 'au_acn',
    label: 'AU_ACN',
    what: 'Company number of Australia',
    check: 'weights modulo 10',
    names: ['acn', 'australian company'],
    forms: [
      { expression: '\\d{3}[ -]\\d{3}[ -]\\d{3}', score: 0.3, valid: isAcn },
      { expression: '\\d{9}', score: 0.2, valid: isAcn },
    ],
    source:
      'Australian Securities and Investments Commission, "Australian Company Number digit check"',
  },
  {
    entity: 'au_medicare',
    label: 'AU_MEDICARE',
    what: 'Medicare card number of Australia',
    check: 'weights modulo 10',
    names: ['medicare', 'medicare number', 'medicare card'],
    forms: [
      {
        expression: '[2-6]\\d{3}[ -]\\d{5}[ -]\\d(?:[ /-]\\d)?',
        score: 0.65,
        valid: isAustralianMedicare,
      },
      { expression: '[2-6]\\d{9,10}', score: 0.25, valid: isAustralianMedicare },
    ],
    source: 'Services Australia, METeOR 269787',
  },
  {
    entity: 'nz_ird',
    label: 'NZ_IRD',
    what: 'IRD number of New Zealand',
    check: 'modulo 11 in two passes',
    names: ['ird', 'ird number', 'inland revenue'],
    forms: [
      { expression: '\\d{2,3}-\\d{3}-\\d{3}', score: 0.5, valid: isIrd },
      { expression: '\\d{8,9}', score: 0.2, valid: isIrd },
    ],
    source: 'Inland Revenue, "Resident withholding tax specification", IRD number validation',
  },
  {
    entity: 'sg_nric',
    label: 'SG_NRIC',
    what: 'NRIC and FIN of Singapore',
    check: 'letter modulo 11',
    names: ['nric', 'fin', 'nric fin', 'identity card'],
    forms: [{ expression: '[STFGMstfgm]\\d{7}[A-Za-z]', score: 0.8, valid: isNric }],
    source: 'Immigration & Checkpoints Authority, National Registration Act 1965',
  },
  {
    entity: 'za_id',
    label: 'ZA_ID',
    what: 'Identity number of South Africa',
    check: 'date, Luhn',
    names: ['south african id', 'rsa id', 'id number', 'identity number', 'id nommer', 'said'],
    forms: [{ expression: '\\d{13}', score: 0.55, valid: isSouthAfricanId }],
    source: 'Identification Act 68 of 1997',
  },
  {
    entity: 'kr_rrn',
    label: 'KR_RRN',
    what: 'Resident registration number of South Korea',
    check: 'date; its check digit is no longer given out',
    names: [
      'rrn',
      'resident registration',
      '\uc8fc\ubbfc\ub4f1\ub85d\ubc88\ud638',
      '\uc8fc\ubbfc\ubc88\ud638',
      'jumin',
    ],
    forms: [
      { expression: '\\d{6}-\\d{7}', score: 0.7, valid: isRrn },
      { expression: '\\d{13}', score: 0.35, valid: (token) => isRrn(token) && hasRrnCheck(token) },
    ],
    source: 'Resident Registration Act, Enforcement Rule §2',
  },
  {
    entity: 'cn_resident_id',
    label: 'CN_RESIDENT_ID',
    what: 'Resident identity number of China',
    check: 'date, ISO 7064 MOD 11-2',
    names: [
      'resident identity',
      '\u8eab\u4efd\u8bc1',
      '\u8eab\u4efd\u8b49',
      'shenfenzheng',
      'identity card',
    ],
    forms: [{ expression: '[1-9]\\d{16}[0-9Xx]', score: 0.8, valid: isResidentId }],
    source: 'GB 11643-1999',
  },
  {
    entity: 'jp_my_number',
    label: 'JP_MY_NUMBER',
    what: 'Individual number of Japan',
    check: 'weights modulo 11',
    names: [
      'my number',
      'individual number',
      '\u30de\u30a4\u30ca\u30f3\u30d0\u30fc',
      '\u30de\u30a4\u30ca\u30f3\u30cf\u30fc',
      '\u500b\u4eba\u756a\u53f7',
    ],
    forms: [
      {
        expression: '\\d{4} \\d{4} \\d{4}|\\d{4}-\\d{4}-\\d{4}|\\d{12}',
        score: 0.25,
        valid: isMyNumber,
      },
    ],
    source: 'Ordinance of the Ministry of Internal Affairs 85 of 2014, §5',
  },
  {
    entity: 'th_tnin',
    label: 'TH_TNIN',
    what: 'National identity number of Thailand',
    check: 'weights modulo 11',
    names: [
      'thai id',
      'tnin',
      'national id',
      'thai national',
      '\u0e1a\u0e31\u0e15\u0e23\u0e1b\u0e23\u0e30\u0e0a\u0e32\u0e0a\u0e19',
    ],
    forms: [
      { expression: '[1-8][ -]\\d{4}[ -]\\d{5}[ -]\\d{2}[ -]\\d', score: 0.85, valid: isThaiId },
      { expression: '[1-8]\\d{12}', score: 0.3, valid: isThaiId },
    ],
    source: 'Department of Provincial Administration, Thai Civil Registration Act',
  },
  {
    entity: 'tr_tckn',
    label: 'TR_TCKN',
    what: 'T.C. kimlik numarası of Türkiye',
    check: 'two digits modulo 10',
    names: ['tc kimlik', 'tckn', 'kimlik', 'kimlik no', 't c kimlik', 'kimlik numarasi'],
    forms: [{ expression: '[1-9]\\d{10}', score: 0.45, valid: isTckn }],
    source: '5490 sayılı Nüfus Hizmetleri Kanunu',
  },
  {
    entity: 'il_id',
    label: 'IL_ID',
    what: 'Identity number of Israel',
    check: 'Luhn',
    names: [
      'teudat zehut',
      'israeli id',
      '\u05ea\u05e2\u05d5\u05d3\u05ea \u05d6\u05d4\u05d5\u05ea',
      '\u05ea\u05f4\u05d6',
      'mispar zehut',
    ],
    forms: [{ expression: '\\d{9}', score: 0.2, valid: isTeudatZehut }],
    source: 'Population Registry Law, 5725-1965',
  },
];
