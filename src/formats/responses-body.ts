/** Reads whole bodies of the Responses API: requests, and the response object that answers and events carry. */
import { wordOf } from './anthropic-content.ts';
import type { JsonNode, JsonObject } from './json.ts';
import { memberOf } from './json.ts';
import type { PieceCollector } from './piece-collector.ts';
import { type ItemSink, readItem } from './responses-items.ts';

/** Collects every string of a request that a model may read. */
export function readResponsesRequest(root: JsonObject, collector: PieceCollector): void {
  const sink: ItemSink = { collector, repeats: [], last: true };
  for (const { key, value, shadowed } of root.members) {
    if (shadowed) collector.standAlone(value, 'shadowed', 'user');
    else if (key === 'input') readTurns(value, 'input', 'user', sink);
    else if (key === 'instructions') readTurns(value, 'instructions', 'system', sink);
    else if (key === 'tools') collector.standAlone(value, 'tool_definition', 'tool_definition');
    else if (key === 'model' || key === 'previous_response_id')
      collector.metadata(value, 'other', 'user');
    else collector.standAlone(value, 'other', 'user');
  }
}

/** One string, or items. */
function readTurns(node: JsonNode, key: string, place: 'user' | 'system', sink: ItemSink): void {
  if (node.kind === 'string') sink.collector.add(node, `${key}/content`, place, true);
  else if (node.kind === 'array')
    node.items.forEach((item, index) => {
      readItem(item, `${key}/${index}`, place, sink);
    });
  else sink.collector.standAlone(node, key, place);
}

/**
 * Members in which a response repeats what its caller asked with. They were judged in the request; judged
 * again here, a system prompt that names what must not be said would end every answer.
 */
const ECHOED: ReadonlySet<string> = new Set([
  'instructions',
  'tools',
  'tool_choice',
  'prompt',
  'text',
  'metadata',
]);

/** Collects what a response says, in texts `<family>/…` that are complete. */
export function readResponse(response: JsonObject, family: string, sink: ItemSink): void {
  const { collector } = sink;
  for (const { key, value, shadowed } of response.members) {
    if (shadowed) collector.standAlone(value, 'shadowed', 'assistant');
    else if ((key === 'output' || key === 'data') && value.kind === 'array')
      value.items.forEach((item, index) => {
        readItem(item, `${family}/${index}`, 'assistant', sink);
      });
    else if (key === 'output_text' && value.kind === 'string')
      collector.add(value, `${family}/content`, 'assistant', true);
    else if (!ECHOED.has(key)) readWords(value, collector);
  }
}

/** Settings, states and counts: words here and there, any of which may be more than a word. */
function readWords(node: JsonNode, collector: PieceCollector): void {
  if (node.kind === 'object')
    for (const { value, shadowed } of node.members)
      if (shadowed) collector.standAlone(value, 'shadowed', 'assistant');
      else readWords(value, collector);
  else if (node.kind === 'array') for (const item of node.items) readWords(item, collector);
  else collector.metadata(node, 'other', 'assistant');
}

/** Whether a document can be the answer to a request of this API. */
export function isResponsesAnswer(root: JsonObject, collector: PieceCollector): boolean {
  const kind = wordOf(root, 'object', collector);
  return kind === 'list' || /^response(?:\.|$)/.test(kind) || memberOf(root, 'error') !== undefined;
}
