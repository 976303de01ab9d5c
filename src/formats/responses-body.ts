/** Reads whole bodies of the Responses API: requests, and the response object that answers and events carry. */
import { ApiNames } from './api-names.ts';
import type { JsonNode, JsonObject } from './json.ts';
import { memberOf } from './json.ts';
import type { PieceCollector } from './piece-collector.ts';
import { type RequestForm, requestFacts } from './request-body.ts';
import {
  intoTextMember,
  type RequestText,
  type Swaps,
  type SystemWords,
} from './request-change.ts';
import { type ItemSink, readItem, readPart } from './responses-items.ts';
import { nameOrKind, plainWord, tellDefinitions } from './tool-parts.ts';

/** Of requests, answers and events: they are made of the same items. */
export const RESPONSES_NAMES =
  new ApiNames(`input instructions tools model stream prompt variables previous_response_id
  conversation type id call_id role status server_label phase file_id detail container_id content summary output
  encrypted_content result results outputs arguments code name text refusal image_url file_data data input_audio
  logprobs response item part delta transcript partial_image_b64 item_id output_index content_index summary_index
  annotation_index start_index end_index sequence_number obfuscation annotations annotation object output_text error created_at metadata
  tool_choice parallel_tool_calls top_logprobs token logprob bytes`);

/** The body of a request of the Responses API. */
export const RESPONSES_REQUEST: RequestForm = {
  names: RESPONSES_NAMES,
  expects: ['input', 'instructions', 'prompt', 'previous_response_id', 'conversation'],
  inOrder: true,
  collect: readResponsesRequest,
  facts: requestFacts,
  system: writeInstructions,
};

/** `instructions` are one string; they hold for one response, so that a stored conversation needs them again. */
function writeInstructions(request: RequestText, words: SystemWords): Swaps {
  const node = request.member(request.root, 'instructions');
  if (typeof node === 'object' && node.kind === 'array') return undefined;
  return intoTextMember(request, request.root, 'instructions', words);
}

/** Collects every string of a request that a model may read. */
function readResponsesRequest(root: JsonObject, collector: PieceCollector): void {
  const sink: ItemSink = { collector, repeats: [], anchored: [], last: true, past: true };
  collector.each(root.members, ({ key, value }) => {
    if (key === 'input') readTurns(value, 'input', 'user', sink);
    else if (key === 'instructions') readTurns(value, 'instructions', 'system', sink);
    else if (key === 'prompt') readPrompt(value, sink);
    else if (key === 'tools') {
      collector.standAlone(value, 'tool_definition', 'tool_definition');
      tellDefinitions(value, root, collector, (tool) =>
        nameOrKind(tool, collector, plainWord(tool, 'type', collector)),
      );
    } else if (key === 'model' || key === 'previous_response_id')
      collector.metadata(value, 'other', 'user');
    else collector.standAlone(value, 'other', 'user');
  });
}

/** A stored prompt: its variables are filled in with strings and parts. */
function readPrompt(prompt: JsonNode, sink: ItemSink): void {
  const { collector } = sink;
  if (prompt.kind !== 'object') {
    collector.standAlone(prompt, 'prompt', 'user');
    return;
  }
  collector.each(prompt.members, ({ key, value }) => {
    if (key === 'variables' && value.kind === 'object')
      collector.each(value.members, (variable) => {
        collector.name(variable, 'prompt', 'user');
        readPart(variable.value, 'prompt', 'user', sink);
      });
    else collector.standAlone(value, 'prompt', 'user');
  });
}

/** One string, or items. */
function readTurns(node: JsonNode, key: string, place: 'user' | 'system', sink: ItemSink): void {
  if (node.kind === 'string') sink.collector.add(node, `${key}/content`, place, true);
  else if (node.kind === 'array')
    sink.collector.each(node.items, (item, index) => {
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
  collector.each(response.members, ({ key, value }) => {
    if ((key === 'output' || key === 'data') && value.kind === 'array')
      collector.each(value.items, (item, index) => {
        readItem(item, `${family}/${index}`, 'assistant', sink);
      });
    else if (key === 'output_text' && value.kind === 'string')
      collector.add(value, `${family}/content`, 'assistant', true);
    else if (!ECHOED.has(key)) readWords(value, collector);
  });
}

/** Settings, states and counts: words here and there, any of which may be more than a word. */
function readWords(node: JsonNode, collector: PieceCollector): void {
  if (node.kind === 'object')
    collector.each(node.members, ({ value }) => readWords(value, collector));
  else if (node.kind === 'array') collector.each(node.items, (item) => readWords(item, collector));
  else collector.metadata(node, 'other', 'assistant');
}

/** Whether a document can be the answer to a request of this API. */
export function isResponsesAnswer(root: JsonObject, collector: PieceCollector): boolean {
  const kind = collector.word(root, 'object');
  return kind === 'list' || /^response(?:\.|$)/.test(kind) || memberOf(root, 'error') !== undefined;
}
