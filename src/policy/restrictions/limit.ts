import { Type } from 'typebox';
import { quote } from '../errors.ts';
import { child } from '../located.ts';
import { closed, words } from '../schema-parts.ts';
import { durationToMs } from '../units.ts';
import { restrictionKind } from './kind.ts';

/** Read and checked; a set that would enforce it is not activated, as nothing keeps counts yet. */
export const LIMIT = restrictionKind({
  schema: Type.Object(
    {
      of: words(['requests', 'tool_calls', 'tokens', 'cost']),
      tool: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
      per: words(['session', 'principal', 'tenant', 'app']),
      max: Type.Number({ exclusiveMinimum: 0 }),
      window: Type.String({ 'x-example': '1d' }),
      message: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 })),
    },
    closed,
  ),
  compile({ of, tool, window, message }, { node, report }) {
    if ((durationToMs(window) ?? 0) === 0) {
      report(
        child(node, 'window')?.at ?? node.at,
        'bad_unit',
        `${quote(window)} is no duration; write one like \`10m\` or \`1d\``,
      );
    }
    if (tool !== undefined && of !== 'tool_calls') {
      report(
        child(node, 'tool')?.at ?? node.at,
        'limit_tool',
        `\`tool\` counts calls of one tool, and this limit counts ${quote(of)}; write \`of: tool_calls\` or remove it`,
      );
    }
    return {
      restriction: { kind: 'limit' },
      action: { kind: 'block', message: message ?? MESSAGE, status: 429, as: 'error' },
    };
  },
});

const MESSAGE = 'A limit is reached. Try again later.';
