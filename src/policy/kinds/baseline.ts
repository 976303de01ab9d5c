import { Type } from 'typebox';
import type { Detector } from '../../match/detector.ts';
import { quote } from '../errors.ts';
import { child } from '../located.ts';
import { closed, words } from '../schema-parts.ts';
import { durationToMs } from '../units.ts';
import { matchKind } from './kind.ts';

/** Finds nothing: a rule of this kind is read and checked, and no set in which it is to act is served. */
const NOT_YET: Detector = Object.freeze({
  kind: 'baseline' as const,
  labels: Object.freeze([]),
  unitsMax: 0,
  bytes: 0,
  start: () => [],
  matches: () => false,
});

export const BASELINE = matchKind({
  schema: Type.Object(
    {
      of: words(['requests', 'tool_calls']),
      tool: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
      over: Type.String({ 'x-example': '30d' }),
      factor: Type.Number({ exclusiveMinimum: 1 }),
    },
    closed,
  ),
  inspect: ({ of }) => (of === 'requests' ? ['request'] : ['tool_call']),
  compile({ of, tool, over }, { node, report }) {
    if ((durationToMs(over) ?? 0) === 0) {
      report(
        child(node, 'over')?.at ?? node.at,
        'bad_unit',
        `${quote(over)} is no duration; write one like \`7d\` or \`30d\``,
      );
      return undefined;
    }
    if (tool !== undefined && of !== 'tool_calls') {
      report(
        child(node, 'tool')?.at ?? node.at,
        'limit_tool',
        `\`tool\` counts calls of one tool, and this baseline is of ${quote(of)}; write \`of: tool_calls\` or remove it`,
      );
      return undefined;
    }
    return NOT_YET;
  },
});
