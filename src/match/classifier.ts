/**
 * What a rule asks of a classifier outside of this process. It has no tracker and no judge: whoever holds the
 * exchange asks, and compares the scores with what stands here.
 */
export interface ClassifierQuestion {
  /** As the server's configuration calls it. */
  readonly name: string;
  /** A text matches from this score on, 0..1. */
  readonly threshold: number;
  /** Which of the classifier's labels count; all of them when undefined. */
  readonly labels: ReadonlySet<string> | undefined;
  /** `inline`: the exchange waits for the verdict; `deferred`: it goes on, and the verdict comes later. */
  readonly mode: 'inline' | 'deferred';
  /** What matched counts for the later requests of its session, and fades. */
  readonly session?: { readonly threshold: number; readonly halfLifeMs: number };
}

/** What a classifier says of one text. */
export interface TextVerdict {
  /** By label, 0..1. */
  readonly scores: ReadonlyMap<string, number>;
  /** Where in the text, in UTF-16 units, if it tells. */
  readonly spans?: readonly ClassifiedSpan[];
}

export interface ClassifiedSpan {
  readonly start: number;
  readonly end: number;
  readonly label: string;
}

/** The highest score of the labels that count; 0 without any. */
export function scoreOf(question: ClassifierQuestion, { scores }: TextVerdict): number {
  let highest = 0;
  for (const [label, score] of scores)
    if (score > highest && counts(question, label)) highest = score;
  return highest;
}

/** The first and last unit that a label which counts is about; undefined where that is not told. */
export function spanOf(
  question: ClassifierQuestion,
  { spans = [] }: TextVerdict,
): { readonly start: number; readonly end: number } | undefined {
  const own = spans.filter(({ label }) => counts(question, label));
  if (own.length === 0) return undefined;
  return {
    start: own.reduce((least, { start }) => Math.min(least, start), Number.POSITIVE_INFINITY),
    end: own.reduce((most, { end }) => Math.max(most, end), 0),
  };
}

/**
 * What a rule replaces of a text that matches: each stretch that a label is about which counts and matches, or the whole
 * text where that is not told. Named by the label where the rule names it.
 */
export function stretchesOf(
  question: ClassifierQuestion,
  { scores, spans = [] }: TextVerdict,
  units: number,
): readonly ClassifiedSpan[] {
  const own = spans.filter(
    ({ start, end, label }) =>
      start < end && counts(question, label) && (scores.get(label) ?? 1) >= question.threshold,
  );
  const found = own.length > 0 ? own : [{ start: 0, end: units, label: '' }];
  return found.map(({ start, end, label }) => ({
    start,
    end,
    label: question.labels?.has(label) ? placeholderLabel(label) : 'CLASSIFIER',
  }));
}

/** As a label stands in a placeholder. */
export const placeholderLabel = (label: string): string =>
  label
    .toUpperCase()
    .replace(/[^A-Z0-9]+/gu, '_')
    .replace(/^_+|_+$/gu, '')
    .slice(0, 40) || 'CLASSIFIER';

const counts = ({ labels }: ClassifierQuestion, label: string): boolean =>
  labels === undefined || labels.has(label);
