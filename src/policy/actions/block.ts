import { Type } from 'typebox';
import { closed, words } from '../schema-parts.ts';
import { actionKind } from './kind.ts';

/** HTTP status and words of a block that says nothing itself. */
export const BLOCK_DEFAULTS = Object.freeze({
  status: 400,
  as: 'error',
  message: 'This request was refused by policy.',
} as const);

export const BLOCK = actionKind({
  schema: Type.Object(
    {
      message: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 })),
      status: Type.Optional(Type.Integer({ minimum: 400, maximum: 499 })),
      as: Type.Optional(words(['error', 'refusal'])),
    },
    closed,
  ),
  needsMatch: false,
  compile: ({ message, status, as }) => ({
    kind: 'block',
    message: message ?? BLOCK_DEFAULTS.message,
    status: status ?? BLOCK_DEFAULTS.status,
    as: as ?? BLOCK_DEFAULTS.as,
  }),
});
