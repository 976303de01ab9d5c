/** Files → PolicySet, or every reason why not (invariant 3: nothing changes until everything is right). */
import type { RuleDraft } from './compile-rule.ts';
import { type Composition, compose } from './compose.ts';
import {
  checkConflicts,
  checkMatcherBytes,
  checkReplacements,
  checkTenantShares,
  looseningWarnings,
} from './cross-checks.ts';
import {
  type CompileError,
  type CompileErrorCode,
  compareCompileErrors,
  compareText,
  placeOf,
  quote,
  type Tell,
} from './errors.ts';
import { unsupported } from './evaluate.ts';
import { deepFreeze } from './freeze.ts';
import {
  type DeclaredPolicy,
  type GoldenCase,
  type GoldenDraft,
  resolveCases,
} from './golden/cases.ts';
import type { GoldenOverride } from './golden/override.ts';
import { type CompileLimits, DEFAULT_LIMITS } from './limits.ts';
import type { PolicyFile } from './load.ts';
import { selectorsCompatible } from './reach.ts';
import type { DocumentReading, ModuleReading, PolicyReading } from './read-document.ts';
import { ReadingCache } from './reading-cache.ts';
import { warmScopes } from './scope.ts';
import { LAYERS, type LayerDefault, type PolicySet, type RolloutPlan, type Rule } from './set.ts';
import { unsupportedWarning, unusedWarning } from './set-warnings.ts';

export type { PolicyFile } from './load.ts';
export { ReadingCache } from './reading-cache.ts';

export interface CompileOptions extends Partial<CompileLimits> {
  /** Hex digest of a text, over its UTF-8 bytes. */
  readonly sha256: (text: string) => string;
  /** Takes no policy at all for a set that allows everything. */
  readonly allowEmpty?: boolean;
  /** What earlier compilations have read; the result is the same without. */
  readonly cache?: ReadingCache;
}

export type CompileResult =
  | {
      readonly ok: true;
      readonly set: PolicySet;
      readonly cases: readonly GoldenCase[];
      readonly overrides: readonly GoldenOverride[];
    }
  | { readonly ok: false; readonly errors: readonly CompileError[] };

/** What the documents say together. */
interface Collected {
  readonly policies: PolicyReading[];
  readonly modules: ModuleReading[];
  readonly rollouts: RolloutPlan[];
  readonly golden: GoldenDraft[];
  readonly overrides: GoldenOverride[];
  readonly warnings: string[];
  policyDocuments: number;
}

/**
 * Compiles all files of a set together. The result is a function of the documents' contents: neither the
 * order of the files, nor their names, comments or spaces change the digest or the ranks. Errors are
 * sorted by place, at most `errorsMax`. Never throws for bad input. Cost: about 1 ms per 10 KiB of YAML
 * that the cache does not know, the detectors' tables, and the pairs of rules that can meet.
 */
export function compilePolicies(
  files: readonly PolicyFile[],
  options: CompileOptions,
): CompileResult {
  const { sha256, allowEmpty = false, cache = new ReadingCache(), ...given } = options;
  const limits: CompileLimits = { ...DEFAULT_LIMITS, ...given };
  const errors: CompileError[] = [];
  const tell: Tell = (at, code, message) => errors.push({ ...at, code, message });
  const sorted = [...files].sort((a, b) => compareText(a.path, b.path));
  const readings = cache.readAll(sorted, limits);
  for (const reading of readings) errors.push(...reading.errors);
  const documents = readings.flatMap((reading) => reading.documents);
  checkCounts(documents, limits, tell);
  const collected = collect(documents.slice(0, limits.documentsMax), tell);
  const defaults = defaultsOf(collected.policies, tell);
  const composition = compose(collected.policies, collected.modules, limits.rulesMax, tell);
  const { drafts } = composition;
  checkReplacements(drafts, tell);
  checkConflicts(drafts, tell);
  checkMatcherBytes(drafts, limits, tell);
  checkTenantShares(drafts, limits, tell);
  const cases = resolveCases(collected.golden, declaredBy(documents, drafts), tell);
  if (collected.policyDocuments === 0 && errors.length === 0 && !allowEmpty) {
    tell(
      { file: files[0]?.path ?? 'policies', line: 1, column: 1 },
      'no_policies',
      'there is no `kind: Policy`, so that everything would be allowed; add one',
    );
  }
  if (errors.length > 0) {
    const told = withoutConsequences(errors, documents).sort(compareCompileErrors);
    return { ok: false, errors: deepFreeze(told.slice(0, limits.errorsMax)) };
  }
  const set = assemble(documents, { ...collected, defaults, composition }, sha256);
  warmScopes(set);
  return { ok: true, set, cases, overrides: collected.overrides };
}

/** A document with such an error was not read, so that nobody knows what is in it. */
const UNREAD: ReadonlySet<CompileErrorCode> = new Set([
  'yaml_syntax',
  'yaml_version',
  'alias_limit',
  'duplicate_key',
  'nesting_limit',
  'file_too_large',
  'not_a_map',
  'unknown_kind',
]);
/** What is not there may stand in a document that was not read. */
const PERHAPS_UNREAD: ReadonlySet<CompileErrorCode> = new Set([
  'unknown_policy',
  'unknown_rule',
  'unknown_module',
]);

/** A name that nobody has is no second mistake while a document that may have it cannot be read, or its head is refused. */
function withoutConsequences(
  errors: readonly CompileError[],
  documents: readonly DocumentReading[],
): CompileError[] {
  const unread =
    errors.some(({ code }) => UNREAD.has(code)) ||
    documents.some(({ content }) => content.kind === 'refused');
  return errors.filter(({ code }) => !unread || !PERHAPS_UNREAD.has(code));
}

function checkCounts(
  documents: readonly DocumentReading[],
  { documentsMax, rulesMax }: CompileLimits,
  tell: Tell,
): void {
  const excess = documents[documentsMax];
  if (excess !== undefined) {
    tell(
      excess.position,
      'too_many_documents',
      `there are ${documents.length} documents; write at most ${documentsMax}`,
    );
  }
  let rules = 0;
  for (const { rulesAt } of documents.slice(0, documentsMax)) {
    const excessRule = rulesAt[rulesMax - rules];
    rules += rulesAt.length;
    if (excessRule === undefined) continue;
    tell(
      excessRule,
      'too_many_rules',
      `there are more than ${rulesMax} rules; merge some or raise \`rulesMax\``,
    );
    return;
  }
}

function collect(documents: readonly DocumentReading[], tell: Tell): Collected {
  const collected: Collected = {
    policies: [],
    modules: [],
    rollouts: [],
    golden: [],
    overrides: [],
    warnings: [],
    policyDocuments: 0,
  };
  const names = new Map<string, PolicyReading | ModuleReading>();
  let rollouts = 0;
  for (const { content, position } of documents) {
    if (content.kind === 'refused') {
      if (content.wanted === 'policy') collected.policyDocuments += 1;
      continue;
    }
    if (content.kind === 'golden') {
      if (content.draft !== undefined) collected.golden.push(content.draft);
      continue;
    }
    if (content.kind === 'override') {
      if (content.override !== undefined) collected.overrides.push(content.override);
      continue;
    }
    if (content.kind === 'rollout') {
      rollouts += 1;
      if (rollouts > 1) {
        tell(position, 'duplicate_rollout', 'a set has at most one `kind: Rollout`; keep one');
      }
      collected.warnings.push(...content.warnings);
      if (content.plan !== undefined) collected.rollouts.push(content.plan);
      continue;
    }
    if (content.kind === 'policy') {
      collected.policyDocuments += 1;
      collected.policies.push(content);
    } else collected.modules.push(content);
    const earlier = names.get(content.name);
    if (earlier === undefined) {
      names.set(content.name, content);
      continue;
    }
    tell(
      content.nameAt,
      'duplicate_policy',
      `the name ${quote(content.name)} is taken by the ${earlier.kind} at ${placeOf(earlier.nameAt)}; rename one`,
    );
  }
  return collected;
}

/** Every policy by its name, also one that does not compile, with the rules that modules bring in. */
function declaredBy(
  documents: readonly DocumentReading[],
  drafts: readonly RuleDraft[],
): ReadonlyMap<string, DeclaredPolicy> {
  const declared = new Map<string, DeclaredPolicy>();
  const ids = new Map<string, Set<string>>();
  for (const { declares, content } of documents) {
    if (declares === undefined || content.kind === 'module') continue;
    if (content.kind === 'refused' && content.wanted === 'module') continue;
    const { name, selector } = declares;
    const ruleIds = new Set(declares.ruleIds);
    ids.set(name, ruleIds);
    declared.set(name, { ruleIds, selector });
  }
  for (const { rule } of drafts)
    if (rule.module !== undefined) ids.get(rule.policy)?.add(rule.id.slice(rule.policy.length + 1));
  return declared;
}

function defaultsOf(policies: readonly PolicyReading[], tell: Tell): readonly LayerDefault[] {
  const defaults: LayerDefault[] = [];
  for (const { name, layer, selector, default: said } of policies) {
    if (said === undefined) continue;
    const other = defaults.find(
      (one) =>
        one.layer === layer &&
        one.verdict !== said.verdict &&
        selectorsCompatible(one.selector, selector),
    );
    if (other !== undefined) {
      tell(
        said.position,
        'default_conflict',
        `policy ${quote(other.policy)} of layer ${quote(layer)} says \`default: ${other.verdict}\` about some of the same exchanges; keep one of the two`,
      );
    }
    defaults.push({ policy: name, layer, selector, verdict: said.verdict });
  }
  return defaults.sort((a, b) => compareText(a.policy, b.policy));
}

interface Assembled extends Collected {
  readonly defaults: readonly LayerDefault[];
  readonly composition: Composition;
}

function assemble(
  documents: readonly DocumentReading[],
  { policies, modules, rollouts, warnings, defaults, composition }: Assembled,
  sha256: (text: string) => string,
): PolicySet {
  // Golden sets say what a set must do, not what it does: a new case makes no new set, nor does an override.
  const canonical = documents
    .filter(({ content }) => content.kind !== 'golden' && content.kind !== 'override')
    .map((document) => document.canonical)
    .sort(compareText);
  const { drafts, usedBy } = composition;
  const rules = drafts
    .map(({ rule }) => rule)
    .filter((rule) => rule.enforcement !== 'off')
    .sort(compareRules)
    .map((rule, rank): Rule => ({ ...rule, rank }));
  const rollout = rollouts[0];
  return deepFreeze<PolicySet>({
    digest: `sha256:${sha256(canonical.join('\n'))}`,
    rules,
    defaults,
    policies: policies
      .map(({ name, version, layer, nameAt: { file } }) => ({
        name,
        ...(version === undefined ? {} : { version }),
        layer,
        file,
      }))
      .sort((a, b) => compareText(a.name, b.name)),
    modules: modules
      .map(({ name, version, nameAt: { file } }) => ({
        name,
        ...(version === undefined ? {} : { version }),
        file,
        usedBy: usedBy.get(name) ?? [],
      }))
      .sort((a, b) => compareText(a.name, b.name)),
    ...(rollout === undefined ? {} : { rollout }),
    warnings: [
      ...warnings,
      ...modules.filter(({ name }) => !usedBy.has(name)).map(({ name }) => unusedWarning(name)),
      ...looseningWarnings(drafts),
      ...rules.filter(unsupported).map(unsupportedWarning),
    ].sort(compareText),
  });
}

/** Layer, then priority (the higher wins), then lineage: a total order without file order. */
function compareRules(a: Omit<Rule, 'rank'>, b: Omit<Rule, 'rank'>): number {
  return (
    LAYERS.indexOf(a.layer) - LAYERS.indexOf(b.layer) ||
    b.priority - a.priority ||
    compareText(a.id, b.id)
  );
}
