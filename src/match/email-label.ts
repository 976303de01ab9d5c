/**
 * What the label of a domain that is being read may still be as the last one of an address: two or more ASCII
 * letters, two or more others, or `xn--` and what may follow it in a label. States are small numbers.
 */
import { isAsciiLetter, isForeignLetter } from './characters.ts';

export const LABEL_BEGINS = 0;
const ASCII = 1;
const FOREIGN = 2;
const X = 3;
const XN = 4;
const XN_HYPHEN = 5;
const XN_HYPHENS = 6;
const ENCODED = 7;
/** It has what no last label has. */
const NEVER = 8;
const STATES = 9;

// What a unit of a label is.
const LETTER = 0;
const LETTER_X = 1;
const LETTER_N = 2;
const OTHER_LETTER = 3;
const HYPHEN = 4;
const OTHER = 5;
const CLASSES = 6;

const classes = new Uint8Array(0x10000).fill(OTHER);
for (let unit = 0; unit < classes.length; unit++) {
  if (isAsciiLetter(unit)) classes[unit] = LETTER;
  else if (isForeignLetter(unit)) classes[unit] = OTHER_LETTER;
}
for (const unit of 'xX') classes[unit.charCodeAt(0)] = LETTER_X;
for (const unit of 'nN') classes[unit.charCodeAt(0)] = LETTER_N;
classes[0x2d] = HYPHEN;

function next(state: number, kind: number): number {
  const letter = kind === LETTER || kind === LETTER_X || kind === LETTER_N;
  switch (state) {
    case XN_HYPHENS:
    case ENCODED:
      return ENCODED;
    case XN_HYPHEN:
      return kind === HYPHEN ? XN_HYPHENS : NEVER;
    case XN:
      if (kind === HYPHEN) return XN_HYPHEN;
      return letter ? ASCII : NEVER;
    case X:
      if (kind === LETTER_N) return XN;
      return letter ? ASCII : NEVER;
    case LABEL_BEGINS:
      if (kind === LETTER_X) return X;
      if (letter) return ASCII;
      return kind === OTHER_LETTER ? FOREIGN : NEVER;
    case ASCII:
      return letter ? ASCII : NEVER;
    case FOREIGN:
      return kind === OTHER_LETTER ? FOREIGN : NEVER;
    default:
      return NEVER;
  }
}

const table = Uint8Array.from({ length: STATES * CLASSES }, (_, index) =>
  next(Math.floor(index / CLASSES), index % CLASSES),
);

/** The state of a label behind `unit`, which is one of a label. */
export const labelAfter = (state: number, unit: number): number =>
  table[state * CLASSES + (classes[unit] as number)] as number;

/** Whether an address may end in a label of two units or more. */
export const endsAddress = (state: number): boolean =>
  state === ASCII || state === FOREIGN || state === XN || state === ENCODED;

/** Units that the shortest way to the next end takes, in a label that is not the first one. */
const unitsToEnd = new Uint8Array(STATES).fill(1);
unitsToEnd[LABEL_BEGINS] = 2;
unitsToEnd[XN_HYPHEN] = 2;
// A dot and two letters.
unitsToEnd[NEVER] = 3;

export const unitsToEndOf = (state: number): number => unitsToEnd[state] as number;
