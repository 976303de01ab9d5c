/** Longest session key that counts, in UTF-16 units after trimming: longer ones are abuse or a token. */
export const SESSION_KEY_UNITS_MAX = 256;

// C0, DEL, C1 and the two Unicode line breaks: nothing that a log, a header or a cookie cuts in two.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * The canonical form of a session key, or `undefined` when it is no key: spaces and tabs around it are
 * taken off (HTTP does so too); an empty, over-long or control-bearing one is refused. Case is kept.
 */
export function canonicalSessionKey(
  raw: string,
  unitsMax: number = SESSION_KEY_UNITS_MAX,
): string | undefined {
  let start = 0;
  let end = raw.length;
  while (start < end && isBlank(raw.charCodeAt(start))) start++;
  while (end > start && isBlank(raw.charCodeAt(end - 1))) end--;
  if (start === end || end - start > unitsMax) return undefined;
  const key = raw.slice(start, end);
  return CONTROL.test(key) ? undefined : key;
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x09;
}
