/** One rule of a document → a draft of a Rule, or every mistake in it. */
import type { Detector } from '../match/detector.ts';
import { asksForHalf } from '../match/regex-refusals.ts';
import { compileCondition } from './condition.ts';
import type { Detectors } from './detectors.ts';
import { quote } from './errors.ts';
import { frozenSet } from './freeze.ts';
import type { CompileLimits } from './limits.ts';
import { canonicalJson, child, type Located, plain } from './located.ts';
import { reachesStream } from './reach.ts';
import { accepts, type Report } from './read.ts';
import { type MatchDocument, type RuleDocument, RuleSchema, type ThenDocument } from './schema.ts';
import type { Action, InspectWord, Layer, PolicyClass, Rule } from './set.ts';

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
  /** Offset of `match`, or of the rule without. */
  readonly matchAt: number;
  /** Offset of the text that replaces a match. */
  readonly replacementAt: number;
  readonly report: Report;
}

/** HTTP status and words of a block that says nothing itself. */
export const BLOCK_DEFAULTS = Object.freeze({
  status: 400,
  as: 'error',
  message: 'This request was refused by policy.',
} as const);

/** Undefined when anything was reported. Cost: that of building the detector. */
export function compileRule(
  node: Located,
  context: RuleContext,
  detectors: Detectors,
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

  const inspect = frozenSet<InspectWord>(document.inspect ?? []);
  checkInspect(document, node, tell);
  const action = actionOf(document.then, child(node, 'then') ?? node, document, tell);
  const detector = compileMatch(document.match, node, inspect, detectors, limits, tell);
  const when = document.when === undefined ? undefined : compileCondition(document.when, limits);
  if (when !== undefined && !when.ok) tell(at('when'), when.code, when.message);
  if (!clean) return undefined;

  const severity = policyClass as PolicyClass;
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
      action,
      position: { file: context.file, ...context.position(node.at) },
    },
    matchKey: matchKeyOf(child(node, 'match')),
    matchAt: at('match'),
    replacementAt: at('then'),
    report,
  };
}

function matchKeyOf(match: Located | undefined): string {
  return match === undefined ? '' : canonicalJson(match);
}

const NEEDS_MATCH: ReadonlySet<Action['kind']> = new Set(['redact', 'rewrite', 'append']);

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

function actionOf(
  then: ThenDocument,
  node: Located,
  document: RuleDocument,
  report: Report,
): Action {
  const action = typeof then === 'string' ? wordAction(then) : settingsAction(then);
  if (NEEDS_MATCH.has(action.kind) && document.match === undefined) {
    report(
      node.at,
      'action_needs_match',
      `${quote(action.kind)} acts on what was found in a text; add \`match\` and \`inspect\``,
    );
  }
  const replacement = replacementOf(action);
  if (replacement !== undefined && replacement.trim() === '') {
    report(
      node.at,
      'replacement_empty',
      `the text of ${quote(action.kind)} is empty and could join its neighbours into a match; write a text`,
    );
  }
  const onlyResponse = document.inspect?.every((word) => word === 'response') ?? true;
  if (action.kind === 'append' && !onlyResponse) {
    report(
      node.at,
      'append_not_response',
      '`append` adds to the words of an answer; write `inspect: [response]` and nothing else',
    );
  }
  return Object.freeze(action);
}

/** The text that the action writes, if it writes one that the author chose. */
export function replacementOf(action: Action): string | undefined {
  if (action.kind === 'rewrite') return action.with;
  return action.kind === 'append' ? action.text : undefined;
}

function wordAction(word: 'allow' | 'flag' | 'block' | 'redact'): Action {
  return word === 'block' ? { kind: 'block', ...BLOCK_DEFAULTS } : { kind: word };
}

function settingsAction(then: Exclude<ThenDocument, string>): Action {
  if (then.block !== undefined) {
    return {
      kind: 'block',
      message: then.block.message ?? BLOCK_DEFAULTS.message,
      status: then.block.status ?? BLOCK_DEFAULTS.status,
      as: then.block.as ?? BLOCK_DEFAULTS.as,
    };
  }
  if (then.rewrite !== undefined) return { kind: 'rewrite', with: then.rewrite.with };
  if (then.append !== undefined) {
    return { kind: 'append', text: then.append.text, oncePer: 'message' };
  }
  if (then.allow !== undefined) return { kind: 'allow' };
  return then.flag !== undefined ? { kind: 'flag' } : { kind: 'redact' };
}

function compileMatch(
  match: MatchDocument | undefined,
  node: Located,
  inspect: ReadonlySet<InspectWord>,
  detectors: Detectors,
  limits: CompileLimits,
  report: Report,
): Detector | undefined {
  if (match === undefined) return undefined;
  const matchNode = child(node, 'match') ?? node;
  if (match.keywords !== undefined) {
    const keywords = child(matchNode, 'keywords') ?? matchNode;
    if (!checkKeywords(match.keywords, keywords, limits, report)) return undefined;
    try {
      return detectors.keywords(match.keywords);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      report(keywords.at, 'keyword_invalid', `a keyword cannot be matched: ${error.message}`);
      return undefined;
    }
  }
  if (match.pii !== undefined) return detectors.pii(match.pii);
  if (match.secrets !== undefined) {
    try {
      return detectors.secrets(match.secrets);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const secrets = child(matchNode, 'secrets') ?? matchNode;
      report(secrets.at, 'secrets_none', '`except` takes out all kinds of secrets; leave one');
      return undefined;
    }
  }
  if (match.invisible !== undefined) return detectors.invisible(match.invisible);
  if (match.regex === undefined) return undefined;
  const pattern = child(child(matchNode, 'regex'), 'pattern') ?? matchNode;
  if (match.regex.pattern.length > limits.regexCharsMax) {
    report(
      pattern.at,
      'regex_too_large',
      `the pattern has more than ${limits.regexCharsMax} characters; split the rule`,
    );
    return undefined;
  }
  if (asksForHalf(match.regex.pattern)) {
    report(
      pattern.at,
      'regex_half_character',
      'the pattern asks for half of a character, which no text has; write the whole character, e.g. `\\x{1F600}`',
    );
    return undefined;
  }
  const compiled = detectors.regex({ ...match.regex, statesMax: limits.regexStatesMax });
  if (!compiled.ok) {
    // RE2's own complaints say what is wrong, not what to do.
    const advice = compiled.message.includes(';') ? '' : '; correct the pattern';
    report(pattern.at, compiled.code, `${compiled.message}${advice}`);
    return undefined;
  }
  if (compiled.detector.unitsMax === undefined && reachesStream(inspect)) {
    report(
      pattern.at,
      'regex_unbounded',
      'a match of this pattern can be of any length and could not be held back in a stream; bound the repeats, e.g. `{1,64}`, or set `maxMatchBytes`',
    );
    return undefined;
  }
  return compiled.detector;
}

type Keywords = NonNullable<MatchDocument['keywords']>;

const HALF_CHARACTER = /\p{Surrogate}/u;

function checkKeywords(
  keywords: Keywords,
  node: Located,
  limits: CompileLimits,
  report: Report,
): boolean {
  let clean = true;
  const tell: Report = (at, code, message) => {
    clean = false;
    report(at, code, message);
  };
  const lists: { readonly words: readonly string[]; readonly node: Located | undefined }[] = [
    { words: keywords.words, node: child(node, 'words') },
  ];
  const aliases = child(node, 'aliases');
  const known = new Set(keywords.words);
  for (const [word, spellings] of Object.entries(keywords.aliases ?? {})) {
    const entry =
      aliases?.kind === 'map' ? aliases.entries.find((one) => one.key === word) : undefined;
    lists.push({ words: spellings, node: entry?.value });
    if (!known.has(word)) {
      tell(
        entry?.keyAt ?? node.at,
        'keyword_invalid',
        `${quote(word)} has aliases but is not among \`words\`; add it there`,
      );
    }
  }
  const count = lists.reduce((sum, list) => sum + list.words.length, 0);
  if (count > limits.keywordsMax) {
    tell(
      node.at,
      'too_many_keywords',
      `the rule has ${count} keywords; write at most ${limits.keywordsMax} and split the rest off`,
    );
    return clean;
  }
  for (const list of lists) {
    list.words.forEach((word, index) => {
      const item = list.node?.kind === 'list' ? list.node.items[index] : undefined;
      const fault = keywordFault(word, limits);
      if (fault !== undefined) tell(item?.at ?? node.at, 'keyword_invalid', fault);
    });
  }
  return clean;
}

function keywordFault(word: string, limits: CompileLimits): string | undefined {
  if (word.trim() === '') return 'a keyword is empty; write a word or remove it';
  if (word.length > limits.keywordCharsMax) {
    return `a keyword has ${word.length} characters; write at most ${limits.keywordCharsMax}`;
  }
  return HALF_CHARACTER.test(word) ? 'a keyword holds half a character; correct it' : undefined;
}
