/**
 * Spellings of the same digit, letter or sign: full-width forms, digits of all scripts, spaces and hyphens of
 * all widths. A number is as much a number in any of them.
 */
import { digitOf } from './characters.ts';
import { rangesOfUnits } from './unit-classes.ts';

const UNITS = 0x10000;
const FULL_WIDTH_FIRST = 0xff01;
const FULL_WIDTH_LAST = 0xff5e;
const FULL_WIDTH_TO_ASCII = 0xfee0;
const ASCII_UNITS = 0x80;

/** No-break, figure, thin, narrow no-break and ideographic space; hyphens, dashes and the minus sign. */
const SIGNS: Readonly<Record<string, readonly number[]>> = {
  ' ': [0xa0, 0x2007, 0x2009, 0x202f, 0x3000],
  '-': [0x2010, 0x2011, 0x2012, 0x2013, 0x2212],
};

/** By unit: `plainUnit` of it, for loops. */
export const plainUnits: Uint16Array = new Uint16Array(UNITS);
/** By unit of ASCII: all that stand for it, ascending. */
const spellings: number[][] = Array.from({ length: ASCII_UNITS }, () => []);
for (let unit = 0; unit < UNITS; unit++) {
  plainUnits[unit] = unit;
  const digit = digitOf(unit);
  if (digit >= 0) plainUnits[unit] = 0x30 + digit;
  else if (unit >= FULL_WIDTH_FIRST && unit <= FULL_WIDTH_LAST)
    plainUnits[unit] = unit - FULL_WIDTH_TO_ASCII;
}
for (const [sign, units] of Object.entries(SIGNS))
  for (const unit of units) plainUnits[unit] = sign.charCodeAt(0);
for (let unit = 0; unit < UNITS; unit++)
  if ((plainUnits[unit] as number) < ASCII_UNITS) spellings[plainUnits[unit] as number]?.push(unit);

/** From here to there, units are seen, and stand for themselves. */
const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;

export const isPrintable = (unit: number): boolean =>
  unit >= FIRST_PRINTABLE && unit <= LAST_PRINTABLE;

/** The unit of ASCII that it stands for, or itself. */
export const plainUnit = (unit: number): number => plainUnits[unit] as number;

/** All units that stand for one of `ranges` (pairs of first and last), as such pairs, ascending. */
export function spellingsOf(ranges: readonly number[]): number[] {
  const units: number[] = [];
  for (let index = 0; index < ranges.length; index += 2) {
    const last = ranges[index + 1] as number;
    for (let unit = ranges[index] as number; unit <= last && unit < ASCII_UNITS; unit++)
      units.push(...(spellings[unit] as number[]));
    // Beyond ASCII a unit stands for itself.
    for (let unit = Math.max(ASCII_UNITS, ranges[index] as number); unit <= last; unit++)
      if (plainUnits[unit] === unit) units.push(unit);
  }
  return rangesOfUnits(units.sort((a, b) => a - b));
}
