/** Entries of lists and objects that are taken out so that what is left is JSON. */
import { Buffer } from 'node:buffer';
import type { Cut } from './frame.ts';
import type { JsonMember, JsonNode } from './json.ts';

const NOTHING = Buffer.alloc(0);

/** The cuts that take entries out of a list or an object, each with one of the commas beside it. Cost: linear. */
export function entriesOut<Entry extends JsonNode | JsonMember>(
  { start, end }: JsonNode,
  entries: readonly Entry[],
  goes: (entry: Entry) => boolean,
): readonly Cut[] {
  const cuts: Cut[] = [];
  const kept = entries.findIndex((entry) => !goes(entry));
  if (kept === -1)
    return entries.length === 0 ? [] : [{ start: start + 1, end: end - 1, bytes: NOTHING }];
  if (kept > 0)
    cuts.push({ start: startOf(entries[0]!), end: startOf(entries[kept]!), bytes: NOTHING });
  for (let at = kept + 1; at < entries.length; at += 1)
    if (goes(entries[at]!))
      cuts.push({ start: endOf(entries[at - 1]!), end: endOf(entries[at]!), bytes: NOTHING });
  return cuts;
}

const startOf = (entry: JsonNode | JsonMember): number =>
  'name' in entry ? entry.name.start : entry.start;
const endOf = (entry: JsonNode | JsonMember): number =>
  'name' in entry ? entry.value.end : entry.end;
