/** What the kinds that give a score share: thresholds, and which actions a score can decide. */
import { Type } from 'typebox';
import { quote } from '../errors.ts';
import type { MatchContext } from './kind.ts';

/** A score is less than 1, however much speaks for it. */
export const ThresholdSchema = Type.Number({ minimum: 0.05, maximum: 0.99 });

/**
 * Reports an action that a score cannot decide. `spans`: its matches are what the score is about, so that they may be
 * replaced. A session's match stands for all that was tried before, and has no words of its own.
 */
export function checkScored(
  { action, node, report }: MatchContext,
  { spans, session }: { readonly spans: boolean; readonly session: boolean },
): boolean {
  const replaces = action === 'redact' || action === 'rewrite';
  if (action !== 'allow' && (!replaces || (spans && !session))) return true;
  let why = 'a score is about the whole text, and what replaces words needs words';
  let way = 'write `block` or `flag`, or look for the words themselves with `keywords`';
  if (action === 'allow') {
    why = '`allow` exempts what its match covers, and a score is about the whole text';
    way = 'raise the threshold of the rule that is too strict';
  } else if (session) {
    why = 'a match of the session stands for what was tried before, which has left';
    way = 'write `block` or `flag`, or a rule of its own without `session`';
  }
  report(
    node.at,
    'action_not_for_score',
    `${quote(action)} cannot be decided by this: ${why}; ${way}`,
  );
  return false;
}
