import type { Action } from '../set.ts';

/** What a caller is told where this action refuses; undefined for one that says nothing of its own. */
export function refusingWords(
  action: Action | undefined,
): Extract<Action, { kind: 'block' | 'remove' }> | undefined {
  return action?.kind === 'block' || action?.kind === 'remove' ? action : undefined;
}
