/** What a table of secrets is made of. */
import type { NamedCheck } from './secret-checks.ts';

/** What all of them count as. */
export const SECRET_LABEL = 'SECRET';

export interface SecretKind {
  /** What authors call it in `kinds` and `except`. */
  readonly kind: string;
  readonly what: string;
  /** RE2 syntax, case as written; what matches begins with something that few texts hold. */
  readonly expression: string;
  /** In the words of the reference page; without it the form is proof enough. */
  readonly check?: NamedCheck;
  /** Longest match, where the expression has no bound. */
  readonly unitsMax?: number;
  /** Where its form is documented, or shown by an example. */
  readonly source: string;
}

/** Letters and digits. */
export const W = '[A-Za-z0-9]';
/** The base64 alphabet for addresses. */
export const U = '[A-Za-z0-9_-]';
/** Hexadecimal digits: providers write small ones, people copy both. */
export const H = '[0-9a-fA-F]';
export const UUID = `${H}{8}-${H}{4}-${H}{4}-${H}{4}-${H}{12}`;

/** The same, with the padding of some providers anywhere in it. */
export const E = '[A-Za-z0-9_=-]';

/** `count` of them, behind which the token is over: a hyphen has no word boundary behind it. */
export const exactly = (count: number): string => between(count, count);
export const between = (least: number, most: number): string =>
  `${U}{${least - 1},${most - 1}}(?:\\w\\b|-\\B)`;
export const exactlyPadded = (count: number): string => `${E}{${count - 1}}(?:\\w\\b|[=-]\\B)`;
