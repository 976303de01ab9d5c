import { Type } from 'typebox';
import { quote } from '../errors.ts';
import { child } from '../located.ts';
import { closed } from '../schema-parts.ts';
import type { InspectWord } from '../set.ts';
import { durationToMs } from '../units.ts';
import { actionKind } from './kind.ts';

/** How long a conversation keeps what was taken out, where the author does not say. */
const TTL_MS = 3_600_000;

/** Words under `inspect` of which all, or some, stands in requests. */
const IN_REQUESTS: readonly InspectWord[] = [
  'request',
  'system',
  'tool_definition',
  'tool_call',
  'tool_result',
  'retrieved',
];

export const REDACT = actionKind({
  schema: Type.Object(
    {
      reversible: Type.Optional(Type.Boolean()),
      ttl: Type.Optional(Type.String({ 'x-example': '1h' })),
    },
    closed,
  ),
  needsMatch: true,
  compile({ reversible = false, ttl }, { node, inspect, report }) {
    const settings = child(node, 'redact');
    const at = (key: string) => child(settings, key)?.at ?? node.at;
    const ttlMs = ttl === undefined ? TTL_MS : (durationToMs(ttl) ?? 0);
    if (ttlMs === 0) {
      report(
        at('ttl'),
        'bad_unit',
        `${quote(String(ttl))} is no duration; write one like \`30m\` or \`4h\``,
      );
    }
    if (ttl !== undefined && !reversible) {
      report(
        at('ttl'),
        'redact_not_reversible',
        '`ttl` says how long what was taken out can be put back; write `reversible: true` beside it, or take it out',
      );
    }
    if (reversible && !IN_REQUESTS.some((word) => inspect.has(word))) {
      report(
        at('reversible'),
        'redact_not_reversible',
        'what is taken out of an answer is not put back anywhere; add `request` to `inspect`, or take `reversible` out',
      );
    }
    return reversible
      ? { kind: 'redact', reversible: Object.freeze({ ttlMs }) }
      : { kind: 'redact' };
  },
});
