/** Reads content blocks of the Messages API, in requests and in whole answers. */
import type { Place } from '../policy/set.ts';
import { ApiNames } from './api-names.ts';
import type { JsonMember, JsonNode, JsonObject } from './json.ts';
import type { PieceCollector } from './piece-collector.ts';
import { type RequestForm, requestFacts } from './request-body.ts';
import { intoTextMember } from './request-change.ts';
import { nameIn, nameOrKind, plainWord, tellDefinitions, tellResult } from './tool-parts.ts';

/** Of requests, answers and events: they are made of the same blocks. */
export const MESSAGES_NAMES =
  new ApiNames(`messages system tools model stream role content type id tool_use_id
  server_name file_id media_type text thinking signature data encrypted_content encrypted_index encrypted_stdout
  source input name index delta partial_json content_block message usage input_tokens output_tokens stop_reason
  stop_sequence error citation tool_choice`);

/** The body of a request of the Messages API. */
export const MESSAGES_REQUEST: RequestForm = {
  names: MESSAGES_NAMES,
  expects: ['messages'],
  inOrder: true,
  collect: readMessagesRequest,
  facts: requestFacts,
  // Blocks that carry `cache_control` stay as they are: what is cached up to there is found again.
  system: (request, words) => intoTextMember(request, request.root, 'system', words),
};

/** Members that hold ciphertext or signatures of the provider: bytes that nobody but it can read. */
const PROVIDER_BYTES: ReadonlySet<string> = new Set([
  'signature',
  'data',
  'encrypted_content',
  'encrypted_index',
  'encrypted_stdout',
]);

/** Members that name something. */
const NAMES: ReadonlySet<string> = new Set([
  'type',
  'id',
  'tool_use_id',
  'server_name',
  'file_id',
  'media_type',
]);

/** Collects every string of a request that a model may read. */
function readMessagesRequest(root: JsonObject, collector: PieceCollector): void {
  collector.each(root.members, ({ key, value }) => {
    if (key === 'messages' && value.kind === 'array')
      collector.each(value.items, (message, index) => {
        readMessage(message, `message/${index}`, collector);
      });
    else if (key === 'system') readContent(value, 'system', 'system', collector);
    else if (key === 'tools') {
      collector.standAlone(value, 'tool_definition', 'tool_definition');
      tellDefinitions(value, root, collector, (tool) =>
        nameOrKind(tool, collector, plainWord(tool, 'type', collector)),
      );
    } else if (key === 'model') collector.metadata(value, 'other', 'user');
    else collector.standAlone(value, 'other', 'user');
  });
}

const PLACE_OF_ROLE: Readonly<Record<string, Place>> = {
  user: 'user',
  assistant: 'assistant',
  system: 'system',
};

function readMessage(message: JsonNode, key: string, collector: PieceCollector): void {
  if (message.kind !== 'object') {
    collector.standAlone(message, 'other', 'user');
    return;
  }
  const role = collector.word(message, 'role');
  const place = Object.hasOwn(PLACE_OF_ROLE, role) ? PLACE_OF_ROLE[role]! : 'user';
  collector.each(message.members, ({ key: name, value }) => {
    if (name === 'role') collector.metadata(value, `${key}/other`, place);
    else if (name === 'content') readContent(value, key, place, collector);
    else collector.standAlone(value, `${key}/other`, place);
  });
}

/** Content: one string, or blocks. */
export function readContent(
  content: JsonNode,
  key: string,
  place: Place,
  collector: PieceCollector,
): void {
  if (content.kind === 'string') collector.add(content, `${key}/content`, place, true);
  else if (content.kind === 'array')
    collector.each(content.items, (block, index) => {
      if (block.kind === 'object') readBlock(block, `${key}/block/${index}`, place, collector);
      else collector.standAlone(block, `${key}/other`, place);
    });
  else if (content.kind === 'object') readBlock(content, `${key}/block`, place, collector);
}

/** Whose words a block holds that stands among words of `place`. */
export function placeOfBlock(type: string, place: Place): Place {
  if (type.endsWith('tool_use')) return 'tool_call';
  if (type.endsWith('tool_result')) return 'tool_result';
  const quoted = type === 'document' || type === 'search_result';
  return quoted && place !== 'tool_result' ? 'retrieved' : place;
}

function readBlock(block: JsonObject, key: string, around: Place, collector: PieceCollector): void {
  const type = collector.word(block, 'type');
  const place = placeOfBlock(type, around);
  const inputs: (number | undefined)[] = [];
  const visit = ({ key: name, value }: JsonMember): void => {
    if (NAMES.has(name)) collector.metadata(value, `${key}/other`, place);
    else if (name === 'text' && value.kind === 'string')
      collector.add(value, `${key}/content`, place, true);
    else if (name === 'thinking' && value.kind === 'string')
      collector.sealed(value, `${key}/thinking`, place, true);
    else if (PROVIDER_BYTES.has(name)) readProviderBytes(value, `${key}/${name}`, place, collector);
    else if (name === 'content') readContent(value, key, place, collector);
    else if (name === 'source' && value.kind === 'object')
      readSource(value, `${key}/source`, place, collector);
    else if (name === 'input') inputs.push(...readInput(value, key, collector));
    else collector.standAlone(value, `${key}/other`, place);
  };
  collector.each(block.members, visit, () => {
    if (isCall(type)) tellCall(block, inputs, key.startsWith(OF_REQUEST), collector);
    else if (place === 'tool_result')
      tellResult(plainWord(block, 'tool_use_id', collector), collector);
  });
}

/** Keys of what a request recalls. */
const OF_REQUEST = 'message/';

/** Whether blocks of this type call a tool. */
export function isCall(type: string): boolean {
  return type.endsWith('tool_use');
}

function tellCall(
  block: JsonObject,
  inputs: readonly (number | undefined)[],
  past: boolean,
  collector: PieceCollector,
): void {
  const named = nameIn(block, collector);
  const doubtful = inputs.length > 1 || inputs.includes(undefined);
  const [input] = inputs;
  const id = plainWord(block, 'id', collector);
  if (id !== '') collector.calledNames.set(id, named.name);
  collector.wholeTool({
    kind: 'call',
    ...(past ? { past } : {}),
    ...(doubtful ? { doubt: 'input' as const } : {}),
    ...named,
    ...(input === undefined || doubtful ? {} : { input }),
  });
}

/**
 * Arguments of a tool, as an object: its names and numbers count, too. Returns the piece that they are, if they
 * are one; undefined for what is no object.
 */
export function readInput(
  input: JsonNode,
  key: string,
  collector: PieceCollector,
): readonly (number | undefined)[] {
  if (input.kind === 'object' || input.kind === 'array')
    return isEmpty(input) ? [] : [collector.written(input, `${key}/input`, 'tool_call')];
  collector.standAlone(input, `${key}/input`, 'tool_call');
  return [undefined];
}

function isEmpty(node: JsonNode): boolean {
  if (node.kind === 'object') return node.members.length === 0;
  return node.kind === 'array' && node.items.length === 0;
}

/** Ciphertext is passed over; anything else in its place is read, but never changed. */
export function readProviderBytes(
  node: JsonNode,
  text: string,
  place: Place,
  collector: PieceCollector,
): void {
  if (node.kind !== 'string') collector.standAlone(node, text, place);
  else if (!collector.isBytes(node)) collector.sealed(node, text, place, true);
}

/** Where the bytes of a picture or a document come from; those of a plain text are text. */
function readSource(
  source: JsonObject,
  key: string,
  place: Place,
  collector: PieceCollector,
): void {
  const isText = collector.word(source, 'type') === 'text';
  const mediaType = collector.word(source, 'media_type');
  collector.each(source.members, ({ key: name, value }) => {
    if (NAMES.has(name)) collector.metadata(value, key, place);
    else if (name === 'content') readContent(value, key, place, collector);
    else if (name === 'data' && !isText && value.kind === 'string')
      collector.media(value, key, place, mediaType);
    else collector.standAlone(value, key, place);
  });
}
