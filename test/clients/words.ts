/**
 * How each client words the outcomes: the table that the tests hold every client to, and that
 * `docs/clients.md` is written from.
 */
import type { Client } from './said.ts';

/** A refusal inside an answer, as one client shows it. */
export interface RefusalWords {
  /** Why the answer ended. */
  readonly finish: string;
  /** Where its message is read, for people. */
  readonly place: string;
  /** `own`: apart from the text. `text`: at the end of the text. `none`: nowhere. */
  readonly message: 'own' | 'text' | 'none';
  /** The same for a refusal instead of any answer, where it differs. */
  readonly instead?: Pick<RefusalWords, 'place' | 'message'>;
}

export type HalfCall = 'text' | 'parsed' | 'dropped';

export interface Words {
  readonly stop: string;
  /** The end of an answer that calls tools. */
  readonly calls: string;
  readonly refusal: RefusalWords;
  /** Classes of thrown errors by HTTP status. */
  readonly errors: Readonly<Record<400 | 403 | 502 | 503, string>>;
  /** Requests that it makes when Switchyard cannot judge, or is gone: tries that it has by default. */
  readonly triesUnavailable: number;
  /** A refusal before anything of a stream was seen is an error. */
  readonly firstWordIsError?: true;
  /** What becomes of a call that was cut: its text, what a lenient parser makes of it, or nothing. */
  readonly half: HalfCall;
  /** Where putting a stream together differs from reading its events. */
  readonly collect?: {
    /** Thrown instead of any refusal. */
    readonly throws?: string;
    /** Only the refusal is left: neither text nor calls that came before. */
    readonly refusalAlone?: true;
    readonly half?: HalfCall;
  };
}

const OPENAI_ERRORS = {
  400: 'BadRequestError',
  403: 'PermissionDeniedError',
  502: 'InternalServerError',
  503: 'InternalServerError',
};
const VERCEL_ERRORS = {
  400: 'AI_APICallError',
  403: 'AI_APICallError',
  502: 'AI_RetryError',
  503: 'AI_RetryError',
};

const CHAT: Words = {
  stop: 'stop',
  calls: 'tool_calls',
  refusal: { finish: 'content_filter', place: '`refusal`', message: 'own' },
  errors: OPENAI_ERRORS,
  triesUnavailable: 1,
  half: 'text',
};

const RESPONSES: Words = {
  stop: 'completed',
  calls: 'completed',
  refusal: {
    finish: 'content_filter',
    place: 'a part of type `refusal`',
    message: 'own',
  },
  errors: OPENAI_ERRORS,
  triesUnavailable: 1,
  half: 'dropped',
  collect: { refusalAlone: true },
};

const MESSAGES: Words = {
  stop: 'end_turn',
  calls: 'tool_use',
  refusal: { finish: 'refusal', place: '`stop_details.explanation`', message: 'own' },
  errors: { ...OPENAI_ERRORS, 503: 'ServiceUnavailableError' },
  triesUnavailable: 1,
  half: 'text',
  collect: { half: 'parsed' },
};

const GEMINI: Words = {
  stop: 'STOP',
  calls: 'FUNCTION_CALL',
  refusal: {
    finish: 'PROHIBITED_CONTENT',
    place: '`promptFeedback.blockReasonMessage`',
    message: 'own',
  },
  errors: { 400: 'ApiError', 403: 'ApiError', 502: 'ApiError', 503: 'ApiError' },
  triesUnavailable: 1,
  firstWordIsError: true,
  half: 'dropped',
};

const VERCEL: Words = {
  stop: 'stop',
  calls: 'tool-calls',
  refusal: { finish: 'content-filter', place: 'the end of `text`', message: 'text' },
  errors: VERCEL_ERRORS,
  triesUnavailable: 3,
  half: 'text',
};

/** By the name of the client. */
export const WORDS: Readonly<Record<string, Words>> = {
  'openai (Node), chat completions': CHAT,
  'openai (Node), responses': RESPONSES,
  '@anthropic-ai/sdk': MESSAGES,
  '@google/genai': GEMINI,
  'ai with @ai-sdk/openai, chat': VERCEL,
  'ai with @ai-sdk/openai, responses': { ...VERCEL, half: 'dropped' },
  'ai with @ai-sdk/anthropic': {
    ...VERCEL,
    refusal: {
      finish: 'content-filter',
      place: '`providerMetadata.anthropic.stopDetails.explanation`',
      message: 'own',
    },
  },
  'ai with @ai-sdk/google': {
    ...VERCEL,
    calls: 'other',
    refusal: {
      finish: 'content-filter',
      place: '`providerMetadata.google.finishMessage`',
      message: 'own',
      instead: { place: 'nowhere', message: 'none' },
    },
    firstWordIsError: true,
    half: 'dropped',
  },
  'openai (Python), chat completions': {
    ...CHAT,
    collect: { throws: 'ContentFilterFinishReasonError' },
  },
  'openai (Python), responses': { ...RESPONSES, collect: { throws: 'RuntimeError' } },
  'anthropic (Python)': MESSAGES,
  'google-genai (Python)': {
    ...GEMINI,
    refusal: { ...GEMINI.refusal, place: '`prompt_feedback.block_reason_message`' },
    errors: { 400: 'ClientError', 403: 'ClientError', 502: 'ServerError', 503: 'ServerError' },
  },
};

/** Throws for a client that has no line in the table. */
export function wordsOf({ name }: Client): Words {
  const words = WORDS[name];
  if (words === undefined) throw new RangeError(`no words for ${name}`);
  return words;
}
