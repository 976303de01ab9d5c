import { Type } from 'typebox';
import { injectionDetector } from '../../match/injection/injection.ts';
import { quote } from '../errors.ts';
import { child } from '../located.ts';
import { ruleReachesDirection } from '../reach.ts';
import { closed } from '../schema-parts.ts';
import { durationToMs } from '../units.ts';
import { matchKind } from './kind.ts';
import { checkScored, ThresholdSchema } from './scored.ts';

export const INJECTION = matchKind({
  schema: Type.Object(
    {
      threshold: ThresholdSchema,
      session: Type.Optional(
        Type.Object(
          { threshold: ThresholdSchema, halfLife: Type.String({ 'x-example': '10m' }) },
          closed,
        ),
      ),
    },
    closed,
  ),
  compile({ threshold, session }, context) {
    const { node, inspect, report } = context;
    if (!checkScored(context, { spans: true, session: session !== undefined })) return undefined;
    if (session === undefined) return injectionDetector({ threshold });
    const halfLifeMs = durationToMs(session.halfLife);
    if (halfLifeMs === undefined || halfLifeMs < 1_000) {
      report(
        child(child(node, 'session'), 'halfLife')?.at ?? node.at,
        'bad_unit',
        `${quote(session.halfLife)} is no half-life; write one of a second or more, e.g. \`10m\``,
      );
      return undefined;
    }
    if (!ruleReachesDirection({ inspect }, 'request')) {
      report(
        child(node, 'session')?.at ?? node.at,
        'session_not_request',
        '`session` adds up what a caller sends; inspect something of the request, e.g. `inspect: [request]`',
      );
      return undefined;
    }
    return injectionDetector({ threshold, session: { threshold: session.threshold, halfLifeMs } });
  },
});
