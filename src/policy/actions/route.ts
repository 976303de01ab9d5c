import { Type } from 'typebox';
import { closed, words } from '../schema-parts.ts';
import { requestOnly } from './acts-on-request.ts';
import { actionKind } from './kind.ts';

/** A model as providers name them; no spaces and no `?`, `#` or `%`, which would be something else in a path. */
const MODEL = {
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$',
  'x-example': 'gpt-4o-mini',
};
/** As Envoy names clusters. */
const CLUSTER = { pattern: '^[A-Za-z0-9][A-Za-z0-9._:/|-]{0,199}$', 'x-example': 'cheap-llm' };

export const ROUTE = actionKind({
  schema: Type.Object(
    {
      model: Type.Optional(Type.String(MODEL)),
      cluster: Type.Optional(Type.String(CLUSTER)),
      fallback: Type.Optional(Type.Array(Type.String(MODEL), { minItems: 1, maxItems: 8 })),
      sticky: Type.Optional(words(['session'])),
    },
    { ...closed, minProperties: 1 },
  ),
  example: 'then: { route: { model: gpt-4o-mini } }',
  needsMatch: false,
  compile({ model, cluster, fallback, sticky }, context) {
    requestOnly('route', context);
    if (model === undefined && (cluster === undefined || fallback !== undefined)) {
      context.report(
        context.node.at,
        'route_nowhere',
        '`route` says no model; write `model`, or a `cluster` and no `fallback`',
      );
    }
    return {
      kind: 'route',
      models: Object.freeze([...(model === undefined ? [] : [model]), ...(fallback ?? [])]),
      cluster,
      sticky: sticky !== undefined,
    };
  },
});
