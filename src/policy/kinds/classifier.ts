import { Type } from 'typebox';
import { placeholderLabel } from '../../match/classifier.ts';
import type { Detector } from '../../match/detector.ts';
import { quote } from '../errors.ts';
import { frozenSet } from '../freeze.ts';
import { child } from '../located.ts';
import { closed, words } from '../schema-parts.ts';
import { durationToMs } from '../units.ts';
import { type MatchContext, matchKind } from './kind.ts';
import { ThresholdSchema } from './scored.ts';

/** Where it is, how it is spoken to and how long it may take is the server's configuration, never a policy's. */
export const CLASSIFIER = matchKind({
  schema: Type.Object(
    {
      name: Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,62}$' }),
      threshold: ThresholdSchema,
      labels: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { minItems: 1, maxItems: 100 }),
      ),
      mode: Type.Optional(words(['inline', 'deferred'])),
      session: Type.Optional(
        Type.Object(
          { threshold: ThresholdSchema, halfLife: Type.String({ 'x-example': '10m' }) },
          closed,
        ),
      ),
    },
    closed,
  ),
  compile({ name, threshold, labels, mode = 'inline', session }, context): Detector | undefined {
    if (!canDecide(context, mode, session !== undefined)) return undefined;
    const halfLifeMs = session && durationToMs(session.halfLife);
    if (session !== undefined && (halfLifeMs === undefined || halfLifeMs < 1_000)) {
      context.report(
        child(child(context.node, 'session'), 'halfLife')?.at ?? context.node.at,
        'bad_unit',
        `${quote(session.halfLife)} is no half-life; write one of a second or more, e.g. \`10m\``,
      );
      return undefined;
    }
    return Object.freeze({
      kind: 'classifier' as const,
      labels: [...new Set([...LABELS, ...(labels ?? []).map(placeholderLabel)])],
      bytes: 0,
      start: () => [],
      matches: () => false,
      classifier: Object.freeze({
        name,
        threshold,
        mode,
        labels: labels && frozenSet(labels),
        ...(session !== undefined &&
          halfLifeMs !== undefined && {
            session: Object.freeze({ threshold: session.threshold, halfLifeMs }),
          }),
      }),
    });
  },
});

const LABELS = Object.freeze(['CLASSIFIER', 'CLASSIFIER_SESSION']);

/** What a verdict on a whole text can decide, and when. */
function canDecide(
  { action, node, report }: MatchContext,
  mode: 'inline' | 'deferred',
  session: boolean,
): boolean {
  const replaces = action === 'redact' || action === 'rewrite';
  if (action !== 'block' && action !== 'flag' && !replaces) {
    report(
      node.at,
      'action_not_for_score',
      `${quote(action)} cannot be decided by this: a classifier speaks about the whole text, when the message is complete; write \`block\`, \`redact\`, \`rewrite\` or \`flag\``,
    );
    return false;
  }
  if (action === 'flag' || mode === 'inline' || (session && !replaces)) return true;
  report(
    child(node, 'mode')?.at ?? node.at,
    'classifier_too_late',
    'a deferred verdict comes when the words have left, so that it can neither block nor change them; write `flag`, `mode: inline`, or a `session` whose later requests are blocked',
  );
  return false;
}
