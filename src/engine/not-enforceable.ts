/** Rules that are read and checked, and that nothing here can enforce: no set that has one may serve. */
import { formatPosition } from '../policy/errors.ts';
import { unsupported } from '../policy/evaluate.ts';
import type { PolicySet, Rule } from '../policy/set.ts';

/** What is wrong, as compile errors are told; empty for a set that may serve. */
export function notEnforceable({ rules }: PolicySet): readonly string[] {
  return rules.filter(unsupported).map(unsupportedWords);
}

function unsupportedWords(rule: Rule): string {
  const place = formatPosition(rule.position);
  const counts = rule.detector?.kind === 'baseline' ? rule.detector.kind : undefined;
  const word = rule.restriction?.kind ?? counts ?? rule.action.kind;
  return `${place}: not_enforceable: rule \`${rule.id}\` says \`${word}\`, which this version reads but cannot enforce yet; write \`enforcement: shadow\` or \`off\` on it`;
}
