/** What conditions may read that is no property of the request: asked for only where a condition names it. */

/** How much the operator trusts the traffic at this time. */
export const POSTURES = ['normal', 'elevated', 'attack'] as const;
export type Posture = (typeof POSTURES)[number];

/** One feed: its entries by what is looked up, `true` for those that are only there. Looking up is no scan. */
export type FeedEntries = ReadonlyMap<string, string | number | boolean>;

/** What the turns of a conversation before this one have left behind. */
export interface SessionFacts {
  /** That a `topic` rule found last; '' before any. */
  readonly topic: string;
  readonly topics: readonly string[];
  /** Ids of rules that flagged. */
  readonly flags: readonly string[];
  /** The highest score that an `injection` rule gave, 0..1. */
  readonly injection: number;
}

export const NO_SESSION: SessionFacts = Object.freeze({
  topic: '',
  topics: Object.freeze([]),
  flags: Object.freeze([]),
  injection: 0,
});

export interface Surroundings {
  /** Undefined where nobody knows it: what was stored cannot be read. */
  posture(): Posture | undefined;
  /** 0..1. */
  load(): number;
  /** Undefined where there is none of this name, or it was never read whole. */
  feed(name: string): FeedEntries | undefined;
  session(): SessionFacts;
}

export type ClaimValue =
  | null
  | boolean
  | number
  | string
  | readonly ClaimValue[]
  | { readonly [name: string]: ClaimValue };

/** Claims about who asks, verified before they came here. */
export type Claims = Readonly<Record<string, ClaimValue>>;
