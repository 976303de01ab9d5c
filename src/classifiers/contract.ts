/** How one kind of classifier is asked, and how its answer is understood. One file each, and a line in `table.ts`. */
import type { TextVerdict } from '../match/classifier.ts';
import type { Direction } from '../policy/set.ts';

export interface Question {
  readonly texts: readonly string[];
  readonly direction: Direction;
  /** Of the configuration; undefined without. */
  readonly model: string | undefined;
}

export interface ContractAnswer {
  /** One for each text, in their order. */
  readonly verdicts: readonly TextVerdict[];
  /** Of what has judged, if it says so: verdicts of another one are forgotten. */
  readonly version?: string;
}

export interface Contract {
  /** Texts of one call. */
  readonly textsMax: number;
  /** What is sent, as JSON. */
  body(question: Question): unknown;
  /** `answer` is JSON from the network; undefined: it is not what was agreed. */
  read(answer: unknown, question: Question): ContractAnswer | undefined;
}

export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Labels of one text that are looked at. */
const LABELS_MAX = 256;

/** Scores by label, all of them numbers from 0 to 1; undefined where one is not. */
export function scoresIn(value: unknown): ReadonlyMap<string, number> | undefined {
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length > LABELS_MAX) return undefined;
  const scores = new Map<string, number>();
  for (const [label, score] of entries) {
    if (typeof score !== 'number' || !(score >= 0 && score <= 1)) return undefined;
    scores.set(label, score);
  }
  return scores;
}

/** Every item read; undefined where there are not as many as texts, or one cannot be read. */
export function eachRead(
  items: unknown,
  { texts }: Question,
  read: (item: unknown, text: string) => TextVerdict | undefined,
): readonly TextVerdict[] | undefined {
  if (!Array.isArray(items) || items.length !== texts.length) return undefined;
  const verdicts: TextVerdict[] = [];
  for (const [index, item] of items.entries()) {
    const verdict = read(item, texts[index]!);
    if (verdict === undefined) return undefined;
    verdicts.push(verdict);
  }
  return verdicts;
}
