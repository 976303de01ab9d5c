/** What only the rules together can get wrong. Every function reports at the rule that should change. */

import type { Detector, Partition } from '../match/detector.ts';
import { INVISIBLE_MARK } from '../match/invisible.ts';
import { unionBytesMax } from '../match/union-automaton.ts';
import type { UnionPart } from '../match/union-part.ts';
import type { RuleDraft } from './compile-rule.ts';
import { quote } from './errors.ts';
import type { CompileLimits } from './limits.ts';
import { reachContains, reachOverlaps, selectorContains, selectorsCompatible } from './reach.ts';
import { type Action, LAYERS } from './set.ts';

const ENFORCING: ReadonlySet<Action['kind']> = new Set(['block', 'redact', 'rewrite', 'append']);

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

/**
 * A replacement is not scanned again (SEMANTICS §1), so that one which a rule of the set would catch is
 * refused here, wherever both rules can read the same text. Cost: replacements × rules.
 */
export function checkReplacements(drafts: readonly RuleDraft[]): void {
  const catching = drafts.filter(
    ({ rule }) =>
      rule.detector !== undefined &&
      rule.enforcement === 'enforce' &&
      ENFORCING.has(rule.action.kind),
  );
  for (const draft of drafts) {
    if (draft.rule.enforcement === 'off') continue;
    const texts = writes(draft);
    for (const { rule } of catching) {
      if (!reachOverlaps(draft.rule.inspect, rule.inspect)) continue;
      if (!selectorsCompatible(draft.rule.selector, rule.selector)) continue;
      const caught = texts.find((text) => rule.detector?.matches(text));
      if (caught === undefined) continue;
      draft.report(
        draft.replacementAt,
        'replacement_matches_rule',
        `the text ${quote(caught)} that rule ${quote(draft.rule.id)} writes is itself matched by rule ${quote(rule.id)}; write another text or narrow that rule`,
      );
    }
  }
}

/**
 * What the tables of the set take at their largest: those of each detector, and the automaton in which all of
 * them stand that can share one. Reported once, at the rule that goes over; so is the number of instructions.
 */
export function checkMatcherBytes(drafts: readonly RuleDraft[], limits: CompileLimits): void {
  let tables = 0;
  let nodes = 0;
  let regexNodes = 0;
  let bytes = 0;
  const shared = new Set<Partition>();
  for (const draft of drafts) {
    const { detector } = draft.rule;
    if (detector === undefined) continue;
    const before = bytes;
    const nodesBefore = regexNodes;
    tables += detector.bytes;
    for (const partition of detector.partitions ?? []) {
      if (!shared.has(partition)) tables += partition.bytes;
      shared.add(partition);
    }
    const own = partsOf(detector).reduce((sum, part) => sum + part.nodes, 0);
    nodes += own;
    if (detector.kind === 'regex') regexNodes += own;
    bytes = tables + (nodes > 0 ? unionBytesMax(nodes) : 0);
    if (bytes > limits.matcherBytesMax && before <= limits.matcherBytesMax) {
      draft.report(
        draft.matchAt,
        'matcher_too_large',
        `with rule ${quote(draft.rule.id)} the tables of the set can take ${bytes} bytes, more than the ${limits.matcherBytesMax} allowed; shorten the lists, or raise \`matcherBytesMax\``,
      );
    }
    if (regexNodes > limits.regexNodesMax && nodesBefore <= limits.regexNodesMax) {
      draft.report(
        draft.matchAt,
        'regex_too_large',
        `with rule ${quote(draft.rule.id)} the regular expressions of the set have ${regexNodes} instructions, more than the ${limits.regexNodesMax} allowed; lower their counts, or raise \`regexNodesMax\``,
      );
    }
  }
}

function partsOf({ part, partitions }: Detector): readonly UnionPart[] {
  return partitions?.map((partition) => partition.part) ?? (part === undefined ? [] : [part]);
}

/**
 * An `allow` that always exempts from another rule, and pairs of equal standing that say opposite things
 * about the same match. Only what is plain from the documents is refused. Cost: allows × rules.
 */
export function checkConflicts(drafts: readonly RuleDraft[]): void {
  const enforced = drafts.filter(({ rule }) => rule.enforcement === 'enforce');
  const allows = enforced.filter(({ rule }) => rule.action.kind === 'allow');
  for (const allow of allows) {
    for (const other of enforced) {
      if (other === allow || other.rule.layer !== allow.rule.layer) continue;
      if (other.rule.action.kind === 'allow') continue;
      if (alwaysExempts(allow, other)) {
        other.report(
          other.replacementAt,
          'rule_shadowed',
          `rule ${quote(other.rule.id)} can never act: ${quote(allow.rule.id)} allows the same with a higher priority; remove one of them or change the priorities`,
        );
      } else if (contradicts(allow, other)) {
        other.report(
          other.replacementAt,
          'rules_contradict',
          `rules ${quote(other.rule.id)} and ${quote(allow.rule.id)} of the same priority say ${quote(other.rule.action.kind)} and \`allow\` about the same; give one a higher priority or remove it`,
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

/** Where a lower layer lifts what a layer above left `overridable`: lawful, and worth saying. */
export function looseningWarnings(drafts: readonly RuleDraft[]): readonly string[] {
  const enforced = drafts.filter(({ rule }) => rule.enforcement === 'enforce');
  const overridable = enforced.filter(({ rule }) => rule.overridable);
  return enforced
    .filter(({ rule }) => rule.action.kind === 'allow')
    .flatMap(({ rule: allow }) =>
      overridable
        .filter(
          ({ rule }) =>
            LAYERS.indexOf(rule.layer) < LAYERS.indexOf(allow.layer) &&
            selectorsCompatible(allow.selector, rule.selector),
        )
        .map(
          ({ rule }) =>
            `rule ${quote(allow.id)} of layer ${allow.layer} can lift the overridable rule ${quote(rule.id)} of layer ${rule.layer}`,
        ),
    );
}
