/** What a regular expression matches, by asking V8 about every end of every start. */
import { partition, type Span } from './oracle.ts';

const inPair = (text: string, at: number): boolean =>
  /[\ud800-\udbff]$/.test(text.slice(0, at)) && /^[\udc00-\udfff]/.test(text.slice(at));

/** V8 asked for every end, farthest first. */
export function naive(pattern: string, cap = Number.POSITIVE_INFINITY) {
  const flags = pattern.startsWith('(?m)') ? 'suym' : 'suy';
  const body = pattern.replace('(?m)', '');
  return (text: string): Span[] =>
    partition(text, (whole, start) => {
      if (inPair(whole, start)) return 0;
      for (let end = Math.min(whole.length, start + cap); end > start; end--) {
        if (inPair(whole, end)) continue;
        const characters = [...whole.slice(0, end)].length;
        const expression = new RegExp(`(?:${body})(?<=(?<![^])[^]{${characters}})`, flags);
        expression.lastIndex = start;
        if (expression.test(whole)) return end;
      }
      return 0;
    });
}
