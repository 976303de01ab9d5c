/**
 * Which numbers issuers give out: ranges of leading digits and the lengths that go with them, as the
 * networks publish them (ISO/IEC 7812 numbering; Visa, Mastercard, American Express, Diners Club,
 * Discover, JCB, UnionPay, Maestro, Mir). A check digit alone lets one number in ten pass.
 */

/** First and last value of the first four digits, and the lengths in digits. */
const ISSUERS: readonly (readonly [first: number, last: number, ...lengths: number[]])[] = [
  [4000, 4999, 13, 16, 19],
  [5100, 5599, 16],
  [2221, 2720, 16],
  [2200, 2204, 16, 17, 18, 19],
  [3400, 3499, 15],
  [3700, 3799, 15],
  [3000, 3059, 14, 15, 16, 17, 18, 19],
  [3095, 3095, 14, 15, 16, 17, 18, 19],
  [3600, 3699, 14, 15, 16, 17, 18, 19],
  [3800, 3999, 14, 15, 16, 17, 18, 19],
  [3528, 3589, 16, 17, 18, 19],
  [5000, 5099, 13, 14, 15, 16, 17, 18, 19],
  [5600, 5899, 13, 14, 15, 16, 17, 18, 19],
  [6000, 6999, 13, 14, 15, 16, 17, 18, 19],
];

/** Digits that decide the issuer. */
export const LEAD_DIGITS = 4;

/** `LENGTHS[k][lead]`: bit n is set when some number of n digits begins with the k digits of `lead`. */
const LENGTHS: readonly Uint32Array[] = Array.from({ length: LEAD_DIGITS + 1 }, (_, digits) => {
  const table = new Uint32Array(10 ** digits);
  const width = 10 ** (LEAD_DIGITS - digits);
  for (const [first, last, ...lengths] of ISSUERS) {
    const bits = lengths.reduce((all, length) => all | bitOf(length), 0);
    for (let lead = Math.floor(first / width); lead <= Math.floor(last / width); lead++) {
      table[lead] = (table[lead] ?? 0) | bits;
    }
  }
  return table;
});

export function bitOf(length: number): number {
  // Not a power: this is asked for every digit of every number that may be one.
  return 1 << length;
}

/** The lengths that a number beginning with these digits can have, as bits; 0 when no issuer has any. */
export function lengthsOf(lead: number, leadDigits: number): number {
  return LENGTHS[leadDigits]?.[lead] ?? 0;
}
