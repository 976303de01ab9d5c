/** What a rule found in a body, and what became of it. */
import type { SignalSeen } from '../match/signal-score.ts';
import type { Rule } from '../policy/set.ts';

export interface Finding {
  readonly rule: Rule;
  readonly label: string;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly enforced: boolean;
  readonly effect: Effect;
  /** Of a rule that weighs: 0..1, and what it is made of, in units of the text as it reads it. */
  readonly score?: number;
  readonly signals?: readonly SignalSeen[];
}

/** What became of a match. */
export type Effect =
  | { readonly kind: 'shadow' | 'flag' | 'allow' | 'append' | 'block' }
  | { readonly kind: 'inject' | 'route' | 'throttle' | 'hold' }
  /** A tool is taken out of the list that it stands in. */
  | { readonly kind: 'remove' }
  /** An `allow` lifted it. */
  | { readonly kind: 'exempt'; readonly by: Rule }
  | { readonly kind: 'replace'; readonly replacement: string }
  /** A placeholder gives way to what it stands for, which is told to nobody but the client. */
  | { readonly kind: 'restore' }
  /** It goes with the replacement of a match that overlaps and wins. */
  | { readonly kind: 'cover'; readonly by: Rule }
  /** Its text is signed, so that it ends the body instead. */
  | { readonly kind: 'sealed' }
  /** It covers nothing of a JSON text but its structure, so that it ends the body instead. */
  | { readonly kind: 'structure' }
  /** Its rule would add to a message, and there is none that could go on: it ends the body instead. */
  | { readonly kind: 'unable' };

export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** What is said instead to whoever is not the client; absent where that is the replacement, too. */
  readonly outside?: string;
}

/** In one piece of a frame. */
export interface PieceEdit extends TextEdit {
  readonly piece: number;
}

/**
 * Why a text or a tool goes no further. `policy`: a rule blocks. `sealed`: a rule would change a text which
 * nobody may change. `structure`: a rule would change what makes JSON of a text, and nothing else. `exceeded`: there
 * are more matches of a rule than may be judged. `unjudged`: a rule could not tell whether it matches. `unable`: a
 * rule would add to a message where none could go on.
 */
export interface Blocked {
  readonly kind: 'policy' | 'sealed' | 'structure' | 'exceeded' | 'unjudged' | 'unable';
  readonly rule: Rule;
  /** Source unit up to which the text may leave. */
  readonly cut: number;
}
