/** What the syntax of others has and RE2's has not, told by name: the parser only says that it is wrong. */

export type RefusedConstruct = 'look_around' | 'back_reference' | 'count';

/** The largest count of a repeat, as in RE2. */
export const REPEATS_MAX = 1_000;

/** What stands for itself: an escaped character, a quoted stretch, a set. */
const PLAIN = String.raw`\\Q[\s\S]*?(?:\\E|$)|\[\^?\]?(?:\\[\s\S]|\[:\^?\w+:\]|[^\]\\])*\]`;
const LOOK_AROUND = String.raw`\(\?<?[=!]`;
const BACK_REFERENCE = String.raw`\\[1-9]|\\k[<{']|\(\?P=`;
const COUNT = String.raw`\{(\d+)(?:,(\d*))?\}`;
const CONSTRUCTS = new RegExp(
  `${PLAIN}|(?<around>${LOOK_AROUND})|(?<back>${BACK_REFERENCE})|\\\\[\\s\\S]|${COUNT}`,
  'g',
);

/** The first construct of a pattern that is refused for what it is. */
export function refusedConstruct(pattern: string): RefusedConstruct | undefined {
  for (const { groups, 3: least, 4: most } of pattern.matchAll(CONSTRUCTS)) {
    if (groups?.around !== undefined) return 'look_around';
    if (groups?.back !== undefined) return 'back_reference';
    if (Number(least ?? 0) > REPEATS_MAX || Number(most ?? 0) > REPEATS_MAX) return 'count';
  }
  return undefined;
}

const HALF = /\p{Surrogate}|\\x\{0*[dD][89a-fA-F][0-9a-fA-F]{2}\}/u;

/** Whether it asks for half of a character by its number: text has none, but what a client makes up. */
export const asksForHalf = (pattern: string): boolean => HALF.test(pattern);
