/** Reads items of the Responses API: what `input` and `output` are made of. */
import type { Place } from '../policy/set.ts';
import { readProviderBytes } from './anthropic-content.ts';
import {
  hasDouble,
  type JsonArray,
  type JsonMember,
  type JsonNode,
  type JsonObject,
} from './json.ts';
import { readTokens } from './logprobs.ts';
import { BARE_BASE64_UNITS_MIN } from './media.ts';
import type { PieceCollector } from './piece-collector.ts';
import { type Anchored, type Anchors, findAnchors } from './text-moves.ts';
import { type Named, nameOrKind, plainWord, tellDefinitions, tellResult } from './tool-parts.ts';

/** A value that spells text of these pieces once more: it goes when one of them is changed. */
export interface Repeat {
  /** The first of them, and the one behind the last. */
  readonly from: number;
  readonly to: number;
  readonly node: JsonNode;
}

/** Where items are read to. */
export interface ItemSink {
  readonly collector: PieceCollector;
  readonly repeats: Repeat[];
  /** Annotations, and the text that they point into. */
  readonly anchored: Anchored[];
  /** Texts are complete; otherwise deltas go on with them. */
  readonly last: boolean;
  /** What is read is a request, which recalls calls that were made before. */
  readonly past?: true;
}

const PLACE_OF_ROLE: Readonly<Record<string, Place>> = {
  user: 'user',
  assistant: 'assistant',
  system: 'system',
  developer: 'system',
  tool: 'tool_result',
};

/** Whose words an item holds. */
function placeOfItem(type: string, role: string, otherwise: Place): Place {
  if (type === '' || type === 'message')
    return Object.hasOwn(PLACE_OF_ROLE, role) ? PLACE_OF_ROLE[role]! : otherwise;
  if (type === 'reasoning') return 'assistant';
  if (type === 'mcp_list_tools') return 'tool_definition';
  if (type.endsWith('_output')) return 'tool_result';
  return type.includes('call') || type === 'mcp_approval_request' ? 'tool_call' : otherwise;
}

/** Members that name something. */
const NAMES: ReadonlySet<string> = new Set([
  'type',
  'id',
  'call_id',
  'role',
  'status',
  'server_label',
  'phase',
  'file_id',
  'detail',
  'container_id',
]);

/** Collects every string of an item. `otherwise`: whose words those of an unknown item are. */
export function readItem(node: JsonNode, key: string, otherwise: Place, sink: ItemSink): void {
  const { collector, last } = sink;
  if (node.kind !== 'object') {
    collector.standAlone(node, `${key}/other`, otherwise);
    return;
  }
  if (!last && hasDouble(node)) collector.unreadable ??= 'ambiguous_names';
  const type = collector.word(node, 'type');
  const place = placeOfItem(type, collector.word(node, 'role'), otherwise);
  const inputs: (number | undefined)[] = [];
  const visit = ({ key: name, value }: JsonMember): void => {
    if (NAMES.has(name)) collector.metadata(value, `${key}/other`, place);
    else if (name === 'content') readParts(value, `${key}/part`, place, sink);
    else if (name === 'summary') readParts(value, `${key}/summary`, place, sink);
    else if (name === 'output') readParts(value, `${key}/output`, 'tool_result', sink);
    else if (name === 'encrypted_content')
      readProviderBytes(value, `${key}/encrypted`, place, collector);
    else if (name === 'result' && type === 'image_generation_call')
      readMedia(value, 'image/', key, place, sink);
    else if (name === 'results' || name === 'outputs')
      collector.standAlone(value, `${key}/${name}`, 'tool_result');
    else if (place === 'tool_call' && value.kind === 'string' && OF_CALLS.has(name)) {
      const encoding = name === 'arguments' ? 'json' : 'plain';
      const piece = collector.add(
        value,
        `${key}/${name}`,
        place,
        last || name === 'name',
        encoding,
      );
      if (name !== 'name') inputs.push(piece);
    } else {
      collector.standAlone(value, `${key}/other`, place);
      if (place === 'tool_call' && OF_CALLS.has(name)) inputs.push(undefined);
    }
  };
  collector.each(node.members, visit, () => tellItem(node, key, { type, place, inputs }, sink));
}

/** The name of what an item calls, or of its kind where that is all it says: `web_search_call` calls `web_search`. */
export function calledIn(item: JsonObject, type: string, collector: PieceCollector): Named {
  return nameOrKind(item, collector, type.replace(/_(?:call|request)$/, ''));
}

/** The key of the call that an item is, as its events tell of it. */
export const callKey = (item: string): string => `${item}/call`;

function tellItem(
  item: JsonObject,
  key: string,
  {
    type,
    place,
    inputs,
  }: {
    readonly type: string;
    readonly place: Place;
    readonly inputs: readonly (number | undefined)[];
  },
  { collector, last, past }: ItemSink,
): void {
  if (type === 'mcp_list_tools') {
    for (const { key: name, value } of item.members)
      if (name === 'tools') tellDefinitions(value, undefined, collector);
  } else if (place === 'tool_result') tellResult(plainWord(item, 'call_id', collector), collector);
  if (place !== 'tool_call') return;
  const named = calledIn(item, type, collector);
  const id = plainWord(item, 'call_id', collector);
  if (id !== '') collector.calledNames.set(id, named.name);
  const doubtful = inputs.length > 1 || inputs.includes(undefined);
  const [input] = inputs;
  const part = {
    kind: 'call' as const,
    ...(past === undefined ? {} : { past }),
    ...(doubtful ? { doubt: 'input' as const } : {}),
    ...named,
    ...(input === undefined || doubtful ? {} : { input }),
  };
  if (last) collector.wholeTool(part);
  else collector.tool({ ...part, key: callKey(key), named: true, last });
}

/** Texts of calls. All but the name come in deltas. */
const OF_CALLS: ReadonlySet<string> = new Set(['arguments', 'input', 'code', 'name']);

/** Content: one string, or parts. */
function readParts(content: JsonNode, key: string, place: Place, sink: ItemSink): void {
  const { collector, last } = sink;
  if (content.kind === 'string') collector.add(content, `${key}/content`, place, last);
  else if (content.kind === 'array')
    collector.each(content.items, (part, index) => {
      readPart(part, `${key}/${index}`, place, sink);
    });
  else readPart(content, key, place, sink);
}

/** Members of a part that carry media, bare or one level deeper; what they are where no data: URL says it. */
const MEDIA: Readonly<Record<string, string>> = {
  image_url: 'image/',
  file_data: '',
  data: 'audio/',
  input_audio: 'audio/',
};

/** One part of a message, of a reasoning or of an output. */
export function readPart(node: JsonNode, key: string, place: Place, sink: ItemSink): void {
  const { collector, last, anchored } = sink;
  if (node.kind !== 'object') {
    collector.standAlone(node, `${key}/other`, place);
    return;
  }
  if (!last && hasDouble(node)) collector.unreadable ??= 'ambiguous_names';
  const field = textFieldOf(collector.word(node, 'type'));
  const from = collector.pieces.length;
  const visit = ({ key: name, value }: JsonMember): void => {
    if (NAMES.has(name)) collector.metadata(value, `${key}/other`, place);
    else if (name === 'text' && value.kind === 'string')
      collector.add(value, `${key}/${field}`, place, last);
    else if (name === 'refusal' && value.kind === 'string')
      collector.add(value, `${key}/refusal`, place, last);
    else if (Object.hasOwn(MEDIA, name))
      readMedia(value, MEDIA[name]!, `${key}/media`, place, sink);
    else if (name !== 'logprobs' || value.kind !== 'array')
      collector.standAlone(value, `${key}/other`, place);
  };
  collector.each(node.members, visit, () => {
    const said = collector.firstOf(`${key}/${field}`, from);
    collector.each(node.members, ({ key: name, value }) => {
      if (name === 'logprobs' && value.kind === 'array')
        readRepeats(value, from, { said, text: `${key}/logprobs`, sink });
      else if (name === 'annotations' && said !== -1) {
        const anchors: Anchors[] = [];
        anchored.push({ into: last ? said : `${key}/${field}`, anchors });
        findAnchors(value, anchors, collector);
      }
    });
  });
}

/** Tokens of a text, whose piece is `said`, that go where a piece from `from` on is changed. */
export function readRepeats(
  node: JsonArray,
  from: number,
  { said, text, sink }: { readonly said: number; readonly text: string; readonly sink: ItemSink },
): void {
  const { collector, last, repeats } = sink;
  const spelled = { said: collector.valueAt(said), text, last };
  const read = (): void => readTokens(node, spelled, collector);
  collector.each([node], read, () => {
    repeats.push({ from, to: collector.pieces.length, node });
  });
}

/** What a model says to the caller is content; what it says to itself is not. */
export function textFieldOf(partType: string): string {
  return partType === 'reasoning_text' || partType === 'summary_text' ? 'text' : 'content';
}

function readMedia(node: JsonNode, type: string, key: string, place: Place, sink: ItemSink): void {
  if (node.kind === 'string') sink.collector.media(node, key, place, type, BARE_BASE64_UNITS_MIN);
  else if (node.kind === 'object')
    sink.collector.each((node satisfies JsonObject).members, ({ value }) =>
      readMedia(value, type, key, place, sink),
    );
  else sink.collector.standAlone(node, key, place);
}
