import { Type } from 'typebox';
import { closed, words } from '../schema-parts.ts';
import { actionKind } from './kind.ts';

export const APPEND = actionKind({
  schema: Type.Object(
    {
      text: Type.String({ maxLength: 2_000 }),
      oncePer: Type.Optional(words(['message', 'session'], { 'x-later': ['conversation'] })),
    },
    closed,
  ),
  example: 'then: { append: { text: A sentence., oncePer: message } }',
  needsMatch: false,
  text: ({ text }) => text,
  compile({ text, oncePer }, { node, inspect, report }) {
    if ([...inspect].some((word) => word !== 'response')) {
      report(
        node.at,
        'append_not_response',
        '`append` adds to the words of an answer; write `inspect: [response]` and nothing else',
      );
    }
    return { kind: 'append', text, oncePer: oncePer ?? 'message' };
  },
});
