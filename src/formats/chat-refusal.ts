/** Refusals in the words of the chat completions API. */
import { Buffer } from 'node:buffer';
import type { Envelope } from './chat-frame.ts';
import type { Refusal, RefusalResponse } from './frame.ts';

/** A choice that a refusal has to end. */
export interface OpenChoice {
  readonly index: number;
  /** Some of it has reached the other side; without, the first chunk introduces the speaker. */
  readonly begun: boolean;
}

/** What is said in an answer of ours, in the words of one API of the family. */
export interface AnswerWords {
  /** The events that end a stream as refused; last the end marker. */
  refusalEvents(
    envelope: Envelope,
    choices: readonly OpenChoice[],
    refusal: Refusal,
  ): readonly Uint8Array[];
  /** One event that adds `addition` to the text of a choice. */
  contentEvent(envelope: Envelope, index: number, addition: string): Uint8Array;
  /** A whole answer that is a refusal. */
  refusalCompletion(refusal: Refusal): string;
}

/** The envelope of an answer of which nothing was seen. `created` is 0: no clock here. */
export function envelopeOf(refusal: Refusal): Envelope {
  return { id: `chatcmpl-${refusal.decisionId}`, created: 0, model: '' };
}

export function event(value: object): Uint8Array {
  return Buffer.from(`data: ${JSON.stringify(value)}\n\n`, 'utf8');
}

function chunk(envelope: Envelope, index: number, delta: object, finishReason: string | null) {
  return {
    id: envelope.id,
    object: 'chat.completion.chunk',
    created: envelope.created,
    model: envelope.model,
    choices: [{ index, delta, finish_reason: finishReason }],
  };
}

/** One event that adds `addition` to the content of a choice. */
function contentEvent(envelope: Envelope, index: number, addition: string): Uint8Array {
  return event(chunk(envelope, index, { content: addition }, null));
}

/** The end marker of a stream. */
export const DONE_EVENT: Uint8Array = Buffer.from('data: [DONE]\n\n');

/**
 * The events that end a stream as refused: per open choice the message as `delta.refusal`, then
 * `finish_reason: content_filter`; last the end marker. An `error` event would make SDKs report a fault
 * of the network instead (openai-node, src/core/streaming.ts).
 */
function refusalEvents(
  envelope: Envelope,
  choices: readonly OpenChoice[],
  refusal: Refusal,
): readonly Uint8Array[] {
  const switchyard = { decision: refusal.decisionId, code: refusal.code };
  const events = choices.flatMap(({ index, begun }) => [
    event({
      ...chunk(
        envelope,
        index,
        { ...(begun ? {} : { role: 'assistant' }), refusal: refusal.message },
        null,
      ),
      switchyard,
    }),
    event({ ...chunk(envelope, index, {}, 'content_filter'), switchyard }),
  ]);
  return [...events, DONE_EVENT];
}

/** A whole chat completion that is a refusal. */
function refusalCompletion(refusal: Refusal): string {
  return JSON.stringify({
    ...envelopeOf(refusal),
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: null, refusal: refusal.message },
        logprobs: null,
        finish_reason: 'content_filter',
      },
    ],
    switchyard: { decision: refusal.decisionId, code: refusal.code },
  });
}

/** Header names that every refusal carries. SDKs retry 408, 409, 429 and 5xx unless told not to. */
export function refusalHeaders(
  refusal: Refusal,
  contentType: string,
): Readonly<Record<string, string>> {
  return {
    'content-type': contentType,
    ...(refusal.retryAfterS === undefined
      ? { 'x-should-retry': 'false' }
      : { 'retry-after': String(refusal.retryAfterS) }),
    'x-switchyard-decision': refusal.decisionId,
  };
}

/** An error object as the OpenAI API answers with. */
export function errorResponse(refusal: Refusal, status: number): RefusalResponse {
  const error = {
    message: refusal.message,
    type: refusal.retryAfterS === undefined ? 'invalid_request_error' : 'rate_limit_error',
    param: null,
    code: refusal.code,
  };
  return {
    status,
    headers: refusalHeaders(refusal, 'application/json'),
    body: JSON.stringify({ error }),
  };
}

export function chatRefusalResponse(
  words: AnswerWords,
  refusal: Refusal,
  status: number,
  as: 'error' | 'refusal',
  streamed: boolean,
): RefusalResponse {
  if (as === 'error') return errorResponse(refusal, status);
  if (!streamed)
    return {
      status: 200,
      headers: refusalHeaders(refusal, 'application/json'),
      body: words.refusalCompletion(refusal),
    };
  const events = words.refusalEvents(envelopeOf(refusal), [{ index: 0, begun: false }], refusal);
  return {
    status: 200,
    headers: refusalHeaders(refusal, 'text/event-stream; charset=utf-8'),
    body: Buffer.concat(events).toString('utf8'),
  };
}

/** In the words of the chat completions API. */
export const CHAT_WORDS: AnswerWords = { refusalEvents, contentEvent, refusalCompletion };
