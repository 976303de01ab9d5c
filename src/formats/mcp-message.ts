/** Reads JSON-RPC messages of the Model Context Protocol: what they are, and whose words stand where. */
import type { Direction, Place } from '../policy/set.ts';
import { ApiNames } from './api-names.ts';
import type { JsonNode, JsonObject } from './json.ts';
import { memberOf } from './json.ts';
import { overlay } from './json-string.ts';
import type { PieceCollector } from './piece-collector.ts';

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
}

export type McpReading =
  | { readonly ok: true; readonly messages: readonly McpMessage[] }
  | { readonly ok: false; readonly reason: string };

/** The names that this reader goes by. */
export const MCP_NAMES =
  new ApiNames(`jsonrpc id method params result error name arguments uri _meta tools
  systemPrompt instructions contents resources resourceTemplates prompts messages structuredContent content type
  mimeType role data blob text`);

/** Longest id that is echoed, in bytes as written. */
export const ID_BYTES_MAX = 512;

/** Members whose double would let a server and this reader see two different messages. */
const SINGLE: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params', 'result']);
const SINGLE_PARAMS: ReadonlySet<string> = new Set(['name', 'arguments', 'uri', '_meta']);
const VERSION_META = 'io.modelcontextprotocol/protocolVersion';

/** Reads one message or a batch of them, and collects all their strings. */
export function readMcp(
  root: JsonNode,
  data: Uint8Array,
  collector: PieceCollector,
  direction: Direction,
): McpReading {
  const nodes = root.kind === 'array' ? root.items : [root];
  if (nodes.length === 0) return { ok: false, reason: 'not_json_rpc' };
  const messages: McpMessage[] = [];
  for (const node of nodes) {
    if (node.kind !== 'object') return { ok: false, reason: 'not_json_rpc' };
    if (isAmbiguous(node)) return { ok: false, reason: 'ambiguous_message' };
    const message = messageOf(node, data, collector);
    if (message === undefined) return { ok: false, reason: 'not_json_rpc' };
    messages.push(message);
    readMessage(node, message, collector, direction);
  }
  if (collector.unreadable !== undefined) return { ok: false, reason: collector.unreadable };
  return { ok: true, messages };
}

/** Doubles, also in two spellings: some readers take one, others the other. */
function isAmbiguous(message: JsonObject): boolean {
  const params = memberOf(message, 'params');
  return (
    hasDouble(message, SINGLE) || (params?.kind === 'object' && hasDouble(params, SINGLE_PARAMS))
  );
}

function hasDouble(object: JsonObject, names: ReadonlySet<string>): boolean {
  return object.members.some(({ key, shadowed }) => shadowed && names.has(key));
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
  };
}

function readMessage(
  node: JsonObject,
  message: McpMessage,
  collector: PieceCollector,
  direction: Direction,
): void {
  const place: Place = direction === 'request' ? 'user' : 'tool_result';
  for (const { key, value } of node.members) {
    if (key === 'jsonrpc' || key === 'id' || key === 'method')
      collector.metadata(value, 'other', place);
    else if (key === 'params') readParams(value, message, collector, direction);
    else if (key === 'result' && direction === 'response') readResult(value, collector);
    else readContent(value, collector, place);
  }
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
  if (direction === 'request') readContent(params, collector, 'user');
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
  for (const { key, value } of node.members) {
    const place = Object.hasOwn(places, key) ? places[key]! : other;
    if (!WRITTEN.has(key)) readContent(value, collector, place);
    else if (value.kind === 'array')
      for (const item of value.items) collector.written(item, place, place);
    else collector.written(value, place, place);
  }
}

/** Every string below `node`; the bytes of a picture, a sound or a file are none. */
function readContent(node: JsonNode, collector: PieceCollector, place: Place): void {
  if (node.kind === 'array') for (const item of node.items) readContent(item, collector, place);
  else if (node.kind === 'object')
    for (const { key, value } of node.members) {
      if (key === 'type' || key === 'mimeType' || key === 'role')
        collector.metadata(value, 'other', place);
      else if (value.kind === 'string' && holdsMedia(node, key, collector))
        collector.media(value, place, place, collector.word(node, 'mimeType'));
      else readContent(value, collector, place);
    }
  else collector.standAlone(node, place, place);
}

function holdsMedia(block: JsonObject, key: string, collector: PieceCollector): boolean {
  if (memberOf(block, 'mimeType') === undefined) return false;
  if (key === 'blob') return true;
  const kind = key === 'data' ? collector.word(block, 'type') : '';
  return kind === 'image' || kind === 'audio';
}
