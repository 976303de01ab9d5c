import { BLOCK_DEFAULTS } from './block.ts';
import { actionKind } from './kind.ts';
import { RefusalSettings } from './refusing.ts';

/** What a caller reads whose call of a removed tool is refused. */
const MESSAGE = 'This tool is not available here.';

export const REMOVE = actionKind({
  schema: RefusalSettings,
  needsMatch: true,
  compile: ({ message, status, as }) => ({
    kind: 'remove',
    message: message ?? MESSAGE,
    status: status ?? BLOCK_DEFAULTS.status,
    as: as ?? BLOCK_DEFAULTS.as,
  }),
});
