/** Texts cut for classifiers that read no longer ones. A function of the text alone. */
import type { ClassifiedSpan, TextVerdict } from '../match/classifier.ts';

/** What two windows share: what lies across a cut is whole in one of them, up to half of this. */
const OVERLAP_SHARE = 1 / 8;

export interface TextWindow {
  readonly start: number;
  readonly value: string;
}

/** Windows of at most `unitsMax` UTF-16 units; none begins or ends inside a character. */
export function windowsOf(text: string, unitsMax: number): readonly TextWindow[] {
  if (text.length <= unitsMax) return [{ start: 0, value: text }];
  const step = Math.ceil(unitsMax * (1 - OVERLAP_SHARE));
  const windows: TextWindow[] = [];
  for (let start = 0; ; start += step) {
    const from = startsInside(text, start) ? start - 1 : start;
    const last = from + unitsMax >= text.length;
    const to = last ? text.length : from + unitsMax;
    windows.push({
      start: from,
      value: text.slice(from, !last && startsInside(text, to) ? to - 1 : to),
    });
    if (last) return windows;
  }
}

/** The verdict on a text whose windows got these: of each label the highest score. */
export function joined(
  windows: readonly TextWindow[],
  verdicts: readonly TextVerdict[],
): TextVerdict {
  const [only] = verdicts;
  if (verdicts.length === 1 && only !== undefined) return only;
  const scores = new Map<string, number>();
  const spans: ClassifiedSpan[] = [];
  for (const [index, verdict] of verdicts.entries()) {
    for (const [label, score] of verdict.scores)
      scores.set(label, Math.max(score, scores.get(label) ?? 0));
    const { start: offset } = windows[index]!;
    for (const { start, end, label } of verdict.spans ?? [])
      spans.push({ start: start + offset, end: end + offset, label });
  }
  return spans.length === 0 ? { scores } : { scores, spans };
}

/** Whether a low surrogate stands there, behind its high one. */
function startsInside(text: string, at: number): boolean {
  return at > 0 && isSurrogate(text, at, 0xdc00) && isSurrogate(text, at - 1, 0xd800);
}

const isSurrogate = (text: string, at: number, first: number): boolean =>
  (text.charCodeAt(at) & 0xfc00) === first;
