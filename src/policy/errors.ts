/**
 * The closed table of what the compiler can refuse, and how a refusal is written.
 * `docs/reference/policy-errors.md` lists the same codes; a test holds the two together.
 */

/** One line for each code: what it means and the way out. */
export const COMPILE_ERRORS = {
  yaml_syntax:
    'The text is not YAML 1.2 (or JSON). Fix the place that is named: the first of its document, as what follows it cannot be read.',
  yaml_version: 'Only YAML 1.2 is read. Remove the `%YAML` directive.',
  duplicate_key: 'A key stands twice in one map. Keep one of them.',
  alias_limit:
    'Anchors and aliases expand too far, or an alias has no anchor. Write the value out.',
  nesting_limit: 'Maps and lists are nested too deep. Flatten the document.',
  file_too_large: 'A file is longer than `fileCharsMax`. Split it.',
  too_many_documents: 'More documents than `documentsMax`. Merge policies or raise the limit.',
  too_many_rules: 'More rules than `rulesMax`. Merge rules or raise the limit.',
  not_a_map: 'A document must be a map of keys.',
  unknown_kind: 'A document must say `kind: Policy` or `kind: Rollout`.',
  unsupported_construct:
    'Part of the policy language, but not of this version. Use what the message names instead.',
  unknown_key: 'No such key in this place. Use one of the keys that the message names.',
  missing_key: 'A key that must be written is absent. Add it.',
  wrong_type: 'The value has the wrong type. Write what the message asks for.',
  unknown_word: 'The value is none of the words allowed here. Use one of them.',
  out_of_range: 'A number, a text or a list is outside its limits. Stay within them.',
  bad_name: 'A name or a version does not have the required form.',
  unknown_module: 'A module or policy that is used or required is not there. Add it.',
  duplicate_use: 'A module is used twice in one document. Write one entry.',
  module_cycle: 'Modules use each other in a circle. Take one `use` out.',
  version_conflict: 'What `requires` names is there in another version. Update it or the range.',
  not_exactly_one: 'Exactly one of several keys must be written here.',
  redact_not_reversible:
    'A `redact` asks to be reversible where nothing can be put back, or has a `ttl` without.',
  bad_unit: 'A share, a duration or a ratio has no unit or an unknown one.',
  no_policies: 'There is no policy at all, which would allow everything in silence. Add one.',
  no_rules: 'A policy has neither rules nor a `default`. Add one of them, or remove the policy.',
  duplicate_policy: 'Two policies have the same name. Rename one of them.',
  duplicate_rule: 'Two rules of one policy have the same id. Rename one of them.',
  duplicate_rollout: 'More than one `kind: Rollout`. Keep one.',
  default_conflict:
    'Two policies of one layer say different defaults about the same exchanges. Let one of them say it.',
  unknown_fact: 'A selector names something that is not a fact. Use one of the known facts.',
  rule_without_class: 'There is no default class. Write `class` on the rule or on the document.',
  regulatory_undeclared: 'A regulatory rule must say `onError` and `signedOffBy` itself.',
  match_without_inspect: 'A rule that reads text must say whose words it reads: add `inspect`.',
  inspect_without_match:
    '`inspect` without `match` reads nothing. Add `match` or remove `inspect`.',
  action_needs_match: 'This action changes what `match` found. Add `match` and `inspect`.',
  action_needs_text: 'This action changes text, which `match` does not only find. Use another one.',
  action_needs_tool: 'This action changes tools or JSON. Write a `match` that finds them.',
  json_path: 'Not a path into JSON. Write one like `$.items[*].discount`.',
  json_reach: 'What `json` is to read is not among what `inspect` reads. Change one of them.',
  json_schema:
    'The JSON Schema cannot be checked, or not within a bound. Use what the message names.',
  not_alone: '`not` says what must not be there. Write it beside what must, in `all`.',
  all_unbounded:
    'The members of `all` could be any distance apart in a stream. Say how far with `within`.',
  all_mixed:
    'Tools and words of texts cannot be asked for in one `all`. Use `where`, or two rules.',
  append_not_response: '`append` adds to an answer: write `inspect: [response]`.',
  action_not_response: 'The action comes before an answer. Take `response` out of `inspect`.',
  inject_nothing: '`inject` has nothing to add. Write a `text`, a `tone` or both.',
  route_nowhere: '`route` names no model and no cluster. Name one of them.',
  models_none: '`models` names no model. Write `allow`, `deny` or both.',
  limit_tool: '`tool` stands with `of: tool_calls` alone. Write that, or remove `tool`.',
  change_without_limit: '`onChange` belongs to a `limit`. Add one, or remove it.',
  keyword_invalid: 'A keyword is empty, too long, or an alias of a word that is not listed.',
  too_many_keywords: 'More keywords than `keywordsMax` in one rule. Split the rule.',
  action_not_for_score:
    'A score is about a whole text: it can `block`, `flag` or `append`, not exempt or replace words; a classifier can `block`, `flag`, `redact` or `rewrite`.',
  classifier_too_late:
    'A deferred verdict cannot block or change words that have left. Flag, wait `inline`, or add `session`.',
  topic_unknown: 'No such topic is built in. Take one that is, or write `terms` of your own.',
  session_not_request: '`session` adds up what a caller sends: inspect something of the request.',
  secrets_none: '`secrets` is left with no kind to look for. Take fewer out.',
  regex_syntax: 'The pattern is not RE2 syntax.',
  regex_look_around:
    'Look-around and back-references need text that has left or is yet to come. Match it as well.',
  regex_repeat: 'A repeat counts beyond 1,000. Lower it, or set `maxMatchBytes`.',
  regex_half_character: 'The pattern asks for half of a character. Write the whole one.',
  regex_empty: 'The pattern matches no text, or only the empty one.',
  regex_too_large: 'The pattern is too long or needs too many states. Split the rule.',
  regex_states:
    'Starts of the pattern overlap in more than `regexStatesMax` ways. Give it a distinct beginning, or lower its counts.',
  regex_unbounded:
    'A match of unknown length cannot be held back in a stream. Bound the repeats or set `maxMatchBytes`.',
  tenant_share:
    'The rules of one tenant take more than `tenantPercentMax` of what a set may. Shorten its lists.',
  matcher_too_large: 'The tables of all detectors exceed `matcherBytesMax`.',
  replacement_empty: 'An empty replacement could join its neighbours into a match. Write a text.',
  replacement_matches_rule: 'The text written in place of a match would itself trip a rule.',
  when_syntax: 'The condition is not CEL.',
  when_unknown_name: 'The condition names a variable or a function that does not exist.',
  when_type:
    'The condition can never give true or false, or an operator or function meets types that it never takes.',
  when_too_complex: 'The condition is too long, too deep, or nests loops.',
  rule_shadowed: 'Another rule always exempts from this one, so that it never acts.',
  rules_contradict:
    'Two rules of equal standing say `allow` and its opposite about the same thing.',
  too_many_cases: 'More cases than `goldenCasesMax` in one golden set. Split it.',
  duplicate_case: 'Two cases of one golden set have the same name. Rename one of them.',
  golden_case: 'A golden case does not say one exchange. Write what is asked and what is answered.',
  unknown_policy: 'A policy is named that no document has. Write the name of one.',
  unknown_rule: 'A rule is named that no policy has. Write the id of one.',
  golden_failed: 'A golden case does not hold. Change the policy or the case.',
  golden_timeout:
    'The golden cases take longer than `goldenMsMax`. Write fewer or raise the limit.',
  golden_lost:
    'A protected golden case of what serves is gone or has changed. Put it back, or have an override signed.',
  golden_override:
    'An override of golden cases cannot be taken as it is. Have one signed for this set and these cases.',
  stages_not_rising: 'The shares of a rollout must grow from stage to stage.',
} as const;

export type CompileErrorCode = keyof typeof COMPILE_ERRORS;

/** One refusal. `line` and `column` count from 1; columns are UTF-16 units. */
export interface CompileError {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly code: CompileErrorCode;
  /** Lower-case sentence, user input in backticks, says what to do next. */
  readonly message: string;
}

/** Tells a mistake at its place. */
export type Tell = (
  at: Pick<CompileError, 'file' | 'line' | 'column'>,
  code: CompileErrorCode,
  message: string,
) => void;

/** `file:line:column` */
export function formatPosition({
  file,
  line,
  column,
}: Pick<CompileError, 'file' | 'line' | 'column'>): string {
  return `${file}:${line}:${column}`;
}

/** `file:line:column: code: sentence` */
export function formatCompileError(error: CompileError): string {
  return `${formatPosition(error)}: ${error.code}: ${error.message}`;
}

/** The order in which errors are told: by place, then by code. Never by file order of the caller. */
export function compareCompileErrors(a: CompileError, b: CompileError): number {
  return (
    compareText(a.file, b.file) ||
    a.line - b.line ||
    a.column - b.column ||
    compareText(a.code, b.code) ||
    compareText(a.message, b.message)
  );
}

/** Code-unit order: the same on every machine, unlike `localeCompare`. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const QUOTED_CHARS_MAX = 80;

/** User input inside a sentence: one line, bounded, in backticks. */
export function quote(input: unknown): string {
  const text = String(input).replace(/[\p{Cc}\u2028\u2029`]/gu, ' ');
  const short = text.length > QUOTED_CHARS_MAX ? `${text.slice(0, QUOTED_CHARS_MAX)}…` : text;
  return `\`${short}\``;
}

/** "`a`, `b` or `c`" */
export function quoteList(words: readonly string[]): string {
  const quoted = words.map(quote);
  const last = quoted.at(-1) ?? '';
  return quoted.length < 2 ? last : `${quoted.slice(0, -1).join(', ')} or ${last}`;
}

/** `file:line`, for sentences that name a second place. */
export function placeOf({ file, line }: Pick<CompileError, 'file' | 'line'>): string {
  return quote(`${file}:${line}`);
}
