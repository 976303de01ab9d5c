import { Type } from 'typebox';
import type { Detector } from '../../match/detector.ts';
import type { Subject, SubjectJudge } from '../../match/subject.ts';
import { fitsGlob } from '../globs.ts';
import { child } from '../located.ts';
import { closed } from '../schema-parts.ts';
import type { InspectWord } from '../set.ts';
import { compileWhere } from '../where.ts';
import { matchKind } from './kind.ts';

const Glob = Type.String({ minLength: 1, maxLength: 128 });
export const ToolNames = Type.Array(Glob, { minItems: 1, maxItems: 1_000 });

/** What tools are told of. A rule of this kind reads all of it unless it says. */
const EVERYWHERE: readonly InspectWord[] = ['tool_definition', 'tool_call', 'tool_result'];
/** Only a call has arguments. */
const CALLS: readonly InspectWord[] = ['tool_call'];

/** No tool has a longer name: it is what every rule is against. */
export const TOOL_NAME_UNITS_MAX = 1_024;

export const TOOL = matchKind({
  schema: Type.Object(
    {
      name: Type.Optional(Glob),
      in: Type.Optional(ToolNames),
      notIn: Type.Optional(ToolNames),
      where: Type.Optional(Type.String({ minLength: 1 })),
    },
    { ...closed, minProperties: 1 },
  ),
  inspect: ({ where }) => (where === undefined ? EVERYWHERE : CALLS),
  compile({ name, in: listed, notIn, where }, { node, limits, report }): Detector | undefined {
    const lists = [name, listed, notIn].filter((list) => list !== undefined);
    if (lists.length > 1) {
      report(
        node.at,
        'not_exactly_one',
        '`name`, `in` and `notIn` say the same in three ways; keep one of them',
      );
      return undefined;
    }
    const names = { in: listed ?? (name === undefined ? undefined : [name]), notIn };
    if (where === undefined) return toolsNamed(names);
    const named = nameTest(names);
    const condition = compileWhere(where, limits);
    if (!condition.ok) {
      report((child(node, 'where') ?? node).at, condition.code, condition.message);
      return undefined;
    }
    return detector({
      about: (kind) => kind === 'call',
      byName: (subject) => (named(subject) === 'matches' ? 'input' : 'no'),
      byInput: (_subject, input) => condition.judge(input),
    });
  },
});

/** Tools of these names, or of any but these. */
interface ToolNameList {
  readonly in?: readonly string[] | undefined;
  readonly notIn?: readonly string[] | undefined;
}

/** Whatever is told of tools by their names: definitions, calls and results. */
export function toolsNamed(names: ToolNameList): Detector {
  return detector({ about: isTool, byName: nameTest(names), byInput: () => 'no' });
}

const isTool = (kind: Subject['kind']): boolean => kind !== 'body';

/** What is forbidden is forbidden in any case and form; what is allowed, only as it is written. */
function nameTest({ in: listed, notIn }: ToolNameList): (subject: Subject) => 'matches' | 'no' {
  const forbidden = listed?.map(plain);
  return ({ name }) => {
    if (name.length > TOOL_NAME_UNITS_MAX) return 'matches';
    if (forbidden !== undefined) {
      const said = plain(name);
      return forbidden.some((glob) => fitsGlob(glob, said)) ? 'matches' : 'no';
    }
    return notIn?.some((glob) => fitsGlob(glob, name)) ? 'no' : 'matches';
  };
}

function plain(name: string): string {
  return name.normalize('NFKC').replace(UNSEEN, '').toUpperCase().toLowerCase();
}

/** What is not seen, and white space: no tool's name has it. */
const UNSEEN = /[\p{Cf}\p{Cc}\s]/gu;

function detector(judge: SubjectJudge): Detector {
  return Object.freeze({
    kind: 'tool' as const,
    labels: Object.freeze([]),
    bytes: 0,
    start: () => [],
    matches: () => false,
    judge: Object.freeze(judge),
  });
}
