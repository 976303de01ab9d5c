import { Type } from 'typebox';
import { closed } from '../schema-parts.ts';
import { anyGlob } from './glob.ts';
import { restrictionKind } from './kind.ts';

const MESSAGE = 'You may not use this model.';

const Names = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
  minItems: 1,
  maxItems: 1_000,
});

/** Some servers take Gemini's and OpenAI's names with the collection that they stand in. */
const COLLECTION = /^(?:\/?models\/)+/i;

/** Who may use which models: `deny` outranks `allow`. */
export const MODELS = restrictionKind({
  schema: Type.Object(
    {
      allow: Type.Optional(Names),
      deny: Type.Optional(Names),
      message: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 })),
    },
    { ...closed, minProperties: 1 },
  ),
  compile({ allow, deny, message }, { node, report }) {
    if (allow === undefined && deny === undefined) {
      report(
        node.at,
        'models_none',
        '`models` names no model; write `allow`, `deny` or both, with names like `gpt-4o*`',
      );
    }
    const allowed = allow && anyGlob(allow);
    const denied = anyGlob(deny ?? []);
    return {
      restriction: {
        kind: 'models',
        permits: (model) => {
          const name = model.trim().replace(COLLECTION, '');
          return !denied(name) && (allowed?.(name) ?? true);
        },
        listed: allowed !== undefined,
      },
      action: { kind: 'block', message: message ?? MESSAGE, status: 403, as: 'error' },
    };
  },
});
