/** What a table of personal data is made of. */

/** One way in which an entity is written. */
export interface PiiForm {
  /**
   * RE2 syntax, over plain units: `\d` is a digit of any script, ` ` and `-` are spaces and hyphens of any
   * width. 256 units at most.
   */
  readonly expression: string;
  /**
   * How likely what has this form and passes `valid` is the entity, 0 to 1, where nothing around says so. With
   * `scoreOf`: the most that it gives.
   */
  readonly score: number;
  /** Check digits and what else the form alone does not say; all of its units are plain ones. */
  readonly valid?: (token: string) => boolean;
  /** The same, where it says more than yes or no. 0 for no. In place of `score`. */
  readonly scoreOf?: (token: string) => number;
  /**
   * What directly behind it makes it part of something longer, and so no candidate at all: without it, a digit
   * behind a sign. '' for nothing.
   */
  readonly tail?: string;
  /** The same for what is directly before it, as a JavaScript expression; without it, a digit and a sign. */
  readonly head?: string;
  /** Longest candidate, where the expression has no bound. */
  readonly unitsMax?: number;
  /** May begin, or end, with something else than a letter or a digit: no word boundary is asked for there. */
  readonly open?: 'start' | 'end';
}

export interface PiiKind {
  /** What authors call it in `entities`. */
  readonly entity: string;
  /** What it leaves behind: `[IBAN_1]`. */
  readonly label: string;
  readonly what: string;
  /** In the words of the reference page. */
  readonly check: string;
  /** What people call it in front of it: words of small ASCII letters and single spaces, or of other scripts. */
  readonly names: readonly string[];
  readonly forms: readonly PiiForm[];
  /** Where its form and its check are laid down. */
  readonly source: string;
}

/** Digits of a token, without what stands between. */
export function digitsIn(token: string): string {
  let digits = '';
  // Most tokens are short, and a loop is quicker than an expression.
  for (let at = 0; at < token.length; at++) {
    const unit = token.charCodeAt(at);
    if (unit >= 0x30 && unit <= 0x39) digits += token[at];
  }
  return digits;
}

/** Letters and digits of a token, letters in capitals. */
export const idIn = (token: string): string => token.replace(/[^A-Za-z0-9]/g, '').toUpperCase();

/** Letters and digits only, small letters. */
export const plainId = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
