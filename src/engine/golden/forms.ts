/** A golden case in the words of other APIs, streamed and not: it says what must happen, not in which of them. */
import type { GoldenCase } from '../../policy/golden/cases.ts';
import {
  GOLDEN_FORMAT_DEFAULT,
  GOLDEN_WORDS,
  type GoldenFormat,
  type GoldenRequest,
  type GoldenResponse,
} from '../../policy/golden/schema.ts';
import { deltasOf } from './answers.ts';

/** APIs in which people and models converse: what is said in one can be said in any of them. */
const CONVERSATIONS: readonly GoldenFormat[] = [
  'openai.chat',
  'openai.responses',
  'openai.completions',
  'anthropic.messages',
  'gemini',
];

export interface Form {
  /** In words: `in gemini, streamed`. */
  readonly how: string;
  readonly case: GoldenCase;
  readonly streamed: boolean;
  /** As the author wrote it. */
  readonly written: boolean;
}

/**
 * The written form first. A case that names a format, a path, a method or a body is about that, and stays in its API;
 * one with a `body` for its answer also stays whole, or streamed, as it is. The status of a refusal is expected of
 * forms that stream as the written one does: one that begins in the middle of a stream has the status of the answer.
 */
export function formsOf(golden: GoldenCase): readonly Form[] {
  const written = golden.request.format ?? golden.response?.format ?? GOLDEN_FORMAT_DEFAULT;
  const isStreamed = golden.response?.stream !== undefined;
  const forms: Form[] = [];
  for (const format of formatsOf(golden, written)) {
    for (const streamed of streamsOf(golden, isStreamed)) {
      const own = format === written && streamed === isStreamed;
      forms.push({
        how: `in ${format}${golden.response === undefined ? '' : streamed ? ', streamed' : ', whole'}`,
        case: own ? golden : put(golden, format, streamed, streamed === isStreamed),
        streamed,
        written: own,
      });
    }
  }
  return forms;
}

function formatsOf(golden: GoldenCase, written: GoldenFormat): readonly GoldenFormat[] {
  const { request, response } = golden;
  const named = request.format ?? response?.format ?? request.path ?? request.method;
  if (named !== undefined || request.body !== undefined || response?.body !== undefined)
    return [written];
  const others = CONVERSATIONS.filter(
    (format) =>
      format !== written &&
      // Nothing is injected where an API has no place for words of the system.
      (golden.expect.then !== 'inject' || GOLDEN_WORDS[format].request.includes('system')) &&
      hasPlaces(request, WORDS.request, GOLDEN_WORDS[format].request) &&
      hasPlaces(response ?? {}, WORDS.response, GOLDEN_WORDS[format].response),
  );
  return [written, ...others];
}

function streamsOf({ request, response }: GoldenCase, isStreamed: boolean): readonly boolean[] {
  const format = request.format ?? response?.format ?? GOLDEN_FORMAT_DEFAULT;
  // MCP answers with one message, and events of no API are always a stream.
  const isFixed =
    response === undefined || response.body !== undefined || !CONVERSATIONS.includes(format);
  return isFixed ? [isStreamed] : [isStreamed, !isStreamed];
}

const WORDS = {
  request: ['system', 'user', 'assistant', 'tool_result', 'tools', 'tool_call'],
  response: ['text', 'stream', 'tool_call'],
} as const;

function hasPlaces<Word extends string>(
  side: Readonly<Partial<Record<Word, unknown>>>,
  words: readonly Word[],
  places: readonly string[],
): boolean {
  return words.every((word) => side[word] === undefined || places.includes(word));
}

function put(
  golden: GoldenCase,
  format: GoldenFormat,
  streamed: boolean,
  sameStream: boolean,
): GoldenCase {
  const request: GoldenRequest = { ...golden.request, format };
  const { status: _, ...expect } = golden.expect;
  const { response } = golden;
  return {
    ...golden,
    request,
    ...(response && { response: answered(response, format, streamed) }),
    expect: sameStream ? golden.expect : expect,
  };
}

function answered(
  response: GoldenResponse,
  format: GoldenFormat,
  streamed: boolean,
): GoldenResponse {
  const { text: _text, stream: _stream, ...rest } = response;
  const deltas = deltasOf(response);
  if (streamed) return { ...rest, format, stream: [...deltas] };
  return { ...rest, format, ...(deltas.length > 0 && { text: deltas.join('') }) };
}
