/** What passports, licences and registers say of a person, mostly without check digits: what names it counts. */
import { digitAt, isDay, numberAt } from './check-digits.ts';
import { digitsIn, idIn, type PiiKind } from './pii-kind.ts';

const hasDigits =
  (count: number) =>
  (token: string): boolean =>
    digitsIn(token).length >= count;

/** The check digit of a machine-readable zone: weights 7, 3, 1 (ICAO Doc 9303 part 3 §4.9). */
function zoneCheck(text: string): number {
  let sum = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const value = unit === 0x3c ? 0 : unit < 0x3a ? unit - 0x30 : unit - 55;
    sum += value * ([7, 3, 1][index % 3] as number);
  }
  return sum % 10;
}

const isZone = (token: string): boolean =>
  zoneCheck(token.slice(0, 9)) === digitAt(token, 9) &&
  zoneCheck(token.slice(13, 19)) === digitAt(token, 19) &&
  isDay(numberAt(token, 15, 2), numberAt(token, 17, 2));

export const PASSPORT: PiiKind = {
  entity: 'passport',
  label: 'PASSPORT',
  what: 'Passport number: of the United States, the United Kingdom, India, Italy, France, Germany, Spain, Canada and others, and the second line of the machine-readable zone',
  check: 'none; only where it is named. Of the zone, weights 7, 3, 1',
  names: [
    ...[
      'passport',
      'passports',
      'passport no',
      'passport number',
      'reisepass',
      'pass nr',
      'passeport',
    ],
    ...[
      'pasaporte',
      'passaporto',
      'passaporte',
      'paspoort',
      'paszport',
      'passi',
      'travel document',
    ],
    ...[
      '\u043f\u0430\u0441\u043f\u043e\u0440\u0442',
      '\u62a4\u7167',
      '\u8b77\u7167',
      '\u65c5\u5238',
      '\uc5ec\uad8c',
    ],
  ],
  forms: [
    { expression: '[A-Za-z]{1,2}\\d{6,8}', score: 0.25, valid: hasDigits(6) },
    { expression: '\\d{9}', score: 0.15 },
    { expression: '\\d{2}[A-Za-z]{2}\\d{5}|[A-Za-z]{3}\\d{6}', score: 0.25 },
    {
      expression: '[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8}',
      score: 0.1,
      valid: hasDigits(3),
    },
    { expression: '\\d{2} ?\\d{2} ?\\d{6}|\\d{7,8}', score: 0.1 },
    {
      expression: '[A-Z0-9<]{9}\\d[A-Z]{3}\\d{7}[MFX<]\\d{7}[A-Z0-9<]{14}\\d{2}',
      score: 0.9,
      valid: isZone,
      tail: '',
    },
  ],
  source: 'ICAO Doc 9303 part 4; the issuing states',
};

const DRIVER_MONTHS = (text: string): boolean => {
  const month = numberAt(text, 6, 2) % 50;
  return isDay(month, numberAt(text, 8, 2));
};

export const DRIVING_LICENCE: PiiKind = {
  entity: 'driving_licence',
  label: 'DRIVING_LICENCE',
  what: 'Driving licence number: of the United Kingdom by its form, of the United States, Canada, Italy, Germany, India and others where it is named',
  check: 'date, of the United Kingdom; of others none, only where it is named',
  names: [
    ...[
      'driving licence',
      'driving license',
      'driver licence',
      'driver license',
      'drivers licence',
    ],
    ...[
      'drivers license',
      'driver s license',
      'driver s licence',
      'licence number',
      'license number',
    ],
    ...[
      'licence no',
      'license no',
      'dl',
      'dvla',
      'dl number',
      'driving permit',
      'driver id',
      'licence',
    ],
    ...['fuhrerschein', 'fuhrerscheinnummer', 'permis de conduire', 'permiso de conducir', 'dmv'],
    ...[
      'licencia de conducir',
      'patente di guida',
      'patente',
      'rijbewijs',
      'rijbewijsnummer',
      'license',
    ],
    ...['carta de conducao', 'prawo jazdy', 'korkort', 'kjorekort', 'ajokortti', 'permis', 'lic'],
  ],
  forms: [
    {
      expression: '[A-Za-z9]{5} ?\\d{3} ?\\d{3} ?[A-Za-z9]{2} ?\\d ?[A-Za-z0-9]{2}(?: ?\\d{2})?',
      score: 0.7,
      valid: (token) => DRIVER_MONTHS(idIn(token)),
    },
    { expression: '[A-Za-z]{1,3}[ -]?\\d{5,13}', score: 0.15 },
    { expression: '[A-Za-z]\\d{2,3}(?:-\\d{2,4}){2,4}(?:-\\d)?', score: 0.3 },
    { expression: '\\d{7,9}', score: 0.1 },
    {
      expression: '[A-Za-z]{2}\\d{7}[A-Za-z]|\\d{3}-\\d{2}-\\d{4}|\\d{2}-\\d{3}-\\d{3,4}',
      score: 0.15,
    },
    {
      // 8 to 13 letters and digits, of which four are digits: said so that a word is not asked about.
      expression: '[A-Za-z]{0,9}\\d[A-Za-z0-9]{3,12}',
      score: 0.1,
      valid: (token) =>
        token.length >= 8 && token.length <= 13 && hasDigits(4)(token) && /[A-Za-z]/.test(token),
    },
    { expression: '[A-Z]{2}[ -]?\\d{2}[ -]?(?:19[5-9]\\d|20[0-4]\\d)[ -]?\\d{7}', score: 0.5 },
  ],
  source: 'DVLA INF1; AAMVA card design standard, appendix; Sarathi (India)',
};

const MONTHS = [
  'jan(?:uary|uar|v(?:ier)?)?|ene(?:ro)?|gennaio|janeiro|januari',
  'feb(?:ruary|ruar|rero|braio|ruari)?|fev(?:rier|ereiro)?|f\u00e9v(?:rier)?',
  'mar(?:ch|s|zo|co)?|m\u00e4rz|maart|mar\u00e7o',
  'apr(?:il|ile)?|avr(?:il)?|abr(?:il)?',
  'may|mai|mayo|maggio|maio|mei',
  'june?|juni|juin|junio|giugno|junho',
  'july?|juli|juillet|julio|luglio|julho',
  'aug(?:ust|ustus)?|ao\u00fbt|aout|ago(?:sto)?',
  'sept?(?:ember|embre|iembre|tembre)?|settembre|setembro',
  'oct(?:ober|obre)?|okt(?:ober)?|ottobre|outubro',
  'nov(?:ember|embre|iembre|embro)?',
  'dec(?:ember|embre|iembre)?|dez(?:ember|embro)?|dic(?:iembre|embre)?',
].join('|');

const YEAR = '(?:19|20)\\d{2}';
const NOW_AND_THEN = 2100;

/** Day and month in either order, and a year that a person may be born in. */
function isNumericDate(token: string): boolean {
  const parts = token.split(/[^\d]+/).map(Number);
  const [one = 0, two = 0, three = 0] = parts;
  if (one >= 1900) return one < NOW_AND_THEN && isDay(two, three);
  return isDay(two, one) || isDay(one, two);
}

export const DATE_OF_BIRTH: PiiKind = {
  entity: 'date_of_birth',
  label: 'DATE_OF_BIRTH',
  what: 'Date of birth, in figures or with the name of the month in six languages',
  check: 'days that exist; only where it is named',
  names: [
    ...['date of birth', 'dob', 'd o b', 'birth date', 'birthdate', 'birthday', 'birth', 'born'],
    ...['geboren', 'geb', 'geburtsdatum', 'geburtstag', 'date de naissance', 'naissance', 'ne le'],
    ...[
      'nee le',
      'ne e le',
      'fecha de nacimiento',
      'nacimiento',
      'nacido',
      'nacida',
      'nascita',
      'nato',
    ],
    ...['nata', 'data di nascita', 'data de nascimento', 'nascimento', 'nascido', 'nascida'],
    ...[
      'geboortedatum',
      'geboorte',
      'birthdays',
      '\u51fa\u751f',
      '\u751f\u5e74\u6708\u65e5',
      '\u751f\u65e5',
    ],
  ],
  forms: [
    {
      expression: `\\d{1,2}(?:/\\d{1,2}/|-\\d{1,2}-|\\.\\d{1,2}\\.|\\. ?\\d{1,2}\\. ?| \\d{1,2} )(?:${YEAR}|\\d{2})`,
      score: 0.2,
      valid: isNumericDate,
    },
    { expression: `${YEAR}[-/.]\\d{1,2}[-/.]\\d{1,2}`, score: 0.2, valid: isNumericDate },
    {
      expression: `\\d{1,2}(?:st|nd|rd|th|\\.|er)?(?: of| de)?[ -]?(?i:${MONTHS})\\.?,?(?: de)?[ -]?(?:${YEAR}|\\d{2})`,
      score: 0.2,
    },
    { expression: `(?i:${MONTHS})\\.? \\d{1,2}(?:st|nd|rd|th)?,? ?${YEAR}`, score: 0.2 },
  ],
  source: 'ISO 8601; CLDR, names of months',
};
