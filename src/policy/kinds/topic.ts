import { Type } from 'typebox';
import { isJoiner } from '../../match/signal-lexicon.ts';
import { isTopicName, topicDetector } from '../../match/topic/topic.ts';
import { TOPIC_NAMES } from '../../match/topic/vocabularies.ts';
import { quote, quoteList } from '../errors.ts';
import { child } from '../located.ts';
import { closed } from '../schema-parts.ts';
import { nearest } from '../suggest.ts';
import { keywordFault } from './keywords.ts';
import { type MatchContext, matchKind } from './kind.ts';
import { checkScored, ThresholdSchema } from './scored.ts';

export const TOPIC = matchKind({
  schema: Type.Object(
    {
      name: Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,62}$' }),
      threshold: ThresholdSchema,
      terms: Type.Optional(
        Type.Record(Type.String(), Type.Number({ minimum: 0.01, maximum: 0.99 }), {
          minProperties: 1,
        }),
      ),
    },
    closed,
  ),
  compile(settings, context) {
    const { name, terms } = settings;
    if (!checkScored(context, { spans: false, session: false })) return undefined;
    if (terms === undefined && !isTopicName(name)) {
      const meant = nearest(name, TOPIC_NAMES);
      context.report(
        child(context.node, 'name')?.at ?? context.node.at,
        'topic_unknown',
        `there is no topic ${quote(name)}${meant === undefined ? '' : `: did you mean ${quote(meant)}?`}; write ${quoteList(TOPIC_NAMES)}, or \`terms\` of your own`,
      );
      return undefined;
    }
    return termsAreSound(terms ?? {}, context) ? topicDetector(settings) : undefined;
  },
});

function termsAreSound(
  terms: Readonly<Record<string, number>>,
  { node, limits, report }: MatchContext,
): boolean {
  const map = child(node, 'terms');
  const words = Object.keys(terms);
  if (words.length > limits.keywordsMax) {
    report(
      map?.at ?? node.at,
      'too_many_keywords',
      `the topic has ${words.length} terms; write at most ${limits.keywordsMax} and split the rest off`,
    );
    return false;
  }
  let clean = true;
  for (const word of words) {
    const nameless = isJoiner(word.charCodeAt(0))
      ? 'a term begins with what parts words; begin it with a letter'
      : undefined;
    const fault = keywordFault(word, limits) ?? nameless;
    if (fault === undefined) continue;
    clean = false;
    const entry = map?.kind === 'map' ? map.entries.find(({ key }) => key === word) : undefined;
    report(entry?.keyAt ?? node.at, 'keyword_invalid', fault);
  }
  return clean;
}
