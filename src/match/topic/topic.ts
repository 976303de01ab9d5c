/** Topic: what a text is about, by the words it is made of. No model is asked. */
import type { Detector } from '../detector.ts';
import { SignalTracker } from '../signal-tracker.ts';
import { buildSignals, type SignalSpec, type SignalTable } from '../signals.ts';
import { matchesIn } from '../whole-text.ts';
import { TOPIC_NAMES, type TopicName, VOCABULARIES } from './vocabularies.ts';

export interface TopicOptions {
  /** A built-in topic, or the author's own name for one made of `terms`. */
  readonly name: string;
  readonly threshold: number;
  /** Terms of the author's own, 0..1 by how sure each alone makes one. `*` at the end stands for any ending. */
  readonly terms?: Readonly<Record<string, number>>;
}

/** What a built-in term weighs: of the strong ones two reach .7, of the medium ones it takes four. */
export const TOPIC_WEIGHTS = Object.freeze({ strong: 0.46, medium: 0.27, weak: 0.1 });

/** After so many words a term counts half: what a text is about shows within a paragraph or two. */
export const TOPIC_HALF_LIFE_WORDS = 150;

export const isTopicName = (name: string): name is TopicName =>
  (TOPIC_NAMES as readonly string[]).includes(name);

const builtIn = (name: TopicName): readonly SignalSpec[] =>
  (['strong', 'medium', 'weak'] as const).flatMap((strength) =>
    VOCABULARIES[name][strength].map((term) => ({
      id: `${name}.${strength}`,
      weight: TOPIC_WEIGHTS[strength],
      words: term.split('|'),
    })),
  );

/** The place in the list, and not the term: what a record says is never what a text said. */
const ownTerms = (terms: Readonly<Record<string, number>>): readonly SignalSpec[] =>
  Object.entries(terms).map(([term, weight], index) => ({
    id: `terms.${index + 1}`,
    weight,
    words: [term],
  }));

const tables = new Map<TopicName, SignalTable>();

function tableOf(name: string, terms: Readonly<Record<string, number>> | undefined): SignalTable {
  if (!isTopicName(name)) return buildSignals(ownTerms(terms ?? {}), {});
  if (terms !== undefined) return buildSignals([...builtIn(name), ...ownTerms(terms)], {});
  const table = tables.get(name) ?? buildSignals(builtIn(name), {});
  tables.set(name, table);
  return table;
}

export const topicLabel = (name: string): string =>
  `TOPIC_${name.toUpperCase().replace(/[^A-Z0-9]+/gu, '_')}`;

/** A name that is not built in needs terms, or nothing ever matches. */
export function topicDetector({ name, threshold, terms }: TopicOptions): Detector {
  const table = tableOf(name, terms);
  const label = topicLabel(name);
  const options = { label, threshold, halfLifeWords: TOPIC_HALF_LIFE_WORDS, damped: false };
  // Whoever says it: a topic is a topic.
  const start = () => [new SignalTracker(table, options)];
  return Object.freeze({
    kind: 'topic' as const,
    topic: name,
    labels: [label],
    unitsMax: table.unitsMax,
    bytes: table.bytes,
    start,
    matches: (text: string) => matchesIn(start(), text).length > 0,
  });
}
