/** The rules and the texts of `match.ts`, the same in every run, and in the words of the reference. */
import type { Detector } from '../src/match/detector.ts';
import {
  keywordDetector,
  piiDetector,
  regexDetector,
  SECRET_GROUPS,
  secretDetector,
} from './match-build.ts';

export interface RuleSet {
  readonly title: string;
  /** Compiles it; compiled anew by each call. */
  readonly detectors: () => readonly Detector[];
  /** Lines for the reference: words, or expressions in its own syntax, which is nearly RE2's. */
  readonly reference: { readonly kind: 'words' | 'expressions'; readonly lines: readonly string[] };
  readonly text: () => string;
}

const SYLLABLES = 'an ber con de est for ing la men no per qua ri sol tor un ver wi zen al'.split(
  ' ',
);

/** A small linear congruential generator (Numerical Recipes' constants): the same prose every time. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state >>> 8;
  }
}

const source = numbers(7);
const pick = (count: number): number => source.next().value % count;
const oneOf = (choices: readonly string[]): string => choices[pick(choices.length)] as string;
const word = (): string => Array.from({ length: 1 + pick(3) }, () => oneOf(SYLLABLES)).join('');

/** One of `told` in a thousand units or so; an address and a card number as often, if `personal`. */
function prose(units: number, told: readonly string[], personal: boolean): string {
  const words: string[] = [];
  for (let length = 0; length < units; ) {
    const dice = pick(personal ? 500 : 170);
    const other = [oneOf(told), 'bob@acme.example', '4111 1111 1111 1111'];
    const next = (personal || dice === 0 ? other[dice] : undefined) ?? word();
    words.push(pick(12) === 0 ? `${next}.` : next);
    length += next.length + 1;
  }
  return words.join(' ');
}

/** Names of two or three words: about as long as products and people are. */
function names(count: number): string[] {
  const made = new Set<string>();
  while (made.size < count)
    made.add(
      Array.from({ length: 2 + pick(2) }, () => `${word()}${word()}`.slice(0, 12)).join(' '),
    );
  return [...made];
}

function expression(pattern: string): Detector {
  const made = regexDetector({ pattern });
  if (!made.ok) throw new Error(`${pattern}: ${made.message}`);
  return made.detector;
}

/** As authors write them: numbers of their own, names with endings, two words near each other. */
const ownPatterns: readonly string[] = [
  ...Array.from({ length: 15 }, (_, index) => `\\b[A-Z]{2}${index}\\d{2}[ -]?\\d{4}[ -]?\\d{4}\\b`),
  ...Array.from({ length: 15 }, () => `(?i)\\b${word()}${word()}(?:ing|ed|s)?\\b`),
  ...Array.from({ length: 10 }, () => `(?i)${word()}\\s{1,3}(?:of|for|the)\\s{1,3}${word()}x`),
  ...Array.from({ length: 5 }, () => `(?i)\\b${word()}[^\\n]{1,20}${word()}${word()}x\\b`),
  '\\b\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\b',
  '\\b\\d{3}-\\d{2}-\\d{4}\\b',
  '\\b[A-Z]{2}\\d{2}(?: ?[A-Z0-9]{4}){3,7}\\b',
  '\\b(?:\\+\\d{1,3}[ -]?)?\\(?\\d{3}\\)?[ -]?\\d{3}[ -]?\\d{4}\\b',
  '\\b\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}\\b',
];

/** Shapes of well-known tokens. */
const tokens: readonly string[] = [
  ...['AKIA', 'ASIA'].map((prefix) => `\\b${prefix}[A-Z0-9]{16}\\b`),
  ...['ghp', 'gho', 'ghu', 'ghs', 'ghr'].map((prefix) => `\\b${prefix}_[A-Za-z0-9]{36}\\b`),
  ...['sk_live', 'sk_test', 'rk_live'].map((prefix) => `\\b${prefix}_[A-Za-z0-9]{24,99}\\b`),
  ...['xoxb', 'xoxp', 'xapp'].map((prefix) => `\\b${prefix}-[A-Za-z0-9-]{20,72}`),
  ...['sk-proj-', 'sk-ant-api03-'].map((prefix) => `\\b${prefix}[A-Za-z0-9_-]{40,120}`),
  ...['shpat', 'shpss', 'shpca'].map((prefix) => `\\b${prefix}_[0-9a-fA-F]{32}\\b`),
  ...['SK', 'AC'].map((prefix) => `\\b${prefix}[0-9a-f]{32}\\b`),
  '\\bAIza[A-Za-z0-9_-]{35}',
  '\\bglpat-[A-Za-z0-9_-]{20}',
  '\\bnpm_[A-Za-z0-9]{36}\\b',
  '\\bhf_[A-Za-z]{34}\\b',
  '\\bdop_v1_[0-9a-f]{64}\\b',
  '\\bSG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}',
  '\\b\\d{8,10}:AA[A-Za-z0-9_-]{33}',
  '\\beyJ[A-Za-z0-9_-]{10,60}\\.[A-Za-z0-9_-]{10,60}',
  '-----BEGIN [A-Z ]{1,30}KEY-----',
  '(?i)password\\s{0,3}[:=]\\s{0,3}\\S{6,40}',
];

const PROVIDERS = (
  'adafruit airtable algolia asana beamer bitbucket coinbase confluent contentful datadog discord dropbox ' +
  'fastly finicity flickr freshbooks heroku hubspot intercom jfrog kraken launchdarkly linear lob mailgun ' +
  'mapbox netlify okta plaid sendbird'
).split(' ');

/** The name of a provider, a word for its key, and the key. */
const namedKeys: readonly string[] = PROVIDERS.map(
  (name) =>
    `(?i)\\b${name}[ _.-]{0,2}(?:api)?[ _-]?(?:key|token|secret)["' ]{0,3}[:=]{1,2}["' ]{0,3}[0-9a-z]{32}\\b`,
);

const patterns: readonly string[] = [...ownPatterns, ...tokens, ...namedKeys];
const thousand = names(1_000);
const tenThousand = names(10_000);

const secretExpressions: readonly string[] = Object.values(SECRET_GROUPS)
  .flat()
  .map((kind) => kind.expression);

const whole = (words: readonly string[]): string => `(?i)\\b(?:${words.join('|')})\\b`;
/** What an address and a card number are, without lengths and check digits: less work than ours. */
const ADDRESS = "[A-Za-z0-9_][A-Za-z0-9_.!#$%&'*+/=?^`{|}~-]*@(?:[A-Za-z0-9-]+\\.)+[A-Za-z]{2,}";
const CARD = '\\b\\d(?:[ -]?\\d){12,18}\\b';

const MILLION = 1_000_000;

export function ruleSets(millionUnits: number): readonly RuleSet[] {
  const units = millionUnits * MILLION;
  return [
    {
      title: '1,000 keywords',
      detectors: () => [keywordDetector({ words: thousand })],
      reference: { kind: 'words', lines: thousand },
      text: () => prose(units, thousand, false),
    },
    {
      title: '10,000 keywords',
      detectors: () => [keywordDetector({ words: tenThousand })],
      reference: { kind: 'words', lines: tenThousand },
      text: () => prose(units, tenThousand, false),
    },
    {
      title: `${patterns.length} expressions`,
      detectors: () => patterns.map(expression),
      reference: { kind: 'expressions', lines: patterns },
      text: () => prose(units, thousand, true),
    },
    {
      title: 'everything',
      detectors: everything,
      reference: {
        kind: 'expressions',
        lines: [whole(thousand), ADDRESS, CARD, ...ownPatterns, ...secretExpressions],
      },
      text: () => prose(units, thousand, true),
    },
  ];
}

/** 1,000 keywords, personal data, 50 expressions, and secrets of all kinds. */
export const everything = (): readonly Detector[] => [
  keywordDetector({ words: thousand }),
  piiDetector({ entities: ['email', 'credit_card'] }),
  secretDetector(),
  ...ownPatterns.map(expression),
];

/** Numbers of all countries: forms, check digits and names in front of them. */
export const personalData = (): readonly Detector[] => [piiDetector({ entities: ['all'] })];

const FLOOD_UNITS = 300_000;
const repeated = (part: string): string =>
  part.repeat(Math.ceil(FLOOD_UNITS / part.length)).slice(0, FLOOD_UNITS);
const random = (letters: string): string =>
  Array.from({ length: FLOOD_UNITS }, () => letters[(pick(65_536) >> 8) % letters.length]).join('');
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';

/** One run without an end, or as near to matches as can be. */
export const floods = (): Readonly<Record<string, string>> => ({
  'one letter': repeated('a'),
  'one digit': repeated('4'),
  digits: random(DIGITS),
  'hexadecimal digits': random(`${DIGITS}abcdef`),
  base64: random(`${LETTERS}${LETTERS.toUpperCase()}${DIGITS}+/`),
  'capitals and digits': random(`${LETTERS.toUpperCase()}${DIGITS}`),
  'punctuation and digits': random(`${DIGITS}-.:/+ `),
  'a@a@': repeated('a@a@'),
  'sk-proj-': repeated('sk-proj-'),
  addresses: repeated('bob@acme.example '),
  'keywords but for the last letter': repeated(
    thousand.map((name) => `${name.slice(0, -1)}0 `).join(''),
  ),
  keywords: repeated(thousand.map((name) => `${name} `).join('')),
  'named keys but for the last digit': repeated(
    PROVIDERS.map((name) => `${name}_api_key = '${'0a1b2c3d4e5f6789'.repeat(2).slice(1)}' `).join(
      '',
    ),
  ),
  'passwords without an end': repeated('password:'),
  'names of keys, and no keys': repeated('stripe_secret_key = the_name_of_another_thing '),
  'letters with marks': repeated('a\u0301\u200b'),
  // Every letter may begin a key of hexadecimal digits, of which 64 units that are not seen are left out.
  'letters and what is not seen': repeated('a\u200b'),
  'letters and tags': repeated('a\u{e0041}'),
  'mathematical letters': repeated('\u{1d400}'),
  'beginnings of a key of 8,192 units': repeated('PuTTY-User-Key-File-2: ssh-'),
  'beginnings of connection strings': repeated('host=server='),
  'private keys of zeros': repeated(`private_key=${'0'.repeat(64)} `),
});

const CAPITALS = LETTERS.toUpperCase();
const HEXADECIMAL = `${DIGITS}abcdef`;
const some = (letters: string, count: number): string =>
  Array.from({ length: count }, () => letters[(pick(65_536) >> 8) % letters.length]).join('');
const digits = (count: number): string => some(DIGITS, count);
const made = (part: () => string): string => {
  const parts: string[] = [];
  for (let units = 0; units < FLOOD_UNITS; units += (parts.at(-1) as string).length)
    parts.push(part());
  return parts.join('').slice(0, FLOOD_UNITS);
};
const BASE58 = `123456789ABCDEFGHJKLMNPQRSTUVWXYZ${LETTERS.replace('l', '')}`;

/** What each kind of personal data nearly is, again and again. */
export const personalFloods = (): Readonly<Record<string, string>> => ({
  'sixteen digits': made(() => `${digits(16)} `),
  'nine digits': made(() => `${digits(9)} `),
  'eleven digits and commas': made(() => `${digits(11)},`),
  'four times four digits': made(() => `${digits(4)}-${digits(4)}-${digits(4)}-${digits(4)} `),
  'account numbers': made(() => `DE${digits(20)} `),
  'account numbers in groups': repeated('DE89 3704 0044 0532 0130 '),
  'beginnings of account numbers': repeated('GB82'),
  'numbers with a calling code': made(() => `+1 ${digits(3)} ${digits(3)} ${digits(4)} `),
  'numbers with brackets': made(() => `(${digits(3)}) ${digits(3)}-${digits(4)} `),
  dates: made(() => `${1 + pick(12)}/${1 + pick(28)}/19${digits(2)} `),
  'dates from the year on': made(() => `19${digits(2)}-0${1 + pick(9)}-1${digits(1)} `),
  'pairs of hexadecimal digits': made(() => `${some(HEXADECIMAL, 2)}:`),
  'octets without an end': made(() => `${pick(256)}.`),
  'three octets': made(() => `${pick(256)}.${pick(256)}.${pick(256)} `),
  'fe80::': repeated('fe80::'),
  'coins by Base58': made(() => `1${some(BASE58, 33)} `),
  'coins by EIP-55': made(() => `0x${some(`${HEXADECIMAL}ABCDEF`, 40)} `),
  'coins by Bech32': made(() => `bc1${some('qpzry9x8gf2tvdw0s3jn54khce6mua7l', 39)} `),
  'a.com/': repeated('a.com/'),
  'http://': repeated('http://'),
  'a.a.a.a@': repeated('a.a.a.a@'),
  'at signs': repeated('@'),
  'white space': repeated('\n\t '),
  'combining marks': repeated('e\u0301'),
  'digits of full width': random('\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19'),
  'digits and what is not seen': made(() => `${digits(1)}\u200b`),
  'digits and dots': random(`${DIGITS}.`),
  'digits and hyphens': random(`${DIGITS}-`),
  'digits and spaces': random(`${DIGITS} `),
  'named numbers': made(() => `passport ${digits(8)} `),
  'licences without an end': made(() => `${some(CAPITALS, 1)}${digits(2)}-${digits(3)}-`),
});

/** Expressions that are costly by their nature, each with the text that is worst for it. */
export const hostileRules = (): Readonly<Record<string, readonly [Detector, string]>> => ({
  '[a-z]+! of at most 8,192 units': [capped('[a-z]+!', 8_192), repeated('a')],
  'a|a[a-z]*! of at most 256 units': [capped('a|a[a-z]*!', 256), repeated('a')],
  'a[ab]{20}c': [expression('a[ab]{20}c'), random('ab')],
  '[ab]*a[ab]{20} of at most 256 units': [capped('[ab]*a[ab]{20}c', 256), random('ab')],
  '[0-9a-f]{200}x': [expression('[0-9a-f]{200}x'), random(`${DIGITS}abcdef`)],
});

function capped(pattern: string, maxMatchBytes: number): Detector {
  const made = regexDetector({ pattern, maxMatchBytes });
  if (!made.ok) throw new Error(made.message);
  return made.detector;
}
