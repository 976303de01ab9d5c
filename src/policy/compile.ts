/** Files → PolicySet, or every reason why not (invariant 3: nothing changes until everything is right). */
import { compileRule, type RuleDraft } from './compile-rule.ts';
import {
  checkConflicts,
  checkMatcherBytes,
  checkReplacements,
  looseningWarnings,
} from './cross-checks.ts';
import {
  type CompileError,
  compareCompileErrors,
  compareText,
  quote,
  quoteList,
} from './errors.ts';
import { deepFreeze } from './freeze.ts';
import {
  type DeclaredPolicy,
  type GoldenCase,
  type GoldenDraft,
  readGoldenSet,
  resolveCases,
} from './golden/cases.ts';
import { type CompileLimits, DEFAULT_LIMITS } from './limits.ts';
import { type LoadedDocument, loadFile, type PolicyFile } from './load.ts';
import { canonicalJson, child, entry, type Located, plain } from './located.ts';
import { selectorsCompatible } from './reach.ts';
import { accepts, type Report } from './read.ts';
import { readRollout } from './rollout-plan.ts';
import { FACT_NAMES, type PolicyHead, PolicyHeadSchema } from './schema.ts';
import { LAYERS, type LayerDefault, type PolicySet, type RolloutPlan, type Rule } from './set.ts';
import { didYouMean } from './suggest.ts';

export type { PolicyFile } from './load.ts';

export interface CompileOptions extends Partial<CompileLimits> {
  /** Hex digest of a text, over its UTF-8 bytes. */
  readonly sha256: (text: string) => string;
  /** Takes no policy at all for a set that allows everything. */
  readonly allowEmpty?: boolean;
}

export type CompileResult =
  | { readonly ok: true; readonly set: PolicySet; readonly cases: readonly GoldenCase[] }
  | { readonly ok: false; readonly errors: readonly CompileError[] };

/** What reading the documents leaves behind; filled in file order, read after sorting. */
interface Collected {
  readonly drafts: RuleDraft[];
  readonly policies: PolicySet['policies'][number][];
  readonly defaults: LayerDefault[];
  readonly rollouts: RolloutPlan[];
  readonly golden: GoldenDraft[];
  /** Every policy by its name, also one that does not compile. */
  readonly declared: Map<string, DeclaredPolicy>;
  readonly warnings: string[];
  readonly policyNames: Map<string, string>;
  rolloutDocuments: number;
  policyDocuments: number;
  rules: number;
}

/**
 * Compiles all files of a set together. The result is a function of the documents' contents: neither the
 * order of the files, nor their names, comments or spaces change the digest or the ranks. Errors are
 * sorted by place, at most `errorsMax`. Never throws for bad input. Cost: about 1 ms per 10 KiB of YAML,
 * and the detectors' tables.
 */
export function compilePolicies(
  files: readonly PolicyFile[],
  options: CompileOptions,
): CompileResult {
  const { sha256, allowEmpty = false, ...given } = options;
  const limits: CompileLimits = { ...DEFAULT_LIMITS, ...given };
  const errors: CompileError[] = [];
  const documents: LoadedDocument[] = [];
  for (const file of [...files].sort((a, b) => compareText(a.path, b.path))) {
    const loaded = loadFile(file, limits);
    errors.push(...loaded.errors);
    documents.push(...loaded.documents);
  }
  const collected: Collected = {
    drafts: [],
    policies: [],
    defaults: [],
    rollouts: [],
    golden: [],
    declared: new Map(),
    warnings: [],
    policyNames: new Map(),
    rolloutDocuments: 0,
    policyDocuments: 0,
    rules: 0,
  };
  for (const document of documents.slice(0, limits.documentsMax)) {
    readDocument(document, collected, limits, reporter(document, errors));
  }
  const excess = documents[limits.documentsMax];
  if (excess !== undefined) {
    reporter(excess, errors)(
      excess.root.at,
      'too_many_documents',
      `there are ${documents.length} documents; write at most ${limits.documentsMax}`,
    );
  }
  checkReplacements(collected.drafts);
  checkConflicts(collected.drafts);
  checkMatcherBytes(collected.drafts, limits);
  const cases = resolveCases(collected.golden, collected.declared);
  if (collected.policyDocuments === 0 && errors.length === 0 && !allowEmpty) {
    const file = files[0]?.path ?? 'policies';
    errors.push({
      file,
      line: 1,
      column: 1,
      code: 'no_policies',
      message: 'there is no `kind: Policy`, so that everything would be allowed; add one',
    });
  }
  if (errors.length > 0) {
    errors.sort(compareCompileErrors);
    return { ok: false, errors: deepFreeze(errors.slice(0, limits.errorsMax)) };
  }
  return { ok: true, set: assemble(documents, collected, sha256), cases };
}

function reporter(document: LoadedDocument, errors: CompileError[]): Report {
  return (at, code, message) => {
    errors.push({ file: document.file, ...document.position(at), code, message });
  };
}

function readDocument(
  document: LoadedDocument,
  collected: Collected,
  limits: CompileLimits,
  report: Report,
): void {
  const { root } = document;
  if (root.kind !== 'map') {
    report(root.at, 'not_a_map', 'a document must be a map; begin with `kind: Policy`');
    return;
  }
  const kind = child(root, 'kind');
  const word = kind?.kind === 'scalar' ? kind.value : undefined;
  const bareRollout = kind === undefined && child(root, 'canary_policy_deployment') !== undefined;
  if (word === 'Policy') {
    collected.policyDocuments += 1;
    readPolicy(document, collected, limits, report);
  } else if (word === 'Rollout' || bareRollout) {
    collected.rolloutDocuments += 1;
    if (collected.rolloutDocuments > 1) {
      report(root.at, 'duplicate_rollout', 'a set has at most one `kind: Rollout`; keep one');
    }
    const plan = readRollout(root, report, (message) => collected.warnings.push(message));
    if (plan !== undefined) collected.rollouts.push(plan);
  } else if (word === 'GoldenSet') {
    const draft = readGoldenSet(document, limits, report);
    if (draft !== undefined) collected.golden.push(draft);
  } else if (LATER_KINDS.includes(String(word))) {
    report(
      kind?.at ?? root.at,
      'unsupported_construct',
      `${quote(`kind: ${word}`)} is part of the policy language but not of this version; a document is ${quoteList(KINDS)}`,
    );
  } else {
    const said =
      word === undefined ? 'the document does not say its kind' : `${quote(word)} is no kind`;
    const meant =
      didYouMean(String(word ?? ''), KINDS) ||
      `; write ${quoteList(KINDS.map((one) => `kind: ${one}`))}`;
    report(kind?.at ?? root.at, 'unknown_kind', `${said}${meant}`);
  }
}

const KINDS: readonly string[] = ['Policy', 'GoldenSet', 'Rollout'];
const LATER_KINDS: readonly string[] = ['Module', 'PolicyBundle'];

function readPolicy(
  document: LoadedDocument,
  collected: Collected,
  limits: CompileLimits,
  report: Report,
): void {
  const { root } = document;
  const headClean = accepts(PolicyHeadSchema, root, 'policy', report);
  const head = headClean ? (plain(root) as PolicyHead) : undefined;
  const selectorClean = checkSelector(document, report);
  const metadata = head?.metadata;
  const rulesNode = child(root, 'rules');
  const items = rulesNode?.kind === 'list' ? rulesNode.items : [];
  if (head !== undefined) checkHead(head, document, collected, items.length, report);

  const ids = new Set<string>();
  const written = child(child(root, 'metadata'), 'name');
  if (written?.kind === 'scalar') {
    const selector = (metadata?.selector ?? {}) as Rule['selector'];
    collected.declared.set(String(written.value), { ruleIds: ids, selector });
  }
  for (const item of items) {
    collected.rules += 1;
    if (collected.rules > limits.rulesMax) {
      report(
        item.at,
        'too_many_rules',
        `there are more than ${limits.rulesMax} rules; merge some or raise \`rulesMax\``,
      );
      break;
    }
    const id = child(item, 'id');
    if (id?.kind === 'scalar' && typeof id.value === 'string') {
      if (ids.has(id.value)) {
        report(
          id.at,
          'duplicate_rule',
          `the rule id ${quote(id.value)} stands twice in this policy; rename one`,
        );
      }
      ids.add(id.value);
    }
    const draft = compileRule(
      item,
      {
        file: document.file,
        policy: metadata?.name ?? '',
        layer: metadata?.layer ?? 'platform',
        selector: (metadata?.selector ?? {}) as Rule['selector'],
        class: head === undefined ? 'unreadable' : head.class,
        position: document.position,
      },
      limits,
      report,
    );
    // Rules under an unreadable head have no place in the set, so that comparing them means nothing.
    if (draft !== undefined && head !== undefined && selectorClean) collected.drafts.push(draft);
  }
}

/** Facts are few and known: a selector that names anything else would never fit. */
function checkSelector(document: LoadedDocument, report: Report): boolean {
  const selector = child(child(document.root, 'metadata'), 'selector');
  if (selector?.kind !== 'map') return true;
  const strangers = selector.entries.filter(
    ({ key }) => !(FACT_NAMES as readonly string[]).includes(key),
  );
  for (const { key, keyAt } of strangers) {
    const meant = didYouMean(key, FACT_NAMES) || `; the facts are ${quoteList(FACT_NAMES)}`;
    report(
      keyAt,
      'unknown_fact',
      `${quote(key)} is not a fact that a selector can ask for${meant}`,
    );
  }
  return strangers.length === 0;
}

function checkHead(
  head: PolicyHead,
  { root, file, position }: LoadedDocument,
  collected: Collected,
  rules: number,
  report: Report,
): void {
  const { name, version, layer, selector } = head.metadata;
  const nameAt = child(child(root, 'metadata'), 'name')?.at ?? root.at;
  const earlier = collected.policyNames.get(name);
  if (earlier !== undefined) {
    report(
      nameAt,
      'duplicate_policy',
      `the name ${quote(name)} is taken by the policy at ${quote(earlier)}; rename one`,
    );
  } else {
    const { line } = position(nameAt);
    collected.policyNames.set(name, `${file}:${line}`);
  }
  collected.policies.push({ name, ...(version === undefined ? {} : { version }), layer, file });
  if (rules === 0 && head.default === undefined) {
    report(
      entry(root, 'rules')?.keyAt ?? root.at,
      'no_rules',
      `the policy ${quote(name)} has no rules and no \`default\`; add one of them or remove the document`,
    );
  }
  if (head.default === undefined) return;
  const defaultAt = child(root, 'default')?.at ?? root.at;
  const own: LayerDefault = {
    policy: name,
    layer,
    selector: selector ?? {},
    verdict: head.default,
  };
  const other = collected.defaults.find(
    (said) =>
      said.layer === layer &&
      said.verdict !== own.verdict &&
      selectorsCompatible(said.selector, own.selector),
  );
  if (other !== undefined) {
    report(
      defaultAt,
      'default_conflict',
      `policy ${quote(other.policy)} of layer ${quote(layer)} says \`default: ${other.verdict}\` about some of the same exchanges; keep one of the two`,
    );
  }
  collected.defaults.push(own);
}

function assemble(
  documents: readonly LoadedDocument[],
  collected: Collected,
  sha256: (text: string) => string,
): PolicySet {
  // Golden sets say what a set must do, not what it does: a new case makes no new set.
  const canonical = documents
    .filter(({ root }) => !isGoldenSet(root))
    .map(({ root }) => canonicalJson(root))
    .sort(compareText);
  const rules = collected.drafts
    .map(({ rule }) => rule)
    .filter((rule) => rule.enforcement !== 'off')
    .sort(compareRules)
    .map((rule, rank): Rule => ({ ...rule, rank }));
  const rollout = collected.rollouts[0];
  return deepFreeze<PolicySet>({
    digest: `sha256:${sha256(canonical.join('\n'))}`,
    rules,
    defaults: [...collected.defaults].sort((a, b) => compareText(a.policy, b.policy)),
    policies: [...collected.policies].sort((a, b) => compareText(a.name, b.name)),
    ...(rollout === undefined ? {} : { rollout }),
    warnings: [...collected.warnings, ...looseningWarnings(collected.drafts)].sort(compareText),
  });
}

function isGoldenSet(root: Located): boolean {
  const kind = child(root, 'kind');
  return kind?.kind === 'scalar' && kind.value === 'GoldenSet';
}

/** Layer, then priority (the higher wins), then lineage: a total order without file order. */
function compareRules(a: Omit<Rule, 'rank'>, b: Omit<Rule, 'rank'>): number {
  return (
    LAYERS.indexOf(a.layer) - LAYERS.indexOf(b.layer) ||
    b.priority - a.priority ||
    compareText(a.id, b.id)
  );
}
