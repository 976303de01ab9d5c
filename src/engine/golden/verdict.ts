/** What a golden case expects, against what became of its exchange. */
import { quote } from '../../policy/errors.ts';
import type { GoldenExpectation } from '../../policy/golden/schema.ts';
import type { Acted, Seen } from './observer.ts';

/**
 * Why it is not as expected; undefined when it is. `text` stands for what the case itself expects, where it
 * says none. The sentence shows words of the case: it is for the author of it, never for a log.
 */
export function verdictFault(
  expect: GoldenExpectation,
  seen: Seen,
  text?: string,
): string | undefined {
  const shadow = expect.enforcement === 'shadow';
  const wrong =
    expect.then === 'allow' && expect.rule === undefined
      ? allowedFault(seen)
      : expect.then === 'block' && !shadow
        ? blockedFault(expect, seen)
        : actedFault(expect, seen, !shadow);
  if (wrong !== undefined) return wrong;
  if (expect.status !== undefined && seen.refusal?.status !== expect.status) {
    const outcome =
      seen.refusal === undefined ? 'was not refused' : `is ${seen.refusal.status ?? 200}`;
    return `expected status ${expect.status}, but it ${outcome}`;
  }
  if (expect.then === 'block' && !shadow) {
    const said = expect.text;
    if (said === undefined || holdsText(seen.refusal!.body, said)) return undefined;
    return `expected the client to read ${quote(said)}, but the refusal does not say it`;
  }
  const wanted = expect.text ?? text;
  if (wanted === undefined || wanted === seen.text) return undefined;
  return `expected the text ${quote(wanted)}, but it is ${quote(seen.text)}`;
}

function allowedFault(seen: Seen): string | undefined {
  if (seen.refusal !== undefined) return `expected \`allow\`, but ${refusalWords(seen)}`;
  if (!seen.changed) return undefined;
  const by = seen.acted.filter(({ enforced }) => enforced);
  return `expected \`allow\`, but it was changed${by.length === 0 ? '' : ` by ${ruleWords(by)}`}`;
}

function blockedFault({ rule }: GoldenExpectation, seen: Seen): string | undefined {
  const wanted = rule === undefined ? '`block`' : `\`block\` by ${quote(rule)}`;
  const { refusal } = seen;
  if (refusal === undefined) return `expected ${wanted}, but ${passedWords(seen)}`;
  const right = rule === undefined ? refusal.code === 'policy' : refusal.rule === rule;
  return right ? undefined : `expected ${wanted}, but ${refusalWords(seen)}`;
}

function actedFault(
  { then, rule }: GoldenExpectation,
  seen: Seen,
  enforced: boolean,
): string | undefined {
  const by = rule === undefined ? '' : ` by ${quote(rule)}`;
  const wanted = `\`${then}\`${by}${enforced ? '' : ' in shadow'}`;
  const found = seen.acted.some(
    (acted) =>
      acted.action === then &&
      acted.enforced === enforced &&
      (rule === undefined || acted.rule === rule),
  );
  // Before the first byte a refusal takes the place of everything; what was seen until then stays true.
  if (seen.refusal !== undefined && then !== 'flag') {
    return `expected ${wanted}, but ${refusalWords(seen)}`;
  }
  return found ? undefined : `expected ${wanted}, but ${passedWords(seen)}`;
}

function refusalWords({ refusal }: Seen): string {
  const { rule, code } = refusal!;
  return rule === undefined ? `it was refused: \`${code}\`` : `${quote(rule)} refused it`;
}

function passedWords({ changed, acted }: Seen): string {
  const what = changed ? 'it was changed and passed' : 'it passed unchanged';
  return acted.length === 0 ? `${what}; no rule matched` : `${what}; matched: ${ruleWords(acted)}`;
}

function ruleWords(acted: readonly Acted[]): string {
  const words = acted.map(
    ({ rule, action, enforced }) => `${quote(rule)} (${action}${enforced ? '' : ', not enforced'})`,
  );
  return [...new Set(words)].join(', ');
}

/** Refusals are JSON mostly, in which quotes and line ends are written otherwise. */
function holdsText(body: string, text: string): boolean {
  return body.includes(text) || body.includes(JSON.stringify(text).slice(1, -1));
}
