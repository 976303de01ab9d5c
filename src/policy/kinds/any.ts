import { type TSchema, Type } from 'typebox';
import { anyDetector } from '../../match/any.ts';
import { matchKind } from './kind.ts';

/** Most members of one combination. */
export const MEMBERS_MAX = 20;

/** `member`: what may stand in it, see table.ts. */
export const anyKind = (member: TSchema) =>
  matchKind({
    schema: Type.Array(member, { minItems: 2, maxItems: MEMBERS_MAX }),
    compile(_settings, { node, compileMember }) {
      const items = node.kind === 'list' ? node.items : [];
      const members = items.map(compileMember);
      const built = members.flatMap((one) => one ?? []);
      return built.length === members.length ? anyDetector(built) : undefined;
    },
  });
