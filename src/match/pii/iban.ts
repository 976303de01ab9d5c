/**
 * International bank account numbers: the length that the country's registry entry gives, and ISO/IEC 7064
 * MOD 97-10.
 */
import { mod97 } from './check-digits.ts';
import { idIn, type PiiKind } from './pii-kind.ts';

/** SWIFT, "IBAN registry"; the last line is of countries that use the form without being in it. */
const LENGTHS =
  'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ' +
  'ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 ' +
  'LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 ' +
  'PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 ' +
  'AO25 BF28 BJ28 CF27 CG27 CI28 CM27 CV25 DZ26 GA27 GQ27 GW25 IR26 KM27 MA28 MG27 ML28 MZ25 NE28 SN28 TD27 TG28';

const lengths = new Map(LENGTHS.split(' ').map((one) => [one.slice(0, 2), Number(one.slice(2))]));

export function isIban(token: string): boolean {
  const id = idIn(token);
  return lengths.get(id.slice(0, 2)) === id.length && mod97(id.slice(4) + id.slice(0, 4)) === 1;
}

export const IBAN: PiiKind = {
  entity: 'iban',
  label: 'IBAN',
  what: 'International bank account number',
  check: 'length of its country, ISO 7064 MOD 97-10',
  names: [],
  forms: [
    {
      expression: '[A-Za-z]{2}\\d{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?',
      score: 0.95,
      valid: isIban,
      tail: '',
    },
  ],
  source: 'ISO 13616-1; SWIFT, "IBAN registry"',
};
