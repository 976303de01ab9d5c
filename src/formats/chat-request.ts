/** Reads the body of a chat completion request: whose words stand where. */
import type { Place } from '../policy/set.ts';
import { ApiNames } from './api-names.ts';
import type { JsonArray, JsonMember, JsonNode, JsonObject } from './json.ts';
import { BARE_BASE64_UNITS_MIN } from './media.ts';
import type { PieceCollector } from './piece-collector.ts';
import { type RequestForm, requestFacts } from './request-body.ts';
import {
  intoTextMember,
  joined,
  type RequestText,
  type Swaps,
  type SystemWords,
} from './request-change.ts';
import { type Named, nameIn, plainWord, tellDefinitions, tellResult } from './tool-parts.ts';

const NAMES =
  new ApiNames(`messages model stream tools functions role id tool_call_id content tool_calls
  function_call tool_choice parallel_tool_calls type text image_url url input_audio data file file_data format detail file_id function custom name
  arguments input`);

/** The body of a chat completion request. */
export const CHAT_REQUEST: RequestForm = {
  names: NAMES,
  expects: ['messages'],
  inOrder: true,
  collect: readChatRequest,
  facts: requestFacts,
  appends: /\/content$/,
  system: writeSystem,
};

const PLACE_OF_ROLE: Readonly<Record<string, Place>> = {
  user: 'user',
  assistant: 'assistant',
  system: 'system',
  developer: 'system',
  tool: 'tool_result',
  function: 'tool_result',
};

/** Collects every string of the body that a model may read. */
function readChatRequest(root: JsonObject, collector: PieceCollector): void {
  collector.each(root.members, (member) => {
    if (member.key === 'messages' && member.value.kind === 'array')
      readMessages(member.value, collector);
    else if (member.key === 'tools' || member.key === 'functions') {
      collector.standAlone(member.value, 'tool_definition', 'tool_definition');
      tellDefinitions(member.value, root, collector, (tool) => definedName(tool, collector));
    } else if (member.key === 'model') collector.metadata(member.value, 'other', 'user');
    else readMember(member, 'other', 'user', collector);
  });
}

/** `{type, function: {name}}`, `{type, custom: {name}}`, legacy `{name}`; other tools are named by their type. */
function definedName(tool: JsonObject, collector: PieceCollector): Named {
  const bodies = tool.members.filter(({ key }) => key === 'function' || key === 'custom');
  const [body] = bodies;
  if (body === undefined) {
    const own = nameIn(tool, collector);
    return own.name === '' && own.doubt === undefined
      ? { name: plainWord(tool, 'type', collector) }
      : own;
  }
  if (bodies.length > 1 || body.value.kind !== 'object') return { name: '', doubt: 'name' };
  return nameIn(body.value, collector);
}

/** The message of the system that the conversation begins with, or a new one: there it never moves. */
function writeSystem(request: RequestText, words: SystemWords): Swaps {
  const messages = request.member(request.root, 'messages');
  if (typeof messages === 'string' || messages.kind !== 'array') return undefined;
  const [first] = messages.items;
  if (first?.kind === 'object') {
    const role = request.member(first, 'role');
    if (role === 'ambiguous') return undefined;
    const name = role !== 'absent' && role.kind === 'string' ? request.valueOf(role) : '';
    if (name === 'system' || name === 'developer')
      return intoTextMember(request, first, 'content', words);
  }
  return request.inFront(messages, { role: 'system', content: joined(words) });
}

function readMessages(messages: JsonArray, collector: PieceCollector): void {
  collector.each(messages.items, (message, index) => {
    if (message.kind === 'object') readMessage(message, `message/${index}`, collector);
    else collector.standAlone(message, 'other', 'user');
  });
}

function readMessage(message: JsonObject, key: string, collector: PieceCollector): void {
  const place = placeOf(message, collector);
  const visit = (member: JsonMember): void => {
    const { key: name, value } = member;
    if (name === 'role') readRole(value, `${key}/other`, place, collector);
    else if (name === 'id' || name === 'tool_call_id')
      collector.metadata(value, `${key}/other`, place);
    else if (name === 'content') readContent(value, key, place, collector);
    else if (name === 'tool_calls' && value.kind === 'array')
      collector.each(value.items, (call, index) => {
        readToolCall(call, `${key}/tool/${index}`, collector);
      });
    else if (name === 'function_call')
      readCallBody(value, `${key}/function_call`, collector, (body) =>
        tellCall([body], '', collector),
      );
    else readMember(member, `${key}/other`, place, collector);
  };
  collector.each(message.members, visit, () => {
    if (place === 'tool_result') tellToolMessage(message, collector);
  });
}

/** A result of the APIs' first kind says the name of its function, later ones the id of the call. */
function tellToolMessage(message: JsonObject, collector: PieceCollector): void {
  const id = plainWord(message, 'tool_call_id', collector);
  if (collector.calledNames.get(id) !== undefined) tellResult(id, collector);
  else {
    const { name } = nameIn(message, collector);
    if (name !== '') collector.wholeTool({ kind: 'result', name });
  }
}

function readMember(
  member: JsonMember,
  family: string,
  place: Place,
  collector: PieceCollector,
): void {
  collector.name(member, family, place);
  collector.standAlone(member.value, family, place);
}

/** A role that no API has is a word like any other. */
function readRole(role: JsonNode, family: string, place: Place, collector: PieceCollector): void {
  const known = role.kind === 'string' && Object.hasOwn(PLACE_OF_ROLE, collector.valueOf(role));
  if (!known) collector.standAlone(role, family, place);
}

function placeOf(message: JsonObject, collector: PieceCollector): Place {
  const name = collector.word(message, 'role');
  return Object.hasOwn(PLACE_OF_ROLE, name) ? PLACE_OF_ROLE[name]! : 'user';
}

function readContent(
  content: JsonNode,
  key: string,
  place: Place,
  collector: PieceCollector,
): void {
  if (content.kind === 'string') collector.add(content, `${key}/content`, place, true);
  else if (content.kind === 'array')
    collector.each(content.items, (part, index) => {
      if (part.kind === 'object') readPart(part, `${key}/part/${index}`, place, collector);
      else collector.standAlone(part, `${key}/part/${index}`, place);
    });
  else collector.standAlone(content, `${key}/content`, place);
}

interface MediaMember {
  /** The member inside that holds the bytes. */
  readonly holder: string;
  /** What it is where no data: URL says it. */
  readonly type: string;
}

/** Members of a part that carry media. */
const MEDIA: Readonly<Record<string, MediaMember>> = {
  image_url: { holder: 'url', type: 'image/' },
  input_audio: { holder: 'data', type: 'audio/' },
  file: { holder: 'file_data', type: '' },
};

function readPart(part: JsonObject, key: string, place: Place, collector: PieceCollector): void {
  collector.each(part.members, (member) => {
    const { key: name, value } = member;
    if (name === 'type') collector.metadata(value, key, place);
    else if (name === 'text' && value.kind === 'string')
      collector.add(value, `${key}/text`, place, true);
    else if (Object.hasOwn(MEDIA, name)) readMedia(value, MEDIA[name]!, key, place, collector);
    else readMember(member, key, place, collector);
  });
}

function readMedia(
  media: JsonNode,
  { holder, type }: MediaMember,
  key: string,
  place: Place,
  collector: PieceCollector,
): void {
  if (media.kind !== 'object') {
    readMediaValue(media, type, key, place, collector);
    return;
  }
  collector.each(media.members, (member) => {
    const { key: name, value } = member;
    if (name === holder) readMediaValue(value, type, key, place, collector);
    else if (name === 'format' || name === 'detail' || name === 'file_id')
      collector.metadata(value, key, place);
    else readMember(member, key, place, collector);
  });
}

function readMediaValue(
  value: JsonNode,
  type: string,
  key: string,
  place: Place,
  collector: PieceCollector,
): void {
  if (value.kind === 'string') collector.media(value, key, place, type, BARE_BASE64_UNITS_MIN);
  else collector.standAlone(value, key, place);
}

function readToolCall(call: JsonNode, key: string, collector: PieceCollector): void {
  if (call.kind !== 'object') {
    collector.standAlone(call, key, 'tool_call');
    return;
  }
  const bodies: CallBody[] = [];
  const visit = (member: JsonMember): void => {
    const { key: name, value } = member;
    if (name === 'id' || name === 'type') collector.metadata(value, key, 'tool_call');
    else if (name === 'function' || name === 'custom')
      bodies.push(readCallBody(value, key, collector));
    else readMember(member, key, 'tool_call', collector);
  };
  collector.each(call.members, visit, () =>
    tellCall(bodies, plainWord(call, 'id', collector), collector),
  );
}

/** What a call says of its tool, in one of the places where it may. */
interface CallBody {
  readonly named: Named;
  readonly inputs: readonly (number | undefined)[];
}

function tellCall(bodies: readonly CallBody[], id: string, collector: PieceCollector): void {
  const [body] = bodies;
  const named: Named =
    bodies.length > 1 ? { name: '', doubt: 'name' } : (body?.named ?? { name: '' });
  const inputs = body?.inputs ?? [];
  const doubtful = inputs.length > 1 || inputs.includes(undefined);
  const [input] = inputs;
  if (id !== '') collector.calledNames.set(id, named.name);
  collector.wholeTool({
    kind: 'call',
    past: true,
    ...(doubtful ? { doubt: 'input' as const } : {}),
    ...named,
    ...(input === undefined || doubtful ? {} : { input }),
  });
}

/** `{name, arguments}` of a function, `{name, input}` of a custom tool. What it is called with is told when all was read. */
function readCallBody(
  body: JsonNode,
  key: string,
  collector: PieceCollector,
  after?: (told: CallBody) => void,
): CallBody {
  if (body.kind !== 'object') {
    collector.standAlone(body, key, 'tool_call');
    const nothing: CallBody = { named: { name: '', doubt: 'name' }, inputs: [] };
    after?.(nothing);
    return nothing;
  }
  const inputs: (number | undefined)[] = [];
  const told: CallBody = { named: nameIn(body, collector), inputs };
  const visit = (member: JsonMember): void => {
    const { key: name, value } = member;
    if (name === 'arguments' && value.kind === 'string')
      inputs.push(collector.add(value, `${key}/arguments`, 'tool_call', true, 'json'));
    else if (name === 'input' && value.kind === 'string')
      inputs.push(collector.add(value, `${key}/input`, 'tool_call', true));
    else {
      if (name === 'name' && value.kind === 'string')
        collector.add(value, `${key}/name`, 'tool_call', true);
      else readMember(member, key, 'tool_call', collector);
      if (name === 'arguments' || name === 'input') inputs.push(undefined);
    }
  };
  collector.each(body.members, visit, () => after?.(told));
  return told;
}
