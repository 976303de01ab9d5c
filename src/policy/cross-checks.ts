/** What only the rules together can get wrong. Every function reports at the rule that should change. */

import type { Detector } from '../match/detector.ts';
import { INVISIBLE_MARK } from '../match/invisible.ts';
import { unionBytesMax } from '../match/union-automaton.ts';
import type { UnionPart } from '../match/union-part.ts';
import type { RuleDraft } from './compile-rule.ts';
import { placeOf, quote, type Tell } from './errors.ts';
import type { CompileLimits } from './limits.ts';
import { reachContains, reachOverlaps, selectorContains, selectorsCompatible } from './reach.ts';
import { type Action, LAYERS, type Selector } from './set.ts';

const ENFORCING: ReadonlySet<Action['kind']> = new Set([
  'block',
  'redact',
  'rewrite',
  'append',
  'remove',
  'clamp',
]);

/** Placeholders count upwards in a conversation; these stand for all of them. */
const PLACEHOLDER_NUMBERS: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 42, 100, 1234];

/** The texts that this rule can write into an exchange. */
function writes(draft: RuleDraft): readonly string[] {
  const { action, detector } = draft.rule;
  if (action.kind !== 'redact') return draft.replacement === undefined ? [] : [draft.replacement];
  if (detector?.kind === 'invisible') return [INVISIBLE_MARK];
  return (detector?.labels ?? []).flatMap((label) =>
    PLACEHOLDER_NUMBERS.map((number) => `[${label}_${number}]`),
  );
}

/** Texts that were tried against a detector, and whether it found something; both stay from one set to the next. */
const tried = new WeakMap<Detector, Map<string, boolean>>();
/** Of one detector; then it begins anew. */
const TRIED_MAX = 10_000;

function isCaught(detector: Detector, text: string): boolean {
  const texts = tried.get(detector) ?? new Map<string, boolean>();
  tried.set(detector, texts);
  let caught = texts.get(text);
  if (caught === undefined) {
    caught = detector.matches(text);
    if (texts.size >= TRIED_MAX) texts.clear();
    texts.set(text, caught);
  }
  return caught;
}

/** Rules of equal selectors together. */
interface Group {
  readonly selector: Selector;
  readonly drafts: RuleDraft[];
}

/** Which rules can meet: those of two tenants never do, so that their pairs are not even looked at. */
class Meetings {
  private readonly groups = new Map<string, Group>();
  private readonly byTenant = new Map<string | undefined, Group[]>();

  constructor(drafts: readonly RuleDraft[]) {
    for (const draft of drafts) {
      const { selector } = draft.rule;
      const key = JSON.stringify(Object.entries(selector).sort(([a], [b]) => (a < b ? -1 : 1)));
      const known = this.groups.get(key);
      if (known !== undefined) {
        known.drafts.push(draft);
        continue;
      }
      const group: Group = { selector, drafts: [draft] };
      this.groups.set(key, group);
      const near = this.byTenant.get(selector.tenant) ?? [];
      this.byTenant.set(selector.tenant, near);
      near.push(group);
    }
  }

  /** The drafts that some exchange can have together with this one. */
  *of({ rule: { selector } }: RuleDraft): Generator<RuleDraft> {
    const near =
      selector.tenant === undefined
        ? this.groups.values()
        : [...(this.byTenant.get(selector.tenant) ?? []), ...(this.byTenant.get(undefined) ?? [])];
    for (const group of near)
      if (selectorsCompatible(selector, group.selector)) yield* group.drafts;
  }
}

/**
 * A replacement is not scanned again (SEMANTICS §1), so that one which a rule of the set would catch is
 * refused here, wherever both rules can read the same text. Cost: replacements × rules that can meet them.
 */
export function checkReplacements(drafts: readonly RuleDraft[], tell: Tell): void {
  const catching = new Meetings(
    drafts.filter(
      ({ rule }) =>
        rule.detector !== undefined &&
        rule.enforcement === 'enforce' &&
        ENFORCING.has(rule.action.kind),
    ),
  );
  for (const draft of drafts) {
    if (draft.rule.enforcement === 'off') continue;
    const texts = writes(draft);
    if (texts.length === 0) continue;
    for (const { rule } of catching.of(draft)) {
      if (!reachOverlaps(draft.rule.inspect, rule.inspect)) continue;
      const { detector } = rule;
      // Such a rule judges a text as a whole: what is put inside of one is no text, what is put behind it ends it.
      if (detector?.kind === 'json' && draft.rule.action.kind !== 'append') continue;
      const caught = detector && texts.find((text) => isCaught(detector, text));
      if (caught === undefined) continue;
      tell(
        draft.replacementAt,
        'replacement_matches_rule',
        `the text ${quote(caught)} that rule ${quote(draft.rule.id)} writes is itself matched by rule ${quote(rule.id)} at ${placeOf(rule.position)}; write another text or narrow that rule`,
      );
    }
  }
}

/**
 * What the detectors of some rules take, each counted once however many rules it serves. The tables of known secrets
 * are there once for all sets of the process, so that they are nobody's; their states in the automaton are the set's.
 */
class Tables {
  regexNodes = 0;
  private tables = 0;
  private nodes = 0;
  private readonly seen = new Set<Detector>();
  private readonly withShared: boolean;

  /** `withShared`: also the states of known secrets, which are there once however many rules look for them. */
  constructor(withShared: boolean) {
    this.withShared = withShared;
  }

  add(detector: Detector): void {
    if (this.seen.has(detector)) return;
    this.seen.add(detector);
    this.tables += detector.bytes;
    if (!this.withShared && detector.partitions !== undefined) return;
    const own = partsOf(detector).reduce((sum, part) => sum + part.nodes, 0);
    this.nodes += own;
    if (detector.kind === 'regex') this.regexNodes += own;
  }

  /** At their largest, with the automaton in which all of them stand that can share one. */
  get bytes(): number {
    return this.tables + (this.nodes > 0 ? unionBytesMax(this.nodes) : 0);
  }
}

/** What the tables of the set take. Reported once, at the rule that goes over; so is the number of instructions. */
export function checkMatcherBytes(
  drafts: readonly RuleDraft[],
  limits: CompileLimits,
  tell: Tell,
): void {
  const tables = new Tables(true);
  for (const { rule, matchAt } of drafts) {
    const { detector } = rule;
    if (detector === undefined) continue;
    const { bytes: bytesBefore, regexNodes: nodesBefore } = tables;
    tables.add(detector);
    const { bytes, regexNodes } = tables;
    if (bytes > limits.matcherBytesMax && bytesBefore <= limits.matcherBytesMax) {
      tell(
        matchAt,
        'matcher_too_large',
        `with rule ${quote(rule.id)} the tables of the set can take ${bytes} bytes, more than the ${limits.matcherBytesMax} allowed; shorten the lists, or raise \`matcherBytesMax\``,
      );
    }
    if (regexNodes > limits.regexNodesMax && nodesBefore <= limits.regexNodesMax) {
      tell(
        matchAt,
        'regex_too_large',
        `with rule ${quote(rule.id)} the regular expressions of the set have ${regexNodes} instructions, more than the ${limits.regexNodesMax} allowed; lower their counts, or raise \`regexNodesMax\``,
      );
    }
  }
}

/** What one tenant may take of what a set may: its flood is its own mistake, told at its own rule, once. */
export function checkTenantShares(
  drafts: readonly RuleDraft[],
  limits: CompileLimits,
  tell: Tell,
): void {
  const share = (limit: number): number => Math.floor((limit * limits.tenantPercentMax) / 100);
  const byTenant = new Map<string, RuleDraft[]>();
  for (const draft of drafts) {
    const { tenant } = draft.rule.selector;
    if (tenant === undefined) continue;
    const own = byTenant.get(tenant) ?? [];
    byTenant.set(tenant, own);
    own.push(draft);
  }
  for (const [tenant, own] of byTenant) {
    const tables = new Tables(false);
    for (const [index, { rule, matchAt }] of own.entries()) {
      if (rule.detector !== undefined) tables.add(rule.detector);
      const over = (
        [
          [index + 1, limits.rulesMax, 'rules', 'rulesMax'],
          [tables.regexNodes, limits.regexNodesMax, 'instructions', 'regexNodesMax'],
          [tables.bytes, limits.matcherBytesMax, 'bytes of tables', 'matcherBytesMax'],
        ] as const
      ).find(([taken, limit]) => taken > share(limit));
      if (over === undefined) continue;
      const [taken, limit, what, name] = over;
      tell(
        matchAt,
        'tenant_share',
        `with rule ${quote(rule.id)} tenant ${quote(tenant)} takes ${taken} ${what}, more than ${share(limit)}, its share of \`${name}\`; shorten its lists, or raise \`tenantPercentMax\``,
      );
      break;
    }
  }
}

function partsOf({ part, partitions }: Detector): readonly UnionPart[] {
  return partitions?.map((partition) => partition.part) ?? (part === undefined ? [] : [part]);
}

/**
 * An `allow` that always exempts from another rule, and pairs of equal standing that say opposite things
 * about the same match. Only what is plain from the documents is refused. Cost: allows × rules that can meet them.
 */
export function checkConflicts(drafts: readonly RuleDraft[], tell: Tell): void {
  const enforced = drafts.filter(({ rule }) => rule.enforcement === 'enforce');
  const allows = enforced.filter(({ rule }) => rule.action.kind === 'allow');
  const others = new Meetings(enforced.filter(({ rule }) => rule.action.kind !== 'allow'));
  for (const allow of allows) {
    const { id, layer, position } = allow.rule;
    for (const other of others.of(allow)) {
      if (other.rule.layer !== layer) continue;
      if (alwaysExempts(allow, other)) {
        tell(
          other.replacementAt,
          'rule_shadowed',
          `rule ${quote(other.rule.id)} can never act: ${quote(id)} at ${placeOf(position)} allows the same with a higher priority; remove one of them or change the priorities`,
        );
      } else if (contradicts(allow, other)) {
        tell(
          other.replacementAt,
          'rules_contradict',
          `rules ${quote(other.rule.id)} and ${quote(id)} at ${placeOf(position)}, of the same priority, say ${quote(other.rule.action.kind)} and \`allow\` about the same; give one a higher priority or remove it`,
        );
      }
    }
  }
}

function alwaysExempts({ rule: allow, matchKey }: RuleDraft, other: RuleDraft): boolean {
  return (
    allow.priority > other.rule.priority &&
    selectorContains(allow.selector, other.rule.selector) &&
    (allow.when === undefined || allow.when.source === other.rule.when?.source) &&
    (matchKey === '' ||
      (matchKey === other.matchKey && reachContains(allow.inspect, other.rule.inspect)))
  );
}

function contradicts({ rule: allow, matchKey }: RuleDraft, other: RuleDraft): boolean {
  return (
    allow.priority === other.rule.priority &&
    other.rule.action.kind !== 'flag' &&
    matchKey === other.matchKey &&
    allow.when?.source === other.rule.when?.source &&
    selectorContains(allow.selector, other.rule.selector) &&
    selectorContains(other.rule.selector, allow.selector) &&
    (matchKey === '' || reachOverlaps(allow.inspect, other.rule.inspect))
  );
}

/**
 * What an `allow` of a lower layer does to the same match above: it lifts what is `overridable`, which is lawful and
 * worth saying, and it cannot lift the rest, which its author may not know. No error: a tenant's document must
 * not be able to stop a block of the platform from being saved.
 */
export function looseningWarnings(drafts: readonly RuleDraft[]): readonly string[] {
  const enforced = drafts.filter(({ rule }) => rule.enforcement === 'enforce');
  const others = new Meetings(enforced.filter(({ rule }) => rule.action.kind !== 'allow'));
  const warnings: string[] = [];
  for (const allow of enforced) {
    if (allow.rule.action.kind !== 'allow') continue;
    const { id, layer } = allow.rule;
    for (const other of others.of(allow)) {
      if (LAYERS.indexOf(other.rule.layer) >= LAYERS.indexOf(layer)) continue;
      const above = `${quote(other.rule.id)} of layer ${other.rule.layer}`;
      if (other.rule.overridable)
        warnings.push(`rule ${quote(id)} of layer ${layer} can lift the overridable rule ${above}`);
      else if (allow.matchKey !== '' && allow.matchKey === other.matchKey)
        warnings.push(
          `rule ${quote(id)} of layer ${layer} allows what ${above} does not leave \`overridable\`, so that it lifts nothing there`,
        );
    }
  }
  return warnings;
}
