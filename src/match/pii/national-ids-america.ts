/** Numbers that states of the Americas give to people. */
import { allSame, digitAt, isDay, luhn, numberAt, weighted } from './check-digits.ts';
import { digitsIn, idIn, type PiiKind } from './pii-kind.ts';

const NINE_DIGITS = '\\d{9}';
const ELEVEN_DIGITS = '\\d{11}';

/** Areas 000, 666 and from 900 on, group 00 and serial 0000 were never given out. */
function isSsn(token: string): boolean {
  const digits = digitsIn(token);
  const area = numberAt(digits, 0, 3);
  return (
    area !== 0 &&
    area !== 666 &&
    area < 900 &&
    numberAt(digits, 3, 2) !== 0 &&
    numberAt(digits, 5, 4) !== 0 &&
    !['123456789', '987654321'].includes(digits) &&
    !allSame(digits)
  );
}

function isItin(token: string): boolean {
  const digits = digitsIn(token);
  const group = numberAt(digits, 3, 2);
  return (
    digits[0] === '9' &&
    ((group >= 50 && group <= 65) ||
      (group >= 70 && group <= 88) ||
      (group >= 90 && group <= 92) ||
      group >= 94)
  );
}

/** The first two digits of a campus that gives them out. */
const EIN_PREFIXES = /^(?:0[1-6]|1[0-6]|2[0-7]|3[0-9]|4[0-8]|5[0-9]|6[0-8]|7[1-7]|8[0-8]|9[0-589])/;

const ROUTING_WEIGHTS = [3, 7, 1, 3, 7, 1, 3, 7, 1];
const ROUTING_PREFIXES = /^(?:0\d|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)/;
const isRouting = (token: string): boolean =>
  ROUTING_PREFIXES.test(token) && weighted(token, ROUTING_WEIGHTS) % 10 === 0 && !allSame(token);

const isSin = (token: string): boolean => {
  const digits = digitsIn(token);
  return luhn(digits) && !allSame(digits);
};

const descending = (count: number): number[] =>
  Array.from({ length: count }, (_, index) => count + 1 - index);

/** Both check digits, by weights from 10 and from 11 down to 2. */
function isCpf(token: string): boolean {
  const digits = digitsIn(token);
  const check = (count: number): boolean =>
    ((weighted(digits, descending(count)) * 10) % 11) % 10 === digitAt(digits, count);
  return !allSame(digits) && check(9) && check(10);
}

const CNPJ_WEIGHTS = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
function isCnpj(token: string): boolean {
  const digits = digitsIn(token);
  const check = (count: number): boolean => {
    const rest = weighted(digits, CNPJ_WEIGHTS.slice(-count)) % 11;
    return (rest < 2 ? 0 : 11 - rest) === digitAt(digits, count);
  };
  return !allSame(digits) && check(12) && check(13);
}

const CURP_ALPHABET = '0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ';
function isCurp(token: string): boolean {
  const id = token.toUpperCase();
  if (!isDay(numberAt(id, 6, 2), numberAt(id, 8, 2))) return false;
  let sum = 0;
  for (let index = 0; index < 17; index++)
    sum += CURP_ALPHABET.indexOf(id[index] as string) * (18 - index);
  return (10 - (sum % 10)) % 10 === digitAt(id, 17);
}

function isRut(token: string): boolean {
  const id = idIn(token);
  let sum = 0;
  for (
    let index = id.length - 2, weight = 2;
    index >= 0;
    index--, weight = weight === 7 ? 2 : weight + 1
  )
    sum += digitAt(id, index) * weight;
  const check = 11 - (sum % 11);
  return '0123456789K0'[check] === id[id.length - 1];
}

const CUIT_WEIGHTS = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];
function isCuit(token: string): boolean {
  const digits = digitsIn(token);
  return (11 - (weighted(digits, CUIT_WEIGHTS) % 11)) % 11 === digitAt(digits, 10);
}

const MBI = '[1-9][AC-HJKMNP-RT-Yac-hjkmnp-rt-y][AC-HJKMNP-RT-Yac-hjkmnp-rt-y0-9]\\d';
const MBI_LETTER = '[AC-HJKMNP-RT-Yac-hjkmnp-rt-y]';
const MBI_EITHER = '[AC-HJKMNP-RT-Yac-hjkmnp-rt-y0-9]';

export const AMERICAN_IDS: readonly PiiKind[] = [
  {
    entity: 'us_ssn',
    label: 'US_SSN',
    what: 'Social security number of the United States',
    check: 'areas, groups and serials that were given out',
    names: [
      'ssn',
      'social security',
      'social security number',
      'social',
      'soc sec',
      's s n',
      'socials',
    ],
    forms: [
      { expression: '\\d{3}-\\d{2}-\\d{4}', score: 0.75, valid: isSsn },
      { expression: '\\d{3}\\.\\d{2}\\.\\d{4}|\\d{3} \\d{2} \\d{4}', score: 0.5, valid: isSsn },
      { expression: NINE_DIGITS, score: 0.2, valid: isSsn },
    ],
    source: 'Social Security Administration, "Social security number randomization"',
  },
  {
    entity: 'us_itin',
    label: 'US_ITIN',
    what: 'Individual taxpayer identification number of the United States',
    check: 'first digit and group',
    names: [
      'itin',
      'individual taxpayer',
      'taxpayer id',
      'taxpayer identification',
      'tax id',
      'tin',
      'taxpayer',
    ],
    forms: [
      { expression: '\\d{3}-\\d{2}-\\d{4}', score: 0.75, valid: isItin },
      { expression: '\\d{3}\\.\\d{2}\\.\\d{4}|\\d{3} \\d{2} \\d{4}', score: 0.5, valid: isItin },
      { expression: NINE_DIGITS, score: 0.25, valid: isItin },
    ],
    source: 'Internal Revenue Service, Internal Revenue Manual 3.21.263',
  },
  {
    entity: 'us_ein',
    label: 'US_EIN',
    what: 'Employer identification number of the United States',
    check: 'prefixes of the campuses',
    names: [
      'ein',
      'fein',
      'employer identification',
      'employer id',
      'federal tax id',
      'tax id',
      'tin',
    ],
    forms: [
      { expression: '\\d{2}-\\d{7}', score: 0.5, valid: (token) => EIN_PREFIXES.test(token) },
      { expression: NINE_DIGITS, score: 0.15, valid: (token) => EIN_PREFIXES.test(token) },
    ],
    source: 'Internal Revenue Service, "How EINs are assigned and valid EIN prefixes"',
  },
  {
    entity: 'us_bank_routing',
    label: 'US_BANK_ROUTING',
    what: 'Routing number of a bank of the United States',
    check: 'weights 3, 7, 1 modulo 10, districts',
    names: ['routing', 'routing number', 'aba', 'rtn', 'transit number', 'bank routing'],
    forms: [{ expression: NINE_DIGITS, score: 0.3, valid: isRouting }],
    source: 'American Bankers Association, "ABA routing number"',
  },
  {
    entity: 'us_bank_number',
    label: 'US_BANK_NUMBER',
    what: 'Account number of a bank of the United States',
    check: 'none; only where it is named',
    names: [
      'bank account',
      'account number',
      'account',
      'checking',
      'savings',
      'acct',
      'a c',
      'debit account',
    ],
    forms: [{ expression: '\\d{8,17}', score: 0.1 }],
    source: 'Nacha Operating Rules, appendix 3: 4 to 17 digits',
  },
  {
    entity: 'us_medicare_mbi',
    label: 'US_MEDICARE_MBI',
    what: 'Medicare beneficiary identifier of the United States',
    check: 'kinds of its eleven places',
    names: ['mbi', 'medicare', 'medicare number', 'beneficiary'],
    forms: [
      {
        expression: `${MBI}-?${MBI_LETTER}${MBI_EITHER}\\d-?${MBI_LETTER}{2}\\d{2}`,
        score: 0.7,
        valid: (token) => !/^\d+$/.test(token),
      },
    ],
    source: 'Centers for Medicare & Medicaid Services, "Understanding the MBI format"',
  },
  {
    entity: 'us_npi',
    label: 'US_NPI',
    what: 'National provider identifier of the United States',
    check: 'Luhn behind 80840',
    names: ['npi', 'national provider', 'provider id', 'provider identifier', 'provider number'],
    forms: [{ expression: '[12]\\d{9}', score: 0.25, valid: (token) => luhn(`80840${token}`) }],
    source: '45 CFR 162.406; ISO/IEC 7812',
  },
  {
    entity: 'ca_sin',
    label: 'CA_SIN',
    what: 'Social insurance number of Canada',
    check: 'Luhn',
    names: ['sin', 'social insurance', 'social insurance number', 'nas', 'assurance sociale'],
    forms: [
      { expression: '\\d{3}[ -]\\d{3}[ -]\\d{3}', score: 0.5, valid: isSin },
      { expression: NINE_DIGITS, score: 0.25, valid: isSin },
    ],
    source: 'Employment and Social Development Canada, "Social insurance number code of practice"',
  },
  {
    entity: 'br_cpf',
    label: 'BR_CPF',
    what: 'Cadastro de pessoas físicas of Brazil',
    check: 'two digits modulo 11',
    names: ['cpf', 'cadastro de pessoas', 'cadastro de pessoa fisica'],
    forms: [
      { expression: '\\d{3}\\.\\d{3}\\.\\d{3}-\\d{2}', score: 0.9, valid: isCpf },
      { expression: ELEVEN_DIGITS, score: 0.5, valid: isCpf },
    ],
    source: 'Receita Federal, Instrução Normativa RFB 1.548/2015',
  },
  {
    entity: 'br_cnpj',
    label: 'BR_CNPJ',
    what: 'Cadastro nacional da pessoa jurídica of Brazil',
    check: 'two digits modulo 11',
    names: ['cnpj', 'cadastro nacional'],
    forms: [
      { expression: '\\d{2}\\.\\d{3}\\.\\d{3}/\\d{4}-\\d{2}', score: 0.9, valid: isCnpj },
      { expression: '\\d{14}', score: 0.5, valid: isCnpj },
    ],
    source: 'Receita Federal, Instrução Normativa RFB 1.863/2018',
  },
  {
    entity: 'mx_curp',
    label: 'MX_CURP',
    what: 'Clave única de registro de población of Mexico',
    check: 'date, weights modulo 10',
    names: ['curp', 'clave unica'],
    forms: [
      {
        expression: '[A-Za-z]{4}\\d{6}[HMXhmx][A-Za-z]{5}[A-Za-z0-9]\\d',
        score: 0.9,
        valid: isCurp,
      },
    ],
    source: 'Registro Nacional de Población, Instructivo normativo para la asignación de la CURP',
  },
  {
    entity: 'cl_rut',
    label: 'CL_RUT',
    what: 'Rol único tributario of Chile',
    check: 'modulo 11',
    names: ['rut', 'run', 'rol unico'],
    forms: [
      { expression: '\\d{1,2}\\.\\d{3}\\.\\d{3}-[0-9Kk]', score: 0.85, valid: isRut },
      { expression: '\\d{7,8}-[0-9Kk]', score: 0.4, valid: isRut },
    ],
    source: 'Servicio de Impuestos Internos de Chile, algoritmo del dígito verificador',
  },
  {
    entity: 'ar_cuit',
    label: 'AR_CUIT',
    what: 'Clave única de identificación tributaria (o laboral) of Argentina',
    check: 'modulo 11',
    names: ['cuit', 'cuil'],
    forms: [
      {
        expression: '(?:2[034567]|3[034])-\\d{8}-\\d',
        score: 0.8,
        valid: isCuit,
      },
      { expression: '(?:2[034567]|3[034])\\d{9}', score: 0.25, valid: isCuit },
    ],
    source: 'ARCA (AFIP), Resolución General 10/97',
  },
];
