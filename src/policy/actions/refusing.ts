import { Type } from 'typebox';
import { closed, words } from '../schema-parts.ts';
import type { Action } from '../set.ts';

/** What a caller is told where this action refuses; undefined for one that says nothing of its own. */
export function refusingWords(
  action: Action | undefined,
): Extract<Action, { kind: 'block' | 'remove' }> | undefined {
  return action?.kind === 'block' || action?.kind === 'remove' ? action : undefined;
}

/** The settings of an action that refuses; what it does not say is the defaults'. */
export const RefusalSettings = Type.Object(
  {
    message: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 })),
    status: Type.Optional(Type.Integer({ minimum: 400, maximum: 499 })),
    as: Type.Optional(words(['error', 'refusal'])),
  },
  closed,
);
