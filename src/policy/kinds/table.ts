/** Every word under `match:`. A new kind of detector is a file of its own and a line here. */
import { Type } from 'typebox';
import type { Detector } from '../../match/detector.ts';
import { child, type Located, plain } from '../located.ts';
import { closed } from '../schema-parts.ts';
import type { InspectWord } from '../set.ts';
import { INJECTION } from './injection.ts';
import { INVISIBLE } from './invisible.ts';
import { JSON_VALUES } from './json.ts';
import { KEYWORDS } from './keywords.ts';
import type { MatchContext, MatchKind } from './kind.ts';
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

/** Of the language, but not of this version. */
const LATER = ['all', 'any', 'not', 'classifier', 'baseline'];

/** `match`: one word with its settings. */
export const MatchSchema = Type.Object(
  Object.fromEntries(
    Object.entries(MATCH_KINDS).map(([word, { schema }]) => [word, Type.Optional(schema)]),
  ),
  { ...closed, minProperties: 1, maxProperties: 1, 'x-later': LATER },
);

/** What a `match` reads that the schema accepts and that does not say; undefined where it must. */
export function impliedInspect(match: Located): readonly InspectWord[] | undefined {
  const kinds: Readonly<Record<string, MatchKind>> = MATCH_KINDS;
  for (const [word, kind] of Object.entries(kinds)) {
    const node = child(match, word);
    if (node !== undefined) return kind.inspect?.(plain(node));
  }
  return undefined;
}

/** The detector of a `match` that the schema accepts; undefined when something was reported. */
export function compileMatch(
  match: Located,
  context: Omit<MatchContext, 'node'>,
): Detector | undefined {
  const kinds: Readonly<Record<string, MatchKind>> = MATCH_KINDS;
  for (const [word, kind] of Object.entries(kinds)) {
    const node = child(match, word);
    if (node !== undefined) return kind.compile(plain(node), { ...context, node });
  }
  return undefined;
}
