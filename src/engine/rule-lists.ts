/**
 * Lists of rules that many exchanges have alike, each there once: what follows from a list (which rules read
 * an answer, which read one kind of text, what the matcher makes of them) is worked out once for it, and an
 * open stream keeps no list of its own.
 */
import { readsTexts } from '../match/detector.ts';
import type { ScannedRule } from '../match/scan-plan.ts';
import { ruleReaches } from '../policy/reach.ts';
import type { Direction, Place, Rule } from '../policy/set.ts';
import { weighsPlace } from './text-scores.ts';

/** Lists that are remembered of one: as many ways in which its rules apply together are common. */
const LISTS_MAX = 32;

const NO_RULES: readonly Rule[] = Object.freeze([]);
const listsOf = new WeakMap<readonly Rule[], (readonly Rule[])[]>();

/**
 * The list that stands for all lists of these rules, in this order, that were taken out of `whole`, or put together
 * with rules of it. Cost: one comparison for each of a few lists.
 */
export function sharedList(whole: readonly Rule[], rules: readonly Rule[]): readonly Rule[] {
  if (rules.length === 0) return NO_RULES;
  let lists = listsOf.get(whole);
  if (lists === undefined) listsOf.set(whole, (lists = []));
  const first = lists[0];
  if (first !== undefined && isSame(first, rules)) return first;
  const place = lists.findIndex((list) => isSame(list, rules));
  const list = lists[place] ?? Object.freeze([...rules]);
  if (place > 0) lists.splice(place, 1);
  if (place !== 0) lists.unshift(list);
  if (lists.length > LISTS_MAX) lists.pop();
  return list;
}

function isSame(list: readonly Rule[], rules: readonly Rule[]): boolean {
  if (list.length !== rules.length) return false;
  for (let index = 0; index < rules.length; index++) if (list[index] !== rules[index]) return false;
  return true;
}

/** The rules of a list that read one kind of text, as the matcher takes them: each by its place among them. */
export interface TextRules {
  readonly rules: readonly Rule[];
  readonly scanned: readonly ScannedRule[];
  /** One of them may change the text. */
  readonly change: boolean;
}

const CHANGE_TEXT: ReadonlySet<Rule['action']['kind']> = new Set(['redact', 'rewrite', 'restore']);

const changesText = ({ action, enforcement }: Rule): boolean =>
  enforcement === 'enforce' && CHANGE_TEXT.has(action.kind);

type Narrowed<T> = WeakMap<readonly Rule[], Map<string, T>>;

const textRules: Narrowed<TextRules> = new WeakMap();
const chosen: Narrowed<readonly Rule[]> = new WeakMap();

/** Those of `list` that read texts of this place. The same list has the same answer. */
export function rulesFor(list: readonly Rule[], direction: Direction, place: Place): TextRules {
  return once(textRules, list, `${direction}/${place}`, () => {
    const rules = list.filter(
      (rule) =>
        rule.detector !== undefined &&
        readsTexts(rule.detector) &&
        ruleReaches(rule, direction, place) &&
        weighsPlace(rule, place),
    );
    return {
      rules,
      scanned: rules.map(({ detector }, rule) => ({ rule, detector: detector! })),
      change: rules.some(changesText),
    };
  });
}

/** Those of `list` that `wanted` is true of; `name` stands for that question. The same list has the same answer. */
export function narrowed(
  list: readonly Rule[],
  name: string,
  wanted: (rule: Rule) => boolean,
): readonly Rule[] {
  return once(chosen, list, name, () => {
    const rules = list.filter(wanted);
    return rules.length === list.length ? list : rules.length === 0 ? NO_RULES : rules;
  });
}

function once<T>(known: Narrowed<T>, list: readonly Rule[], name: string, make: () => T): T {
  let answers = known.get(list);
  if (answers === undefined) known.set(list, (answers = new Map()));
  let answer = answers.get(name);
  if (answer === undefined) answers.set(name, (answer = make()));
  return answer;
}
