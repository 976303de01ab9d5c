import { type TSchema, Type } from 'typebox';
import { allJudges, allTexts, type Member } from '../../match/all.ts';
import { type Detector, readsTexts } from '../../match/detector.ts';
import { child, type Located, plain } from '../located.ts';
import { reachesStream } from '../reach.ts';
import { closed } from '../schema-parts.ts';
import { MEMBERS_MAX } from './any.ts';
import { type MatchContext, matchKind } from './kind.ts';

/** Half of what the matcher keeps of a text, so that what is found at its far end fits, too. */
export const WITHIN_UNITS_MAX = 32_768;

/** `member`: what may stand in it, `not` included, see table.ts. */
export const allKind = (member: TSchema) => {
  const members = Type.Array(member, { minItems: 2, maxItems: MEMBERS_MAX });
  return matchKind({
    schema: Type.Union([
      members,
      Type.Object(
        {
          of: members,
          within: Type.Optional(Type.Integer({ minimum: 1, maximum: WITHIN_UNITS_MAX })),
        },
        closed,
      ),
    ]),
    compile(_settings, context): Detector | undefined {
      const { node, report } = context;
      const list = node.kind === 'list' ? node : child(node, 'of');
      const items = list?.kind === 'list' ? list.items : [];
      const members = items.map((item) => compiledMember(item, context));
      if (members.some((one) => one === undefined)) return undefined;
      const built = members.flatMap((one) => one ?? []);
      if (built.every(({ negated }) => negated)) {
        report(
          node.at,
          'not_alone',
          'every member is a `not`, so that nothing could be acted on; add one that must be there',
        );
        return undefined;
      }
      const wholes = built.filter(({ detector }) => detector.judge !== undefined);
      if (wholes.length === 0) return texts(built, context);
      if (built.every(({ detector }) => !readsTexts(detector))) return allJudges(built);
      report(
        node.at,
        'all_mixed',
        'a tool is judged as a whole and words are found in a text: there is nothing that both are about; ask for the words in `where`, e.g. `args.body.contains("…")`, or write two rules',
      );
      return undefined;
    },
  });
};

function compiledMember(item: Located, { compileMember }: MatchContext): Member | undefined {
  const negated = child(item, 'not');
  const detector = compileMember(negated ?? item);
  return detector && { detector, negated: negated !== undefined };
}

function texts(
  members: readonly Member[],
  { node, inspect, report }: MatchContext,
): Detector | undefined {
  const within = child(node, 'within');
  if (within !== undefined) return allTexts({ members, within: Number(plain(within)) });
  if (!reachesStream(inspect)) return allTexts({ members });
  report(
    node.at,
    'all_unbounded',
    'in a stream all text between the members would be held, however far apart they are; say how far that may be: `all: { of: […], within: 500 }`, in characters',
  );
  return undefined;
}
