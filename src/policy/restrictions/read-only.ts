import { Type } from 'typebox';
import { frozenSet } from '../freeze.ts';
import { ToolNames, toolsNamed } from '../kinds/tool.ts';
import { closed, words } from '../schema-parts.ts';
import { restrictionKind } from './kind.ts';

const MESSAGE = 'This service is read-only for now. Try again later.';

const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Maintenance: nothing is written, by a method or by a tool. */
export const READ_ONLY = restrictionKind({
  schema: Type.Object(
    {
      methods: Type.Optional(Type.Array(words(METHODS), { minItems: 1 })),
      tools: Type.Optional(
        Type.Object(
          { in: Type.Optional(ToolNames), notIn: Type.Optional(ToolNames) },
          { ...closed, minProperties: 1, maxProperties: 1 },
        ),
      ),
      message: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 })),
    },
    closed,
  ),
  compile({ methods, tools, message }) {
    const restriction = {
      kind: 'readOnly',
      methods: frozenSet<string>(methods ?? METHODS),
    } as const;
    const words = { message: message ?? MESSAGE, status: 403, as: 'error' } as const;
    if (tools === undefined) return { restriction, action: { kind: 'block', ...words } };
    return {
      restriction,
      action: { kind: 'remove', ...words },
      detector: toolsNamed(tools),
      inspect: ['tool_definition', 'tool_call'],
    };
  },
});
