import { Type } from 'typebox';
import { quote } from '../errors.ts';
import { child } from '../located.ts';
import { closed, words } from '../schema-parts.ts';
import { durationToMs } from '../units.ts';
import { actionKind } from './kind.ts';

/** Read and checked; a set that would enforce it is not activated, as nothing keeps approvals yet. */
export const HOLD = actionKind({
  schema: Type.Object(
    {
      approvers: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        minItems: 1,
        maxItems: 100,
      }),
      quorum: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
      ttl: Type.String({ 'x-example': '4h' }),
      onTimeout: words(['deny', 'allow']),
    },
    closed,
  ),
  example: 'then: { hold: { approvers: [treasury], ttl: 4h, onTimeout: deny } }',
  needsMatch: false,
  compile({ approvers, quorum = 1, ttl, onTimeout }, { node, report }) {
    const settings = child(node, 'hold');
    const at = (key: string) => child(settings, key)?.at ?? node.at;
    const ttlMs = durationToMs(ttl) ?? 0;
    if (ttlMs === 0) {
      report(
        at('ttl'),
        'bad_unit',
        `${quote(ttl)} is no duration; write one like \`30m\` or \`4h\``,
      );
    }
    return { kind: 'hold', approvers: Object.freeze([...approvers]), quorum, ttlMs, onTimeout };
  },
});
