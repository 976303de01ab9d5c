/** Lists of tools, and how one is taken out of them so that what is left can still be read. */
import type { Cut, ToolPart } from './frame.ts';
import type { JsonArray, JsonMember, JsonNode, JsonObject } from './json.ts';
import { entriesOut } from './json-entries.ts';
import { choosesFrom, narrowedChoice } from './tool-choice.ts';

/** Where a tool stands in a list. */
export interface ToolEntry {
  readonly list: JsonArray;
  readonly item: JsonNode;
  /** The object that has the list and may be without: an empty list goes, with what says how to choose from it. */
  readonly holder?: JsonObject;
  /** Where the list's own object stands in another list: it goes when this one is empty. */
  readonly around?: ToolEntry;
  /** The object that says which of the tools may be called; `holder` where nothing is said here. */
  readonly chooser?: JsonObject;
}

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
  const cuts: Cut[] = [];
  const choosers = new Set<JsonObject>();
  /** Lists that are empty now; they go with their members. */
  const emptied = new Set<JsonNode>();
  for (const { entry, items } of gone.values()) {
    const { list, holder, chooser = holder } = entry;
    const empty = items.size === list.items.length;
    if (chooser !== undefined) choosers.add(chooser);
    if (empty && holder !== undefined) emptied.add(list);
    else cuts.push(...entriesOut(list, list.items, (item) => items.has(item)));
  }
  for (const chooser of choosers) {
    const { members } = chooser;
    const goes = (member: JsonMember): boolean => {
      const lists = members.filter(({ key }) => choosesFrom(member.key, key));
      const nothingLeft = lists.length > 0 && lists.every(({ value }) => emptied.has(value));
      return emptied.has(member.value) || nothingLeft;
    };
    cuts.push(...entriesOut(chooser, members, goes));
    for (const member of members)
      if (!goes(member)) cuts.push(...narrowedChoice(data, member, names));
  }
  return cuts;
}
