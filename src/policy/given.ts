/** Surroundings that somebody wrote down, for a case or a trial: what is not said is as on a quiet day. */
import { type Static, Type } from 'typebox';
import { type GivenVerdict, givenVerdict } from './given-verdict.ts';
import { Networks } from './networks.ts';
import { closed, words } from './schema-parts.ts';
import {
  type Claims,
  type FeedEntries,
  NO_SESSION,
  POSTURES,
  type Posture,
  type SessionFacts,
} from './surroundings.ts';

const Text = Type.String();
const Texts = Type.Array(Text);

/** What a case may say beside the request. */
export const GivenSchemas = {
  posture: Type.Optional(words(POSTURES)),
  load: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  /** By name: a list of words or networks, or a map. */
  feed: Type.Optional(Type.Record(Text, Type.Unknown())),
  session: Type.Optional(
    Type.Object(
      {
        topic: Type.Optional(Text),
        topics: Type.Optional(Texts),
        flags: Type.Optional(Texts),
        injection: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
      },
      closed,
    ),
  ),
  claims: Type.Optional(Type.Record(Text, Type.Unknown())),
  ip: Type.Optional(Text),
  /** By name: what it says, as `givenVerdict` reads it. */
  classifier: Type.Optional(Type.Record(Text, Type.Unknown())),
} as const;

type Given = { readonly [Key in keyof typeof GivenSchemas]?: Static<(typeof GivenSchemas)[Key]> };

export interface GivenSurroundings {
  readonly posture: Posture;
  readonly load: number;
  readonly feeds: ReadonlyMap<string, FeedEntries>;
  readonly session: SessionFacts;
  readonly claims: Claims;
  readonly ip: string | undefined;
  readonly verdicts: ReadonlyMap<string, GivenVerdict>;
}

/** Undefined for a feed that is neither a list of texts nor a map of texts, numbers and booleans. */
export function givenFeed(value: unknown): FeedEntries | undefined {
  if (Array.isArray(value)) {
    if (!value.every((one) => typeof one === 'string')) return undefined;
    const networks = new Networks();
    // A list of nothing but networks is one of networks.
    if (value.length > 0 && value.every((one) => networks.include(one))) return networks;
    return new Map(value.map((one) => [one, true]));
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const entries = Object.entries(value as Record<string, unknown>);
  const isPlain = (one: unknown) => ['string', 'number', 'boolean'].includes(typeof one);
  if (!entries.every(([, one]) => isPlain(one))) return undefined;
  return new Map(entries as [string, string | number | boolean][]);
}

/** Of what a schema has accepted; feeds and verdicts that are none are left out, as `givenFeed` and `givenVerdict` say. */
export function givenSurroundings({
  posture = 'normal',
  load = 0,
  feed = {},
  session,
  claims = {},
  ip,
  classifier = {},
}: Given): GivenSurroundings {
  const feeds = new Map<string, FeedEntries>();
  for (const [name, value] of Object.entries(feed)) {
    const entries = givenFeed(value);
    if (entries !== undefined) feeds.set(name, entries);
  }
  const verdicts = new Map<string, GivenVerdict>();
  for (const [name, value] of Object.entries(classifier)) {
    const verdict = givenVerdict(name, value);
    if (verdict !== undefined) verdicts.set(name, verdict);
  }
  const topic = session?.topic ?? session?.topics?.at(-1) ?? NO_SESSION.topic;
  return Object.freeze({
    posture,
    load,
    feeds,
    session: Object.freeze({
      topic,
      topics: session?.topics ?? (topic === '' ? [] : [topic]),
      flags: session?.flags ?? [],
      injection: session?.injection ?? 0,
    }),
    claims: claims as Claims,
    ip,
    verdicts,
  });
}
