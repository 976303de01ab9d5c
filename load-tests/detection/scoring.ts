/** Precision, recall and F1 of found spans against labelled ones. A span counts when it overlaps one of its type. */

export interface Span {
  readonly start: number;
  readonly end: number;
  /** A label of ours (`EMAIL`, `US_SSN`), whatever the source calls it. */
  readonly type: string;
}

export interface LabelledText {
  readonly id: string;
  readonly text: string;
  readonly spans: readonly Span[];
  /** The only type of which the text is known to hold none but `spans`; of all, where it is not given. */
  readonly only?: string;
}

export interface Counts {
  found: number;
  missed: number;
  falseAlarms: number;
}

export interface Judged {
  readonly byType: ReadonlyMap<string, Counts>;
  readonly misses: readonly { readonly id: string; readonly type: string; readonly text: string }[];
  readonly alarms: readonly { readonly id: string; readonly type: string; readonly text: string }[];
}

const overlap = (a: Span, b: Span): boolean => a.start < b.end && b.start < a.end;

/** Spans of one type that overlap are one: what is covered is covered. */
function merged(spans: readonly Span[]): Span[] {
  const made: Span[] = [];
  const sorted = [...spans].sort((a, b) => a.type.localeCompare(b.type) || a.start - b.start);
  for (const span of sorted) {
    const last = made[made.length - 1];
    if (last !== undefined && last.type === span.type && overlap(last, span))
      made[made.length - 1] = { ...last, end: Math.max(last.end, span.end) };
    else made.push(span);
  }
  return made;
}

export function judge(
  texts: readonly LabelledText[],
  findings: (text: LabelledText) => readonly Span[],
  types: ReadonlySet<string>,
): Judged {
  const byType = new Map<string, Counts>();
  const misses: { id: string; type: string; text: string }[] = [];
  const alarms: { id: string; type: string; text: string }[] = [];
  const countsOf = (type: string): Counts => {
    const counts = byType.get(type) ?? { found: 0, missed: 0, falseAlarms: 0 };
    byType.set(type, counts);
    return counts;
  };
  for (const labelled of texts) {
    const open = merged(findings(labelled)).filter(
      ({ type }) => types.has(type) && (labelled.only ?? type) === type,
    );
    for (const span of labelled.spans) {
      if (!types.has(span.type)) continue;
      const index = open.findIndex((one) => one.type === span.type && overlap(one, span));
      if (index >= 0) {
        open.splice(index, 1);
        countsOf(span.type).found++;
        continue;
      }
      countsOf(span.type).missed++;
      const text = labelled.text.slice(span.start, span.end);
      misses.push({ id: labelled.id, type: span.type, text });
    }
    for (const { type, start, end } of open) {
      countsOf(type).falseAlarms++;
      alarms.push({ id: labelled.id, type, text: labelled.text.slice(start, end) });
    }
  }
  return { byType, misses, alarms };
}

export interface Rates {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** 1 where there was nothing to be wrong about. */
export function ratesOf({ found, missed, falseAlarms }: Counts): Rates {
  const precision = found + falseAlarms === 0 ? 1 : found / (found + falseAlarms);
  const recall = found + missed === 0 ? 1 : found / (found + missed);
  const f1 =
    2 * found + missed + falseAlarms === 0 ? 1 : (2 * found) / (2 * found + missed + falseAlarms);
  return { precision, recall, f1 };
}

export function sumOf(counts: Iterable<Counts>): Counts {
  const sum: Counts = { found: 0, missed: 0, falseAlarms: 0 };
  for (const { found, missed, falseAlarms } of counts) {
    sum.found += found;
    sum.missed += missed;
    sum.falseAlarms += falseAlarms;
  }
  return sum;
}
