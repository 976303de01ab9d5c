/**
 * What rules write into a request beside edits of its texts: words for the system, another model. Each API has a
 * place of its own for them; whatever else stands in the body keeps its bytes.
 */
import type { JsonArray, JsonNode, JsonObject, JsonString } from './json.ts';
import type { Swap } from './json-frame.ts';
import { asciiJson, escapeJson, isAscii, stringValue } from './json-string.ts';

/** Words for the system's part, in front of it and behind it; '' is none. */
export interface SystemWords {
  readonly start: string;
  readonly end: string;
}

export interface RequestChange {
  readonly words?: SystemWords;
  readonly model?: string;
  /** The path of the request names the model, so that the body need not. */
  readonly modelInPath?: boolean;
}

/** `already`: the request says all of it. `impossible`: it has no place that every server would read. */
export type ChangeOutcome = 'changed' | 'already' | 'impossible';

/** The swaps that put words into a request; undefined where that cannot be done for certain. */
export type SystemWriter = (request: RequestText, words: SystemWords) => Swaps;

export type Swaps = readonly Swap[] | undefined;

/** Between the caller's words and those of a rule. */
const GAP = '\n\n';

export const joined = (words: SystemWords): string =>
  [words.start, words.end].filter((part) => part !== '').join(GAP);

/** A body that is written into. */
export class RequestText {
  readonly root: JsonObject;
  private readonly bytes: Uint8Array;
  private readonly asciiOnly: boolean;

  constructor(root: JsonObject, bytes: Uint8Array) {
    this.root = root;
    this.bytes = bytes;
    this.asciiOnly = isAscii(bytes);
  }

  valueOf(literal: JsonString): string {
    return stringValue(this.bytes, literal);
  }

  /**
   * The member of this name, as every server finds it; `ambiguous` where it stands twice or in a spelling that
   * only some of them take.
   */
  member(
    object: JsonObject,
    name: string,
    spellings: readonly string[] = [name],
  ): JsonNode | 'absent' | 'ambiguous' {
    const found = object.members.filter(({ key }) => key === name);
    const [only] = found;
    if (only === undefined) return 'absent';
    if (found.length > 1 || !spellings.includes(this.valueOf(only.name))) return 'ambiguous';
    return only.value;
  }

  /** A string that has the words at its ends, as `JSON.parse` reads them. */
  intoString(literal: JsonString, { start, end }: SystemWords): readonly Swap[] {
    const value = this.valueOf(literal);
    const swaps: Swap[] = [];
    const begins = start === '' || value === start || value.startsWith(start + GAP);
    const ends = end === '' || value === end || value.endsWith(GAP + end);
    if (!begins) {
      const gap = value === '' && (end === '' || ends) ? '' : GAP;
      swaps.push(this.insertion(literal.start + 1, this.escaped(start + gap)));
    }
    if (!ends) {
      const gap = value === '' ? '' : GAP;
      swaps.push(this.insertion(literal.end - 1, this.escaped(gap + end)));
    }
    return swaps;
  }

  /** A list that has the words as items of their own at its ends. `textOf`: the words of an item. */
  intoList(
    list: JsonArray,
    { start, end }: SystemWords,
    item: (text: string) => object,
    textOf: (node: JsonNode) => string | undefined,
  ): readonly Swap[] {
    const [first] = list.items;
    const last = list.items.at(-1);
    const swaps: Swap[] = [];
    const startsWith = first !== undefined && textOf(first) === start;
    const endsWith = last !== undefined && textOf(last) === end;
    const added = [
      ...(start === '' || startsWith ? [] : [{ front: true, text: start }]),
      ...(end === '' || endsWith ? [] : [{ front: false, text: end }]),
    ];
    if (last === undefined) {
      const items = added.map(({ text }) => this.json(item(text))).join(',');
      return items === '' ? [] : [this.insertion(list.start + 1, items)];
    }
    for (const { front, text } of added) {
      const json = this.json(item(text));
      swaps.push(
        front ? this.insertion(list.start + 1, `${json},`) : this.insertion(last.end, `,${json}`),
      );
    }
    return swaps;
  }

  /** One more item in front of a list. */
  inFront(list: JsonArray, value: unknown): readonly Swap[] {
    const json = this.json(value);
    return [this.insertion(list.start + 1, list.items.length === 0 ? json : `${json},`)];
  }

  /** One more member of an object, in front of the others. */
  newMember(object: JsonObject, name: string, value: unknown): readonly Swap[] {
    const json = `${JSON.stringify(name)}:${this.json(value)}`;
    const more = object.members.length === 0 ? '' : ',';
    return [this.insertion(object.start + 1, json + more)];
  }

  instead(node: JsonNode, value: unknown): readonly Swap[] {
    return [{ node, json: this.json(value) }];
  }

  /** The text of an object's member, where it is a string that every server finds. */
  textIn(node: JsonNode, name: string): string | undefined {
    const text = node.kind === 'object' ? this.member(node, name) : 'absent';
    return typeof text === 'object' && text.kind === 'string' ? this.valueOf(text) : undefined;
  }

  private insertion(at: number, json: string): Swap {
    return { node: { kind: 'null', start: at, end: at }, json };
  }

  private escaped(text: string): string {
    return escapeJson(text, this.asciiOnly);
  }

  private json(value: unknown): string {
    const json = JSON.stringify(value);
    return this.asciiOnly ? asciiJson(json) : json;
  }
}

/** A block of text as Chat completions and Messages write it. */
export const textBlock = (text: string): object => ({ type: 'text', text });

/** Swaps that make the request ask for another model, where that is a member of the body. */
export function modelSwaps(request: RequestText, model: string, inPath: boolean): Swaps {
  const { root } = request;
  const named = request.member(root, 'model');
  if (named === 'ambiguous') return undefined;
  if (named === 'absent' && inPath) return [];
  if (named === 'absent') return request.newMember(root, 'model', model);
  if (named.kind === 'string' && request.valueOf(named) === model) return [];
  return request.instead(named, model);
}

/** The words of a member that is one string or a list of blocks; a member that is absent becomes a string. */
export function intoTextMember(
  request: RequestText,
  object: JsonObject,
  name: string,
  words: SystemWords,
): Swaps {
  const node = request.member(object, name);
  if (node === 'ambiguous') return undefined;
  if (node === 'absent') return request.newMember(object, name, joined(words));
  if (node.kind === 'null') return request.instead(node, joined(words));
  if (node.kind === 'string') return request.intoString(node, words);
  if (node.kind !== 'array') return undefined;
  return request.intoList(node, words, textBlock, (item) => request.textIn(item, 'text'));
}
