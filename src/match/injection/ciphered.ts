/** Orders in two ciphers that models read at sight: rot13, and words written backwards. */
import type { SignalSpec, WordClasses } from '../signals.ts';

const WORDS = {
  ignore: 'ignore disregard forget override bypass neglect discard',
  orders: 'instructions instruction rules prompt guidelines directions commands',
  reveal: 'reveal show print repeat output display tell leak',
  secret: 'system prompt password secret instructions rules key',
} as const;

const A = 97;
const HALF = 13;
const rot13 = (word: string): string =>
  [...word]
    .map((one) => String.fromCharCode(((one.charCodeAt(0) - A + HALF) % (2 * HALF)) + A))
    .join('');
const backwards = (word: string): string => [...word].reverse().join('');

const ciphered = (name: string, cipher: (word: string) => string): [string, string][] =>
  Object.entries(WORDS).map(([key, words]) => [
    `${name}_${key}`,
    words.split(' ').map(cipher).join('|'),
  ]);

export const CIPHERED_WORDS: WordClasses = Object.freeze(
  Object.fromEntries([...ciphered('rot13', rot13), ...ciphered('backwards', backwards)]),
);

export const CIPHERED: readonly SignalSpec[] = [
  {
    id: 'encoded.rot13',
    weight: 0.85,
    patterns: ['@rot13_ignore ~4 @rot13_orders', '@rot13_reveal ~4 @rot13_secret'],
  },
  {
    id: 'encoded.backwards',
    weight: 0.85,
    patterns: [
      '@backwards_orders ~4 @backwards_ignore',
      '@backwards_secret ~4 @backwards_reveal',
      '@backwards_ignore ~4 @backwards_orders',
    ],
  },
];
