/**
 * What is certain of one text and what is still open, found by trying: the partition of the text with every
 * continuation that its language thinks worth trying.
 */
import type { Language } from './languages.ts';

export interface Found {
  readonly start: number;
  readonly end: number;
}

/** Leftmost, of those the longest, then on behind it (SEMANTICS §1). */
export function partition(language: Language, text: string, from = 0): Found[] {
  const found: Found[] = [];
  for (let at = from; at < text.length; ) {
    const end = language.longestEnd(text, at);
    if (end > at) found.push({ start: at, end });
    at = end > at ? end : at + 1;
  }
  return found;
}

/** The matches that count. */
export function counting(
  language: Language,
  text: string,
  found: readonly Found[],
): readonly Found[] {
  return found.filter(({ start, end }) => language.counts?.(text.slice(start, end)) ?? true);
}

/** One language over one growing text. */
export class Foresight {
  readonly language: Language;
  /** Everything before this is decided. `Infinity`: nothing is open. */
  live = Number.POSITIVE_INFINITY;
  /** Matches that no continuation changes and that begin before `live`. */
  readonly certain: Found[] = [];
  #from = 0;

  constructor(language: Language) {
    this.language = language;
  }

  /** `text`: all of it so far. `ended`: there will be no more. */
  read(text: string, ended: boolean): void {
    const ways = ended ? [''] : this.language.completions(text, this.#from);
    const futures = ways.map((way) => partition(this.language, text + way, this.#from));
    const times = new Map<string, number>();
    for (const future of futures)
      for (const { start, end } of future) {
        const key = `${start},${end}`;
        times.set(key, (times.get(key) ?? 0) + 1);
      }
    const isCertain = ({ start, end }: Found): boolean =>
      times.get(`${start},${end}`) === futures.length;
    this.live = Number.POSITIVE_INFINITY;
    for (const future of futures)
      for (const match of future)
        if (match.start < text.length && !isCertain(match))
          this.live = Math.min(this.live, match.start);
    for (const match of futures[0]!)
      if (isCertain(match) && match.start < this.live) this.certain.push(match);
    const last = this.certain.at(-1)?.end ?? 0;
    this.#from = Math.max(last, Math.min(this.live, text.length));
  }
}
