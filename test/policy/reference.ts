/**
 * Precedence as SEMANTICS §6 says it, slowly and without any table: what the real evaluator is held to. It reads
 * documents, not compiled sets, and knows nothing of ranks, scopes or candidates.
 */
import type { FactName, Layer } from '../../src/policy/set.ts';

export interface PlainRule {
  readonly id: string;
  readonly priority: number;
  readonly overridable: boolean;
  readonly enforcement: 'enforce' | 'shadow' | 'off';
  readonly class: 'security' | 'operational';
  readonly action: 'allow' | 'flag' | 'block' | 'redact';
  /** Its condition: a header that must be there; one that is unreadable makes it fail. */
  readonly header?: string;
}

export interface PlainPolicy {
  readonly name: string;
  readonly layer: Layer;
  readonly selector: Readonly<Partial<Record<FactName, string>>>;
  readonly default?: 'allow' | 'deny';
  readonly rules: readonly PlainRule[];
}

export interface Asked {
  readonly facts: Readonly<Partial<Record<FactName, string>>>;
  /** What each condition gives. */
  readonly headers: Readonly<Record<string, 'true' | 'false' | 'broken'>>;
}

const ORDER = ['platform', 'tenant', 'app', 'model'];

interface Placed {
  readonly name: string;
  readonly layer: Layer;
  readonly rule: PlainRule;
  readonly failed: boolean;
}

/** One line: what becomes of the exchange, and by whom. */
export function verdictOf(policies: readonly PlainPolicy[], asked: Asked): string {
  const mine = policies.filter(({ selector }) =>
    Object.entries(selector).every(([fact, wanted]) => {
      const value = asked.facts[fact as FactName];
      if (value === undefined) return false;
      return fact === 'consent' ? value.split(' ').includes(wanted) : value === wanted;
    }),
  );
  const matched: Placed[] = [];
  for (const policy of mine)
    for (const rule of policy.rules) {
      if (rule.enforcement !== 'enforce') continue;
      const held = rule.header === undefined ? 'true' : asked.headers[rule.header];
      if (held === 'false') continue;
      const name = `${policy.name}/${rule.id}`;
      matched.push({ name, layer: policy.layer, rule, failed: held === 'broken' });
    }
  const allows = matched.filter(({ rule, failed }) => rule.action === 'allow' && !failed);
  const standing = matched.filter(
    (one) =>
      !allows.some((allow) => {
        if (allow.layer === one.layer) return allow.rule.priority > one.rule.priority;
        const isLower = ORDER.indexOf(allow.layer) > ORDER.indexOf(one.layer);
        return isLower && one.rule.overridable;
      }),
  );
  const winsOver = (one: Placed, other: Placed): boolean => {
    if (one.layer !== other.layer) return ORDER.indexOf(one.layer) < ORDER.indexOf(other.layer);
    if (one.rule.priority !== other.rule.priority) return one.rule.priority > other.rule.priority;
    return one.name < other.name;
  };
  const first = (some: readonly Placed[]): Placed | undefined =>
    some.find((one) => some.every((other) => other === one || winsOver(one, other)));

  const block = first(standing.filter(({ rule, failed }) => rule.action === 'block' && !failed));
  if (block) return `block ${block.name}`;
  const failed = first(standing.filter((one) => one.failed && one.rule.class === 'security'));
  if (failed) return `unavailable ${failed.name}`;
  for (const layer of ORDER) {
    if (!mine.some((policy) => policy.layer === layer && policy.default === 'deny')) continue;
    if (!allows.some((allow) => ORDER.indexOf(allow.layer) <= ORDER.indexOf(layer)))
      return `default_deny ${layer}`;
  }
  const changes = standing.filter(({ rule, failed: f }) => rule.action === 'redact' && !f);
  if (changes.length === 0) return 'allow';
  const inOrder = [...changes].sort((a, b) => (winsOver(a, b) ? -1 : 1));
  return `mutate ${inOrder.map(({ name }) => name).join(' ')}`;
}
