/** Refusals in the words of the Gemini API. */
import { Buffer } from 'node:buffer';
import { refusalHeaders } from './chat-refusal.ts';
import type { Refusal, RefusalResponse } from './frame.ts';

/** How answers of a call come: one document, an event stream, or an array in pieces. */
export type GeminiTransport = 'document' | 'events' | 'array';

/** Names of Google's canonical error codes by HTTP status (google/rpc/code.proto). */
const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

function provenance(refusal: Refusal) {
  return { switchyard: { decision: refusal.decisionId, code: refusal.code } };
}

/** An answer without candidates: the prompt was refused. */
export function refusedPrompt(refusal: Refusal): string {
  return JSON.stringify({
    promptFeedback: { blockReason: 'PROHIBITED_CONTENT', blockReasonMessage: refusal.message },
    ...provenance(refusal),
  });
}

/**
 * The last chunk of an answer: each candidate that was open ends as refused, with no text. Google's own
 * clients drop `finishMessage` where they do not talk to Vertex, and keep the feedback; without a
 * `blockReason` that does not say that the prompt was refused.
 */
export function refusedCandidates(
  envelope: Readonly<Record<string, string>>,
  candidates: readonly number[],
  refusal: Refusal,
): string {
  return JSON.stringify({
    candidates: candidates.map((index) => ({
      index,
      content: { role: 'model', parts: [] },
      finishReason: 'PROHIBITED_CONTENT',
      finishMessage: refusal.message,
    })),
    promptFeedback: { blockReasonMessage: refusal.message },
    ...envelope,
    ...provenance(refusal),
  });
}

/** One chunk that adds `addition` to the text of a candidate. */
export function textChunk(
  envelope: Readonly<Record<string, string>>,
  index: number,
  addition: string,
): string {
  const content = { role: 'model', parts: [{ text: addition }] };
  return JSON.stringify({ candidates: [{ index, content }], ...envelope });
}

/** A chunk as an event. */
export function geminiEvent(json: string): Uint8Array {
  return Buffer.from(`data: ${json}\n\n`, 'utf8');
}

/** An error object as Google's APIs answer with. */
function errorBody(refusal: Refusal, status: number): string {
  return JSON.stringify({
    error: {
      code: status,
      message: refusal.message,
      status: STATUS_NAMES[status] ?? 'FAILED_PRECONDITION',
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: refusal.code.toUpperCase(),
          domain: 'switchyard',
          metadata: { decision: refusal.decisionId },
        },
      ],
    },
  });
}

export function geminiRefusalResponse(
  refusal: Refusal,
  status: number,
  as: 'error' | 'refusal',
  transport: GeminiTransport,
): RefusalResponse {
  const json = 'application/json; charset=UTF-8';
  if (as === 'error')
    return { status, headers: refusalHeaders(refusal, json), body: errorBody(refusal, status) };
  const body = refusedPrompt(refusal);
  switch (transport) {
    case 'document':
      return { status: 200, headers: refusalHeaders(refusal, json), body };
    case 'array':
      return { status: 200, headers: refusalHeaders(refusal, json), body: `[${body}]` };
    case 'events':
      return {
        status: 200,
        headers: refusalHeaders(refusal, 'text/event-stream'),
        body: Buffer.from(geminiEvent(body)).toString('utf8'),
      };
  }
}
