/** What the compiler needs of `match/`, as an argument: tests compile without real automata. */
import type { Detector } from '../match/detector.ts';
import type { InvisibleOptions } from '../match/invisible.ts';
import type { RegexCode } from '../match/regex.ts';
import type { SecretOptions } from '../match/secrets.ts';

export interface KeywordSettings {
  readonly words: readonly string[];
  readonly aliases?: Readonly<Record<string, readonly string[]>>;
  readonly substring?: boolean;
  readonly caseSensitive?: boolean;
}

export interface RegexSettings {
  readonly pattern: string;
  readonly maxMatchBytes?: number;
  readonly statesMax?: number;
}

export interface PiiSettings {
  readonly entities: readonly ('email' | 'credit_card')[];
  readonly except?: readonly string[];
}

export type RegexOutcome =
  | { readonly ok: true; readonly detector: Detector }
  | {
      readonly ok: false;
      readonly code: RegexCode;
      readonly message: string;
    };

export interface Detectors {
  keywords(settings: KeywordSettings): Detector;
  regex(settings: RegexSettings): RegexOutcome;
  pii(settings: PiiSettings): Detector;
  /** Throws RangeError when no kind is left. */
  secrets(settings: SecretOptions): Detector;
  invisible(settings: InvisibleOptions): Detector;
}
