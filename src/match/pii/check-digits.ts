/** Check digits of the world's numbers. All take digits (or capitals and digits) without separators. */

const ZERO = 0x30;

export const digitAt = (text: string, index: number): number => text.charCodeAt(index) - ZERO;

/** Sum of the digits, each times its weight; as many as there are weights. */
export function weighted(digits: string, weights: readonly number[]): number {
  let sum = 0;
  for (let index = 0; index < weights.length; index++)
    sum += digitAt(digits, index) * (weights[index] as number);
  return sum;
}

export const allSame = (text: string): boolean => {
  for (let index = 1; index < text.length; index++) if (text[index] !== text[0]) return false;
  return true;
};

/** ISO/IEC 7812-1 annex B. */
export function luhn(digits: string): boolean {
  let sum = 0;
  for (let index = digits.length - 1, double = false; index >= 0; index--, double = !double) {
    const digit = digitAt(digits, index);
    sum += double ? (digit < 5 ? 2 * digit : 2 * digit - 9) : digit;
  }
  return sum % 10 === 0;
}

const valueIn = (unit: number): number => (unit < 0x3a ? unit - ZERO : unit - 0x41 + 10);

/** The text modulo 97, a letter being two digits from 10 on (ISO/IEC 7064, as ISO 13616 uses it). */
export function mod97(text: string): number {
  let rest = 0;
  for (let index = 0; index < text.length; index++) {
    const value = valueIn(text.charCodeAt(index));
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest;
}

/** ISO/IEC 7064, MOD 11,10: the last digit is the check digit. */
export function mod11And10(digits: string): boolean {
  let product = 10;
  for (let index = 0; index < digits.length - 1; index++) {
    let sum = (digitAt(digits, index) + product) % 10;
    if (sum === 0) sum = 10;
    product = (2 * sum) % 11;
  }
  return (11 - product) % 10 === digitAt(digits, digits.length - 1);
}

/** The dihedral group of ten elements, by which Verhoeff multiplies. */
const times = (a: number, b: number): number => {
  if (a < 5) return b < 5 ? (a + b) % 5 : 5 + ((a + b) % 5);
  return b < 5 ? 5 + ((a - b) % 5) : (5 + a - b) % 5;
};
const PERMUTATION = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/** J. Verhoeff, "Error detecting decimal codes", 1969: the last digit is the check digit. */
export function verhoeff(digits: string): boolean {
  let check = 0;
  for (let index = digits.length - 1, turns = 0; index >= 0; index--, turns++) {
    let digit = digitAt(digits, index);
    for (let turn = 0; turn < turns % 8; turn++) digit = PERMUTATION[digit] as number;
    check = times(check, digit);
  }
  return check === 0;
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether there can be such a day; the year is not asked, so the 29th of February always can. */
export const isDay = (month: number, day: number): boolean =>
  month >= 1 && month <= 12 && day >= 1 && day <= (DAYS[month - 1] as number);

/** A number in the middle of a text of digits. */
export const numberAt = (digits: string, from: number, units: number): number =>
  Number(digits.slice(from, from + units));
