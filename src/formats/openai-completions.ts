/** The completions API (`POST …/completions`), older than chat, and served by most who serve models themselves. */
import { ApiNames } from './api-names.ts';
import type { Envelope } from './chat-frame.ts';
import {
  type AnswerWords,
  DONE_EVENT,
  envelopeOf,
  event,
  type OpenChoice,
} from './chat-refusal.ts';
import type { Format, Refusal } from './frame.ts';
import { DEFAULT_FORMAT_LIMITS, type FormatLimits } from './limits.ts';
import { choicesFormat } from './openai-chat.ts';
import { inputAt } from './openai-inputs.ts';
import { type RequestForm, requestFacts } from './request-body.ts';

const COMPLETIONS_REQUEST: RequestForm = {
  names: new ApiNames('prompt suffix model stream'),
  expects: ['prompt'],
  inOrder: true,
  collect: inputAt('prompt'),
  facts: requestFacts,
};

function answer(envelope: Envelope, index: number, text: string, finishReason: string | null) {
  return {
    id: envelope.id,
    object: 'text_completion',
    created: envelope.created,
    model: envelope.model,
    choices: [{ index, text, logprobs: null, finish_reason: finishReason }],
  };
}

/** The API has no field for a refusal: it is said as text, and `finish_reason` says what it is. */
const WORDS: AnswerWords = {
  refusalEvents(
    envelope: Envelope,
    choices: readonly OpenChoice[],
    refusal: Refusal,
  ): readonly Uint8Array[] {
    const switchyard = { decision: refusal.decisionId, code: refusal.code };
    const events = choices.flatMap(({ index, begun }) => [
      event({
        ...answer(envelope, index, `${begun ? '\n\n' : ''}${refusal.message}`, null),
        switchyard,
      }),
      event({ ...answer(envelope, index, '', 'content_filter'), switchyard }),
    ]);
    return [...events, DONE_EVENT];
  },
  contentEvent: (envelope, index, addition) => event(answer(envelope, index, addition, null)),
  refusalCompletion: (refusal) =>
    JSON.stringify({
      ...answer(envelopeOf(refusal), 0, refusal.message, 'content_filter'),
      switchyard: { decision: refusal.decisionId, code: refusal.code },
    }),
};

/** The format with limits of its own. */
export function openaiCompletionsWith(limits: FormatLimits): Format {
  return choicesFormat(
    {
      name: 'openai.completions',
      request: COMPLETIONS_REQUEST,
      words: WORDS,
      choiceText: 'content',
    },
    limits,
  );
}

export const openaiCompletions: Format = openaiCompletionsWith(DEFAULT_FORMAT_LIMITS);
