/**
 * Member names that chat bodies repeat, on every chunk of a stream: told by their bytes, so that no string is
 * made for them again and again.
 */

const NAMES =
  'id object created model choices index delta message role content finish_reason logprobs refusal ' +
  'tool_calls function name arguments type usage system_fingerprint service_tier messages stream text';

/** By length in bytes. */
const byLength: string[][] = [];
for (const name of NAMES.split(' ')) (byLength[name.length] ??= []).push(name);

/** The name that `bytes[start,end)` spell, if it is one of them. */
export function knownName(bytes: Uint8Array, start: number, end: number): string | undefined {
  const names = byLength[end - start];
  if (names === undefined) return undefined;
  for (const name of names) {
    let index = 0;
    while (index < name.length && bytes[start + index] === name.charCodeAt(index)) index += 1;
    if (index === name.length) return name;
  }
  return undefined;
}
