/** Slow, whole-text definitions of what the trackers do unit by unit. Shares nothing with them but `Detector`. */
import type { Detector } from '../../src/match/detector.ts';
import { TextScanner } from '../../src/match/scanner.ts';

export type Span = readonly [start: number, end: number];

/** The longest end of a match that starts at `start`, or 0. */
export type LongestEnd = (text: string, start: number) => number;

/** Leftmost, then longest, then on behind it. */
export function partition(text: string, longestEnd: LongestEnd): Span[] {
  const spans: Span[] = [];
  for (let at = 0; at < text.length; ) {
    const end = longestEnd(text, at);
    if (end > at) spans.push([at, end]);
    at = end > at ? end : at + 1;
  }
  return spans;
}

/** Pieces of `text` between the given places. */
export function pieces(text: string, places: readonly number[]): string[] {
  const cuts = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...cuts].map((from, index) => text.slice(from, cuts[index] ?? text.length));
}

export function scan(detector: Detector, text: string, places: readonly number[] = []): Span[] {
  const scanner = new TextScanner([{ rule: 0, detector }]);
  for (const piece of pieces(text, places)) scanner.push(piece);
  scanner.end();
  return scanner
    .takeMatches()
    .map(({ start, end }): Span => [start, end])
    .sort((a, b) => a[0] - b[0]);
}

export interface Progress {
  readonly reported: readonly Span[];
  readonly liveStart: number;
}

/** What a detector of one partition has said, and holds, after `text` and before anything else. */
export function progressOf(detector: Detector, text: string): Progress {
  const [tracker] = detector.start();
  const reported: Span[] = [];
  for (let at = 0; at < text.length; at++)
    tracker?.step(text.charCodeAt(at), at, ({ start, end }) => reported.push([start, end]));
  return { reported, liveStart: tracker?.liveStart ?? Number.NaN };
}

/** All texts over `alphabet` of at most `units` characters. */
export function textsOver(alphabet: readonly string[], units: number): string[] {
  const texts = [''];
  let longest = [''];
  for (let length = 1; length <= units; length++) {
    longest = longest.flatMap((text) => alphabet.map((character) => text + character));
    texts.push(...longest);
  }
  return texts;
}

const key = (span: Span): string => span.join();

/** The same, read off the partitions of `text` with every one of `continuations` behind it. */
export function progressByForesight(
  text: string,
  continuations: readonly string[],
  matches: (whole: string) => readonly Span[],
): Progress {
  const futures = continuations.map((next) => matches(text + next));
  const counts = new Map<string, number>();
  for (const spans of futures)
    for (const span of spans) counts.set(key(span), (counts.get(key(span)) ?? 0) + 1);
  const certain = (span: Span): boolean => counts.get(key(span)) === futures.length;
  const open = futures.flat().filter((span) => !certain(span) && span[0] < text.length);
  const liveStart = Math.min(Number.POSITIVE_INFINITY, ...open.map(([start]) => start));
  const reported = (futures[0] ?? []).filter((span) => certain(span) && span[0] < liveStart);
  return { reported, liveStart };
}
