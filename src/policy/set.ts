/**
 * What the compiler makes of documents: a frozen PolicySet, and the words that its parts are made of.
 * A set is identified by the digest of its source documents; nothing in it changes after `freeze`.
 */
import type { JsonPath } from '../formats/json-path.ts';
import type { Detector } from '../match/detector.ts';
import type { Claims, Surroundings } from './surroundings.ts';

export type Layer = 'platform' | 'tenant' | 'app' | 'model';

/** From the one that always wins to the one that never does (SEMANTICS §6). */
export const LAYERS: readonly Layer[] = ['platform', 'tenant', 'app', 'model'];

export type PolicyClass = 'security' | 'operational' | 'regulatory';

/** What happens to an exchange when a rule cannot be evaluated. */
export type OnError = 'deny' | 'allow';

/** Whose words a piece of text is. One piece has exactly one place. */
export type Place =
  | 'user'
  | 'assistant'
  | 'system'
  | 'tool_definition'
  | 'tool_call'
  | 'tool_result'
  | 'retrieved';

/** The words an author writes under `inspect`. `request` and `response` cover a whole direction. */
export type InspectWord =
  | 'request'
  | 'response'
  | 'system'
  | 'tool_definition'
  | 'tool_call'
  | 'tool_result'
  | 'retrieved';

export type Direction = 'request' | 'response';

export type Enforcement = 'enforce' | 'shadow' | 'off';

export type Action =
  | { readonly kind: 'allow' }
  | { readonly kind: 'flag' }
  | {
      readonly kind: 'block';
      readonly message: string;
      /** HTTP status of a refusal that precedes the first byte. 400..499. */
      readonly status: number;
      readonly as: 'error' | 'refusal';
    }
  | {
      readonly kind: 'redact';
      /** What it takes out of a request is put back where the answer says its placeholder. */
      readonly reversible?: {
        /** How long later exchanges of the conversation may put it back. */
        readonly ttlMs: number;
      };
    }
  /** Puts back what `redact` took out: no author's word, but what a reversible one does to an answer. */
  | { readonly kind: 'restore' }
  | { readonly kind: 'rewrite'; readonly with: string }
  /** Takes tools out of the lists that define them, and refuses calls of them as `block` does. */
  | {
      readonly kind: 'remove';
      readonly message: string;
      readonly status: number;
      readonly as: 'error' | 'refusal';
    }
  /** Brings the numbers on a path inside their bounds; at least one of them is there. */
  | {
      readonly kind: 'clamp';
      readonly path: JsonPath;
      readonly min?: number;
      readonly max?: number;
    }
  | { readonly kind: 'append'; readonly text: string; readonly oncePer: 'message' | 'session' }
  /** Words for the system's part of a request. */
  | { readonly kind: 'inject'; readonly text: string; readonly at: 'start' | 'end' }
  | {
      readonly kind: 'route';
      /** In the order in which they are tried; empty: the model stays. */
      readonly models: readonly string[];
      /** Named to Envoy's routes by a header. */
      readonly cluster: string | undefined;
      /** What a session began with it keeps. */
      readonly sticky: boolean;
    }
  | {
      readonly kind: 'throttle';
      /** Requests in a window, and at once. */
      readonly max: number;
      readonly windowMs: number;
      readonly burst: number;
      readonly per: ThrottleSubject;
      readonly message: string;
    }
  /** Never enforced by this version: a set in which it would be is not activated. */
  | {
      readonly kind: 'hold';
      readonly approvers: readonly string[];
      readonly quorum: number;
      readonly ttlMs: number;
      readonly onTimeout: 'deny' | 'allow';
    };

/** Whose requests are counted together. */
export type ThrottleSubject = 'session' | 'principal' | 'tenant' | 'app';

/** What a rule says instead of `match` and `then`. Broken, it blocks. */
export type Restriction =
  | {
      readonly kind: 'models';
      /** Whether a model of this name may be used. */
      permits(model: string): boolean;
      /** Only the models of a list: one that is not named is none of them. */
      readonly listed: boolean;
    }
  | {
      readonly kind: 'readOnly';
      /** Upper-case methods that are refused where no model or tool server is asked. */
      readonly methods: ReadonlySet<string>;
    }
  /** Never enforced by this version, as `hold`. */
  | { readonly kind: 'limit' };

export type FactName =
  | 'tenant'
  | 'app'
  | 'model'
  | 'principal'
  | 'region'
  | 'session'
  | 'risk'
  | 'consent';

/** Facts about who is asking; a fact nobody vouches for is absent. */
export type Facts = Readonly<Partial<Record<FactName, string>>>;

/** Facts whose value is a set of words, written with commas or spaces between them. */
const WORD_FACTS: ReadonlySet<FactName> = new Set(['consent']);

/** What a selector on the fact is compared with: its words, or its only value. */
export function factWords(fact: FactName, value: string): readonly string[] {
  return WORD_FACTS.has(fact) ? wordsOf(value) : [value];
}

/** `profiling, marketing` → its words. */
export function wordsOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

/** What a `when` may read: facts, plus the request line. All strings; absent ones are ''. */
export interface Conditions {
  readonly facts: Facts;
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly route: string;
  /** The API that is asked (a format's name); absent on paths of none. */
  readonly api?: string | undefined;
  /** Lower-case name → value, only trusted-listed headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** Wall clock of the exchange's first message, ms since the epoch. */
  readonly nowMs: number;
  /** Of the client, as Envoy saw it; undefined where Envoy does not tell. */
  readonly sourceIp?: string | undefined;
  /** Verified claims about the principal. */
  readonly claims?: Claims | undefined;
  /** Without them: `normal`, no load, no feeds and nothing said before. */
  readonly surroundings?: Surroundings | undefined;
}

/** A compiled `when`. Throws `Error` when it fails at run time (unknown key, type mismatch, not a bool). */
export interface Condition {
  readonly source: string;
  /** Fact names it reads: `model` means that it cannot be decided before the body was read. */
  readonly reads: ReadonlySet<string>;
  holds(conditions: Conditions): boolean;
}

export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Every key must equal the fact of that name, or be among its words, for a rule to apply. */
export type Selector = Readonly<Partial<Record<FactName, string>>>;

export interface Rule {
  /** `policy/id`, of a module's rule `policy/module/id`: the lineage of the rule, the same in every set. */
  readonly id: string;
  readonly policy: string;
  /** The module that it comes from, if it does. */
  readonly module?: string;
  readonly layer: Layer;
  readonly selector: Selector;
  readonly class: PolicyClass;
  readonly onError: OnError;
  readonly priority: number;
  readonly overridable: boolean;
  readonly enforcement: Enforcement;
  readonly when?: Condition;
  /** Empty for a rule without `match`. */
  readonly inspect: ReadonlySet<InspectWord>;
  readonly detector?: Detector;
  readonly action: Action;
  /** Instead of `match`: the action is taken when it is broken. */
  readonly restriction?: Restriction;
  readonly position: SourcePosition;
  /** Order in which the rules of a set win: lower first. Layer, then priority, then id; never file order. */
  readonly rank: number;
}

/** What the author asked a rollout to be (`kind: Rollout`); shares in ppm, times in ms. */
export interface RolloutPlan {
  readonly name: string;
  readonly stages: readonly { readonly sharePpm: number; readonly durationMs: number }[];
  readonly expectDenyRate: 'same' | 'up' | 'down';
  readonly denyRateChangeMax: number;
  readonly errorRateMax: number;
  readonly alpha: number;
}

/** What a policy says of the exchanges that it selects and that no rule of its layer, or above, allows. */
export interface LayerDefault {
  readonly policy: string;
  readonly layer: Layer;
  readonly selector: Selector;
  readonly verdict: 'allow' | 'deny';
}

export interface PolicySet {
  /** `sha256:` + hex over the canonical documents. */
  readonly digest: string;
  /** In `rank` order. */
  readonly rules: readonly Rule[];
  readonly defaults: readonly LayerDefault[];
  readonly policies: readonly {
    readonly name: string;
    readonly version?: string;
    readonly layer: Layer;
    readonly file: string;
  }[];
  readonly modules: readonly {
    readonly name: string;
    readonly version?: string;
    readonly file: string;
    /** Names of policies, sorted. */
    readonly usedBy: readonly string[];
  }[];
  readonly rollout?: RolloutPlan;
  readonly warnings: readonly string[];
}

/** Which inspect words cover a place in a direction (docs/adr/0003). */
export function coveredBy(direction: Direction, place: Place): readonly InspectWord[] {
  const whole: InspectWord = direction;
  return place === 'user' || place === 'assistant' ? [whole] : [whole, place];
}
