import { type Static, Type } from 'typebox';
import { keywordDetector } from '../../match/keywords.ts';
import { quote } from '../errors.ts';
import type { CompileLimits } from '../limits.ts';
import { child, type Located } from '../located.ts';
import { closed } from '../schema-parts.ts';
import { type MatchContext, matchKind } from './kind.ts';

const KeywordsSchema = Type.Object(
  {
    words: Type.Array(Type.String(), { minItems: 1 }),
    aliases: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String(), { minItems: 1 }))),
    substring: Type.Optional(Type.Boolean()),
    caseSensitive: Type.Optional(Type.Boolean()),
  },
  closed,
);

type Keywords = Static<typeof KeywordsSchema>;

export const KEYWORDS = matchKind({
  schema: KeywordsSchema,
  compile(settings, context) {
    if (!areSound(settings, context)) return undefined;
    try {
      return keywordDetector(settings);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const { node, report } = context;
      report(node.at, 'keyword_invalid', `a keyword cannot be matched: ${error.message}`);
      return undefined;
    }
  },
});

const HALF_CHARACTER = /\p{Surrogate}/u;

function areSound(keywords: Keywords, { node, limits, report }: MatchContext): boolean {
  let clean = true;
  const tell: typeof report = (at, code, message) => {
    clean = false;
    report(at, code, message);
  };
  const lists: { readonly words: readonly string[]; readonly node: Located | undefined }[] = [
    { words: keywords.words, node: child(node, 'words') },
  ];
  const aliases = child(node, 'aliases');
  const known = new Set(keywords.words);
  for (const [word, spellings] of Object.entries(keywords.aliases ?? {})) {
    const entry =
      aliases?.kind === 'map' ? aliases.entries.find((one) => one.key === word) : undefined;
    lists.push({ words: spellings, node: entry?.value });
    if (!known.has(word)) {
      tell(
        entry?.keyAt ?? node.at,
        'keyword_invalid',
        `${quote(word)} has aliases but is not among \`words\`; add it there`,
      );
    }
  }
  const count = lists.reduce((sum, list) => sum + list.words.length, 0);
  if (count > limits.keywordsMax) {
    tell(
      node.at,
      'too_many_keywords',
      `the rule has ${count} keywords; write at most ${limits.keywordsMax} and split the rest off`,
    );
    return clean;
  }
  for (const list of lists) {
    list.words.forEach((word, index) => {
      const item = list.node?.kind === 'list' ? list.node.items[index] : undefined;
      const fault = keywordFault(word, limits);
      if (fault !== undefined) tell(item?.at ?? node.at, 'keyword_invalid', fault);
    });
  }
  return clean;
}

/** What is wrong with it, and the way out. */
export function keywordFault(word: string, limits: CompileLimits): string | undefined {
  if (word.trim() === '') return 'a keyword is empty; write a word or remove it';
  if (word.length > limits.keywordCharsMax) {
    return `a keyword has ${word.length} characters; write at most ${limits.keywordCharsMax}`;
  }
  return HALF_CHARACTER.test(word) ? 'a keyword holds half a character; correct it' : undefined;
}
