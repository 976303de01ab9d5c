/**
 * Which rules of a set are for one exchange, found by the facts that selectors name: the cost grows with what
 * applies, not with what exists. Exchanges with the same facts share one Scope.
 */
import {
  type FactName,
  type Facts,
  factWords,
  LAYERS,
  type Layer,
  type PolicySet,
  type Rule,
} from './set.ts';

/** What is for all exchanges of the same facts. */
export interface Scope {
  /** In rank order. */
  readonly rules: readonly Rule[];
  /** Layers that deny what none of their rules allows, highest first. */
  readonly denies: readonly Layer[];
}

/** Scopes kept of one set. Only values that selectors name tell scopes apart, so that a client cannot make any. */
export const SCOPES_MAX = 1_024;

type Wanted = readonly (readonly [FactName, string])[];

/** Rules of one selector. */
interface Group {
  readonly wanted: Wanted;
  readonly rules: Rule[];
  readonly denies: Layer[];
}

const NO_GROUPS: readonly Group[] = [];

/** Stands for every model, before the body was read. */
const ANY_MODEL = '*';

class ScopeIndex {
  /** Groups without a selector. */
  private readonly everywhere: Group[] = [];
  /** Every other group once, under one of the values that it asks for. */
  private readonly filed = new Map<FactName, Map<string, Group[]>>();
  /** Groups that ask for the model and nothing else. */
  private readonly byModelAlone: Group[] = [];
  /** The values that selectors ask for, numbered. */
  private readonly named = new Map<FactName, Map<string, number>>();
  private readonly scopes = new Map<string, Scope>();

  constructor(set: PolicySet) {
    const groups = new Map<string, Group>();
    const groupOf = (selector: Rule['selector']): Group => {
      const wanted = (Object.entries(selector) as [FactName, string][]).sort(([a], [b]) =>
        a < b ? -1 : 1,
      );
      const key = JSON.stringify(wanted);
      const known = groups.get(key);
      if (known !== undefined) return known;
      const made: Group = { wanted, rules: [], denies: [] };
      groups.set(key, made);
      this.file(made);
      return made;
    };
    for (const rule of set.rules) groupOf(rule.selector).rules.push(rule);
    for (const { layer, selector, verdict } of set.defaults)
      if (verdict === 'deny') groupOf(selector).denies.push(layer);
  }

  isNamed(fact: FactName, value: string): boolean {
    return this.named.get(fact)?.has(value) ?? false;
  }

  scopeOf(facts: Facts, modelKnown: boolean): Scope {
    const key = this.keyOf(facts, modelKnown);
    const known = this.scopes.get(key);
    if (known !== undefined) return known;
    const made = this.make(facts, modelKnown);
    if (this.scopes.size >= SCOPES_MAX) this.scopes.delete(this.scopes.keys().next().value ?? '');
    this.scopes.set(key, made);
    return made;
  }

  private file(group: Group): void {
    const { wanted } = group;
    for (const [fact, value] of wanted) {
      const values = this.named.get(fact) ?? new Map<string, number>();
      this.named.set(fact, values);
      if (!values.has(value)) values.set(value, values.size);
    }
    // Not under the model, if there is a choice: it may be unknown, and then all of them are asked.
    const place = wanted.find(([fact]) => fact !== 'model') ?? wanted[0];
    if (place === undefined) {
      this.everywhere.push(group);
      return;
    }
    const [fact, value] = place;
    if (fact === 'model') this.byModelAlone.push(group);
    const byValue = this.filed.get(fact) ?? new Map<string, Group[]>();
    this.filed.set(fact, byValue);
    const filed = byValue.get(value) ?? [];
    byValue.set(value, filed);
    filed.push(group);
  }

  /** Equal for facts of which selectors cannot tell one from the other. */
  private keyOf(facts: Facts, modelKnown: boolean): string {
    let key = '';
    for (const [fact, numbers] of this.named) {
      if (fact === 'model' && !modelKnown) {
        key += `${ANY_MODEL},`;
        continue;
      }
      const value = facts[fact];
      if (value !== undefined) {
        const ids = factWords(fact, value)
          .map((word) => numbers.get(word))
          .filter((id) => id !== undefined);
        key += ids.length > 1 ? [...new Set(ids)].sort((a, b) => a - b).join('+') : (ids[0] ?? '');
      }
      key += ',';
    }
    return key;
  }

  private make(facts: Facts, modelKnown: boolean): Scope {
    const groups = new Set<Group>(this.everywhere);
    const fits = ([fact, value]: Wanted[number]): boolean =>
      (fact === 'model' && !modelKnown) || fitsFact(facts, fact, value);
    for (const [fact, byValue] of this.filed) {
      const value = facts[fact];
      const near =
        fact === 'model' && !modelKnown
          ? this.byModelAlone
          : value === undefined
            ? NO_GROUPS
            : factWords(fact, value).flatMap((word) => byValue.get(word) ?? NO_GROUPS);
      for (const group of near) if (group.wanted.every(fits)) groups.add(group);
    }
    const found = [...groups];
    const denied = new Set(found.flatMap(({ denies }) => denies));
    return Object.freeze({
      rules: Object.freeze(found.flatMap(({ rules }) => rules).sort((a, b) => a.rank - b.rank)),
      denies: Object.freeze(LAYERS.filter((layer) => denied.has(layer))),
    });
  }
}

/** Whether the facts have what a selector asks of one of them; an absent fact has nothing. */
export function fitsFact(facts: Facts, fact: FactName, wanted: string): boolean {
  const value = facts[fact];
  return value !== undefined && factWords(fact, value).includes(wanted);
}

const indexes = new WeakMap<PolicySet, ScopeIndex>();

function indexOf(set: PolicySet): ScopeIndex {
  const known = indexes.get(set);
  if (known !== undefined) return known;
  const made = new ScopeIndex(set);
  indexes.set(set, made);
  return made;
}

/**
 * The scope of these facts; a selector on `model` fits while the model is not known. Cost: a look-up for each
 * fact that selectors name; the first time also one for each rule that applies.
 */
export function scopeOf(set: PolicySet, facts: Facts, modelKnown: boolean): Scope {
  return indexOf(set).scopeOf(facts, modelKnown);
}

/** Makes what the first exchange would have to wait for. Cost: the rules. */
export function warmScopes(set: PolicySet): void {
  indexOf(set);
}

/** Whether a selector of the set asks for this value. */
export function isNamedBySelector(set: PolicySet, fact: FactName, value: string): boolean {
  return indexOf(set).isNamed(fact, value);
}
