/** What objects of an API tell of tools, where the APIs tell it alike. */
import type { ToolPart } from './frame.ts';
import type { JsonNode, JsonObject } from './json.ts';
import type { PieceCollector } from './piece-collector.ts';
import type { ToolEntry } from './tool-list.ts';

export type Named = Pick<ToolPart, 'name' | 'doubt'>;

/** What the member `name` of an object says; '' without one. Two of them are in doubt, as is one that is no string. */
export function nameIn(object: JsonObject, collector: PieceCollector): Named {
  const names = object.members.filter(({ key }) => key === 'name');
  const [only] = names;
  if (only === undefined) return { name: '' };
  if (names.length > 1 || only.value.kind !== 'string') return { name: '', doubt: 'name' };
  return { name: collector.valueOf(only.value) };
}

/** A name of its own, or else that of its kind. */
export function nameOrKind(object: JsonObject, collector: PieceCollector, kind: string): Named {
  const own = nameIn(object, collector);
  return own.name === '' && own.doubt === undefined ? { name: kind } : own;
}

/** The value of the only member of this name where that is a string, or ''. */
export function plainWord(object: JsonObject, name: string, collector: PieceCollector): string {
  const [only, ...more] = object.members.filter(({ key }) => key === name);
  if (only?.value.kind !== 'string' || more.length > 0) return '';
  return collector.valueOf(only.value);
}

/**
 * Tells of the definitions in a list of tools. `holder`: the object that has it and may do without it;
 * `undefined` where its readers must have a list, be it empty. `named`: how a definition says its name.
 */
export function tellDefinitions(
  list: JsonNode,
  holder: JsonObject | undefined,
  collector: PieceCollector,
  named: (definition: JsonObject) => Named = (definition) => nameIn(definition, collector),
): void {
  if (list.kind !== 'array') {
    collector.wholeTool({ kind: 'definition', name: '', doubt: 'name' });
    return;
  }
  collector.each(list.items, (item) => {
    const entry: ToolEntry = { list, item, ...(holder === undefined ? {} : { holder }) };
    const name: Named = item.kind === 'object' ? named(item) : { name: '', doubt: 'name' };
    collector.wholeTool({ kind: 'definition', ...name }, entry);
  });
}

/** Tells of the result of a call that was told of before, if the id says of which. */
export function tellResult(id: string, collector: PieceCollector): void {
  const name = collector.calledNames.get(id);
  if (name !== undefined) collector.wholeTool({ kind: 'result', name });
}
