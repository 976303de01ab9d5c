import { Type } from 'typebox';
import { frozenSet } from '../freeze.ts';
import { closed, words } from '../schema-parts.ts';
import { restrictionKind } from './kind.ts';

const MESSAGE = 'This service is read-only for now. Try again later.';

const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Maintenance: nothing is written, by a method or by a tool. */
export const READ_ONLY = restrictionKind({
  schema: Type.Object(
    {
      methods: Type.Optional(Type.Array(words(METHODS), { minItems: 1 })),
      message: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 })),
    },
    { ...closed, 'x-later': ['tools'] },
  ),
  compile: ({ methods, message }) => ({
    restriction: { kind: 'readOnly', methods: frozenSet<string>(methods ?? METHODS) },
    action: { kind: 'block', message: message ?? MESSAGE, status: 403, as: 'error' },
  }),
});
