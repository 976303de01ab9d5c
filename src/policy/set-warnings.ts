/** What compiles and does not do what it says, in words; `lint` says the same with a place. */
import { quote } from './errors.ts';
import type { Rule } from './set.ts';

/** A module that no policy uses. */
export const unusedWarning = (module: string): string =>
  `no policy uses the module ${quote(module)}, so that its rules are never asked`;

/** A rule for which `unsupported` holds. */
export function unsupportedWarning({ id, action, restriction }: Omit<Rule, 'rank'>): string {
  const word = quote(restriction?.kind ?? action.kind);
  return `rule ${quote(id)} says ${word}, which this version cannot enforce: no server takes the set until it says \`enforcement: shadow\` or \`off\``;
}
