/** Refusals in the words of the Messages API. */
import { Buffer } from 'node:buffer';
import { refusalHeaders } from './chat-refusal.ts';
import type { Refusal, RefusalResponse } from './frame.ts';

/** What the other side has seen of an answer that is to end as refused. */
export interface SeenMessage {
  readonly begun: boolean;
  readonly model: string;
  /** Indices of blocks that have begun and not stopped, in the order they began. */
  readonly openBlocks: readonly number[];
  readonly outputTokens: number;
}

export const UNSEEN: SeenMessage = Object.freeze({
  begun: false,
  model: '',
  openBlocks: [],
  outputTokens: 0,
});

function event(type: string, members: object): Uint8Array {
  return Buffer.from(`event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`, 'utf8');
}

/** A text block of our own. */
export function textBlockEvents(index: number, text: string): readonly Uint8Array[] {
  return [
    event('content_block_start', { index, content_block: { type: 'text', text: '' } }),
    event('content_block_delta', { index, delta: { type: 'text_delta', text } }),
    event('content_block_stop', { index }),
  ];
}

function stopDetails(refusal: Refusal) {
  return { type: 'refusal', category: null, explanation: refusal.message };
}

function marker(refusal: Refusal) {
  return { switchyard: { decision: refusal.decisionId, code: refusal.code } };
}

function emptyMessage(refusal: Refusal, model: string) {
  return {
    id: `msg_${refusal.decisionId}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 0, output_tokens: 0 },
  };
}

/**
 * The events that end a stream as refused: open blocks stop, then `stop_reason: refusal` with the message
 * in `stop_details`. In this order, as official clients throw on any other; an `error` event would be
 * reported as a fault (platform.claude.com, "Handle streaming refusals").
 */
export function messageRefusalEvents(seen: SeenMessage, refusal: Refusal): readonly Uint8Array[] {
  const events: Uint8Array[] = [];
  if (!seen.begun)
    events.push(event('message_start', { message: emptyMessage(refusal, seen.model) }));
  for (const index of seen.openBlocks) events.push(event('content_block_stop', { index }));
  const delta = {
    stop_reason: 'refusal',
    stop_sequence: null,
    stop_details: stopDetails(refusal),
  };
  const usage = { output_tokens: seen.outputTokens };
  events.push(event('message_delta', { delta, usage, ...marker(refusal) }));
  events.push(event('message_stop', {}));
  return events;
}

/** A whole message that is a refusal. */
export function refusalMessage(refusal: Refusal): string {
  return JSON.stringify({
    ...emptyMessage(refusal, ''),
    stop_reason: 'refusal',
    stop_details: stopDetails(refusal),
    ...marker(refusal),
  });
}

/** Types of errors by status (Anthropic API reference, "Errors"). */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
};

export function messageErrorResponse(refusal: Refusal, status: number): RefusalResponse {
  const type = ERROR_TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  const error = { type, message: refusal.message };
  return {
    status,
    headers: refusalHeaders(refusal, 'application/json'),
    body: JSON.stringify({ type: 'error', error, ...marker(refusal) }),
  };
}

export function messageRefusalResponse(
  refusal: Refusal,
  status: number,
  as: 'error' | 'refusal',
  streamed: boolean,
): RefusalResponse {
  if (as === 'error') return messageErrorResponse(refusal, status);
  const body = streamed
    ? Buffer.concat(messageRefusalEvents(UNSEEN, refusal)).toString('utf8')
    : refusalMessage(refusal);
  const type = streamed ? 'text/event-stream; charset=utf-8' : 'application/json';
  return { status: 200, headers: refusalHeaders(refusal, type), body };
}
