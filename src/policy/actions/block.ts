import { actionKind } from './kind.ts';
import { RefusalSettings } from './refusing.ts';

/** HTTP status and words of a block that says nothing itself. */
export const BLOCK_DEFAULTS = Object.freeze({
  status: 400,
  as: 'error',
  message: 'This request was refused by policy.',
} as const);

export const BLOCK = actionKind({
  schema: RefusalSettings,
  needsMatch: false,
  compile: ({ message, status, as }) => ({
    kind: 'block',
    message: message ?? BLOCK_DEFAULTS.message,
    status: status ?? BLOCK_DEFAULTS.status,
    as: as ?? BLOCK_DEFAULTS.as,
  }),
});
