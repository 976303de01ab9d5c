/** Our own contract: texts in, scores by label and spans out (docs/reference/classifiers.md). */
import type { ClassifiedSpan } from '../match/classifier.ts';
import { type Contract, eachRead, isObject, scoresIn } from './contract.ts';

/** Spans of one text that are looked at. */
const SPANS_MAX = 1_000;
const VERSION_UNITS_MAX = 128;

export const SWITCHYARD = Object.freeze<Contract>({
  textsMax: 64,
  body: ({ texts, direction }) => ({ texts, direction }),
  read(answer, question) {
    if (!isObject(answer)) return undefined;
    const { results, version } = answer;
    const verdicts = eachRead(results, question, (item, text) => {
      if (!isObject(item)) return undefined;
      const scores = scoresIn(item.scores);
      if (scores === undefined) return undefined;
      if (item.spans === undefined) return { scores };
      const spans = spansIn(item.spans, text);
      return spans && { scores, spans };
    });
    if (verdicts === undefined) return undefined;
    if (version === undefined) return { verdicts };
    const readable = typeof version === 'string' && version.length <= VERSION_UNITS_MAX;
    return readable ? { verdicts, version } : undefined;
  },
});

/** Theirs count characters (code points), ours UTF-16 units. */
function spansIn(value: unknown, text: string): readonly ClassifiedSpan[] | undefined {
  if (!Array.isArray(value) || value.length > SPANS_MAX) return undefined;
  const units = unitsOf(text);
  const spans: ClassifiedSpan[] = [];
  for (const span of value) {
    if (!isObject(span) || typeof span.label !== 'string') return undefined;
    const start = units(span.start);
    const end = units(span.end);
    if (start === undefined || end === undefined || end <= start) return undefined;
    spans.push({ start, end, label: span.label });
  }
  return spans;
}

/** Where a character of the text begins; undefined for what is no position in it. */
function unitsOf(text: string): (character: unknown) => number | undefined {
  const starts: number[] = [];
  let unit = 0;
  for (const character of text) {
    starts.push(unit);
    unit += character.length;
  }
  starts.push(unit);
  return (character) => (typeof character === 'number' ? starts[character] : undefined);
}
