/** One rule of a document → a draft of a Rule, or every mistake in it. */
import { checkFit } from './actions/fit.ts';
import { compileThen } from './actions/table.ts';
import { compileCondition } from './condition.ts';
import { quote } from './errors.ts';
import { frozenSet } from './freeze.ts';
import { compileMatch, impliedInspect } from './kinds/table.ts';
import type { CompileLimits } from './limits.ts';
import { canonicalJson, child, type Located, plain } from './located.ts';
import { accepts, type Report } from './read.ts';
import { compileRestriction } from './restrictions/table.ts';
import { type RuleDocument, RuleSchema } from './schema.ts';
import type { InspectWord, Layer, PolicyClass, Rule, SourcePosition } from './set.ts';

/** What the document says for all of its rules. */
export interface RuleContext {
  readonly file: string;
  readonly policy: string;
  readonly layer: Layer;
  readonly selector: Rule['selector'];
  /** `unreadable`: the head of the document has mistakes of its own; nothing is asked of the class. */
  readonly class: PolicyClass | 'unreadable' | undefined;
  position(offset: number): { readonly line: number; readonly column: number };
}

/** A rule without its rank, and what the checks across rules need to know of its source. */
export interface RuleDraft {
  readonly rule: Omit<Rule, 'rank'>;
  /** Canonical JSON of `match`, '' without. */
  readonly matchKey: string;
  /** Of `match`, or of the rule without. */
  readonly matchAt: SourcePosition;
  /** The author's text that the action writes. */
  readonly replacement?: string;
  /** Of `then`. */
  readonly replacementAt: SourcePosition;
}

/** Undefined when anything was reported. Cost: that of building the detector. */
export function compileRule(
  node: Located,
  context: RuleContext,
  limits: CompileLimits,
  report: Report,
): RuleDraft | undefined {
  let clean = true;
  const tell: Report = (at, code, message) => {
    clean = false;
    report(at, code, message);
  };
  if (!accepts(RuleSchema, node, 'rule', tell)) return undefined;
  const document = plain(node) as RuleDocument;
  const at = (key: string) => child(node, key)?.at ?? node.at;

  const policyClass = document.class ?? context.class;
  if (policyClass === undefined) {
    tell(
      node.at,
      'rule_without_class',
      `rule ${quote(document.id)} has no class; write \`class: security\`, \`operational\` or \`regulatory\` on it or on the document`,
    );
  }
  if (
    policyClass === 'regulatory' &&
    (document.onError === undefined || document.signedOffBy === undefined)
  ) {
    tell(
      node.at,
      'regulatory_undeclared',
      `rule ${quote(document.id)} is regulatory; write \`onError: deny\` or \`allow\`, and \`signedOffBy\` with who decided that`,
    );
  }

  const restricted = compileRestriction(node, { limits, report: tell });
  const match = child(node, 'match');
  const then = child(node, 'then');
  const implied = restricted?.inspect ?? (match && impliedInspect(match));
  const inspect = frozenSet<InspectWord>(document.inspect ?? implied ?? []);
  if (restricted === undefined && implied === undefined) checkInspect(document, node, tell);
  const done =
    restricted ??
    (then && compileThen(then, { inspect, hasMatch: match !== undefined, report: tell }));
  const action = done?.action.kind ?? 'block';
  const found = match && compileMatch(match, { inspect, action, limits, report: tell });
  if (found !== undefined && match !== undefined && done !== undefined)
    checkFit(done.action, found, match, at('then'), tell);
  const detector = restricted?.detector ?? found;
  const when = document.when === undefined ? undefined : compileCondition(document.when, limits);
  if (when !== undefined && !when.ok) tell(at('when'), when.code, when.message);
  if (!clean || done === undefined) return undefined;

  const severity = policyClass as PolicyClass;
  const place = (offset: number) => ({ file: context.file, ...context.position(offset) });
  return {
    rule: {
      id: `${context.policy}/${document.id}`,
      policy: context.policy,
      layer: context.layer,
      selector: context.selector,
      class: severity,
      // Security fails closed, operational open; regulatory was asked above (SEMANTICS §6).
      onError: document.onError ?? (severity === 'operational' ? 'allow' : 'deny'),
      priority: document.priority ?? 0,
      overridable: document.overridable ?? false,
      enforcement: document.enforcement ?? 'enforce',
      ...(when?.ok ? { when: when.condition } : {}),
      inspect,
      ...(detector === undefined ? {} : { detector }),
      action: done.action,
      ...(restricted === undefined ? {} : { restriction: restricted.restriction }),
      position: place(node.at),
    },
    matchKey: restricted ? canonicalJson(node) : match === undefined ? '' : canonicalJson(match),
    matchAt: place(at('match')),
    replacementAt: place(at('then')),
    ...('text' in done ? { replacement: done.text } : {}),
  };
}

function checkInspect(document: RuleDocument, node: Located, report: Report): void {
  if (document.match !== undefined && document.inspect === undefined) {
    report(
      child(node, 'match')?.at ?? node.at,
      'match_without_inspect',
      `rule ${quote(document.id)} reads text but does not say whose; add \`inspect\`, e.g. \`inspect: [request, response]\``,
    );
  }
  if (document.match === undefined && document.inspect !== undefined) {
    report(
      child(node, 'inspect')?.at ?? node.at,
      'inspect_without_match',
      `rule ${quote(document.id)} says whose words to read but not what to look for; add \`match\` or remove \`inspect\``,
    );
  }
}
