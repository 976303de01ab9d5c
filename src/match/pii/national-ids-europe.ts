/** Numbers that states of the European Union and its neighbours give to people. */
import {
  allSame,
  digitAt,
  isDay,
  luhn,
  mod11And10,
  mod97,
  numberAt,
  weighted,
} from './check-digits.ts';
import { digitsIn, idIn, type PiiKind } from './pii-kind.ts';

const ELEVEN_DIGITS = '\\d{11}';
const TEN_DIGITS = '\\d{10}';
const NINE_DIGITS = '\\d{9}';

const NIF_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';
const isNif = (token: string): boolean => {
  const id = idIn(token);
  return NIF_LETTERS[Number(id.slice(0, -1)) % 23] === id.slice(-1);
};
const isNie = (token: string): boolean => {
  const id = idIn(token);
  return isNif(`${'XYZ'.indexOf(id[0] as string)}${id.slice(1)}`);
};

/** Letters and digits in odd places count by this table, in even places by their order. */
const ODD_PLACES = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];
/** Digits that had to become letters, because two people had the same code. */
const OMOCODIA = 'LMNPQRSTUV';
const OMOCODE_PLACES = [6, 7, 9, 10, 12, 13, 14];
function isFiscalCode(token: string): boolean {
  const id = idIn(token);
  let sum = 0;
  for (let index = 0; index < 15; index++) {
    const unit = id.charCodeAt(index);
    const order = unit < 0x41 ? unit - 0x30 : unit - 0x41;
    sum += index % 2 === 0 ? (ODD_PLACES[order] as number) : order;
  }
  if (String.fromCharCode(0x41 + (sum % 26)) !== id[15]) return false;
  const units = [...id];
  for (const place of OMOCODE_PLACES) {
    const digit = OMOCODIA.indexOf(units[place] as string);
    if (digit >= 0) units[place] = String(digit);
  }
  const day = Number(units.slice(9, 11).join(''));
  return (day >= 1 && day <= 31) || (day >= 41 && day <= 71);
}

const isItalianVat = (token: string): boolean => luhn(token) && !allSame(token);

/** Departments 2A and 2B, of Corsica, count as 19 and 18. */
function isNir(token: string): boolean {
  const id = idIn(token);
  const month = numberAt(id, 3, 2);
  if (!(month >= 1 && month <= 12) && !(month >= 20 && month <= 42) && !(month >= 50)) return false;
  const digits = id.replace('2A', '19').replace('2B', '18');
  if (!/^\d{15}$/.test(digits)) return false;
  return 97 - mod97(digits.slice(0, 13)) === Number(digits.slice(13));
}

/** Of the first ten digits one comes twice or three times, and at most one other is missing besides. */
function isGermanTaxId(token: string): boolean {
  const digits = digitsIn(token);
  const counts = new Map<string, number>();
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  return (
    digits[0] !== '0' && repeated.length === 1 && (repeated[0] as number) <= 3 && mod11And10(digits)
  );
}

function isGermanIdCard(token: string): boolean {
  const id = token.toUpperCase();
  let sum = 0;
  for (let index = 0; index < 9; index++) {
    const unit = id.charCodeAt(index);
    sum += (unit < 0x41 ? unit - 0x30 : unit - 55) * ([7, 3, 1][index % 3] as number);
  }
  return sum % 10 === digitAt(id, 9);
}

const BSN_WEIGHTS = [9, 8, 7, 6, 5, 4, 3, 2, -1];
const isBsn = (token: string): boolean => {
  const digits = digitsIn(token);
  return weighted(digits, BSN_WEIGHTS) % 11 === 0 && !allSame(digits);
};

const PESEL_WEIGHTS = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1];
const isPesel = (token: string): boolean =>
  isDay(numberAt(token, 2, 2) % 20, numberAt(token, 4, 2)) &&
  numberAt(token, 2, 2) < 93 &&
  weighted(token, PESEL_WEIGHTS) % 10 === 0;

const NIP_WEIGHTS = [6, 5, 7, 2, 3, 4, 5, 6, 7];
const isNip = (token: string): boolean => {
  const digits = digitsIn(token);
  return weighted(digits, NIP_WEIGHTS) % 11 === digitAt(digits, 9) && !allSame(digits);
};

/** Coordination numbers add 60 to the day. */
const isPersonnummer = (token: string): boolean => {
  const digits = digitsIn(token).slice(-10);
  return isDay(numberAt(digits, 2, 2), numberAt(digits, 4, 2) % 60) && luhn(digits);
};

const HETU_CHECKS = '0123456789ABCDEFHJKLMNPRSTUVWXY';
const isHetu = (token: string): boolean => {
  const id = token.toUpperCase();
  return (
    isDay(numberAt(id, 2, 2), numberAt(id, 0, 2)) &&
    numberAt(id, 7, 3) >= 2 &&
    HETU_CHECKS[Number(id.slice(0, 6) + id.slice(7, 10)) % 31] === id[10]
  );
};

/** From 2000 on a 2 stands before the nine digits while the rest is reckoned. */
const isNrn = (token: string): boolean => {
  const digits = digitsIn(token);
  const check = 97 - Number(digits.slice(9));
  const month = numberAt(digits, 2, 2) % 20;
  return (
    month <= 12 &&
    numberAt(digits, 4, 2) <= 31 &&
    (mod97(digits.slice(0, 9)) === check || mod97(`2${digits.slice(0, 9)}`) === check)
  );
};

const isPortugueseNif = (token: string): boolean => {
  const digits = digitsIn(token);
  const rest = weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11;
  return /^[1235689]|^45|^7[0-9]/.test(digits) && (rest < 2 ? 0 : 11 - rest) === digitAt(digits, 8);
};

const isCpr = (token: string): boolean => {
  const digits = digitsIn(token);
  return isDay(numberAt(digits, 2, 2), numberAt(digits, 0, 2));
};

/** D numbers add 40 to the day, H numbers to the month. */
const isFodselsnummer = (token: string): boolean => {
  const digits = digitsIn(token);
  return (
    isDay(numberAt(digits, 2, 2) % 40, numberAt(digits, 0, 2) % 40) &&
    weighted(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
    weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
  );
};

const PPS_CHECKS = 'WABCDEFGHIJKLMNOPQRSTUV';
const isPps = (token: string): boolean => {
  const id = idIn(token);
  const second = id[8] === undefined || id[8] === 'W' ? 0 : id.charCodeAt(8) - 64;
  const sum = weighted(id, [8, 7, 6, 5, 4, 3, 2]) + 9 * second;
  return PPS_CHECKS[sum % 23] === id[7];
};

const CNP_WEIGHTS = [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9];
const isCnp = (token: string): boolean =>
  isDay(numberAt(token, 3, 2), numberAt(token, 5, 2)) &&
  (weighted(token, CNP_WEIGHTS) % 11) % 10 ===
    digitAt(token, 12) - (weighted(token, CNP_WEIGHTS) % 11 === 10 ? 1 : 0);

const EGN_WEIGHTS = [2, 4, 8, 5, 10, 9, 7, 3, 6];
const isEgn = (token: string): boolean =>
  isDay(numberAt(token, 2, 2) % 20, numberAt(token, 4, 2)) &&
  (weighted(token, EGN_WEIGHTS) % 11) % 10 === digitAt(token, 9);

/** Women's months have 50 more, and where numbers ran out 20 more. */
const isRodneCislo = (token: string): boolean => {
  const digits = digitsIn(token);
  const month = (numberAt(digits, 2, 2) % 50) % 20;
  return isDay(month, numberAt(digits, 4, 2)) && Number(digits) % 11 === 0;
};

/** Two passes of weights; the second where the first leaves 10. */
const isBalticCode = (token: string): boolean => {
  const first = weighted(token, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
  const rest = first < 10 ? first : weighted(token, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
  return isDay(numberAt(token, 3, 2), numberAt(token, 5, 2)) && rest % 10 === digitAt(token, 10);
};

const isOib = (token: string): boolean => mod11And10(token) && !allSame(token);

const isAhv = (token: string): boolean => {
  const digits = digitsIn(token);
  return (
    (10 - (weighted(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10)) % 10 ===
    digitAt(digits, 12)
  );
};

const isSvnr = (token: string): boolean => {
  const digits = digitsIn(token);
  const check = weighted(digits, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11;
  return digits[0] !== '0' && check === digitAt(digits, 3) && numberAt(digits, 4, 2) <= 31;
};

export const EUROPEAN_IDS: readonly PiiKind[] = [
  {
    entity: 'es_nif',
    label: 'ES_NIF',
    what: 'Número de identificación fiscal, or DNI, of Spain',
    check: 'letter modulo 23',
    names: ['dni', 'nif', 'documento nacional', 'numero de identificacion', 'identificacion'],
    forms: [{ expression: '\\d{7,8}[ -]?[A-HJ-NP-TV-Za-hj-np-tv-z]', score: 0.6, valid: isNif }],
    source: 'Real Decreto 1553/2005; Orden del Ministerio del Interior INT/2058/2008',
  },
  {
    entity: 'es_nie',
    label: 'ES_NIE',
    what: 'Número de identidad de extranjero of Spain',
    check: 'letter modulo 23',
    names: ['nie', 'numero de identificacion de extranjero', 'numero de identidad', 'extranjero'],
    forms: [
      {
        expression: '[X-Zx-z][ -]?\\d{7}[ -]?[A-HJ-NP-TV-Za-hj-np-tv-z]',
        score: 0.75,
        valid: isNie,
      },
    ],
    source: 'Orden INT/2058/2008',
  },
  {
    entity: 'it_fiscal_code',
    label: 'IT_FISCAL_CODE',
    what: 'Codice fiscale of Italy',
    check: 'letter modulo 26, day',
    names: ['codice fiscale', 'fiscal code', 'cf', 'cod fisc'],
    forms: [
      {
        expression:
          '(?i:[A-Z]{3} ?[A-Z]{3} ?[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2} ?[A-Z][0-9LMNP-V]{3}[A-Z])',
        score: 0.9,
        valid: isFiscalCode,
      },
    ],
    source: 'Decreto del Ministero delle Finanze, 23 dicembre 1976',
  },
  {
    entity: 'it_vat_code',
    label: 'IT_VAT_CODE',
    what: 'Partita IVA of Italy',
    check: 'Luhn',
    names: ['piva', 'p iva', 'partita iva', 'vat', 'vat number', 'iva'],
    forms: [{ expression: ELEVEN_DIGITS, score: 0.2, valid: isItalianVat }],
    source: 'Decreto del Ministero delle Finanze, 23 dicembre 1976',
  },
  {
    entity: 'fr_nir',
    label: 'FR_NIR',
    what: 'Numéro de sécurité sociale (NIR) of France',
    check: '97 less the rest modulo 97',
    names: ['nir', 'securite sociale', 'numero de securite sociale', 'insee', 'secu'],
    forms: [
      {
        expression: '[1-478] ?\\d{2} ?\\d{2} ?\\d[\\dABab] ?\\d{3} ?\\d{3} ?\\d{2}',
        score: 0.8,
        valid: isNir,
      },
    ],
    source: 'INSEE, Décret 82-103 du 22 janvier 1982',
  },
  {
    entity: 'de_tax_id',
    label: 'DE_TAX_ID',
    what: 'Steuerliche Identifikationsnummer of Germany',
    check: 'ISO 7064 MOD 11,10, repeated digits',
    names: [
      'steuer id',
      'steuerid',
      'steueridentifikationsnummer',
      'identifikationsnummer',
      'idnr',
      'steuernummer',
      'tin',
      'tax id',
    ],
    forms: [
      { expression: ELEVEN_DIGITS, score: 0.4, valid: isGermanTaxId },
      { expression: '\\d{2} \\d{3} \\d{3} \\d{3}', score: 0.65, valid: isGermanTaxId },
    ],
    source: 'Abgabenordnung §139b; Bundeszentralamt für Steuern',
  },
  {
    entity: 'de_id_card',
    label: 'DE_ID_CARD',
    what: 'Number of an identity card of Germany, with its check digit',
    check: 'weights 7, 3, 1 modulo 10',
    names: ['personalausweis', 'ausweisnummer', 'ausweis', 'id card', 'identity card'],
    forms: [
      {
        expression: '[CFGHJK-NPRTV-Z][CFGHJK-NPRTV-Z0-9]{8}\\d[Dd]?',
        score: 0.3,
        valid: (token) => /\d/.test(token.slice(0, 9)) && isGermanIdCard(token),
      },
    ],
    source: 'Personalausweisverordnung, Anhang; ICAO Doc 9303',
  },
  {
    entity: 'nl_bsn',
    label: 'NL_BSN',
    what: 'Burgerservicenummer of the Netherlands',
    check: 'elf-proef',
    names: ['bsn', 'burgerservicenummer', 'sofinummer', 'citizen service', 'burger service'],
    forms: [
      { expression: NINE_DIGITS, score: 0.25, valid: isBsn },
      { expression: '\\d{4}\\.\\d{2}\\.\\d{3}', score: 0.6, valid: isBsn },
    ],
    source: 'Wet algemene bepalingen burgerservicenummer, Logisch ontwerp BSN',
  },
  {
    entity: 'pl_pesel',
    label: 'PL_PESEL',
    what: 'PESEL of Poland',
    check: 'date, weights modulo 10',
    names: ['pesel'],
    forms: [{ expression: ELEVEN_DIGITS, score: 0.55, valid: isPesel }],
    source: 'Ustawa o ewidencji ludności, art. 15',
  },
  {
    entity: 'pl_nip',
    label: 'PL_NIP',
    what: 'Numer identyfikacji podatkowej of Poland',
    check: 'weights modulo 11',
    names: ['nip', 'numer identyfikacji podatkowej', 'vat'],
    forms: [
      {
        expression: '\\d{3}-\\d{3}-\\d{2}-\\d{2}|\\d{3}-\\d{2}-\\d{2}-\\d{3}',
        score: 0.7,
        valid: isNip,
      },
      { expression: TEN_DIGITS, score: 0.2, valid: isNip },
    ],
    source: 'Ustawa o zasadach ewidencji i identyfikacji podatników',
  },
  {
    entity: 'se_personnummer',
    label: 'SE_PERSONNUMMER',
    what: 'Personnummer and samordningsnummer of Sweden',
    check: 'date, Luhn',
    names: [
      'personnummer',
      'personnr',
      'samordningsnummer',
      'personal identity',
      'organisationsnummer',
    ],
    forms: [
      { expression: '(?:\\d{2})?\\d{6}[-+]\\d{4}', score: 0.65, valid: isPersonnummer },
      { expression: '(?:19|20)\\d{10}', score: 0.5, valid: isPersonnummer },
      { expression: TEN_DIGITS, score: 0.25, valid: isPersonnummer },
    ],
    source: 'Skatteverket, SKV 704',
  },
  {
    entity: 'fi_hetu',
    label: 'FI_HETU',
    what: 'Henkilötunnus of Finland',
    check: 'date, sign modulo 31',
    names: ['hetu', 'henkilotunnus', 'personbeteckning', 'personal identity code', 'sotu'],
    forms: [
      {
        expression: '\\d{6}[-+A-FU-Ya-fu-y]\\d{3}[0-9A-FHJ-NPR-Ya-fhj-npr-y]',
        score: 0.85,
        valid: isHetu,
      },
    ],
    source: 'Digi- ja väestötietovirasto, Valtioneuvoston asetus 128/2010',
  },
  {
    entity: 'be_nrn',
    label: 'BE_NRN',
    what: 'National register number of Belgium',
    check: '97 less the rest modulo 97',
    names: [
      'rijksregisternummer',
      'rijksregister',
      'insz',
      'niss',
      'nrn',
      'registre national',
      'numero national',
      'national register',
      'national number',
    ],
    forms: [
      { expression: '\\d{2}\\.\\d{2}\\.\\d{2}-\\d{3}\\.\\d{2}', score: 0.9, valid: isNrn },
      { expression: ELEVEN_DIGITS, score: 0.5, valid: isNrn },
    ],
    source: 'Koninklijk besluit van 3 april 1984',
  },
  {
    entity: 'pt_nif',
    label: 'PT_NIF',
    what: 'Número de identificação fiscal of Portugal',
    check: 'modulo 11',
    names: ['nif', 'contribuinte', 'numero de contribuinte', 'identificacao fiscal', 'nipc'],
    forms: [
      { expression: NINE_DIGITS, score: 0.25, valid: isPortugueseNif },
      { expression: '\\d{3} \\d{3} \\d{3}', score: 0.3, valid: isPortugueseNif },
    ],
    source: 'Decreto-Lei 14/2013',
  },
  {
    entity: 'dk_cpr',
    label: 'DK_CPR',
    what: 'CPR-nummer of Denmark',
    check: 'date; its old check digit no longer holds for all',
    names: ['cpr', 'cprnummer', 'personnummer', 'central person register'],
    forms: [
      { expression: '\\d{6}-\\d{4}', score: 0.45, valid: isCpr },
      { expression: TEN_DIGITS, score: 0.15, valid: isCpr },
    ],
    source: 'CPR-kontoret, "Personnummeret i CPR"',
  },
  {
    entity: 'no_fodselsnummer',
    label: 'NO_FODSELSNUMMER',
    what: 'Fødselsnummer and D-nummer of Norway',
    check: 'date, two digits modulo 11',
    names: [
      'fodselsnummer',
      'fodselsnr',
      'fdselsnummer',
      'personnummer',
      'birth number',
      'd nummer',
    ],
    forms: [
      { expression: ELEVEN_DIGITS, score: 0.6, valid: isFodselsnummer },
      { expression: '\\d{6}[ -]\\d{5}', score: 0.75, valid: isFodselsnummer },
    ],
    source: 'Skatteetaten, folkeregisterforskriften §2-2-1',
  },
  {
    entity: 'ie_pps',
    label: 'IE_PPS',
    what: 'Personal public service number of Ireland',
    check: 'letter modulo 23',
    names: ['pps', 'ppsn', 'pps number', 'personal public service'],
    forms: [{ expression: '\\d{7}[A-Wa-w][A-IWa-iw]?', score: 0.6, valid: isPps }],
    source: 'Department of Social Protection, "PPS number checks"',
  },
  {
    entity: 'ro_cnp',
    label: 'RO_CNP',
    what: 'Cod numeric personal of Romania',
    check: 'date, modulo 11',
    names: ['cnp', 'cod numeric personal'],
    forms: [{ expression: '[1-9]\\d{12}', score: 0.55, valid: isCnp }],
    source: 'Ordonanța de urgență 97/2005',
  },
  {
    entity: 'bg_egn',
    label: 'BG_EGN',
    what: 'Uniform civil number (EGN) of Bulgaria',
    check: 'date, modulo 11',
    names: ['egn', '\u0435\u0433\u043d', 'uniform civil'],
    forms: [{ expression: TEN_DIGITS, score: 0.4, valid: isEgn }],
    source: 'ГД ГРАО, "Единен граждански номер"',
  },
  {
    entity: 'cz_rodne_cislo',
    label: 'CZ_RODNE_CISLO',
    what: 'Rodné číslo of Czechia and Slovakia',
    check: 'date, modulo 11',
    names: ['rodne cislo', 'birth number', 'r c'],
    forms: [
      { expression: '\\d{6}/\\d{4}', score: 0.8, valid: isRodneCislo },
      { expression: TEN_DIGITS, score: 0.3, valid: isRodneCislo },
    ],
    source: 'Zákon 133/2000 Sb. §13',
  },
  {
    entity: 'ee_isikukood',
    label: 'EE_ISIKUKOOD',
    what: 'Isikukood of Estonia and asmens kodas of Lithuania',
    check: 'date, modulo 11 in two passes',
    names: ['isikukood', 'asmens kodas', 'ik', 'personal code'],
    forms: [{ expression: '[1-6]\\d{10}', score: 0.5, valid: isBalticCode }],
    source: 'EVS 585:2007',
  },
  {
    entity: 'hr_oib',
    label: 'HR_OIB',
    what: 'Osobni identifikacijski broj of Croatia',
    check: 'ISO 7064 MOD 11,10',
    names: ['oib', 'osobni identifikacijski'],
    forms: [{ expression: ELEVEN_DIGITS, score: 0.25, valid: isOib }],
    source: 'Zakon o osobnom identifikacijskom broju',
  },
  {
    entity: 'ch_ahv',
    label: 'CH_AHV',
    what: 'AHV number (AVS) of Switzerland',
    check: 'EAN-13',
    names: ['ahv', 'avs', 'ahvnr', 'ahv nummer', 'sozialversicherungsnummer'],
    forms: [{ expression: '756\\.?\\d{4}\\.?\\d{4}\\.?\\d{2}', score: 0.8, valid: isAhv }],
    source: 'Bundesamt für Sozialversicherungen, AHVV Art. 133',
  },
  {
    entity: 'at_svnr',
    label: 'AT_SVNR',
    what: 'Sozialversicherungsnummer of Austria',
    check: 'modulo 11',
    names: ['svnr', 'sozialversicherungsnummer', 'sozialversicherung', 'sv nummer'],
    forms: [
      { expression: '\\d{4} \\d{6}', score: 0.45, valid: isSvnr },
      { expression: TEN_DIGITS, score: 0.25, valid: isSvnr },
    ],
    source: 'Hauptverband der österreichischen Sozialversicherungsträger, ASVG §31',
  },
];
