import { Type } from 'typebox';
import { jsonPath } from '../../formats/json-path.ts';
import { quote } from '../errors.ts';
import { child } from '../located.ts';
import { closed } from '../schema-parts.ts';
import { actionKind } from './kind.ts';

export const CLAMP = actionKind({
  schema: Type.Object(
    {
      path: Type.String({ minLength: 1, maxLength: 256 }),
      min: Type.Optional(Type.Number()),
      max: Type.Optional(Type.Number()),
    },
    closed,
  ),
  example: 'then: { clamp: { path: $.discount, max: 40 } }',
  needsMatch: true,
  compile({ path: written, min, max }, { node, report }) {
    const settings = child(node, 'clamp');
    const path = jsonPath(written);
    if (path === undefined || path.steps.length === 0) {
      report(
        child(settings, 'path')?.at ?? node.at,
        'json_path',
        `${quote(written)} is no path to a number; write one like \`$.items[*].discount\``,
      );
    }
    if (min === undefined && max === undefined) {
      report(node.at, 'missing_key', '`clamp` has no bounds; write `min`, `max` or both');
    } else if (min !== undefined && max !== undefined && min > max) {
      report(
        child(settings, 'min')?.at ?? node.at,
        'out_of_range',
        `no number is at least ${min} and at most ${max}; exchange them`,
      );
    }
    return {
      kind: 'clamp',
      path: path ?? { written, steps: [] },
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
    };
  },
});
