/** What people write and no generator makes: letters in order, words, and what stands in the place of a secret. */

const STEPS_IN_ORDER = 6;
/** Of two orders in turn. */
const STEPS_IN_TURN = 8;

/** `1234567`, `abcdefg`, `a1b2c3d4e5`: nobody's. */
export function isInOrder(value: string): boolean {
  let steps = 0;
  let turns = 0;
  for (let at = 1; at < value.length; at++) {
    const unit = value.charCodeAt(at);
    steps = unit === value.charCodeAt(at - 1) + 1 ? steps + 1 : 0;
    turns = unit === value.charCodeAt(at - 2) + 1 ? turns + 1 : 0;
    if (steps >= STEPS_IN_ORDER || turns >= STEPS_IN_TURN) return true;
  }
  return false;
}

const WORD_UNITS = 3;
const CONSONANTS_MAX = 4;
const NUMBERS_MAX = 2;
/** Of its letters, how many stand in words. */
const WORDY = 0.7;

/** By first letter, what hardly ever follows it in words and names. */
const RARE_PAIRS = [
  'a:oq b:qvx c:jxz d:kqz e:z f:hjkpqvwxz g:fjkqv h:fgjkpqvxz i:hijqwy j:bcdfghjklmnqrtxyz k:bhjkmqvxz',
  'l:hjqxz m:fgqrwz n:x o:qz p:jvwxz q:abcdfghijklmnopqstvwxyz r:jqxz s:jxz t:jqv u:hjquvyz',
  'v:fhjkmnpqrvxyz w:dfjkmpquvyz x:bgjkmnqruvwz y:dhjkquvxy z:bcfghjknpqrtuvwxy',
];
const LETTERS = 32;
const rarePairs = new Uint8Array(LETTERS * LETTERS);
for (const [first = '', followers = ''] of RARE_PAIRS.join(' ')
  .split(' ')
  .map((one) => one.split(':')))
  for (const second of followers)
    rarePairs[(first.charCodeAt(0) & 31) * LETTERS + (second.charCodeAt(0) & 31)] = 1;
const isRarePair = (value: string, at: number): boolean =>
  rarePairs[(value.charCodeAt(at - 1) & 31) * LETTERS + (value.charCodeAt(at) & 31)] === 1;

const NEITHER = 0;
const DIGIT = 1;
const VOWEL = 2;
const CONSONANT = 3;
/** By unit of ASCII. */
const sorts = Uint8Array.from({ length: 128 }, (_, unit) => {
  const one = String.fromCharCode(unit);
  if (/\d/.test(one)) return DIGIT;
  if (/[aeiouy]/i.test(one)) return VOWEL;
  return /[a-z]/i.test(one) ? CONSONANT : NEITHER;
});
const sortAt = (value: string, at: number): number => sorts[value.charCodeAt(at)] ?? NEITHER;
const isSmall = (unit: number): boolean => unit >= 0x61;

/** Whether a digit goes on with a number: a date or a version is one. */
const isFurtherDigit = (value: string, at: number): boolean =>
  sortAt(value, at - 1) === DIGIT ||
  ('-._:'.includes(value.charAt(at - 1)) && sortAt(value, at - 2) === DIGIT);

/** Whether a letter goes on with a word: `getUserOAuth` has four, `get`, `User`, `OA` and `uth`. */
function isFurtherLetter(value: string, at: number, units: number): boolean {
  if (units === 0) return false;
  const small = isSmall(value.charCodeAt(at));
  return small === isSmall(value.charCodeAt(at - 1)) || (small && units === 1);
}

/**
 * Names, paths and sentences: most of the letters stand in words, which have vowels, and there are two numbers
 * at most. `share` of its letters is enough. Reads unit by unit and makes nothing: it is asked of every value that stands behind a name.
 */
export function isWordy(value: string, share = WORDY): boolean {
  let numbers = 0;
  let letters = 0;
  let inWords = 0;
  let units = 0;
  let vowels = 0;
  let consonants = 0;
  let consonantsMost = 0;
  let rare = false;
  for (let at = 0; at <= value.length; at++) {
    const sort = at < value.length ? sortAt(value, at) : NEITHER;
    if (sort <= DIGIT || !isFurtherLetter(value, at, units)) {
      if (units >= WORD_UNITS && vowels > 0 && !rare && consonantsMost <= CONSONANTS_MAX)
        inWords += units;
      letters += units;
      units = vowels = consonants = consonantsMost = 0;
      rare = false;
    }
    if (sort === DIGIT && !isFurtherDigit(value, at) && ++numbers > NUMBERS_MAX) return false;
    if (sort <= DIGIT) continue;
    if (units > 0 && isRarePair(value, at)) rare = true;
    units++;
    consonants = sort === CONSONANT ? consonants + 1 : 0;
    consonantsMost = Math.max(consonantsMost, consonants);
    if (sort === VOWEL) vowels++;
  }
  return inWords >= share * letters;
}

/** Nothing that is issued has them, but for one token in ten thousand. */
const STAND_IN =
  /example|sample|dummy|placeholder|change_?me|your[_-]|redacted|x{6}|\*{4}|\.{4}|replace[_-]|insert[_-]/i;

/** Behind a prefix there must be as many, most of them letters, and nearly all of those in words: fewer happen by chance. */
const WORDS_UNITS_MIN = 17;
const LETTERS_SHARE_MIN = 0.6;
const NEARLY_ALL = 0.75;
const PREFIX_UNITS_MAX = 14;
const PREFIX = new RegExp(`^.{0,${PREFIX_UNITS_MAX - 1}}?[-_.:/]`);
const NO_LETTERS = /[^A-Za-z]+/g;

/** Whether there are words behind its prefix, and two numbers at most. */
export function isOfWords(token: string): boolean {
  const value = token.replace(PREFIX, '');
  return (
    value.length >= WORDS_UNITS_MIN &&
    value.replace(NO_LETTERS, '').length >= LETTERS_SHARE_MIN * value.length &&
    isWordy(value, NEARLY_ALL)
  );
}

export const isStandIn = (token: string): boolean => STAND_IN.test(token);

/** What documentation has in the place of a token: a stand-in, or words without a digit behind its prefix. */
export const isMadeUp = (token: string): boolean =>
  isStandIn(token) || (!/\d/.test(token.replace(PREFIX, '')) && isOfWords(token));

/** What stands for a password, for a user, or for both. */
const USUAL =
  /^(?:(?:your|my|our|the|some|db|user|app|new|old)[-_]?)?(?:pass(?:word|wd|phrase)?|pwd|pw|secret|user(?:name)?|token|(?:api|access|secret)[-_]?(?:key|token)|key|\*+|x+|\.+|-+|_+)$/i;

/** `password`, `my_secret`, `xxxx`: a password of which everybody knows that it is none. */
export const isUsual = (password: string): boolean =>
  USUAL.test(password) || STAND_IN.test(password);
