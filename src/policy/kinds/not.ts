import type { TSchema } from 'typebox';
import { matchKind } from './kind.ts';

/** Alone it would match almost everything, and there would be nothing to act on. `member`: see table.ts. */
export const notKind = (member: TSchema) =>
  matchKind({
    schema: member,
    compile(_settings, { node, report }) {
      report(
        node.at,
        'not_alone',
        '`not` says what must not be there, and nothing that could be acted on; write it into an `all:` beside something that must',
      );
      return undefined;
    },
  });
