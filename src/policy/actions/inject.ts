import { Type } from 'typebox';
import { closed, words } from '../schema-parts.ts';
import { requestOnly } from './acts-on-request.ts';
import { actionKind } from './kind.ts';

/** What a tone is to the model: one sentence each, the same in every set, so that prompt caches keep. */
export const TONES = Object.freeze({
  formal: 'Write in a formal, courteous tone.',
  friendly: 'Write in a warm, friendly tone.',
  neutral: 'Write in a neutral, factual tone, without opinions.',
  concise: 'Be brief: answer in as few sentences as the question allows.',
  plain: 'Write in plain language that somebody without special knowledge understands.',
} as const);

type Tone = keyof typeof TONES;

export const INJECT = actionKind({
  schema: Type.Object(
    {
      text: Type.Optional(Type.String({ minLength: 1, maxLength: 8_000 })),
      tone: Type.Optional(words(Object.keys(TONES) as Tone[])),
      at: Type.Optional(words(['start', 'end'])),
    },
    { ...closed, minProperties: 1 },
  ),
  example: 'then: { inject: { text: Answer in English. } }',
  needsMatch: false,
  compile({ text, tone, at }, context) {
    requestOnly('inject', context);
    const written = [text?.trim(), tone && TONES[tone]].filter((part) => part).join('\n');
    if (written === '') {
      context.report(
        context.node.at,
        'inject_nothing',
        '`inject` has nothing to add; write a `text`, a `tone` or both',
      );
    }
    // What stands behind the caller's own words leaves the beginning, which providers cache, as it was.
    return { kind: 'inject', text: written, at: at ?? 'end' };
  },
});
