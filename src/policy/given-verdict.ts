/** What a classifier says in a case or a trial, as somebody wrote it down: nobody is asked there. */
import type { ClassifiedSpan, TextVerdict } from '../match/classifier.ts';

/** Why a classifier has no verdict. */
export const CLASSIFIER_FAILURES = [
  'deadline',
  'unreachable',
  'bad_status',
  'bad_answer',
  'overloaded',
  'too_long',
  'breaker_open',
  'not_configured',
] as const;
export type ClassifierFailure = (typeof CLASSIFIER_FAILURES)[number];

type Scores = ReadonlyMap<string, number>;

export type GivenVerdict =
  | { readonly kind: 'failed'; readonly reason: ClassifierFailure }
  /** `of`: which words a text must have for these scores; '' for all texts. */
  | {
      readonly kind: 'scores';
      readonly of: readonly { readonly words: string; readonly scores: Scores }[];
    };

/**
 * A score of every text (`0.9`), a map of words to the score of texts that have them (`{ "so bad": 0.9 }`), each a
 * number or a map of labels to numbers, or the reason for no verdict (`deadline`). A number alone has the name of the
 * classifier for its label. Undefined for what is none of these.
 */
export function givenVerdict(classifier: string, value: unknown): GivenVerdict | undefined {
  const reason = CLASSIFIER_FAILURES.find((one) => one === value);
  if (reason !== undefined) return { kind: 'failed', reason };
  if (isScore(value))
    return { kind: 'scores', of: [{ words: '', scores: scoresOf(classifier, value)! }] };
  if (!isRecord(value)) return undefined;
  const of: { words: string; scores: Scores }[] = [];
  for (const [words, given] of Object.entries(value)) {
    const scores = scoresOf(classifier, given);
    if (scores === undefined || words === '') return undefined;
    of.push({ words, scores });
  }
  return { kind: 'scores', of };
}

/** What it says of one text: the highest scores of all words that the text has, and where those stand. */
export function verdictOn(
  given: Extract<GivenVerdict, { kind: 'scores' }>,
  text: string,
): TextVerdict {
  const scores = new Map<string, number>();
  const spans: ClassifiedSpan[] = [];
  for (const { words, scores: own } of given.of) {
    if (!text.includes(words)) continue;
    for (const [label, score] of own) {
      scores.set(label, Math.max(score, scores.get(label) ?? 0));
      if (words === '') continue;
      for (let at = text.indexOf(words); at !== -1; at = text.indexOf(words, at + words.length))
        spans.push({ start: at, end: at + words.length, label });
    }
  }
  return spans.length === 0 ? { scores } : { scores, spans };
}

function scoresOf(classifier: string, value: unknown): Scores | undefined {
  if (isScore(value)) return new Map([[classifier, value]]);
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length === 0 || !entries.every(([, score]) => isScore(score))) return undefined;
  return new Map(entries as [string, number][]);
}

const isScore = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= 1;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
