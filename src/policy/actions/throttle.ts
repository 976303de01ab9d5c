import { Type } from 'typebox';
import { quote } from '../errors.ts';
import { child } from '../located.ts';
import { closed, words } from '../schema-parts.ts';
import { durationToMs } from '../units.ts';
import { requestOnly } from './acts-on-request.ts';
import { actionKind } from './kind.ts';

/** Words of a refusal that says nothing itself. */
const MESSAGE = 'Too many requests of this kind. Try again later.';

export const THROTTLE = actionKind({
  schema: Type.Object(
    {
      max: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
      window: Type.String({ 'x-example': '1m' }),
      burst: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
      per: Type.Optional(words(['session', 'principal', 'tenant', 'app'])),
      message: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000 })),
    },
    closed,
  ),
  example: 'then: { throttle: { max: 20, window: 1m, per: session } }',
  needsMatch: false,
  compile({ max, window, burst, per, message }, context) {
    requestOnly('throttle', context);
    const windowMs = durationToMs(window) ?? 0;
    if (windowMs === 0) {
      const at = child(child(context.node, 'throttle'), 'window')?.at ?? context.node.at;
      context.report(
        at,
        'bad_unit',
        `${quote(window)} is no duration; write one like \`30s\`, \`10m\` or \`1h\``,
      );
    }
    return {
      kind: 'throttle',
      max,
      windowMs,
      burst: burst ?? max,
      per: per ?? 'session',
      message: message ?? MESSAGE,
    };
  },
});
