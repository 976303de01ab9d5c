/**
 * The patterns of `matches` in conditions. One that a condition names is compiled with it and kept; one that a fact
 * brings is compiled where it is met, so that nobody's words push another pattern out. Both count the same steps.
 */
import { RE2JS } from 're2js';

/** As many as there are conditions that are remembered; the one that was used longest ago gives way. */
const PATTERNS_MAX = 4_096;

const kept = new Map<string, RE2JS>();

/** Compiles a pattern that a condition names. Throws for what is no RE2. */
export function keepPattern(pattern: string): void {
  if (kept.has(pattern)) return;
  const compiled = RE2JS.compile(pattern);
  if (kept.size >= PATTERNS_MAX) kept.delete(kept.keys().next().value ?? '');
  kept.set(pattern, compiled);
}

/** Cost: a look-up for a pattern that a condition names, a compilation for any other. */
export function patternOf(pattern: string): RE2JS {
  const compiled = kept.get(pattern);
  if (compiled === undefined) return RE2JS.compile(pattern);
  kept.delete(pattern);
  kept.set(pattern, compiled);
  return compiled;
}
