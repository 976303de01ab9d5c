/**
 * What one exchange saw, held and did, told as it happens to the author who tries a policy. The server has
 * no observer: this is content, and content never leaves a server by the back door (invariant 9).
 */
import type { AppendForm, Format, Frame, RefusalResponse } from '../formats/frame.ts';
import type { Conditions, Direction, Facts, PolicySet, Rule } from '../policy/set.ts';
import type { ActiveRules } from './active-rules.ts';
import type { RefusalCode } from './codes.ts';
import type { Finding } from './findings.ts';

/** Which rules act, and by what they were chosen. */
export interface ActivationSeen {
  readonly set: PolicySet;
  readonly facts: Facts;
  readonly conditions: Conditions;
  readonly active: ActiveRules;
}

/** A body that rules will read. */
export interface BodySeen {
  readonly direction: Direction;
  readonly format: Format['name'];
  /** It is judged frame by frame; otherwise as one document. */
  readonly streamed: boolean;
  /** Those that read it, in rank order. */
  readonly rules: readonly Rule[];
}

export interface RefusalSeen {
  readonly direction: Direction;
  readonly code: RefusalCode;
  readonly rule: Rule | undefined;
  /** Our own HTTP answer; undefined for an answer that had begun and is ended in its own words. */
  readonly answer: RefusalResponse | undefined;
}

/** Why text may not leave yet: from unit `start` of text `text` on a match of `rule` is still possible. */
export interface Waiting {
  readonly text: string;
  readonly start: number;
  readonly rule: Rule;
}

/** One body. Frames are told in order; each is released, or held and perhaps released later. */
export interface BodyObserver {
  frame(frame: Frame): void;
  /**
   * It does not leave now. No `waits`: something of the format itself is incomplete. Who does not ask for it is spared
   * a look at all that is held, for every frame.
   */
  held?(frame: Frame, waits: readonly Waiting[]): void;
  finding(finding: Finding): void;
  /** `form`: where the addition of `append` rules went; `impossible` when the format has no place for it. */
  appended(text: string, rules: readonly Rule[], form: AppendForm['kind']): void;
  /** `bytes` leave for `frame`; for undefined they are our own. */
  released(frame: Frame | undefined, bytes: Uint8Array): void;
  /** The answer ends here, with these last frames of our own. */
  ended(frames: readonly Uint8Array[]): void;
}

export interface ExchangeObserver {
  activated(seen: ActivationSeen): void;
  body(seen: BodySeen): BodyObserver;
  /** What of a body was needed and could not be read: its encoding, its model, what its headers say. */
  unreadable(direction: Direction, reason: string): void;
  refused(seen: RefusalSeen): void;
}
