/** Lists of tools, and how one is taken out of them so that what is left can still be read. */
import { Buffer } from 'node:buffer';
import type { Cut, ToolPart } from './frame.ts';
import type { JsonArray, JsonMember, JsonNode, JsonObject } from './json.ts';
import { stringValue } from './json-string.ts';

/** Where a tool stands in a list. */
export interface ToolEntry {
  readonly list: JsonArray;
  readonly item: JsonNode;
  /** The object that has the list and may be without: an empty list goes, with what says how to choose from it. */
  readonly holder?: JsonObject;
  /** Where the list's own object stands in another list: it goes when this one is empty. */
  readonly around?: ToolEntry;
}

/** Members that say which of the tools to choose, and how: nothing without tools, wrong where they name one that is gone. */
const CHOICES: ReadonlySet<string> = new Set([
  'tool_choice',
  'toolChoice',
  'function_call',
  'toolConfig',
  'parallel_tool_calls',
]);

const NOTHING = Buffer.alloc(0);

/** The cuts for `Frame.without`. `entries`: where each of `tools` stands. Cost: linear in their lists. */
export function takenOut(
  data: Uint8Array,
  tools: readonly ToolPart[],
  entries: readonly (ToolEntry | undefined)[],
  taken: readonly number[],
): readonly Cut[] | undefined {
  const gone = new Map<JsonArray, { readonly entry: ToolEntry; readonly items: Set<JsonNode> }>();
  const names = new Set<string>();
  const take = (entry: ToolEntry): void => {
    const known = gone.get(entry.list) ?? { entry, items: new Set() };
    gone.set(entry.list, known);
    known.items.add(entry.item);
    if (entry.around !== undefined && known.items.size === entry.list.items.length)
      take(entry.around);
  };
  for (const index of taken) {
    const entry = entries[index];
    if (entry === undefined) return undefined;
    names.add(tools[index]!.name);
    take(entry);
  }
  const dropped = new Map<JsonObject, Set<JsonMember>>();
  const cuts: Cut[] = [];
  for (const { entry, items } of gone.values()) {
    const { list, holder } = entry;
    const empty = items.size === list.items.length;
    if (!empty || holder === undefined)
      cuts.push(...runs(list, list.items, (item) => items.has(item)));
    if (holder === undefined) continue;
    const members = dropped.get(holder) ?? new Set();
    dropped.set(holder, members);
    for (const member of holder.members)
      if (
        (empty && member.value === list) ||
        (CHOICES.has(member.key) && (empty || namesOne(data, member.value, names)))
      )
        members.add(member);
  }
  for (const [holder, members] of dropped)
    cuts.push(...runs(holder, holder.members, (member) => members.has(member)));
  return cuts;
}

/** What of a list or an object goes, each with one of the commas beside it. */
function runs<Entry extends JsonNode | JsonMember>(
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

/** Whether a string below `node` is one of the names. */
function namesOne(data: Uint8Array, node: JsonNode, names: ReadonlySet<string>): boolean {
  switch (node.kind) {
    case 'string':
      return names.has(stringValue(data, node));
    case 'array':
      return node.items.some((item) => namesOne(data, item, names));
    case 'object':
      return node.members.some(({ value }) => namesOne(data, value, names));
    default:
      return false;
  }
}
