import { Type } from 'typebox';
import { closed, words } from '../schema-parts.ts';
import { BLOCK_DEFAULTS } from './block.ts';
import { actionKind } from './kind.ts';

/** What a caller reads whose call of a removed tool is refused. */
const MESSAGE = 'This tool is not available here.';

export const REMOVE = actionKind({
  schema: Type.Object(
    {
      message: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 })),
      status: Type.Optional(Type.Integer({ minimum: 400, maximum: 499 })),
      as: Type.Optional(words(['error', 'refusal'])),
    },
    closed,
  ),
  needsMatch: true,
  compile: ({ message, status, as }) => ({
    kind: 'remove',
    message: message ?? MESSAGE,
    status: status ?? BLOCK_DEFAULTS.status,
    as: as ?? BLOCK_DEFAULTS.as,
  }),
});
