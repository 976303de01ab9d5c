/**
 * One file → what its documents say by themselves. It depends on nothing but the file and the limits, so that the
 * reading of a file that has not changed is kept: a change of one tenant costs what that tenant's file costs.
 */
import { compileRule, type RuleDraft } from './compile-rule.ts';
import { compileCondition } from './condition.ts';
import { type CompileError, type CompileErrorCode, quote, quoteList } from './errors.ts';
import { type DeclaredPolicy, type GoldenDraft, readGoldenSet } from './golden/cases.ts';
import { type GoldenOverride, readOverride } from './golden/override.ts';
import type { CompileLimits } from './limits.ts';
import { type LoadedDocument, loadFile, type PolicyFile } from './load.ts';
import { canonicalJson, child, entry, type Located, plain } from './located.ts';
import { accepts, type Report } from './read.ts';
import { readRollout } from './rollout-plan.ts';
import {
  FACT_NAMES,
  type ModuleHead,
  ModuleHeadSchema,
  type PolicyHead,
  PolicyHeadSchema,
  type UseDocument,
} from './schema.ts';
import type {
  Condition,
  Enforcement,
  Layer,
  PolicyClass,
  RolloutPlan,
  Selector,
  SourcePosition,
} from './set.ts';
import { didYouMean } from './suggest.ts';
import { inRange, RANGE_EXAMPLE } from './version-range.ts';

/** A module that a document composes in. */
export interface Use {
  readonly module: string;
  readonly when?: Condition;
  readonly enforcement: Enforcement;
  readonly position: SourcePosition;
}

/** A version that a document demands of another one. */
export interface Requirement {
  readonly name: string;
  readonly range: string;
  readonly position: SourcePosition;
}

/** What a policy and a module have in common. */
interface Composable {
  readonly name: string;
  readonly nameAt: SourcePosition;
  readonly version?: string;
  readonly enforcement: Enforcement;
  readonly uses: readonly Use[];
  readonly requires: readonly Requirement[];
  /** Of a module: `id` is the module's, and layer and selector mean nothing yet. */
  readonly drafts: readonly RuleDraft[];
}

export interface PolicyReading extends Composable {
  readonly kind: 'policy';
  readonly layer: Layer;
  readonly selector: Selector;
  readonly default?: { readonly verdict: 'allow' | 'deny'; readonly position: SourcePosition };
}

export interface ModuleReading extends Composable {
  readonly kind: 'module';
}

export interface RolloutReading {
  readonly kind: 'rollout';
  /** Undefined when something was reported. */
  readonly plan: RolloutPlan | undefined;
  readonly warnings: readonly string[];
}

export interface GoldenReading {
  readonly kind: 'golden';
  /** Undefined when something was reported. */
  readonly draft: GoldenDraft | undefined;
}

export interface OverrideReading {
  readonly kind: 'override';
  /** Undefined when something was reported. */
  readonly override: GoldenOverride | undefined;
}

/** A document that says nothing: its head was refused. */
export interface RefusedReading {
  readonly kind: 'refused';
  readonly wanted: 'policy' | 'module' | 'other';
}

export interface DocumentReading {
  readonly position: SourcePosition;
  /** Equal for documents that differ in comments, spaces or key order only. */
  readonly canonical: string;
  /** Every rule that was written, read or not. */
  readonly rulesAt: readonly SourcePosition[];
  /** Of a policy, also of one that was refused: what golden sets may name. */
  readonly declares?: DeclaredPolicy & { readonly name: string };
  readonly content:
    | PolicyReading
    | ModuleReading
    | RolloutReading
    | GoldenReading
    | OverrideReading
    | RefusedReading;
}

export interface FileReading {
  readonly documents: readonly DocumentReading[];
  readonly errors: readonly CompileError[];
}

/** Reads a whole file. Never throws for bad input. Cost: about 1 ms per 10 KiB, and the detectors' tables. */
export function readFile(file: PolicyFile, limits: CompileLimits): FileReading {
  const loaded = loadFile(file, limits);
  const errors: CompileError[] = [...loaded.errors];
  const documents = loaded.documents
    .slice(0, limits.documentsMax + 1)
    .map((document) => new Reader(document, limits, errors).read());
  return Object.freeze({ documents, errors });
}

const KINDS: readonly string[] = ['Policy', 'Module', 'GoldenSet', 'GoldenOverride', 'Rollout'];
const LATER_KINDS: readonly string[] = ['PolicyBundle'];

type Head = PolicyHead | ModuleHead;

class Reader {
  private readonly document: LoadedDocument;
  private readonly limits: CompileLimits;
  private readonly errors: CompileError[];
  private readonly rulesAt: SourcePosition[] = [];
  private declares: DocumentReading['declares'];

  constructor(document: LoadedDocument, limits: CompileLimits, errors: CompileError[]) {
    this.document = document;
    this.limits = limits;
    this.errors = errors;
  }

  read(): DocumentReading {
    const { root } = this.document;
    const content = this.content(root);
    return {
      position: this.place(root.at),
      canonical: canonicalJson(root),
      rulesAt: this.rulesAt,
      ...(this.declares === undefined ? {} : { declares: this.declares }),
      content,
    };
  }

  private content(root: Located): DocumentReading['content'] {
    if (root.kind !== 'map') {
      this.report(root.at, 'not_a_map', 'a document must be a map; begin with `kind: Policy`');
      return { kind: 'refused', wanted: 'other' };
    }
    const kind = child(root, 'kind');
    const word = kind?.kind === 'scalar' ? kind.value : undefined;
    if (word === 'Policy') return this.policy(root);
    if (word === 'Module') return this.module(root);
    const isBare = kind === undefined && child(root, 'canary_policy_deployment') !== undefined;
    if (word === 'Rollout' || isBare) {
      const warnings: string[] = [];
      const plan = readRollout(root, this.report, (message) => warnings.push(message));
      return { kind: 'rollout', plan, warnings };
    }
    if (word === 'GoldenSet') {
      const draft = readGoldenSet(this.document, this.limits, this.report);
      return { kind: 'golden', draft };
    }
    if (word === 'GoldenOverride') {
      return { kind: 'override', override: readOverride(this.document, this.report) };
    }
    this.refuseKind(root, kind, word);
    return { kind: 'refused', wanted: 'other' };
  }

  private refuseKind(root: Located, kind: Located | undefined, word: unknown): void {
    if (LATER_KINDS.includes(String(word))) {
      this.report(
        kind?.at ?? root.at,
        'unsupported_construct',
        `${quote(`kind: ${word}`)} is part of the policy language but not of this version; a document is ${quoteList(KINDS)}`,
      );
      return;
    }
    const said =
      word === undefined ? 'the document does not say its kind' : `${quote(word)} is no kind`;
    const meant =
      didYouMean(String(word ?? ''), KINDS) ||
      `; write ${quoteList(KINDS.map((one) => `kind: ${one}`))}`;
    this.report(kind?.at ?? root.at, 'unknown_kind', `${said}${meant}`);
  }

  private policy(root: Located): PolicyReading | RefusedReading {
    const clean = accepts(PolicyHeadSchema, root, 'policy', this.report);
    const head = clean ? (plain(root) as PolicyHead) : undefined;
    const selectorClean = this.checkSelector(root);
    const { layer = 'platform', selector = {} } = head?.metadata ?? {};
    const drafts = this.rules(root, head, { layer, selector: selector as Selector });
    if (head === undefined) return { kind: 'refused', wanted: 'policy' };
    this.checkContent(root, head, 'policy', head.default !== undefined);
    const verdict = head.default;
    return {
      kind: 'policy',
      ...this.shared(root, head),
      layer,
      selector: selector as Selector,
      // Rules of a selector that cannot be read have no place in the set.
      drafts: selectorClean ? drafts : [],
      ...(verdict === undefined
        ? {}
        : { default: { verdict, position: this.place(child(root, 'default')?.at ?? root.at) } }),
    };
  }

  private module(root: Located): ModuleReading | RefusedReading {
    const clean = accepts(ModuleHeadSchema, root, 'module', this.report);
    const head = clean ? (plain(root) as ModuleHead) : undefined;
    const drafts = this.rules(root, head, { layer: 'platform', selector: {} });
    if (head === undefined) return { kind: 'refused', wanted: 'module' };
    this.checkContent(root, head, 'module', false);
    return { kind: 'module', ...this.shared(root, head), drafts };
  }

  private shared(root: Located, head: Head): Omit<Composable, 'drafts'> {
    const { name, version } = head.metadata;
    return {
      name,
      nameAt: this.place(child(child(root, 'metadata'), 'name')?.at ?? root.at),
      ...(version === undefined ? {} : { version }),
      enforcement: head.enforcement ?? 'enforce',
      uses: this.uses(root, head.use ?? []),
      requires: this.requirements(root, head.requires ?? {}),
    };
  }

  private uses(root: Located, documents: readonly UseDocument[]): readonly Use[] {
    const list = child(root, 'use');
    const uses: Use[] = [];
    for (const [index, document] of documents.entries()) {
      const node = list?.kind === 'list' ? list.items[index] : undefined;
      const own = typeof document === 'string' ? { module: document } : document;
      const position = this.place(child(node, 'module')?.at ?? node?.at ?? root.at);
      if (uses.some(({ module }) => module === own.module)) {
        this.report(
          node?.at ?? root.at,
          'duplicate_use',
          `the module ${quote(own.module)} is used twice here; write one entry, with \`||\` between two conditions`,
        );
        continue;
      }
      const when = own.when === undefined ? undefined : compileCondition(own.when, this.limits);
      if (when !== undefined && !when.ok) {
        this.report(child(node, 'when')?.at ?? root.at, when.code, when.message);
        continue;
      }
      uses.push({
        module: own.module,
        ...(when?.ok ? { when: when.condition } : {}),
        enforcement: own.enforcement ?? 'enforce',
        position,
      });
    }
    return uses;
  }

  private requirements(
    root: Located,
    documents: Readonly<Record<string, string>>,
  ): readonly Requirement[] {
    return Object.entries(documents).flatMap(([name, range]) => {
      const at = child(child(root, 'requires'), name)?.at ?? root.at;
      if (inRange('1.0.0', range) !== undefined) return [{ name, range, position: this.place(at) }];
      this.report(
        at,
        'bad_name',
        `${quote(range)} is no range of versions; write one like ${RANGE_EXAMPLE}`,
      );
      return [];
    });
  }

  private rules(
    root: Located,
    head: Head | undefined,
    { layer, selector }: { readonly layer: Layer; readonly selector: Selector },
  ): readonly RuleDraft[] {
    const node = child(root, 'rules');
    const items = node?.kind === 'list' ? node.items : [];
    const ids = new Set<string>();
    const written = child(child(root, 'metadata'), 'name');
    if (written?.kind === 'scalar')
      this.declares = { name: String(written.value), ruleIds: ids, selector };
    const drafts: RuleDraft[] = [];
    const policyClass: PolicyClass | 'unreadable' | undefined =
      head === undefined ? 'unreadable' : head.class;
    const context = {
      file: this.document.file,
      policy: head?.metadata.name ?? '',
      layer,
      selector,
      class: policyClass,
      position: (offset: number) => this.document.position(offset),
    };
    for (const item of items) {
      this.rulesAt.push(this.place(item.at));
      if (this.rulesAt.length > this.limits.rulesMax) break;
      const id = child(item, 'id');
      if (id?.kind === 'scalar' && typeof id.value === 'string') {
        if (ids.has(id.value)) {
          this.report(
            id.at,
            'duplicate_rule',
            `the rule id ${quote(id.value)} stands twice in this policy; rename one`,
          );
        }
        ids.add(id.value);
      }
      const draft = compileRule(item, context, this.limits, this.report);
      // Rules under an unreadable head have no place in the set, so that comparing them means nothing.
      if (draft !== undefined && head !== undefined) drafts.push(draft);
    }
    return drafts;
  }

  /** Facts are few and known: a selector that names anything else would never fit. */
  private checkSelector(root: Located): boolean {
    const selector = child(child(root, 'metadata'), 'selector');
    if (selector?.kind !== 'map') return true;
    const strangers = selector.entries.filter(
      ({ key }) => !(FACT_NAMES as readonly string[]).includes(key),
    );
    for (const { key, keyAt } of strangers) {
      const meant = didYouMean(key, FACT_NAMES) || `; the facts are ${quoteList(FACT_NAMES)}`;
      this.report(
        keyAt,
        'unknown_fact',
        `${quote(key)} is not a fact that a selector can ask for${meant}`,
      );
    }
    return strangers.length === 0;
  }

  private checkContent(root: Located, head: Head, word: string, hasDefault: boolean): void {
    if (hasDefault || head.use !== undefined || this.rulesAt.length > 0) return;
    const others = word === 'policy' ? ', no `use` and no `default`' : ' and no `use`';
    this.report(
      entry(root, 'rules')?.keyAt ?? root.at,
      'no_rules',
      `the ${word} ${quote(head.metadata.name)} has no rules${others}; add one of them or remove the document`,
    );
  }

  private place(offset: number): SourcePosition {
    return Object.freeze({ file: this.document.file, ...this.document.position(offset) });
  }

  private readonly report: Report = (at: number, code: CompileErrorCode, message: string) => {
    this.errors.push({ ...this.place(at), code, message });
  };
}
