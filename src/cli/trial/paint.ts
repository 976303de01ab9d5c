/** Colour for terminals, and nothing for files: reports read the same without it. */

export type Style = 'match' | 'good' | 'bad' | 'changed' | 'dim' | 'strong';
export type Paint = (style: Style, text: string) => string;

const CODES: Readonly<Record<Style, string>> = {
  match: '1;4;33',
  good: '32',
  bad: '1;31',
  changed: '33',
  dim: '2',
  strong: '1',
};

export const plain: Paint = (_style, text) => text;

const coloured: Paint = (style, text) =>
  text === '' ? '' : `\u001b[${CODES[style]}m${text}\u001b[0m`;

/**
 * `asked`: what `--color` or `--no-color` says. Without, a terminal has colour unless `NO_COLOR` is set to
 * anything or `TERM` is `dumb`.
 */
export function paintFor(
  asked: boolean | undefined,
  isTerminal: boolean,
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  const wanted = asked ?? (isTerminal && !env.NO_COLOR && env.TERM !== 'dumb');
  return wanted ? coloured : plain;
}
