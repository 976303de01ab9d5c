import { quoteList } from './errors.ts';

/** Damerau–Levenshtein distance (adjacent swaps count 1). Cost: product of the lengths. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, beforeLast[j - 2]! + 1);
      }
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

const WORD_CHARS_MAX = 40;

/** The candidate that was probably meant: at most a third of its letters differ. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > WORD_CHARS_MAX) return undefined;
  const ranked = candidates
    .map((candidate) => ({
      candidate,
      far: distance(word.toLowerCase(), candidate.toLowerCase()),
    }))
    .filter(({ candidate, far }) => far <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.far - b.far);
  return ranked[0]?.candidate;
}

/** More of them than this would be a list, which the message has anyway. */
const RELATIVES_MAX = 4;
const RELATED_CHARS_MIN = 3;

/** Candidates that say the word and more (`ssn`: `us_ssn`), or less (`matches`: `match`); none where they are many. */
function relatives(word: string, candidates: readonly string[]): readonly string[] {
  const said = word.toLowerCase();
  if (said.length < RELATED_CHARS_MIN || said.length > WORD_CHARS_MAX) return [];
  const parts = (text: string): readonly string[] => text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  const found = candidates.filter(
    (candidate) =>
      parts(candidate).includes(said) ||
      (candidate.length >= RELATED_CHARS_MIN && said.startsWith(candidate.toLowerCase())),
  );
  return found.length > RELATIVES_MAX ? [] : found;
}

/** "; did you mean `x`?" or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const found = nearest(word, candidates);
  const meant = found === undefined ? relatives(word, candidates) : [found];
  return meant.length === 0 ? '' : `; did you mean ${quoteList(meant)}?`;
}
