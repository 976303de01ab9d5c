/** Every word under `match:`. A new kind of detector is a file of its own and a line here. */
import { Type } from 'typebox';
import type { Detector } from '../../match/detector.ts';
import { child, type Located, plain } from '../located.ts';
import { closed } from '../schema-parts.ts';
import type { InspectWord } from '../set.ts';
import { allKind } from './all.ts';
import { anyKind } from './any.ts';
import { BASELINE } from './baseline.ts';
import { CLASSIFIER } from './classifier.ts';
import { INJECTION } from './injection.ts';
import { INVISIBLE } from './invisible.ts';
import { JSON_VALUES } from './json.ts';
import { KEYWORDS } from './keywords.ts';
import type { MatchContext, MatchKind } from './kind.ts';
import { notKind } from './not.ts';
import { PII } from './pii.ts';
import { REGEX } from './regex.ts';
import { SECRETS } from './secrets.ts';
import { TOOL } from './tool.ts';
import { TOPIC } from './topic.ts';

export const MATCH_KINDS = Object.freeze({
  keywords: KEYWORDS,
  regex: REGEX,
  pii: PII,
  secrets: SECRETS,
  invisible: INVISIBLE,
  injection: INJECTION,
  topic: TOPIC,
  tool: TOOL,
  json: JSON_VALUES,
});

/** One word of these, with its settings. */
const oneOf = (kinds: Readonly<Record<string, MatchKind>>, later: readonly string[]) =>
  Type.Object(
    Object.fromEntries(
      Object.entries(kinds).map(([word, { schema }]) => [word, Type.Optional(schema)]),
    ),
    { ...closed, minProperties: 1, maxProperties: 1, 'x-later': later },
  );

/** Scores are of a whole text or session and may come late, a baseline is of many exchanges: they are not combined. */
const { injection: _injection, topic: _topic, ...COMBINED } = MATCH_KINDS;
const IN_COMBINATIONS = ['injection', 'topic', 'classifier', 'baseline'];
const memberOf = (kinds: Readonly<Record<string, MatchKind>>) =>
  oneOf({ ...COMBINED, ...kinds }, IN_COMBINATIONS);

/** Combinations stand in each other once: an `any` in an `all` or in its `not`, an `all` in an `any`. */
const SIMPLE = memberOf({});
const WITH_ANY = memberOf({ any: anyKind(SIMPLE) });
const IN_ANY = memberOf({ all: allKind(memberOf({ not: notKind(SIMPLE) })) });
const IN_ALL = memberOf({ any: anyKind(SIMPLE), not: notKind(WITH_ANY) });

const ALL_KINDS: Readonly<Record<string, MatchKind>> = {
  ...MATCH_KINDS,
  all: allKind(IN_ALL),
  any: anyKind(IN_ANY),
  not: notKind(WITH_ANY),
  classifier: CLASSIFIER,
  baseline: BASELINE,
};

/** `match`: one word with its settings. */
export const MatchSchema = oneOf(ALL_KINDS, []);

/**
 * What a `match` reads that the schema accepts and that does not say; undefined where it must. A combination
 * reads what its members read, where all of them say it.
 */
export function impliedInspect(match: Located): readonly InspectWord[] | undefined {
  const [word, node] = wordOf(match);
  const members = membersOf(word, node);
  if (members === undefined) return ALL_KINDS[word]?.inspect?.(plain(node));
  const implied = members.map(impliedInspect);
  return implied.includes(undefined)
    ? undefined
    : [...new Set(implied.flatMap((one) => one ?? []))];
}

function membersOf(word: string, node: Located): readonly Located[] | undefined {
  if (word === 'not') return [node];
  if (word !== 'all' && word !== 'any') return undefined;
  const list = node.kind === 'list' ? node : child(node, 'of');
  return list?.kind === 'list' ? list.items : [];
}

function wordOf(match: Located): readonly [word: string, node: Located] {
  const entry = match.kind === 'map' ? match.entries[0] : undefined;
  return [entry?.key ?? '', entry?.value ?? match];
}

/** The detector of a `match` that the schema accepts; undefined when something was reported. */
export function compileMatch(
  match: Located,
  context: Omit<MatchContext, 'node' | 'compileMember'>,
): Detector | undefined {
  const [word, node] = wordOf(match);
  const compileMember = (member: Located) => compileMatch(member, context);
  return ALL_KINDS[word]?.compile(plain(node), { ...context, node, compileMember });
}
