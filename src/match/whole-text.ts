import type { Match, MatchSink, Tracker } from './detector.ts';

/** Runs trackers over one whole text. Matches come tracker by tracker, each in order of start. */
export function matchesIn(trackers: readonly Tracker[], text: string): Match[] {
  const found: Match[] = [];
  for (const tracker of trackers) run(tracker, text, (match) => void found.push(match));
  return found;
}

/** Whether a tracker finds anything in one whole text. */
export function trackerFindsIn(tracker: Tracker, text: string): boolean {
  let found = false;
  run(tracker, text, () => {
    found = true;
  });
  return found;
}

function run(tracker: Tracker, text: string, sink: MatchSink): void {
  for (let at = 0; at < text.length; at++) tracker.step(text.charCodeAt(at), at, sink);
  tracker.end(text.length, sink);
}
