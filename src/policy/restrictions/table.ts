/** Every word that a rule may have instead of `match` and `then`. A new one is a file of its own and a line here. */
import { Type } from 'typebox';
import { quote } from '../errors.ts';
import { child, entry, type Located, plain } from '../located.ts';
import type { Restriction } from '../set.ts';
import type { CompiledRestriction, RestrictionContext, RestrictionKind } from './kind.ts';
import { LIMIT } from './limit.ts';
import { MODELS } from './models.ts';
import { READ_ONLY } from './read-only.ts';

export const RESTRICTION_KINDS = Object.freeze({
  models: MODELS,
  readOnly: READ_ONLY,
  limit: LIMIT,
} satisfies Readonly<Record<Restriction['kind'], RestrictionKind>>);

/** Keys of a rule, for its schema. */
export const RESTRICTION_SCHEMAS = {
  models: Type.Optional(MODELS.schema),
  readOnly: Type.Optional(READ_ONLY.schema),
  limit: Type.Optional(LIMIT.schema),
};

const KINDS: readonly (readonly [string, RestrictionKind])[] = Object.entries(RESTRICTION_KINDS);

/** What a rule that the schema accepts says instead of `match` and `then`; undefined when it says those. */
export function compileRestriction(
  rule: Located,
  context: Omit<RestrictionContext, 'node'>,
): CompiledRestriction | undefined {
  const said = KINDS.filter(([word]) => child(rule, word) !== undefined);
  const change = entry(rule, 'onChange');
  if (change !== undefined && child(rule, 'limit') === undefined) {
    context.report(
      change.keyAt,
      'change_without_limit',
      '`onChange` says what becomes of what a `limit` has counted; add the limit or remove it',
    );
  }
  const first = said[0];
  if (first === undefined) {
    if (child(rule, 'then') === undefined) {
      context.report(
        rule.at,
        'missing_key',
        `${quote('rule')} needs the key ${quote('then')}; add it`,
      );
    }
    return undefined;
  }
  const [word, kind] = first;
  const others = ['match', 'inspect', 'then', ...said.slice(1).map(([other]) => other)];
  for (const other of others) {
    const stray = entry(rule, other);
    if (stray === undefined) continue;
    context.report(
      stray.keyAt,
      'not_exactly_one',
      `${quote(word)} is a rule of its own and stands without ${quote(other)}; make two rules of it`,
    );
  }
  const node = child(rule, word) ?? rule;
  return kind.compile(plain(node), { ...context, node });
}
