/** What compiles and is still likely to surprise: each with a code, a place and what to do. Pure, and cheap. */
import { BLOCK_DEFAULTS } from './actions/block.ts';
import { compareText, quote } from './errors.ts';
import { unsupported } from './evaluate.ts';
import type { GoldenCase } from './golden/cases.ts';
import type { PolicySet, Rule, SourcePosition } from './set.ts';
import { unsupportedWarning, unusedWarning } from './set-warnings.ts';

/** The closed table; `docs/reference/lint.md` is held to it. */
export const LINT_CODES = {
  matches_ordinary_text: 'A rule that refuses or changes finds something in everyday sentences.',
  allow_everything:
    'An `allow` without `when` and `match` lifts every rule below it, for everybody.',
  fails_open: 'A rule against leaks is operational: when it cannot be judged, the text passes.',
  plain_refusal: 'A refusal says nothing but that it is one. Tell people what they can do.',
  shadow: 'A rule is in shadow: it is recorded and does nothing.',
  no_golden_case: 'No golden case says what a policy must do.',
  rule_without_case: 'No golden case names a rule that refuses or changes.',
  loosens: 'A lower layer can lift what a higher one says.',
  not_enforced:
    'This version reads what the rule says and does not do it: no server takes the set.',
  unused_module: 'No policy uses the module.',
} as const;

export type LintCode = keyof typeof LINT_CODES;

export interface LintFinding {
  readonly code: LintCode;
  readonly level: 'warning' | 'note';
  readonly message: string;
  readonly position: SourcePosition;
}

/** What people write every day, and no rule should stop. */
const ORDINARY: readonly string[] = [
  'Thanks for your help, that worked. Could you also show me how to do it in Excel?',
  'The meeting is on Tuesday at 10:30 in room 204; please bring the report.',
  'I would like to change my flight to the 14th of March and pay with points.',
  'Here is a list:\n1. Open the settings.\n2. Choose "Privacy".\n3. Save.',
  'function add(a, b) { return a + b; } // 42 lines in all',
];

const LEAKS: ReadonlySet<string> = new Set(['pii', 'secrets', 'invisible']);
const HARMLESS: ReadonlySet<Rule['action']['kind']> = new Set(['allow', 'flag', 'append']);

/** In the order of places. Cost: rules × a few sentences. */
export function lintSet(set: PolicySet, cases: readonly GoldenCase[]): readonly LintFinding[] {
  const named = new Set(cases.map(({ expect }) => expect.rule));
  const tested = new Set(cases.map(({ policy }) => policy));
  const findings = set.rules.flatMap((rule) => ruleFindings(rule, named, tested));
  for (const { name, file } of set.policies) {
    if (tested.has(name)) continue;
    findings.push({
      code: 'no_golden_case',
      level: 'warning',
      message: `policy ${quote(name)} has no golden case; add a \`kind: GoldenSet\` with what must pass and what must not`,
      position: { file, line: 1, column: 1 },
    });
  }
  return [...findings, ...compilerFindings(set)].sort(
    ({ position: a }, { position: b }) =>
      compareText(a.file, b.file) || a.line - b.line || a.column - b.column,
  );
}

function ruleFindings(
  rule: Rule,
  named: ReadonlySet<string | undefined>,
  tested: ReadonlySet<string>,
): LintFinding[] {
  const { id, action, detector, position } = rule;
  const found: LintFinding[] = [];
  const tell = (code: LintCode, level: LintFinding['level'], message: string): void =>
    void found.push({ code, level, message, position });
  const acts = !HARMLESS.has(action.kind);
  const ordinary = acts ? ORDINARY.find((text) => detector?.matches(text)) : undefined;
  if (ordinary !== undefined) {
    tell(
      'matches_ordinary_text',
      'warning',
      `rule ${quote(id)} finds something in ${quote(ordinary.slice(0, 60))}; make it say more, or let it flag first`,
    );
  }
  if (action.kind === 'allow' && rule.when === undefined && detector === undefined) {
    tell(
      'allow_everything',
      'warning',
      `rule ${quote(id)} lifts every rule of lower priority in its layer; give it a \`when\` or a \`match\``,
    );
  }
  if (acts && rule.onError === 'allow' && LEAKS.has(detector?.kind ?? '')) {
    tell(
      'fails_open',
      'warning',
      `rule ${quote(id)} lets pass what it cannot judge; write \`class: security\`, or \`onError: deny\``,
    );
  }
  if (action.kind === 'block' && action.message === BLOCK_DEFAULTS.message) {
    tell(
      'plain_refusal',
      'note',
      `rule ${quote(id)} refuses without a word of its own; write \`then: { block: { message: ... } }\``,
    );
  }
  if (rule.enforcement === 'shadow') {
    tell(
      'shadow',
      'note',
      `rule ${quote(id)} is in shadow; remove \`enforcement: shadow\` when its records look right`,
    );
  }
  if (acts && rule.enforcement === 'enforce' && tested.has(rule.policy) && !named.has(id)) {
    tell(
      'rule_without_case',
      'note',
      `no golden case expects rule ${quote(id)}; add one that names it`,
    );
  }
  return found;
}

/** The compiler's own warnings, each at its place. */
function compilerFindings({ warnings, policies, modules, rules }: PolicySet): LintFinding[] {
  const found: LintFinding[] = [];
  const of = new Map<string, Omit<LintFinding, 'message'>>();
  for (const rule of rules.filter(unsupported))
    of.set(unsupportedWarning(rule), {
      code: 'not_enforced',
      level: 'warning',
      position: rule.position,
    });
  for (const { name, file } of modules)
    of.set(unusedWarning(name), {
      code: 'unused_module',
      level: 'note',
      position: { file, line: 1, column: 1 },
    });
  for (const message of warnings) {
    const known = of.get(message);
    const policy = policies.find(({ name }) => message.startsWith(`rule \`${name}/`));
    if (known !== undefined) found.push({ ...known, message });
    // What a rollout says and is not done has no policy.
    else if (policy !== undefined)
      found.push({
        code: 'loosens',
        level: 'note',
        message: `${message}; remove \`overridable\` where it must not`,
        position: { file: policy.file, line: 1, column: 1 },
      });
  }
  return found;
}
