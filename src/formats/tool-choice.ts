/**
 * What a request says about which of its tools may be called. Where a tool is taken out, this must not come to allow
 * more than it did: what names others besides goes on with those, and what named nothing else allows none.
 */
import { Buffer } from 'node:buffer';
import type { Cut } from './frame.ts';
import type { JsonArray, JsonMember, JsonNode, JsonObject } from './json.ts';
import { memberOf } from './json.ts';
import { entriesOut } from './json-entries.ts';
import { stringValue } from './json-string.ts';

/** Members that say nothing once the list that they choose from is gone, by the name of the list. */
const CHOICES: Readonly<Record<string, ReadonlySet<string>>> = {
  tools: new Set(['tool_choice', 'toolChoice', 'toolConfig', 'parallel_tool_calls']),
  functions: new Set(['function_call']),
};

/** Whether member `choice` of a request chooses from its list `list`. */
export function choosesFrom(choice: string, list: string): boolean {
  return CHOICES[list]?.has(choice) ?? false;
}

/** Words of the APIs for kinds and modes, that say which tool only where they are none of these. */
const KINDS: ReadonlySet<string> = new Set(['function', 'custom', 'tool', 'allowed_tools']);

/** The cuts that make a choice one of the tools that are left. `gone`: names of those that are not. */
export function narrowedChoice(
  data: Uint8Array,
  { key, value }: JsonMember,
  gone: ReadonlySet<string>,
): readonly Cut[] {
  if (value.kind !== 'object') return [];
  switch (key) {
    case 'tool_choice':
      return narrowed(data, value, gone, (choice) => [instead(choice, nothingIn(data, choice))]);
    case 'function_call':
      return narrowed(data, value, gone, (choice) => [instead(choice, '"none"')]);
    case 'toolConfig':
      // Beside how functions are called there stands what has nothing to do with it.
      return value.members.flatMap((config) =>
        config.key === 'functionCallingConfig' && config.value.kind === 'object'
          ? narrowed(data, config.value, gone, (calling) => [instead(calling, '{"mode":"NONE"}')])
          : [],
      );
    default:
      return [];
  }
}

/** The Messages API says it in an object, the others in a word. */
function nothingIn(data: Uint8Array, choice: JsonObject): string {
  const type = memberOf(choice, 'type');
  const isTool = type?.kind === 'string' && stringValue(data, type) === 'tool';
  return isTool ? '{"type":"none"}' : '"none"';
}

const instead = ({ start, end }: JsonNode, json: string): Cut => ({
  start,
  end,
  bytes: Buffer.from(json),
});

/** `none`: the choice of no tool, where nothing is left of this one. */
function narrowed(
  data: Uint8Array,
  choice: JsonObject,
  gone: ReadonlySet<string>,
  none: (choice: JsonObject) => readonly Cut[],
): readonly Cut[] {
  const cuts: Cut[] = [];
  const lists: JsonArray[] = [];
  if (namesOne(data, choice, gone, lists)) return none(choice);
  for (const list of lists) {
    const goes = (item: JsonNode): boolean =>
      item.kind === 'string' ? gone.has(stringValue(data, item)) : namesOne(data, item, gone, []);
    const { length } = list.items.filter(goes);
    if (length > 0 && length === list.items.length) return none(choice);
    if (length > 0) cuts.push(...entriesOut(list, list.items, goes));
  }
  return cuts;
}

/** Whether an object names one of the tools by itself. `lists`: takes the lists of tools below it. */
function namesOne(
  data: Uint8Array,
  node: JsonNode,
  gone: ReadonlySet<string>,
  lists: JsonArray[],
): boolean {
  if (node.kind === 'array') lists.push(node);
  if (node.kind !== 'object') return false;
  return node.members.some(({ key, value }) => {
    if (value.kind !== 'string') return namesOne(data, value, gone, lists);
    const word = stringValue(data, value);
    return key !== 'mode' && gone.has(word) && !(key === 'type' && KINDS.has(word));
  });
}
