/** What makes a string that looks like a secret one: check digits where their scheme is public, else entropy. */
import { SECRET_LABEL } from './secret-kind.ts';
import { isMadeUp, isOfWords, isStandIn, isUsual } from './secret-made-up.ts';
import { type Check, VALIDATED_UNITS_MAX, type Validator } from './token-tracker.ts';

/** By unit, all 0 between two calls; what is not ASCII counts as what it is modulo 128. */
const counts = new Uint16Array(128);
/** Those that occur, in order of their first occurrence: few, where a flood repeats itself. */
const occurring = new Uint8Array(128);

/** Occurrences times their logarithm, for as many as a token may hold. */
const weights = Float64Array.from({ length: VALIDATED_UNITS_MAX + 1 }, (_, count) =>
  count === 0 ? 0 : count * Math.log2(count),
);
const weightOf = (count: number): number => weights[count] ?? count * Math.log2(count);

/** Bits per unit of `units[from,to)`, by how often each of them occurs there (Shannon). 0 for none. */
function entropyIn(units: Uint16Array, from: number, to: number): number {
  const length = to - from;
  if (length === 0) return 0;
  let different = 0;
  for (let at = from; at < to; at++) {
    const place = (units[at] as number) & 127;
    const count = counts[place] as number;
    if (count === 0) occurring[different++] = place;
    counts[place] = count + 1;
  }
  let weight = 0;
  for (let index = 0; index < different; index++) {
    const place = occurring[index] as number;
    weight += weightOf(counts[place] as number);
    counts[place] = 0;
  }
  return (weightOf(length) - weight) / length;
}

let scratch = new Uint16Array(VALIDATED_UNITS_MAX);

/** Bits per unit of a text. */
export function entropyOf(text: string): number {
  if (text.length > scratch.length) scratch = new Uint16Array(text.length);
  for (let at = 0; at < text.length; at++) scratch[at] = text.charCodeAt(at);
  return entropyIn(scratch, 0, text.length);
}

/**
 * A random string of n units has log2(n) bits a unit at most, and log2 of its alphabet: 32 hexadecimal digits
 * 3.4 ± 0.2, 20 letters and digits 4.0 ± 0.1. A run of one letter, or a word repeated, has less. A prefix and
 * a length are proof enough otherwise, but for words and stand-ins: what only looks like an example may be one's key.
 */
const varied = (bitsMin: number, isNone: (token: string) => boolean) => {
  // Six letters, each twice, have log2(6) bits but for what is lost in adding them up.
  const least = bitsMin - 1e-9;
  return {
    validator: (token: string): boolean => entropyOf(token) >= least && !isNone(token),
    validUnits: (units: Uint16Array, from: number, to: number): boolean =>
      entropyIn(units, from, to) >= least &&
      !isNone(String.fromCharCode(...units.subarray(from, to))),
    looksAt: 'shortest' as const,
  };
};

/** For tokens of hexadecimal digits, with their prefix. */
const VARIED_HEX = varied(2.8, isStandIn);
/** For tokens of letters and digits, with their prefix, of 20 units and more. */
const VARIED = varied(3, isMadeUp);
/** The same, with a prefix that a name may have: words with a number or two are one, too. */
const VARIED_NO_NAME = varied(3, (token) => isStandIn(token) || isOfWords(token));

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

/** CRC-32 as in zip (ISO 3309), of ASCII. */
export function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let at = 0; at < text.length; at++)
    crc = (CRC_TABLE[(crc ^ text.charCodeAt(at)) & 0xff] as number) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CRC_DIGITS = 6;

/** In base 62 (digits, capitals, small letters), six digits. */
export function crcDigits(text: string): string {
  let digits = '';
  for (let rest = crc32(text), at = 0; at < CRC_DIGITS; at++, rest = Math.floor(rest / 62))
    digits = (BASE62[rest % 62] as string) + digits;
  return digits;
}

/**
 * The last six units are the CRC-32 of what stands between the prefix and them. Whose check digits hold is
 * a token however plain it is; any other must be varied, since who types one wrong has leaked most of it.
 */
export const crcOrVaried =
  (prefixUnits: number): Validator =>
  (token) => {
    const secret = token.slice(prefixUnits, -CRC_DIGITS);
    return crcDigits(secret) === token.slice(-CRC_DIGITS) || VARIED.validator(token);
  };

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const BECH32_GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** BIP 173: the checksum of the whole, human-readable part included. */
export const isBech32: Validator = (token) => {
  const lower = token.toLowerCase();
  const separator = lower.lastIndexOf('1');
  const readable = [...lower.slice(0, separator)].map((one) => one.charCodeAt(0));
  const data = [...lower.slice(separator + 1)].map((one) => BECH32.indexOf(one));
  if (separator < 1 || data.includes(-1)) return false;
  const values = [
    ...readable.map((one) => one >> 5),
    0,
    ...readable.map((one) => one & 31),
    ...data,
  ];
  let check = 1;
  for (const value of values) {
    const top = check >>> 25;
    check = ((check & 0x1ffffff) << 5) ^ value;
    for (const [bit, generator] of BECH32_GENERATORS.entries())
      if ((top >> bit) & 1) check ^= generator;
  }
  return check === 1;
};

/** Of what is assigned only this much is looked at: enough to tell, and no more to do for a longer one. */
const VALUE_UNITS = 48;

const BEFORE_VALUE = /^[^=:]*[=:>\s"'`]+/;

/** The beginning of what an assignment assigns: behind the first `=` or `:`, without quotes. */
const assigned = (assignment: string): string =>
  assignment.replace(BEFORE_VALUE, '').slice(0, VALUE_UNITS);

/** The longest value decides for all that begin with it. */
const beforeValue = (assignment: string): number => BEFORE_VALUE.exec(assignment)?.[0].length ?? 0;

/** A check under the name that the reference page gives it. */
export interface NamedCheck extends Check {
  readonly name: string;
}

export const VARIED_CHECK: NamedCheck = {
  name: 'entropy ≥ 3',
  ...VARIED,
};
export const NO_NAME_CHECK: NamedCheck = {
  name: 'entropy ≥ 3, no words',
  ...VARIED_NO_NAME,
};
export const HEX_CHECK: NamedCheck = {
  name: 'entropy ≥ 2.8',
  ...VARIED_HEX,
};
/** For tokens of several lengths, each with an end of its own: the whole counts. */
export const EACH_LENGTH_CHECK: NamedCheck = {
  name: 'entropy ≥ 3',
  validator: VARIED.validator,
};
/** For tokens whose beginning says little: the whole counts, and words are none. */
export const VARIED_WHOLE_CHECK: NamedCheck = {
  name: 'entropy ≥ 3, no words',
  validator: VARIED_NO_NAME.validator,
};
/** A prefix of two units says little. */
export const LEGACY_CHECK: NamedCheck = {
  name: 'digits and capitals, entropy ≥ 3.4, no words',
  validator: (token) =>
    /\d/.test(token) && /[A-Z]/.test(token) && entropyOf(token) >= 3.4 && !isOfWords(token),
  looksAt: 'shortest',
};
export const CRC_CHECK: NamedCheck = {
  name: 'CRC-32 in base 62, or entropy ≥ 3',
  validator: crcOrVaried(4),
};
/** Who types one wrong has leaked most of it. */
export const BECH32_CHECK: NamedCheck = {
  name: 'Bech32 checksum, or entropy ≥ 3',
  validator: (token) => isBech32(token) || VARIED.validator(token),
};
/** The same as for any assignment, but its name says enough to take values without digits as well. */
export const SECRET_CHECK: NamedCheck = {
  name: 'entropy of the value ≥ 3',
  validator: (assignment) => {
    const value = assigned(assignment);
    return VARIED.validator(value);
  },
  looksAt: beforeValue,
};
/** The ids in the documentation of AWS begin so, and most end in EXAMPLE. */
const DOCUMENTED_ID = /^A[A-Z0-9]{3}IOSFODNN7/;

export const AWS_ID_CHECK: NamedCheck = {
  name: 'entropy ≥ 3, not the id of the documentation',
  validator: (token) => !DOCUMENTED_ID.test(token) && VARIED.validator(token),
  looksAt: 'shortest',
};

const USER_AND_PASSWORD = /:\/\/([^:]*):(.*)@$/s;

export const URL_PASSWORD_CHECK: NamedCheck = {
  name: 'a password that stands for no other, and is not the user again',
  validator: (address) => {
    const [, user = '', password = ''] = USER_AND_PASSWORD.exec(address) ?? [];
    return user !== password && !isUsual(password);
  },
};

const BEFORE_PASSWORD = /^.*(?:password|pwd)\s?=\s?/is;

export const CONNECTION_PASSWORD_CHECK: NamedCheck = {
  name: 'a password that stands for no other',
  validator: (connection) => !isUsual(connection.replace(BEFORE_PASSWORD, '')),
  looksAt: (connection) => BEFORE_PASSWORD.exec(connection)?.[0].length ?? 0,
};

const IN_BASE64 = /[A-Za-z0-9+/]$/;

const GOES_ON = /[\w-]$/;

/** For hexadecimal digits behind a word: not where the word is the end of a longer name. */
export const NAMED_HEX_CHECK: NamedCheck = {
  validator: VARIED_HEX.validator,
  name: 'entropy ≥ 2.8, no longer name in front',
  judge: (_, { before }) => (GOES_ON.test(before) ? undefined : SECRET_LABEL),
};

/** For tokens that begin as zeros do in base64: not in the midst of a picture. */
export const NOT_IN_BASE64_CHECK: NamedCheck = {
  ...VARIED_WHOLE_CHECK,
  name: 'entropy ≥ 3, not inside of longer base64',
  judge: (_, { before }) => (IN_BASE64.test(before) ? undefined : SECRET_LABEL),
};
