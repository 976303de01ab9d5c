/** Refusals in the words of the Responses API. */
import { Buffer } from 'node:buffer';
import { errorResponse, refusalHeaders } from './chat-refusal.ts';
import type { Refusal, RefusalResponse } from './frame.ts';
import type { ResponseEnvelope } from './responses-events.ts';

/** What the other side has seen of an answer that is to end as refused. */
export interface SeenResponse {
  readonly begun: boolean;
  readonly envelope: ResponseEnvelope;
  /** Items that have begun. */
  readonly items: number;
  /** The number that the next event has. */
  readonly sequence: number;
}

export function unseenResponse(refusal: Refusal): SeenResponse {
  const envelope = { id: `resp_${refusal.decisionId}`, createdAt: 0, model: '' };
  return { begun: false, envelope, items: 0, sequence: 0 };
}

export function responseEvent(type: string, members: object): Uint8Array {
  return Buffer.from(`event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`, 'utf8');
}

/** A response object with every member that clients count on. `created_at` is 0 where none was seen. */
function responseObject(envelope: ResponseEnvelope, status: string, output: readonly object[]) {
  return {
    id: envelope.id,
    object: 'response',
    created_at: envelope.createdAt,
    status,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason: 'content_filter' } : null,
    instructions: null,
    metadata: {},
    model: envelope.model,
    output,
    parallel_tool_calls: true,
    temperature: null,
    tool_choice: 'auto',
    tools: [],
    top_p: null,
    usage: null,
  };
}

function refusalItem(refusal: Refusal) {
  return {
    id: `msg_${refusal.decisionId}`,
    type: 'message',
    status: 'completed',
    role: 'assistant',
    content: [{ type: 'refusal', refusal: refusal.message }],
  };
}

function marker(refusal: Refusal) {
  return { switchyard: { decision: refusal.decisionId, code: refusal.code } };
}

/**
 * The events that end a stream as refused: a message of its own whose only part is the refusal, then
 * `response.incomplete` for reason `content_filter`. An `error` event would be thrown by official clients.
 * The last event has the refusal alone as its output: what was said before it is not kept here.
 */
export function responseRefusalEvents(seen: SeenResponse, refusal: Refusal): readonly Uint8Array[] {
  const item = refusalItem(refusal);
  const at = { item_id: item.id, output_index: seen.items, content_index: 0 };
  const part = item.content[0]!;
  let next = seen.sequence;
  const event = (type: string, members: object) =>
    responseEvent(type, { sequence_number: next++, ...members });
  const created = responseObject(seen.envelope, 'in_progress', []);
  const incomplete = responseObject(seen.envelope, 'incomplete', [item]);
  return [
    ...(seen.begun ? [] : [event('response.created', { response: created })]),
    event('response.output_item.added', {
      output_index: seen.items,
      item: { ...item, status: 'in_progress', content: [] },
    }),
    event('response.content_part.added', { ...at, part: { type: 'refusal', refusal: '' } }),
    event('response.refusal.delta', { ...at, delta: refusal.message }),
    event('response.refusal.done', { ...at, refusal: refusal.message }),
    event('response.content_part.done', { ...at, part }),
    event('response.output_item.done', { output_index: seen.items, item }),
    event('response.incomplete', { response: incomplete, ...marker(refusal) }),
  ];
}

/** A whole response that is a refusal. */
export function refusedResponse(refusal: Refusal): string {
  const { envelope } = unseenResponse(refusal);
  return JSON.stringify({
    ...responseObject(envelope, 'incomplete', [refusalItem(refusal)]),
    ...marker(refusal),
  });
}

export function responsesRefusalResponse(
  refusal: Refusal,
  status: number,
  as: 'error' | 'refusal',
  streamed: boolean,
): RefusalResponse {
  if (as === 'error') return errorResponse(refusal, status);
  const body = streamed
    ? Buffer.concat(responseRefusalEvents(unseenResponse(refusal), refusal)).toString('utf8')
    : refusedResponse(refusal);
  const type = streamed ? 'text/event-stream; charset=utf-8' : 'application/json';
  return { status: 200, headers: refusalHeaders(refusal, type), body };
}
