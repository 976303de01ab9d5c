import type { Match, Tracker } from './detector.ts';

/** Runs trackers over one whole text. Matches come tracker by tracker, each in order of start. */
export function matchesIn(trackers: readonly Tracker[], text: string): Match[] {
  const found: Match[] = [];
  const sink = (match: Match): void => void found.push(match);
  for (const tracker of trackers) {
    for (let at = 0; at < text.length; at++) tracker.step(text.charCodeAt(at), at, sink);
    tracker.end(text.length, sink);
  }
  return found;
}
