/** Reads JSON-RPC messages of the Model Context Protocol: what they are, and whose words stand where. */
import type { Direction, Place } from '../policy/set.ts';
import { ApiNames } from './api-names.ts';
import type { JsonMember, JsonNode, JsonObject } from './json.ts';
import { hasDouble, memberOf } from './json.ts';
import { overlay } from './json-string.ts';
import type { PieceCollector } from './piece-collector.ts';
import { nameIn, tellDefinitions } from './tool-parts.ts';

/** One message, as far as routing and refusing need it. */
export interface McpMessage {
  readonly kind: 'request' | 'notification' | 'response';
  /** The id as it is written (a JSON string or number); undefined for a notification or a bad one. */
  readonly id: string | undefined;
  readonly method: string | undefined;
  /** What `Mcp-Name` repeats: a tool's or prompt's name, a resource's URI. */
  readonly name: string | undefined;
  /** What `MCP-Protocol-Version` repeats, where the message says it. */
  readonly version: string | undefined;
  /** Whether a property of a tool's arguments, at any depth, has the value that an `Mcp-Param-…` header repeats. */
  holds(value: string): boolean;
}

export type McpReading =
  | { readonly ok: true; readonly messages: readonly McpMessage[] }
  | { readonly ok: false; readonly reason: string };

/** The names that this reader goes by. */
export const MCP_NAMES =
  new ApiNames(`jsonrpc id method params result error name arguments uri _meta tools
  systemPrompt instructions contents resources resourceTemplates prompts messages structuredContent content type
  mimeType role data blob text inputRequests inputResponses requestedSchema
  toolChoice`);

/** Longest id that is echoed, in bytes as written. */
export const ID_BYTES_MAX = 512;

const VERSION_META = 'io.modelcontextprotocol/protocolVersion';

/** Reads one message or a batch of them, and collects all their strings; what they are when all is collected. */
export function readMcp(
  root: JsonNode,
  data: Uint8Array,
  collector: PieceCollector,
  direction: Direction,
): () => McpReading {
  const nodes = root.kind === 'array' ? root.items : [root];
  const messages: McpMessage[] = [];
  let reason = nodes.length === 0 ? 'not_json_rpc' : undefined;
  collector.each(nodes, (node) => {
    if (reason !== undefined) return;
    if (node.kind !== 'object') {
      reason = 'not_json_rpc';
      return;
    }
    if (isAmbiguous(node)) {
      reason = 'ambiguous_message';
      return;
    }
    const message = messageOf(node, data, collector);
    if (message === undefined) {
      reason = 'not_json_rpc';
      return;
    }
    messages.push(message);
    readMessage(node, message, collector, direction);
  });
  return () => {
    const why = reason ?? collector.unreadable;
    return why === undefined ? { ok: true, messages } : { ok: false, reason: why };
  };
}

/** A double, also in two spellings, would let a server and this reader see two different messages. */
function isAmbiguous(message: JsonObject): boolean {
  const params = memberOf(message, 'params');
  if (hasDouble(message) || (params !== undefined && hasDouble(params))) return true;
  const meta = params?.kind === 'object' ? memberOf(params, '_meta') : undefined;
  return meta !== undefined && hasDouble(meta);
}

function messageOf(
  message: JsonObject,
  data: Uint8Array,
  collector: PieceCollector,
): McpMessage | undefined {
  const text = (node: JsonNode | undefined): string | undefined =>
    node?.kind === 'string' ? collector.valueOf(node) : undefined;
  const params = memberOf(message, 'params');
  const method = text(memberOf(message, 'method'));
  const answers = ['result', 'error'].some((key) => memberOf(message, key) !== undefined);
  // Servers also answer with errors that are no JSON-RPC, before they have read a message.
  if (text(memberOf(message, 'jsonrpc')) !== '2.0' && memberOf(message, 'error') === undefined)
    return undefined;
  if ((method === undefined) === !answers || (method !== undefined && answers)) return undefined;
  const node = memberOf(message, 'id');
  const written =
    (node?.kind === 'string' || node?.kind === 'number') && node.end - node.start <= ID_BYTES_MAX
      ? overlay(data).toString('utf8', node.start, node.end)
      : undefined;
  const of = (key: string) => (params?.kind === 'object' ? memberOf(params, key) : undefined);
  const meta = of('_meta');
  return {
    kind: answers ? 'response' : node === undefined ? 'notification' : 'request',
    id: written,
    method,
    name: text(method === 'resources/read' ? of('uri') : of('name')),
    version: text(meta?.kind === 'object' ? memberOf(meta, VERSION_META) : undefined),
    holds: (value) => {
      const call = method === 'tools/call' ? of('arguments') : undefined;
      return call !== undefined && holdsValue(call, value, data, collector);
    },
  };
}

/** The places that `x-mcp-header` may name: primitive values that are reached through properties alone. */
function holdsValue(
  node: JsonNode,
  value: string,
  data: Uint8Array,
  collector: PieceCollector,
): boolean {
  switch (node.kind) {
    case 'object':
      return node.members.some((member) => holdsValue(member.value, value, data, collector));
    case 'string':
      return collector.valueOf(node) === value;
    case 'number': {
      const written = overlay(data).toString('latin1', node.start, node.end);
      return written === value || (NUMBER.test(value) && Number(written) === Number(value));
    }
    case 'true':
    case 'false':
      return node.kind === value;
    default:
      return false;
  }
}

const NUMBER = /^-?\d{1,16}(?:\.0{1,16})?$/;

function readMessage(
  node: JsonObject,
  message: McpMessage,
  collector: PieceCollector,
  direction: Direction,
): void {
  const place: Place = direction === 'request' ? 'user' : 'tool_result';
  collector.each(node.members, ({ key, value }) => {
    if (key === 'jsonrpc' || key === 'id' || key === 'method')
      collector.metadata(value, 'other', place);
    else if (key === 'params') readParams(value, message, collector, direction);
    else if (key === 'result' && direction === 'response') readResult(value, collector);
    // What a client answers has fields as the server asked for them.
    else readContent(value, collector, place, key === 'result');
  });
}

function readParams(
  params: JsonNode,
  { method }: McpMessage,
  collector: PieceCollector,
  direction: Direction,
): void {
  if (direction === 'request' && method === 'tools/call') {
    readNamed(params, collector, 'tool_call', { arguments: 'tool_call' });
    return;
  }
  if (direction === 'request') readNamed(params, collector, 'user', {});
  else
    readNamed(params, collector, 'tool_result', {
      tools: 'tool_definition',
      systemPrompt: 'system',
    });
}

/** Where the parts of a result belong; what is not listed came from a tool. */
const RESULT_PLACES: Readonly<Record<string, Place>> = {
  tools: 'tool_definition',
  instructions: 'system',
  contents: 'retrieved',
  resources: 'retrieved',
  resourceTemplates: 'retrieved',
  prompts: 'retrieved',
  messages: 'retrieved',
};

function readResult(result: JsonNode, collector: PieceCollector): void {
  readNamed(result, collector, 'tool_result', RESULT_PLACES);
}

/** Members read as they are written, down to their names and numbers: models and tools get all of it. */
const WRITTEN: ReadonlySet<string> = new Set(['arguments', 'structuredContent', 'tools']);

function readNamed(
  node: JsonNode,
  collector: PieceCollector,
  other: Place,
  places: Readonly<Record<string, Place>>,
): void {
  if (node.kind !== 'object') {
    readContent(node, collector, other);
    return;
  }
  const inputs: number[] = [];
  const visit = ({ key, value }: JsonMember): void => {
    const place = Object.hasOwn(places, key) ? places[key]! : other;
    if (place === 'tool_definition')
      tellDefinitions(value, places === RESULT_PLACES ? undefined : node, collector);
    if (!WRITTEN.has(key)) readContent(value, collector, place, NAMED.has(key));
    else if (value.kind === 'array')
      collector.each(value.items, (item) => collector.written(item, place, place));
    else {
      const piece = collector.written(value, place, place);
      if (key === 'arguments') inputs.push(piece);
    }
  };
  collector.each(node.members, visit, () => {
    if (other === 'tool_call') tellCall(node, inputs, collector);
  });
}

/** A server must answer what names no tool, or has arguments that are no object: what it would do is unknown. */
function tellCall(params: JsonObject, inputs: readonly number[], collector: PieceCollector): void {
  const [input] = inputs;
  const given = memberOf(params, 'arguments') !== undefined;
  const doubtful = inputs.length > 1 || (given && input === undefined);
  collector.wholeTool({
    kind: 'call',
    ...(doubtful ? { doubt: 'input' as const } : {}),
    ...nameIn(params, collector),
    ...(input === undefined || doubtful ? {} : { input }),
  });
}

/** Members whose own members are named by whoever wrote the message. */
const NAMED: ReadonlySet<string> = new Set([
  '_meta',
  'inputRequests',
  'inputResponses',
  'requestedSchema',
  'data',
]);

/** Every string below `node`; the bytes of a picture, a sound or a file are none. `names`: those of members, too. */
function readContent(node: JsonNode, collector: PieceCollector, place: Place, names = false): void {
  if (node.kind === 'array')
    collector.each(node.items, (item) => readContent(item, collector, place, names));
  else if (node.kind === 'object')
    collector.each(node.members, (member) => {
      const { key, value } = member;
      if (names && !OWN.test(key)) collector.name(member, place, place);
      if (key === 'type' || key === 'mimeType' || key === 'role')
        collector.metadata(value, 'other', place);
      else if (value.kind === 'string' && holdsMedia(node, key, collector))
        collector.media(value, place, place, collector.word(node, 'mimeType'));
      else readContent(value, collector, place, names);
    });
  else collector.standAlone(node, place, place);
}

/** Names that the protocol gives within `_meta` and input requests, as far as they are often seen. */
const OWN =
  /^(?:io\.modelcontextprotocol\/.*|method|params|mode|message|progressToken|requestedSchema|action|result|[a-z]+Info|version)$/;

function holdsMedia(block: JsonObject, key: string, collector: PieceCollector): boolean {
  if (memberOf(block, 'mimeType') === undefined) return false;
  if (key === 'blob') return true;
  const kind = key === 'data' ? collector.word(block, 'type') : '';
  return kind === 'image' || kind === 'audio';
}
