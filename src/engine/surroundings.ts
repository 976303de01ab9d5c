/**
 * What conditions read beside the request, for one exchange: each thing is asked for once, when a condition first
 * names it, and what it was then stands in the record, so that the decision can be replayed.
 */
import type { DecisionRecord } from '../audit/record.ts';
import type { GivenSurroundings } from '../policy/given.ts';
import type { FeedEntries, Posture, SessionFacts, Surroundings } from '../policy/surroundings.ts';

/** One version of a feed. */
export interface FeedVersion {
  readonly entries: FeedEntries;
  /** `sha256:` + hex over its document. */
  readonly digest: string;
}

/** What a server, or a case that somebody wrote, knows at this moment. */
export interface World {
  /** Undefined where nobody knows it. */
  posture(): { readonly posture: Posture; readonly version: number } | undefined;
  load(): number;
  feed(name: string): FeedVersion | undefined;
  session(session: string | undefined): SessionFacts;
}

/** Those that somebody wrote down: in no version of a server's. */
export function givenWorld(given: GivenSurroundings): World {
  return {
    posture: () => ({ posture: given.posture, version: 0 }),
    load: () => given.load,
    feed(name) {
      const entries = given.feeds.get(name);
      return entries && { entries, digest: 'given' };
    },
    session: () => given.session,
  };
}

/** What an exchange has read, as its record says it. */
export type ReadSurroundings = NonNullable<DecisionRecord['surroundings']>;

export class ReadOnce implements Surroundings {
  private readonly world: World;
  private readonly sessionKey: string | undefined;
  private known: { -readonly [Key in keyof ReadSurroundings]: ReadSurroundings[Key] } = {};
  private readonly versions = new Map<string, FeedVersion | undefined>();

  /** `sessionKey`: the keyed hash. */
  constructor(world: World, sessionKey: string | undefined) {
    this.world = world;
    this.sessionKey = sessionKey;
  }

  posture(): Posture | undefined {
    if (this.known.posture === undefined) {
      const { posture, version } = this.world.posture() ?? UNKNOWN;
      this.known.posture = posture;
      this.known.postureVersion = version;
    }
    const { posture } = this.known;
    return posture === 'unknown' ? undefined : posture;
  }

  load(): number {
    this.known.load ??= this.world.load();
    return this.known.load;
  }

  feed(name: string): FeedEntries | undefined {
    if (!this.versions.has(name)) {
      const version = this.world.feed(name);
      this.versions.set(name, version);
      // A name that is none may have come out of a header: it is content, and not recorded (invariant 9).
      if (version !== undefined) this.known.feeds = { ...this.known.feeds, [name]: version.digest };
    }
    return this.versions.get(name)?.entries;
  }

  session(): SessionFacts {
    this.known.session ??= this.world.session(this.sessionKey);
    return this.known.session;
  }

  /** Undefined when no condition has asked for anything. */
  get read(): ReadSurroundings | undefined {
    return Object.keys(this.known).length === 0 ? undefined : { ...this.known };
  }
}

const UNKNOWN = Object.freeze({ posture: 'unknown', version: 0 } as const);
