/** Refusals in the words of the Model Context Protocol: JSON-RPC, with the id of what was asked. */
import { refusalHeaders } from './chat-refusal.ts';
import type { Refusal, RefusalResponse } from './frame.ts';
import type { McpMessage } from './mcp-message.ts';

/** Of our own: the specification keeps −32768 to −32000 for itself. */
export const POLICY_ERROR_CODE = -31_403;
/** `HeaderMismatch` of the revision 2026-07-28. */
export const HEADER_MISMATCH_CODE = -32_020;

function envelope(id: string | undefined, rest: string): string {
  return `{"jsonrpc":"2.0","id":${id ?? 'null'},${rest}}`;
}

/** All of an error but its id. */
function errorPart(refusal: Refusal, code: number, noId?: string): string {
  const data = {
    decision: refusal.decisionId,
    code: refusal.code,
    ...(noId === undefined ? {} : { noId }),
  };
  const error = { code, message: refusal.message, data };
  return `"error":${JSON.stringify(error)}`;
}

/** A tool's own failure, which clients hand to the model, so that an agent can go on; all of it but its id. */
function refusedCallPart(refusal: Refusal): string {
  const result = {
    resultType: 'complete',
    content: [{ type: 'text', text: refusal.message }],
    isError: true,
    _meta: { 'switchyard/decision': refusal.decisionId, 'switchyard/code': refusal.code },
  };
  return `"result":${JSON.stringify(result)}`;
}

/** The answers to requests that are refused: a failed tool call, or an error where it is none. */
export function refusalMessages(
  messages: readonly McpMessage[],
  refusal: Refusal,
): readonly string[] {
  const call = refusedCallPart(refusal);
  const error = errorPart(refusal, POLICY_ERROR_CODE);
  return messages.map(({ id, method }) => envelope(id, method === 'tools/call' ? call : error));
}

/** What a refused body had asked. */
export interface Asked {
  readonly requests: readonly McpMessage[];
  /** They came as an array. */
  readonly batch: boolean;
  /** Headers and body named different things. */
  readonly mismatch: boolean;
  /** The body was there and could be read. */
  readonly read: boolean;
}

/**
 * Clients of the revisions before 2026-07-28, whose messages do not say their version, read JSON-RPC errors
 * from answers with status 200 alone; from others they report a fault of the transport. A status that a
 * rule names for a reason of its own stays.
 */
function readable(status: number, refusal: Refusal, { requests, mismatch }: Asked): number {
  const denied = refusal.code === 'content_policy_violation' && status === 400;
  const early = requests.length > 0 && requests.every(({ version }) => version === undefined);
  return denied && early && !mismatch ? 200 : status;
}

/** An error for each request; one without an id where there is none. */
function errors(refusal: Refusal, code: number, { requests, read }: Asked): readonly string[] {
  if (requests.length === 0) {
    const noId = read ? 'the body has no request' : 'the body was not read';
    return [envelope(undefined, errorPart(refusal, code, noId))];
  }
  const error = errorPart(refusal, code);
  return requests.map(({ id }) => envelope(id, error));
}

export function mcpRefusalResponse(
  refusal: Refusal,
  status: number,
  as: 'error' | 'refusal',
  asked: Asked,
): RefusalResponse {
  const { requests, batch, mismatch } = asked;
  const headers = refusalHeaders(refusal, 'application/json');
  const spoken = as === 'refusal' && requests.length > 0;
  const code = mismatch ? HEADER_MISMATCH_CODE : POLICY_ERROR_CODE;
  const bodies = spoken ? refusalMessages(requests, refusal) : errors(refusal, code, asked);
  return {
    status: spoken ? 200 : readable(status, refusal, asked),
    headers,
    body: batch && requests.length > 0 ? `[${bodies.join(',')}]` : bodies[0]!,
  };
}
